// The driver "sqlite": options, requests and answers. The work is done by the files named in
// README.md.
#include "extract.hpp"
#include "inspect.hpp"
#include "load.hpp"
#include "page_image.hpp"
#include "row_proof.hpp"
#include "snapshot.hpp"
#include "sql_dump.hpp"
#include "sql_load.hpp"

#include <nlohmann/json.hpp>
#include <sqlite3.h>

#include <filesystem>
#include <mutex>

#include <sys/stat.h>
#include <unistd.h>

namespace sqlite_driver {
namespace {

using Json = nlohmann::ordered_json;

constexpr bk_option kOptions[] = {
    bk::option("path", BK_OPT_PATH, "the database file", nullptr, nullptr,
               BK_OPT_REQUIRED | BK_OPT_URL_TARGET),
    bk::option("format", BK_OPT_ENUM, "image: the pages of one state; sql: a script for sqlite3",
               "image", "image|sql"),
    bk::option("max-lock", BK_OPT_DURATION,
               "longest time to keep writers out of a database that is not in WAL mode", "60s",
               "1ms.."),
    bk::option("busy-timeout", BK_OPT_DURATION, "how long to wait for the locks of others", "10s"),
    bk::option("row-proof", BK_OPT_BOOL, "image: also count and hash the rows of each table",
               "true"),
    bk::option("preserve-rowids", BK_OPT_BOOL,
               "sql: keep the rowids of tables without INTEGER PRIMARY KEY", "false"),
    bk::option("integrity-check", BK_OPT_ENUM,
               "what a restore checks before the file is put in place", "quick", "none|quick|full"),
};

enum Unit : uint32_t { kImage = 0, kRows = 1, kScript = 2 };
enum class Format { image, sql }; ///< as in the option

/// The real path. What is not a readable file is refused before SQLite sees it: it would say only
/// that it cannot be opened.
std::string existing_file(const std::string& path) {
    if (path.empty() || path == ":memory:")
        throw bk::Error(BK_E_CONFIG, "'" + path + "' is not a database file",
                        "name a file; a database in memory cannot be backed up");
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0)
        bk::throw_errno(errno, "cannot open the database '" + path + "'");
    if (!S_ISREG(info.st_mode))
        throw bk::Error(BK_E_INVALID, "'" + path + "' is not a regular file",
                        "name the file of a SQLite 3 database");
    if (::access(path.c_str(), R_OK) != 0)
        bk::throw_errno(errno, "cannot read the database '" + path + "'");
    return std::filesystem::canonical(path).string();
}

std::chrono::milliseconds milliseconds(bk::Config config, const char* key) {
    return std::chrono::milliseconds(config.number(key));
}

/// A page image is the whole database; parts of it need the other format.
void check_whole(const Selection& selection) {
    if (!selection.whole())
        throw bk::Error(BK_E_UNSUPPORTED, "a page image holds the whole database",
                        "back up with format=sql to choose tables, columns or rows");
}

/// What load_begin needs of its request.
struct LoadRequest {
    Existing existing;
    Format format;
    uint64_t image_size;
};

LoadRequest parse_load(const std::string& text) {
    try {
        const Json request = Json::parse(text);
        const std::string target = request.value("target", "refuse");
        const std::string format = request.value("format", "image");
        const Json layout = request.value("layout", Json::object());
        if (target != "refuse" && target != "replace")
            throw bk::Error(BK_E_UNSUPPORTED,
                            "a SQLite database cannot be restored with target '" + target + "'",
                            "use refuse or replace");
        if (format != "image" && format != "sql")
            throw bk::Error(BK_E_UNSUPPORTED, "'" + format + "' is not a format of SQLite backups");
        return {target == "replace" ? Existing::replace : Existing::refuse,
                format == "sql" ? Format::sql : Format::image,
                layout.value("pages", uint64_t{0}) * layout.value("page_size", uint64_t{0})};
    } catch (const Json::exception& error) {
        throw bk::Error(BK_E_INVALID, std::string("the request cannot be read: ") + error.what());
    }
}

/// The image that a request speaks of. Throws INVALID when the source is not that.
bk::RandomSource image_of(const char* request, bk::RandomSource source) {
    const LoadRequest load = parse_load(request);
    if (load.format != Format::image || load.image_size != source.size())
        throw bk::Error(BK_E_INVALID, "the layout does not fit the page image");
    return source;
}

/// A wait that interrupt() ended reports whatever it waited for: say that it was cancelled.
template <class Body>
auto cancellable(const Cancel& cancel, Body&& body) {
    try {
        return body();
    } catch (const bk::Error&) {
        cancel.check();
        throw;
    }
}

class SqliteDumper : public bk::Dumper, public bk::TableExtractor {
public:
    SqliteDumper(bk::Host host, bk::Config config) : host_(host), config_(config), cancel_(host) {}

