// One SQLite connection, its statements and transactions, with errors as bk::Error. Knows nothing
// of what is stored. Internal to the catalog.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace bkhost::internal {

/// An open database file. Confined to one thread at a time: the owner locks.
class Database {
public:
    /// Opens a file that exists; waits up to 10 s for the locks of others.
    explicit Database(const std::filesystem::path& file);

    /// Runs statements without parameters and without results.
    void run(const char* sql);
    /// The first column of the first row; 0 when there is none.
    [[nodiscard]] int64_t integer(std::string_view sql);
    [[nodiscard]] std::string text(std::string_view sql);
    /// Rows that the last statement inserted, changed or removed.
    [[nodiscard]] int64_t changes() const;
    [[nodiscard]] int64_t last_row() const;
    [[nodiscard]] bool in_transaction() const;

    /// Throws for what SQLite returned: BUSY, NO_SPACE, DENIED, CORRUPT, EXISTS, UNAVAILABLE …
    [[noreturn]] void fail(int code) const;
    [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }

private:
    struct Close {
        void operator()(sqlite3* handle) const noexcept;
    };
    std::string file_;
    std::unique_ptr<sqlite3, Close> handle_;
};

/// A prepared statement. Parameters are bound in their order; columns are read by number.
class Statement {
public:
    Statement(Database& database, std::string_view sql);

    Statement& bind(int64_t value);
    Statement& bind(std::string_view value);
    /// Whether there is a (further) row.
    [[nodiscard]] bool step();
    /// For statements that give no rows.
    void run();
    [[nodiscard]] int64_t integer(int column) const;
    [[nodiscard]] std::string text(int column) const;

private:
    struct Finalize {
        void operator()(sqlite3_stmt* handle) const noexcept;
    };
    Database* database_;
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
    int bound_ = 0;
};

/// Rolled back unless committed.
class Transaction {
public:
    enum class Kind { read, write };
    /// A write transaction takes the write lock at once, so that it cannot fail halfway for want of
    /// it.
    explicit Transaction(Database& database, Kind kind = Kind::write);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

private:
    Database* database_;
};

} // namespace bkhost::internal
