// SQLite as RAII: a connection, a prepared statement, and its errors as bk::Error.
// Nothing here opens a database file by a descriptor of its own: closing one would drop the POSIX
// locks that SQLite holds for the whole process (https://www.sqlite.org/howtocorrupt.html, 2.2).
#pragma once

#include "cancel.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_file;
struct sqlite3_stmt;

namespace sqlite_driver {

/// Throws the failure `code` of a call on `db` (may be null); `object` stands before the message.
[[noreturn]] void throw_sqlite(sqlite3* db, int code, const std::string& object);

/// A prepared statement. Confined to the thread that uses its connection.
class Statement {
public:
    Statement(sqlite3* db, std::string_view sql, std::string object);
    ~Statement();
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&&) = delete;

    /// True with a row, false at the end.
    [[nodiscard]] bool step();
    void reset() noexcept;
    /// Columns of the row; the views last until the next step.
    [[nodiscard]] int64_t number(int column) const;
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] bool is_null(int column) const;
    [[nodiscard]] int columns() const;
    [[nodiscard]] sqlite3_stmt* get() const noexcept { return statement_; }

private:
    sqlite3_stmt* statement_ = nullptr;
    std::string object_;
};

enum class Access {
    read,      ///< a database in use by others: nothing is changed, nothing is checkpointed
    write,     ///< a file of our own
    immutable, ///< a file of our own that nobody else knows: no locks, no files beside it
};

/// A connection. Confined to one thread at a time, but for interrupt() and rollback().
class Connection {
public:
    /// Never creates the file. Waits for locks up to `patience`, polling `cancel`, which also ends
    /// running statements. `cancel` must live as long.
    /// `vfs`: of SQLite's file systems another than the system's own.
    Connection(const std::string& path, Access access, std::chrono::milliseconds patience,
               const Cancel& cancel, const char* vfs = nullptr);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void exec(const std::string& sql);
    /// Runs the first statement of `sql` alone: for text that comes from somebody else.
    void exec_one(std::string_view sql);
    /// From now on no statement reaches another file: an archive may come from anybody.
    void confine() noexcept;
    [[nodiscard]] Statement prepare(std::string_view sql);
    /// The first column of the first row; "" and 0 when there is none.
    [[nodiscard]] std::string text(std::string_view sql);
    [[nodiscard]] int64_t number(std::string_view sql);

    /// Ends what runs on the connection. Thread-safe.
    void interrupt() noexcept;
    /// Ends the transaction if there is one; the locks are gone once no statement runs. False when
    /// an interrupted statement has yet to end. Thread-safe.
    bool rollback() noexcept;

    /// SQLite's own files, for reads and the wal-index; the second is closed outside WAL mode.
    [[nodiscard]] sqlite3_file* file() const;
    [[nodiscard]] sqlite3_file* wal_file() const;
    [[nodiscard]] sqlite3* get() const noexcept { return db_; }
    [[nodiscard]] const std::string& object() const noexcept { return object_; }

private:
    void configure(Access access);
    static int on_busy(void* self, int attempts) noexcept;
    static int on_progress(void* self) noexcept;

    sqlite3* db_ = nullptr;
    std::string object_;
    std::chrono::milliseconds patience_;
    std::chrono::steady_clock::time_point busy_since_;
    const Cancel& cancel_;
};

/// Reads exactly `out.size()` bytes at `offset`; CORRUPT when the file ends before, with `object`.
void read_exactly(sqlite3_file* file, std::span<uint8_t> out, uint64_t offset,
                  const std::string& object);
[[nodiscard]] uint64_t file_size(sqlite3_file* file, const std::string& object);

/// "name" with every quote doubled; 'text' likewise.
[[nodiscard]] std::string quote_name(std::string_view name);
[[nodiscard]] std::string quote_text(std::string_view text);
/// Names by comma, as the host reads them in `depends` (dumper.h).
[[nodiscard]] std::string name_list(const std::vector<std::string>& names);

} // namespace sqlite_driver
