// For the loader's tests: temporary directories that hold copies of the test plugins, and a log
// that remembers.
#pragma once

#include "core/base/log.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <vector>

namespace bkhost::test {

namespace fs = std::filesystem;

/// A new directory of mode 0700, removed at the end.
class TempDir {
public:
    TempDir() : path_((fs::temp_directory_path() / "bkhost-loader-XXXXXX").string()) {
        if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp " + path_);
    }
    ~TempDir() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string operator/(const std::string& name) const {
        return path_ + "/" + name;
    }

    /// A directory below, of the same mode.
    std::string make(const std::string& name) const {
        fs::create_directory(*this / name);
        ::chmod((*this / name).c_str(), 0700);
        return *this / name;
    }

private:
    std::string path_;
};

inline std::string built_plugin(const std::string& name) {
    return std::string(BKHOST_TEST_PLUGINS) + "/" + name + ".so";
}

/// Copies a test plugin to DIR/AS.so with mode 0644.
inline std::string install(const std::string& plugin, const std::string& dir,
                           const std::string& as = "") {
    std::string to = dir + "/" + (as.empty() ? plugin : as) + ".so";
    fs::copy_file(built_plugin(plugin), to, fs::copy_options::overwrite_existing);
    ::chmod(to.c_str(), 0644);
    return to;
}

inline std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    ::chmod(path.c_str(), 0644);
}

class MemoryLog final : public Log {
public:
    void write(LogLevel, std::string_view text) override {
        const std::lock_guard lock(mutex_);
        lines_.emplace_back(text);
    }
    [[nodiscard]] std::string text() const {
        const std::lock_guard lock(mutex_);
        std::string all;
        for (const std::string& line : lines_)
            all += line + "\n";
        return all;
    }
    void clear() {
        const std::lock_guard lock(mutex_);
        lines_.clear();
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

} // namespace bkhost::test
