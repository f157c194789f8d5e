// Translates between SQLite's C interface and ours; see database.hpp.
#include "core/catalog/database.hpp"

#include <bkhost/error.hpp>

#include <sqlite3.h>

namespace bkhost::internal {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

/// The status that a result code means; for I/O errors the errno behind it decides.
bk_status status_of(int code, int system_errno) {
    if (code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_UNIQUE)
        return BK_E_EXISTS;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return BK_E_BUSY;
    case SQLITE_FULL: return BK_E_NO_SPACE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return BK_E_CORRUPT;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: return BK_E_DENIED;
    case SQLITE_NOMEM: return BK_E_NO_MEMORY;
    case SQLITE_IOERR:
        return bk::status_of_errno(system_errno) == BK_E_NO_SPACE ? BK_E_NO_SPACE
                                                                  : BK_E_UNAVAILABLE;
    case SQLITE_CANTOPEN: {
        const bk_status status = bk::status_of_errno(system_errno);
        return status == BK_E_INTERNAL ? BK_E_DENIED : status;
    }
    default: return BK_E_INTERNAL;
    }
}

std::string hint_of(bk_status status) {
    switch (status) {
    case BK_E_BUSY: return "another process holds the lock; try again";
    case BK_E_NO_SPACE: return "free space on the disk that holds the catalog";
    case BK_E_CORRUPT: return "make it anew from the storages: bkhost catalog rebuild";
    case BK_E_DENIED: return "the file and its directory must be writable for this user";
    case BK_E_UNAVAILABLE: return "check the disk that holds the catalog";
    default: return {};
    }
}

} // namespace

void Database::Close::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

Database::Database(const std::filesystem::path& file) : file_(file.string()) {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(
        file_.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        nullptr);
    handle_.reset(handle);
    if (code != SQLITE_OK) fail(code);
    sqlite3_busy_timeout(handle, kBusyTimeoutMs);
}

void Database::fail(int code) const {
    const bool known = handle_ != nullptr;
    const int number = known ? sqlite3_system_errno(handle_.get()) : 0;
    const bk_status status = status_of(code, number);
    const std::string reason = known && sqlite3_extended_errcode(handle_.get()) == code
                                   ? sqlite3_errmsg(handle_.get())
                                   : sqlite3_errstr(code);
    bk::Error error(status, "catalog '" + file_ + "': " + reason, hint_of(status));
    if (status == BK_E_BUSY) error.flags |= BK_ERR_RETRYABLE;
    error.native_code = code;
    error.native_domain = "sqlite";
    throw error;
}

void Database::run(const char* sql) {
    const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code);
}

int64_t Database::integer(std::string_view sql) {
    Statement statement(*this, sql);
    return statement.step() ? statement.integer(0) : 0;
}

std::string Database::text(std::string_view sql) {
    Statement statement(*this, sql);
    return statement.step() ? statement.text(0) : std::string();
}

int64_t Database::changes() const { return sqlite3_changes64(handle_.get()); }
int64_t Database::last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

void Statement::Finalize::operator()(sqlite3_stmt* handle) const noexcept {
    sqlite3_finalize(handle);
}

Statement::Statement(Database& database, std::string_view sql) : database_(&database) {
    sqlite3_stmt* handle = nullptr;
    const int code = sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                        &handle, nullptr);
    handle_.reset(handle);
    if (code != SQLITE_OK) database.fail(code);
}

Statement& Statement::bind(int64_t value) {
    const int code = sqlite3_bind_int64(handle_.get(), ++bound_, value);
    if (code != SQLITE_OK) database_->fail(code);
    return *this;
}

Statement& Statement::bind(std::string_view value) {
    const char* data =
        value.data() != nullptr ? value.data() : ""; // a null pointer would bind NULL
    const int code = sqlite3_bind_text64(handle_.get(), ++bound_, data, value.size(),
                                         SQLITE_TRANSIENT, SQLITE_UTF8);
    if (code != SQLITE_OK) database_->fail(code);
    return *this;
}

bool Statement::step() {
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) database_->fail(code);
    return false;
}

void Statement::run() {
    while (step()) {
    }
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }

std::string Statement::text(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
    if (data == nullptr) return {};
    return {data, static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

Transaction::Transaction(Database& database, Kind kind) : database_(&database) {
    database.run(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
    // SQLite has rolled back by itself after some errors (a full disk); a failing ROLLBACK changes
    // nothing, since what was not committed does not count.
    if (database_->in_transaction())
        sqlite3_exec(database_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() { database_->run("COMMIT"); }

} // namespace bkhost::internal
