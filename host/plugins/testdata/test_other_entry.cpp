// Has the entry of a later ABI alone.
#include <bkhost/note.h>

BK_DEFINE_NOTE("org.bkhost.test.other-entry", "1.0", "sanitizer:other-entry:\n")
BK_EXPORT const bk_module* bk_module_v1(void) BK_NOEXCEPT { return nullptr; }
