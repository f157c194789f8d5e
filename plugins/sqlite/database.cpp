// The SQLite calls behind database.hpp: how a connection waits, is cancelled and fails.
#include "database.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace sqlite_driver {
namespace {

constexpr int kOpsBetweenPolls = 200'000; // some milliseconds

bk_status status_of(int code, int system_errno) {
    switch (code & 0xff) {
    case SQLITE_ERROR: // wrong SQL: a script's, or an expression of a projection
    case SQLITE_CONSTRAINT:
    case SQLITE_NOTADB: return BK_E_INVALID;
    case SQLITE_CORRUPT: return BK_E_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return BK_E_BUSY;
    case SQLITE_FULL: return BK_E_NO_SPACE;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return BK_E_DENIED;
    case SQLITE_NOMEM: return BK_E_NO_MEMORY;
    case SQLITE_INTERRUPT: return BK_E_CANCELLED;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return system_errno != 0 ? bk::status_of_errno(system_errno) : BK_E_UNAVAILABLE;
    default: return BK_E_INTERNAL;
    }
}

const char* hint_of(int code) {
    switch (code & 0xff) {
    case SQLITE_NOTADB: return "name a SQLite 3 database; an encrypted one cannot be read";
    case SQLITE_CORRUPT:
        return "run PRAGMA integrity_check; restore an older backup or try .recover";
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "another connection holds the database; raise busy-timeout";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return "SQLite needs the right to write the -shm file or, after a crash, the database";
    default: return "";
    }
}

/// SQLite takes "file:..." for a URI, where these bytes have a meaning of their own.
std::string immutable_uri(const std::string& path) {
    std::string uri = "file:";
    for (const char c : path) {
        if (c == '%')
            uri += "%25";
        else if (c == '?')
            uri += "%3f";
        else if (c == '#')
            uri += "%23";
        else
            uri += c;
    }
    return uri + "?immutable=1";
}

/// Any order will do where rows are only listed; the collation may belong to the application.
int any_order(void*, int left_size, const void* left, int right_size, const void* right) {
    const int order =
        std::memcmp(left, right, static_cast<size_t>(std::min(left_size, right_size)));
    return order != 0 ? order : left_size - right_size;
}

void lend_collation(void*, sqlite3* db, int encoding, const char* name) {
    sqlite3_create_collation(db, name, encoding, nullptr, any_order);
}

int only_this_file(void*, int action, const char*, const char*, const char*, const char*) {
    return action == SQLITE_ATTACH || action == SQLITE_DETACH ? SQLITE_DENY : SQLITE_OK;
}

std::string quoted(std::string_view text, char mark) {
    std::string out(1, mark);
    for (const char c : text) {
        if (c == mark) out += mark;
        out += c;
    }
    return out + mark;
}

} // namespace

void throw_sqlite(sqlite3* db, int code, const std::string& object) {
    const int number = db != nullptr ? sqlite3_system_errno(db) : 0;
    const bool own_text = db != nullptr && (sqlite3_errcode(db) & 0xff) == (code & 0xff);
    const char* text = own_text ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    bk::Error error(status_of(code, number), object + ": " + text, hint_of(code));
    error.native_code = db != nullptr ? sqlite3_extended_errcode(db) : code;
    error.native_domain = "sqlite";
    if (error.status() == BK_E_BUSY) error.flags = BK_ERR_RETRYABLE;
    throw error;
}

Statement::Statement(sqlite3* db, std::string_view sql, std::string object)
    : object_(std::move(object)) {
    const int code =
        sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
    if (code != SQLITE_OK) throw_sqlite(db, code, object_);
}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), object_(std::move(other.object_)) {}

Statement::~Statement() { sqlite3_finalize(statement_); }

bool Statement::step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    throw_sqlite(sqlite3_db_handle(statement_), code, object_);
}

void Statement::reset() noexcept { sqlite3_reset(statement_); }

