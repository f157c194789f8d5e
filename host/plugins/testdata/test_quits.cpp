// Ends the process that asks it what it is.
#include <bkhost/note.h>

#include <unistd.h>

BK_DEFINE_NOTE("org.bkhost.test.quits", "1.0", "sanitizer:quits:\n")
BK_EXPORT const bk_module* bk_module_v0(void) BK_NOEXCEPT { ::_exit(0); }
