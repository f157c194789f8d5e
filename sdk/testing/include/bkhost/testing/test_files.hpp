// Files and tools for tests of drivers: a directory of their own, whole files, and a program run
// without a shell.
#pragma once

#include <bkhost/error.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace bk::inline v0 {

using Bytes = std::vector<uint8_t>;

/// A new directory, removed with all that is in it at the end.
class TestDir {
public:
    TestDir() {
        std::string name = (std::filesystem::temp_directory_path() / "bkhost-test-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw_errno(errno, "mkdtemp");
        path_ = name;
    }
    ~TestDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TestDir(const TestDir&) = delete;
    TestDir& operator=(const TestDir&) = delete;
    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
        return path_ / name;
    }

private:
    std::filesystem::path path_;
};

inline void write_file(const std::filesystem::path& path, const Bytes& content) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(content.data()),
               static_cast<std::streamsize>(content.size()));
    if (!file.flush()) throw Error(BK_E_INTERNAL, "cannot write '" + path.string() + "'");
}

[[nodiscard]] inline Bytes read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(BK_E_NOT_FOUND, "cannot read '" + path.string() + "'");
    return Bytes(std::istreambuf_iterator<char>(file), {});
}

/// Runs a tool found on PATH and waits; its exit status, 256 for a signal, or -1 when it is not
/// installed.
inline int run_tool(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (std::string& argument : arguments)
        argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_t child = 0;
    if (posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), environ) != 0) return -1;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256;
}

} // namespace bk::inline v0
