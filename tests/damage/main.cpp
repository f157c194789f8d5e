// A GoogleTest program that the plugin loader can start again to scan a plugin.
#include "host/plugins/plugin_registry.hpp"

#include <gtest/gtest.h>

#include <cstring>

int main(int argc, char** argv) {
    if (argc == 3 && std::strcmp(argv[1], "--bk-scan") == 0) return bkhost::scan_main(argv[2]);
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
