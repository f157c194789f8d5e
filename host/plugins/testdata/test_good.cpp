// A well-behaved plugin; its init and fini tell the log that they ran.
#include "fake_driver.hpp"

namespace {

constexpr bk_component kMask = fake::component("good", "good,fine");
constexpr bk_component kOther = fake::component("other");
constexpr const bk_component* kComponents[] = {&kMask, &kOther};
const bk_host* host = nullptr;

bk_status init(const bk_host* services, bk_error*) noexcept {
    host = services;
    host->log(host, BK_LOG_INFO, host->is_cancelled(host) == 0 ? "init" : "cancelled");
    return BK_OK;
}

void fini() noexcept { host->log(host, BK_LOG_INFO, "fini"); }

constexpr bk_module kModule{sizeof(bk_module),
                            BK_ABI_MAJOR,
                            BK_ABI_MINOR,
                            "org.bkhost.test.good",
                            "1.2.3",
                            "a test",
                            "bkhost",
                            "MIT",
                            "",
                            kComponents,
                            2,
                            0,
                            init,
                            fini};

} // namespace

BK_DEFINE_NOTE("org.bkhost.test.good", "1.2.3", "sanitizer:good:good,fine\nsanitizer:other:\n")
BK_EXPORT const bk_module* bk_module_v0(void) BK_NOEXCEPT { return &kModule; }