int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::text(int column) const {
    const unsigned char* data = sqlite3_column_text(statement_, column);
    if (data == nullptr) return {};
    return {reinterpret_cast<const char*>(data),
            static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

int Statement::columns() const { return sqlite3_column_count(statement_); }

Connection::Connection(const std::string& path, Access access, std::chrono::milliseconds patience,
                       const Cancel& cancel, const char* vfs)
    : object_("database '" + path + "'"), patience_(patience), cancel_(cancel) {
    const bool immutable = access == Access::immutable;
    const int flags = immutable ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE;
    const std::string name = immutable ? immutable_uri(path) : path;
    const int code = sqlite3_open_v2(name.c_str(), &db_, flags | SQLITE_OPEN_FULLMUTEX, vfs);
    try {
        if (code != SQLITE_OK) throw_sqlite(db_, code, object_);
        configure(access);
    } catch (const bk::Error&) {
        sqlite3_close_v2(db_);
        throw;
    }
}

Connection::~Connection() { sqlite3_close_v2(db_); }

void Connection::configure(Access access) {
    sqlite3_extended_result_codes(db_, 1);
    sqlite3_busy_handler(db_, on_busy, this);
    sqlite3_progress_handler(db_, kOpsBetweenPolls, on_progress, this);
    if (access != Access::read) return;
    // Closing the last connection must not checkpoint either: a backup writes nothing.
    sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_wal_autocheckpoint(db_, 0);
    sqlite3_collation_needed(db_, nullptr, lend_collation);
    exec("PRAGMA mmap_size=0; PRAGMA query_only=ON; PRAGMA cell_size_check=ON");
}

int Connection::on_busy(void* self, int attempts) noexcept {
    auto& connection = *static_cast<Connection*>(self);
    const auto now = std::chrono::steady_clock::now();
    if (attempts == 0) connection.busy_since_ = now;
    if (connection.cancel_.raised()) return 0;
    if (now - connection.busy_since_ >= connection.patience_) return 0;
    sqlite3_sleep(std::min(1 + attempts, 25));
    return 1;
}

int Connection::on_progress(void* self) noexcept {
    return static_cast<Connection*>(self)->cancel_.raised() ? 1 : 0;
}

void Connection::exec(const std::string& sql) {
    const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) throw_sqlite(db_, code, object_);
}

void Connection::exec_one(std::string_view sql) {
    Statement statement = prepare(sql);
    while (statement.step()) {
    }
}

void Connection::confine() noexcept { sqlite3_set_authorizer(db_, only_this_file, nullptr); }

Statement Connection::prepare(std::string_view sql) { return Statement(db_, sql, object_); }

std::string Connection::text(std::string_view sql) {
    Statement statement = prepare(sql);
    return statement.step() ? std::string(statement.text(0)) : std::string();
}

int64_t Connection::number(std::string_view sql) {
    Statement statement = prepare(sql);
    return statement.step() ? statement.number(0) : 0;
}

void Connection::interrupt() noexcept { sqlite3_interrupt(db_); }

bool Connection::rollback() noexcept {
    if (sqlite3_get_autocommit(db_) != 0) return true;
    return sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr) == SQLITE_OK;
}

sqlite3_file* Connection::file() const {
    sqlite3_file* file = nullptr;
    sqlite3_file_control(db_, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return file;
}

sqlite3_file* Connection::wal_file() const {
    sqlite3_file* file = nullptr;
    sqlite3_file_control(db_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    return file;
}

void read_exactly(sqlite3_file* file, std::span<uint8_t> out, uint64_t offset,
                  const std::string& object) {
    const int code = file->pMethods->xRead(file, out.data(), static_cast<int>(out.size()),
                                           static_cast<sqlite3_int64>(offset));
    if (code == SQLITE_OK) return;
    const std::string where = " at byte " + std::to_string(offset);
    if (code == SQLITE_IOERR_SHORT_READ)
        throw bk::Error(BK_E_CORRUPT, object + ": the file ends too early," + where,
                        hint_of(SQLITE_CORRUPT));
    throw_sqlite(nullptr, code, object + where);
}

uint64_t file_size(sqlite3_file* file, const std::string& object) {
    sqlite3_int64 size = 0;
    const int code = file->pMethods->xFileSize(file, &size);
    if (code != SQLITE_OK) throw_sqlite(nullptr, code, object);
    return static_cast<uint64_t>(size);
}

std::string quote_name(std::string_view name) { return quoted(name, '"'); }
std::string quote_text(std::string_view text) { return quoted(text, '\''); }

std::string name_list(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) {
        const bool plain = name.find_first_of(",\"") == std::string::npos && !name.empty() &&
                           name.front() != ' ' && name.back() != ' ';
        if (!list.empty()) list += ',';
        list += plain ? name : quote_name(name);
    }
    return list;
}

} // namespace sqlite_driver
