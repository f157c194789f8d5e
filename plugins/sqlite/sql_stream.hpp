// Text on its way into the sink: collected to runs of about a fragment, cut between statements.
#pragma once

#include "row_digest.hpp"

#include <bkhost/dumper.hpp>

#include <string>

namespace sqlite_driver {

/// Confined.
class SqlStream {
public:
    explicit SqlStream(bk::Sink sink) : sink_(sink) {}

    /// Begins a section; what came before is cut.
    void section(const bk::Sink::Section& section);
    /// The end of the text so far; append to it, then call spill() or statement_done().
    [[nodiscard]] std::string& text() noexcept { return text_; }
    /// Writes the text when it is long, and says so. May be called inside a statement.
    bool spill();
    /// Cuts when the fragment is long enough. Rows of `digest` since the last cut belong to it.
    void statement_done(RowDigest& digest);
    /// Cuts what is left.
    void finish(RowDigest& digest);

private:
    void write();
    void cut(RowDigest& digest);

    bk::Sink sink_;
    std::string text_;
    uint64_t since_cut_ = 0; ///< bytes written
};

} // namespace sqlite_driver