    void interrupt() noexcept override {
        cancel_.raise();
        const std::lock_guard lock(snapshot_mutex_);
        if (snapshot_) snapshot_->interrupt();
    }
    std::string probe() override {
        return cancellable(cancel_, [&] { return describe(); });
    }
    std::string inspect(const char* request) override;
    std::string dump_begin(const char* request) override {
        return cancellable(cancel_, [&] { return open_snapshot(request); });
    }
    void plan(const Units& unit) override;
    void dump(uint32_t number, bk::Sink sink) override;
    void dump_end(bool ok) override;
    std::unique_ptr<bk::LoadSession> load_begin(const char* request) override {
        return cancellable(cancel_, [&] { return open_target(request); });
    }
    void names(const char* request, bk::RandomSource image, const bk::Emit& name) override {
        cancellable(cancel_, [&] { list_tables(image_of(request, image), name, cancel_); });
    }
    void extract(const char* request, bk::RandomSource image, const bk::Emit& table) override {
        cancellable(cancel_, [&] {
            extract_tables(image_of(request, image), restore_options(request), table, host_,
                           cancel_);
        });
    }

private:
    [[nodiscard]] std::string path() const { return existing_file(config_.text("path")); }
    void set_snapshot(std::unique_ptr<Snapshot> snapshot) {
        const std::lock_guard lock(snapshot_mutex_);
        snapshot_.swap(snapshot);
    }
    /// Throws INVALID outside dump_begin and dump_end.
    [[nodiscard]] Snapshot& snapshot() const {
        if (!snapshot_) throw bk::Error(BK_E_INVALID, "no dump has begun");
        return *snapshot_;
    }
    [[nodiscard]] Format format() const { return static_cast<Format>(config_.number("format")); }
    [[nodiscard]] Json pragmas() const;
    [[nodiscard]] std::string describe();
    [[nodiscard]] std::string open_snapshot(const char* request);
    [[nodiscard]] std::unique_ptr<bk::LoadSession> open_target(const char* request);
    [[nodiscard]] RestoreOptions restore_options(const char* request) const;

    bk::Host host_;
    bk::Config config_;
    Cancel cancel_;
    std::mutex snapshot_mutex_; ///< for interrupt(), which comes from any thread
    std::unique_ptr<Snapshot> snapshot_;
    Selection selection_;
};

std::string SqliteDumper::describe() {
    const std::string file = path();
    Connection connection(file, Access::read, milliseconds(config_, "busy-timeout"), cancel_);
    const int64_t size =
        connection.number("PRAGMA page_count") * connection.number("PRAGMA page_size");
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) bk::throw_errno(errno, "cannot look at '" + file + "'");
    Json warnings = Json::array();
    if (connection.text("PRAGMA journal_mode") != "wal")
        warnings.push_back("not in WAL mode: writers wait while the database is read");
    return Json{
        {"engine", "sqlite"},
        {"version", sqlite3_libversion()},
        {"identity", file + " " + std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino)},
        {"source_path", file},
        {"size", size},
        {"warnings", warnings}}
        .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string SqliteDumper::inspect(const char*) {
    Connection connection(path(), Access::read, milliseconds(config_, "busy-timeout"), cancel_);
    connection.exec("BEGIN"); // one state for all of it
    return inspect_schema(connection);
}

