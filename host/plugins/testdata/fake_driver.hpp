// A driver that does nothing, for plugins that test the loader: what matters is how it is
// described.
#pragma once

#include <bkhost/sanitizer.hpp>

namespace fake {

class Mask final : public bk::Sanitizer {
public:
    Mask(bk::Host, bk::Config) {}
    std::string expression(const char*, const char*) override { return "NULL"; }
    int32_t suggest(const char*) override { return 0; }
};

inline constexpr bk_option kOptions[] = {
    bk::option("level", BK_OPT_INT, "how much is masked", "3", "1..9"),
    bk::option("salt", BK_OPT_SECRET, "mixed into every mask", nullptr, nullptr, BK_OPT_REQUIRED)};

constexpr bk_component component(const char* name, const char* schemes = "") {
    return bk::sanitizer_component<Mask>(
        {.name = name, .summary = "masks nothing", .options = kOptions, .schemes = schemes});
}

} // namespace fake
