// Leaves a required function out.
#include "fake_driver.hpp"

namespace {

constexpr bk_sanitizer table() {
    bk_sanitizer made = bk::sanitizer<fake::Mask>::table;
    made.suggest = nullptr;
    return made;
}
constexpr bk_sanitizer kTable = table();

constexpr bk_component component() {
    bk_component made = fake::component("missing-slot");
    made.vtable = &kTable;
    return made;
}
constexpr bk_component kMask = component();

} // namespace

BK_MODULE("org.bkhost.test.missing-slot", "1.0", "a test", "sanitizer:missing-slot:\n", &kMask)
