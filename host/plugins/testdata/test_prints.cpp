// Writes to stdout before and while it is asked, which a driver must not do.
#include "fake_driver.hpp"

#include <cstdio>

namespace {

struct Chatter {
    Chatter() {
        std::puts("hello from a plugin");
        std::fflush(stdout);
    }
};
const Chatter chatter;
constexpr bk_component kMask = fake::component("prints");

} // namespace

BK_MODULE("org.bkhost.test.prints", "1.0", "a test", "sanitizer:prints:\n", &kMask)
