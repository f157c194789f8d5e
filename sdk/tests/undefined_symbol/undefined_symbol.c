#include <bkhost/abi.h>

const bk_module* nobody_has_this(void);
const bk_module* bk_module_v0(void) { return nobody_has_this(); }
