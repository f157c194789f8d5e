// Carries a kind that this host does not know, a later revision of one that it does, and an init
// that fails.
#include "fake_driver.hpp"

namespace {

constexpr bk_component with_interface(const char* name, const char* interface_id) {
    bk_component made = fake::component(name);
    made.interface_id = interface_id;
    made.vtable = nullptr;
    return made;
}
constexpr bk_component kNotifier = with_interface("mail", "bkhost.notifier/3");
constexpr bk_component kLater = with_interface("later", "bkhost.sanitizer/7");
constexpr bk_component kMask = fake::component("no-init");
constexpr const bk_component* kComponents[] = {&kNotifier, &kLater, &kMask};

bk_status init(const bk_host*, bk_error* error) noexcept {
    return bk::store_error(error, BK_E_UNAVAILABLE, "no licence server", "start it");
}

constexpr bk_module kModule{sizeof(bk_module),
                            BK_ABI_MAJOR,
                            BK_ABI_MINOR,
                            "org.bkhost.test.other-kind",
                            "1.0",
                            "a test",
                            "bkhost",
                            "MIT",
                            "",
                            kComponents,
                            3,
                            0,
                            init,
                            nullptr};

} // namespace

BK_DEFINE_NOTE("org.bkhost.test.other-kind", "1.0",
               "notifier:mail:\nsanitizer:later:\nsanitizer:no-init:\n")
BK_EXPORT const bk_module* bk_module_v0(void) BK_NOEXCEPT { return &kModule; }