Json SqliteDumper::pragmas() const {
    Connection& connection = snapshot().files();
    return {{"page_size", snapshot().page_size()},
            {"pages", snapshot().pages()},
            {"journal_mode", snapshot().journal_mode()},
            {"user_version", connection.number("PRAGMA user_version")},
            {"application_id", connection.number("PRAGMA application_id")},
            {"encoding", connection.text("PRAGMA encoding")}};
}

std::string SqliteDumper::open_snapshot(const char* request) {
    selection_ = parse_selection(request);
    if (format() == Format::image) check_whole(selection_);
    const SnapshotOptions options{.patience = milliseconds(config_, "busy-timeout"),
                                  .max_lock = milliseconds(config_, "max-lock")};
    set_snapshot(std::make_unique<Snapshot>(path(), options, cancel_));
    if (format() == Format::sql) check_selection(snapshot_->rows(), selection_);
    Json layout = {{"format", config_.text("format")}};
    layout.update(pragmas());
    return Json{{"engine", "sqlite"},
                {"version", sqlite3_libversion()},
                {"extension", format() == Format::sql ? "sql" : "db"},
                {"format", config_.text("format")},
                {"layout", layout}}
        .dump();
}

void SqliteDumper::plan(const Units& unit) {
    const uint64_t size = uint64_t{snapshot().pages()} * snapshot().page_size();
    if (format() == Format::sql)
        return unit(
            {sizeof(bk_unit), BK_UNIT_ORDERED, BK_PHASE_PROLOGUE, kScript, size, "SQL script"});
    unit({sizeof(bk_unit), BK_UNIT_ORDERED, BK_PHASE_DATA, kImage, size, "page image"});
    if (config_.flag("row-proof")) unit({sizeof(bk_unit), 0, BK_PHASE_DATA, kRows, 0, "row proof"});
}

void SqliteDumper::dump(uint32_t number, bk::Sink sink) {
    const bool script = format() == Format::sql;
    if (number == kRows && !script) return prove_rows(snapshot(), cancel_, sink);
    if (number != (script ? kScript : kImage)) throw bk::Error(BK_E_INVALID, "no such unit");
    sink.meta("sqlite", pragmas().dump());
    if (!script) return dump_image(snapshot(), cancel_, host_, sink);
    dump_sql(snapshot(), selection_, {.preserve_rowids = config_.flag("preserve-rowids")}, cancel_,
             sink);
}

void SqliteDumper::dump_end(bool ok) {
    if (ok) snapshot().verify();
    set_snapshot(nullptr);
}

std::unique_ptr<bk::LoadSession> SqliteDumper::open_target(const char* text) {
    const LoadRequest request = parse_load(text);
    if (request.format == Format::image) {
        check_whole(parse_selection(text));
        if (request.image_size == 0)
            throw bk::Error(BK_E_INVALID, "the layout does not tell the size of the image");
    }
    RestoreOptions options = restore_options(text);
    if (request.format == Format::sql)
        return std::make_unique<SqlLoad>(
            std::make_unique<RestoreTarget>(std::move(options), host_, cancel_), cancel_);
    auto file =
        std::make_unique<TargetFile>(options.path, options.existing, options.patience, cancel_);
    return std::make_unique<ImageLoad>(std::move(file), request.image_size, options.check, host_,
                                       cancel_);
}

RestoreOptions SqliteDumper::restore_options(const char* request) const {
    return {.path = config_.text("path"),
            .existing = parse_load(request).existing,
            .tables = parse_selection(request).include,
            .check = static_cast<IntegrityCheck>(config_.number("integrity-check")),
            .patience = milliseconds(config_, "busy-timeout")};
}

const void* extension(const char* id) noexcept {
    return std::string_view(id) == BK_DUMPER_EXTRACT_ID ? &bk::dumper_extract<SqliteDumper>::table
                                                        : nullptr;
}

constexpr bk_component kComponent = bk::dumper_component<SqliteDumper>(
    {"sqlite", "SQLite databases: page images without blocking writers, SQL scripts", kOptions,
     "sqlite,sqlite3,file"},
    &extension);

} // namespace
} // namespace sqlite_driver

BK_MODULE("org.bkhost.sqlite", "0.1.0", "SQLite databases", "dumper:sqlite:sqlite,sqlite3,file\n",
          &sqlite_driver::kComponent)
