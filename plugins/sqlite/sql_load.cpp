// Statement by statement, so that an error names its place and a NUL byte cannot hide the rest.
#include "sql_load.hpp"

#include <algorithm>

#include <sqlite3.h>

namespace sqlite_driver {
namespace {

std::string read_all(const bk::Source& source, uint64_t size_hint) {
    constexpr size_t least = 1U << 16U;
    std::string text(std::max<size_t>(size_hint + 1, least), '\0');
    size_t used = 0;
    while (const size_t got = source.read(
               std::span(reinterpret_cast<uint8_t*>(text.data()) + used, text.size() - used))) {
        used += got;
        if (used == text.size()) text.resize(text.size() * 2);
    }
    text.resize(used);
    return text;
}

bool blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

} // namespace

SqlLoad::SqlLoad(std::unique_ptr<RestoreTarget> target, const Cancel& cancel)
    : target_(std::move(target)),
      connection_(std::make_unique<Connection>(target_->temporary(), Access::write,
                                               std::chrono::milliseconds(0), cancel)),
      cancel_(cancel) {
    // The file is nobody's until it is complete and synced: neither journal nor syncs are needed.
    connection_->exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF;"
                      "PRAGMA synchronous=OFF; PRAGMA cache_size=-16384");
    connection_->confine();
    sqlite3_rollback_hook(
        connection_->get(), [](void* seen) { *static_cast<bool*>(seen) = true; }, &rolled_back_);
}

void SqlLoad::load(const bk_load_unit& unit, bk::Source source) {
    const std::string text = read_all(source, unit.size);
    for (std::string_view rest = text; !blank(rest);) {
        cancel_.check();
        rest = run_one(rest);
    }
}

std::string_view SqlLoad::run_one(std::string_view sql) {
    sqlite3* db = connection_->get();
    sqlite3_stmt* prepared = nullptr;
    const char* tail = nullptr;
    int code = sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &prepared, &tail);
    const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> statement(prepared,
                                                                               sqlite3_finalize);
    if (code != SQLITE_OK) throw_sqlite(db, code, connection_->object());
    const auto used = static_cast<size_t>(tail - sql.data());
    if (used == 0) // SQLite takes it for the end
        throw bk::Error(BK_E_CORRUPT, "the SQL script holds a NUL byte");
    if (prepared != nullptr) {
        const bool open_before = sqlite3_get_autocommit(db) == 0;
        do
            code = sqlite3_step(prepared);
        while (code == SQLITE_ROW);
        if (code != SQLITE_DONE) throw_sqlite(db, code, connection_->object());
        committed_ = open_before && sqlite3_get_autocommit(db) != 0 && !rolled_back_;
    }
    return sql.substr(used);
}

void SqlLoad::end(bool ok) {
    const bool complete = committed_;
    connection_.reset();
    if (!ok) return target_.reset();
    if (!complete)
        throw bk::Error(BK_E_CORRUPT, "the SQL script does not end in COMMIT: it is not complete",
                        "restore another backup");
    target_->finish();
}

} // namespace sqlite_driver
