// Never answers, and leaves a child of its own behind.
#include <bkhost/note.h>

#include <unistd.h>

BK_DEFINE_NOTE("org.bkhost.test.hang", "1.0", "sanitizer:hang:\n")
BK_EXPORT const bk_module* bk_module_v0(void) BK_NOEXCEPT {
    static_cast<void>(::fork());
    for (;;)
        ::pause();
}
