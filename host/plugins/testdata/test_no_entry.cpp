// Has a note and no entry.
#include <bkhost/note.h>

BK_DEFINE_NOTE("org.bkhost.test.no-entry", "1.0", "sanitizer:no-entry:\n")
