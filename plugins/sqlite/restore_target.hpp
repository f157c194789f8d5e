// Where the database that a script or an extraction makes goes: in place as a whole, or, when only
// tables were asked for and a database is there, table by table into that one.
#pragma once

#include "load.hpp"
#include "table_copy.hpp"

#include <optional>

namespace sqlite_driver {

struct RestoreOptions {
    std::string path;
    Existing existing = Existing::refuse;
    Names tables; ///< empty: the whole database
    IntegrityCheck check = IntegrityCheck::quick;
    std::chrono::milliseconds patience{0};
};

/// Confined. The temporary database is removed unless it became the target.
class RestoreTarget {
public:
    /// Throws as TargetFile; with tables, EXISTS when one of them is in the target and `existing`
    /// is refuse, and what opening the target throws.
    RestoreTarget(RestoreOptions options, bk::Host host, const Cancel& cancel);

    /// An empty file of our own, for the restored database.
    [[nodiscard]] const std::string& temporary() const noexcept { return file_->temporary(); }
    /// Checks the temporary database, which nobody has open any more, and makes it or its tables
    /// durable and visible, all or nothing. The rest of a target that is there stays as it is.
    void finish();

private:
    void check_tables(Connection& target) const;
    void remove_tables(Connection& target) const;
    void review_new() const;
    void merge() const;

    const RestoreOptions options_;
    bk::Host host_;
    const Cancel& cancel_;
    bool merges_;
    std::optional<TargetFile> file_;
};

} // namespace sqlite_driver
