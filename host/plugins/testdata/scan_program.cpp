// Stands for the host in tests: a program that hands --bk-scan to scan_main.
#include "host/plugins/plugin_registry.hpp"

#include <cstring>

int main(int argc, char** argv) {
    if (argc == 3 && std::strcmp(argv[1], "--bk-scan") == 0) return bkhost::scan_main(argv[2]);
    return 2;
}
