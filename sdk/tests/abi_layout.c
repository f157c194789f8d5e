/* The layout of the ABI as a C compiler sees it; wrapper_test.cpp has it as a C++ compiler does. */
#include "abi_layout.h"

typedef int abi_layout_has_no_code;
