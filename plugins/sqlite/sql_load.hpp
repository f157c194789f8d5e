// Restores of the format "sql": runs the statements on a database of their own, which goes where it
// belongs only when the last one was COMMIT.
#pragma once

#include "database.hpp"
#include "restore_target.hpp"

namespace sqlite_driver {

class SqlLoad : public bk::LoadSession {
public:
    SqlLoad(std::unique_ptr<RestoreTarget> target, const Cancel& cancel);
    void load(const bk_load_unit& unit, bk::Source source) override;
    void end(bool ok) override;

private:
    /// Runs the first statement; gives what follows it.
    std::string_view run_one(std::string_view sql);

    bool rolled_back_ = false; ///< ever; before the connection, which writes to it
    std::unique_ptr<RestoreTarget> target_;
    std::unique_ptr<Connection> connection_; ///< ends before the target's own descriptor
    const Cancel& cancel_;
    bool committed_ = false; ///< by the last statement
};

} // namespace sqlite_driver
