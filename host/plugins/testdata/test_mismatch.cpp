// Its note promises a driver that its code does not have.
#include "fake_driver.hpp"

namespace {
constexpr bk_component kMask = fake::component("real");
}

BK_MODULE("org.bkhost.test.mismatch", "1.0", "a test", "sanitizer:promised:\n", &kMask)
