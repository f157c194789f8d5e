// What bkhost doctor found, line by line.
#pragma once

#include <bkhost/error.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace bkhost {

enum class Health { ok, warn, fail };

/// One line. `next` says what to do about it; empty where all is well.
struct Finding {
    Health health = Health::ok;
    std::string object; ///< "storage 'here'", "catalog"
    std::string text, next;
};

/// Confined.
class DoctorReport {
public:
    void ok(const std::string& object, const std::string& text);
    void warn(const std::string& object, const std::string& text, const std::string& next);
    void fail(const std::string& object, const std::string& text, const std::string& next);
    /// The error's hint, if it has one, is what to do. A cancel is thrown on: it is no finding.
    void fail(const std::string& object, const bk::Error& error);

    [[nodiscard]] size_t count(Health health) const;
    /// Lines for people, escaped.
    [[nodiscard]] std::string text() const;
    /// One document.
    [[nodiscard]] std::string json() const;

private:
    std::vector<Finding> findings_;
};

} // namespace bkhost
