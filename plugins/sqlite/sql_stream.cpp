// Writing and cutting.
#include "sql_stream.hpp"

namespace sqlite_driver {

void SqlStream::section(const bk::Sink::Section& section) {
    RowDigest none;
    finish(none);
    sink_.section(section);
}

void SqlStream::write() {
    if (text_.empty()) return;
    sink_.write(text_);
    since_cut_ += text_.size();
    text_.clear();
}

bool SqlStream::spill() {
    if (text_.size() < sink_.fragment_target()) return false;
    write();
    return true;
}

void SqlStream::cut(RowDigest& digest) {
    write();
    if (since_cut_ == 0) return;
    sink_.cut(digest.rows(), digest.digest());
    since_cut_ = 0;
    digest.clear();
}

void SqlStream::statement_done(RowDigest& digest) {
    if (since_cut_ + text_.size() >= sink_.fragment_target()) cut(digest);
}

void SqlStream::finish(RowDigest& digest) { cut(digest); }

} // namespace sqlite_driver
