#include "tests/damage/damage_bed.hpp"

#include "core/job/backup.hpp"
#include "core/job/reap.hpp"
#include "core/job/restore.hpp"
#include "tests/damage/real_drivers.hpp"

#include <sqlite3.h>

#include <fstream>
#include <iterator>

namespace bkhost::test {
namespace {

namespace fs = std::filesystem;

unsigned rows_wanted() {
    const char* text = std::getenv("BKHOST_DAMAGE_ROWS");
    return text == nullptr ? 12 : static_cast<unsigned>(std::stoul(text));
}

void run_sql(sqlite3* db, const std::string& sql) {
    if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        throw bk::Error(BK_E_INTERNAL, sqlite3_errmsg(db));
}

/// Small pages, so that a small file has every kind of them. Two seeds give files of one size.
void make_database(const std::string& path, unsigned seed) {
    sqlite3* handle = nullptr;
    if (sqlite3_open(path.c_str(), &handle) != SQLITE_OK)
        throw bk::Error(BK_E_INTERNAL, "cannot make '" + path + "'");
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> db(handle, sqlite3_close);
    run_sql(handle, "PRAGMA page_size=512;"
                    "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, mail TEXT UNIQUE);"
                    "CREATE TABLE orders(id INTEGER PRIMARY KEY, user INTEGER, total REAL);"
                    "CREATE TABLE notes(body BLOB);"
                    "CREATE INDEX by_user ON orders(user);");
    const std::string with = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE "
                             "i < " +
                             std::to_string(rows_wanted()) + ") ";
    const std::string s = std::to_string(seed);
    run_sql(handle, with + "INSERT INTO users SELECT i, 'user " + s +
                        "-' || i, printf('%04d', i * 7 % 997) || '" + s + "@example.org' FROM n");
    run_sql(handle, with + "INSERT INTO orders SELECT i, i * 3 % 11, i / 4.0 + " + s + " FROM n");
    run_sql(handle, "INSERT INTO notes VALUES(zeroblob(900)),(X'0" + s + "0A0D'),(NULL)");
}

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// The whole content as text, whatever the layout of the file.
std::string content_of(const std::string& path) {
    sqlite3* handle = nullptr;
    if (sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK)
        return "not a database";
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> db(handle, sqlite3_close);
    std::string content;
    const auto add = [](void* to, int count, char** values, char**) {
        for (int i = 0; i < count; ++i)
            static_cast<std::string*>(to)->append(values[i] == nullptr ? "NULL" : values[i]) += '|';
        return 0;
    };
    for (const char* query :
         {"SELECT type, name, sql FROM sqlite_master ORDER BY name",
          "SELECT id, name, mail FROM users ORDER BY id",
          "SELECT id, user, total FROM orders ORDER BY id", "SELECT quote(body) FROM notes"})
        if (sqlite3_exec(handle, query, add, &content, nullptr) != SQLITE_OK)
            return sqlite3_errmsg(handle);
    return content;
}

Said said_of(const bk::Error& error) {
    const Answer answer = error.status() == BK_E_CORRUPT     ? Answer::damaged
                          : error.status() == BK_E_NOT_FOUND ? Answer::absent
                                                             : Answer::other;
    return {answer, error.what()};
}

std::string new_store_name() {
    static int count = 0;
    return "damage-" + std::to_string(++count);
}

} // namespace

const char* answer_name(Answer answer) noexcept {
    switch (answer) {
    case Answer::good: return "good";
    case Answer::damaged: return "damaged";
    case Answer::absent: return "absent";
    case Answer::other: break;
    }
    return "another error";
}

DamageBed::DamageBed(Registry& registry, const Packing& packing)
    : registry_(registry), store_name_(new_store_name()), store_(memory_store(store_name_)),
      recipient_(make_age_key(registry, dir_.path / "key.txt")),
      catalog_(dir_.path / "catalog.db", clock_, probe_),
      empty_(dir_.path / "empty.db", clock_, probe_),
      reaping_(dir_.path / "reaping.db", clock_, probe_),
      dying_(dir_.path / "reaping.db", clock_, dying_probe_),
      reaping_file_(dir_.path / "reaping.db") {
    fs::create_directory(dir_.path / "target");
    make_database(dir_.path / "shop.db", 1);
    make_database(dir_.path / "other.db", 2);
    const BackupRow other = back_up(packing, "other.db");
    others_ = stored(other);
    for (const auto& [name, data] : others_)
        store_->erase(other.archive_key + name);
    clock_.pass(1000);
    row_ = back_up(packing, "shop.db");
    objects_ = stored(row_);
    const Data& text = objects_.at("manifest.json");
    manifest_ = parse_manifest({reinterpret_cast<const char*>(text.data()), text.size()}, "it");
    probe_.set(dying_probe_.owner.pid, dying_probe_.owner.start_ticks, Presence::gone);
}

DamageBed::~DamageBed() = default;

BackupRow DamageBed::back_up(const Packing& packing, const std::string& source) {
    BackupRequest request;
    request.source_name = "shop";
    request.environment = "production";
    request.source = {"sqlite", {{"path", {dir_.path / source}}, {"format", {packing.format}}}};
    if (!packing.compress.empty()) request.compress = DriverSpec{packing.compress, {}};
    if (!packing.encrypt.empty())
        request.encrypt = DriverSpec{packing.encrypt, {{"recipients", {recipient_}}}};
    request.storages = {place().storage};
    return run_backup(context(catalog_), request).row;
}

Objects DamageBed::stored(const BackupRow& row) const {
    Objects objects;
    for (const std::string& key : store_->keys())
        if (key.starts_with(row.archive_key))
            objects[key.substr(row.archive_key.size())] = store_->object(key);
    return objects;
}

JobContext DamageBed::context(Catalog& catalog) {
    return {registry_, catalog, log_, observer_, {}, clock_, "bkhost 9", "db1", "tester"};
}

ArchivePlace DamageBed::place() const {
    return {{"here", {"memory", {{"name", {store_name_}}}}}, row_.archive_key};
}

DecryptOptions DamageBed::decrypt() const {
    return [this](const std::string&) {
        return OptionText{{"identity-files", {dir_.path / "key.txt"}}};
    };
}

std::string DamageBed::target() const { return dir_.path / "target" / "shop.db"; }

void DamageBed::put(const Changes& changes) {
    clock_.pass(1000); // ids of restores stay unique
    for (const std::string& key : store_->keys())
        if (!objects_.contains(key.substr(row_.archive_key.size()))) store_->erase(key);
    for (const auto& [name, data] : objects_) {
        const auto changed = changes.find(name);
        const std::string key = row_.archive_key + name;
        if (changed == changes.end())
            store_->set_object(key, data);
        else if (changed->second)
            store_->set_object(key, *changed->second);
        else
            store_->erase(key);
    }
}

Said DamageBed::verify(VerifyLevel level) {
    try {
        const VerifyResult result = verify_archive(context(catalog_), place(), level, decrypt(), 0);
        const std::string text = result.problems.empty() ? "" : result.problems.front().text;
        switch (result.outcome) {
        case VerifyOutcome::ok: return {Answer::good, text};
        case VerifyOutcome::failed: return {Answer::damaged, text};
        default: return {Answer::other, text};
        }
    } catch (const bk::Error& error) {
        return said_of(error);
    }
}

Said DamageBed::restore() {
    RestoreRequest request;
    request.backup_id = row_.id;
    request.places = {place()};
    request.decrypt = decrypt();
    request.target = {"sqlite", {{"path", {target()}}}};
    request.target_text = "the target";
    request.environment = "production";
    try {
        return {Answer::good, run_restore(context(catalog_), request).id};
    } catch (const bk::Error& error) {
        const fs::directory_iterator left(dir_.path / "target");
        if (left != fs::directory_iterator())
            return {Answer::good, "failed, and left " + left->path().string()};
        return said_of(error);
    }
}

Said DamageBed::import() {
    const ImportResult result = import_storage(context(empty_), place().storage);
    if (result.inserted + result.refreshed > 0) {
        internal::Database(dir_.path / "empty.db").run("DELETE FROM copies; DELETE FROM backups");
        return {Answer::good, "imported"};
    }
    if (result.found == 0) return {Answer::absent, ""};
    if (result.problems.empty()) return {Answer::other, "nothing said"};
    return {Answer::damaged, result.problems.front()};
}

Said DamageBed::reap() {
    BackupRow row;
    row.id = row_.id;
    row.source = row_.source;
    row.environment = row_.environment;
    row.archive_key = row_.archive_key;
    row.started_ms = row_.started_ms;
    CopyRow copy;
    copy.storage = place().storage.name;
    copy.location = place().storage.spec;
    const Lease lease = dying_.begin_backup(row, {copy});
    dying_.transition(row.id, BackupState::pending, BackupState::running, {}, &lease);
    dying_.transition(row.id, BackupState::running, BackupState::verifying, {}, &lease);
    const ReapResult result =
        bkhost::reap(context(reaping_), [this](const CopyRow&) { return place().storage; });
    const std::string state(state_name(reaping_.backup(row.id)->state));
    reaping_file_.run("DELETE FROM events; DELETE FROM leases; DELETE FROM copies;"
                      "DELETE FROM backups");
    if (result.adopted > 0 || state == "completed") return {Answer::good, state};
    return {result.interrupted == 1 ? Answer::damaged : Answer::other, state};
}

bool DamageBed::take_restored() {
    const std::string source = dir_.path / "shop.db";
    const bool same = manifest_.components.front().format == "image"
                          ? bytes_of(source) == bytes_of(target())
                          : content_of(source) == content_of(target());
    fs::remove(target());
    return same;
}

} // namespace bkhost::test
