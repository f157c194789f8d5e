// Crashes as soon as it is asked what it is.
#include <bkhost/note.h>

#include <cstdlib>

BK_DEFINE_NOTE("org.bkhost.test.crash", "1.0", "sanitizer:crash:crash\n")
BK_EXPORT const bk_module* bk_module_v0(void) BK_NOEXCEPT { std::abort(); }
