// For tests: a directory of their own with a storage in it, and a few ways to look at both.
#pragma once

#include "local.hpp"

#include <bkhost/testing/fake_host.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace local {

namespace fs = std::filesystem;

/// A storage with the host and the configuration that it needs.
struct OpenStorage {
    OpenStorage(bk::FakeConfig::Values values)
        : config(values, kOptions), storage(host.host(), config.config()) {}
    LocalStorage* operator->() { return &storage; }

    bk::FakeHost host;
    bk::FakeConfig config;
    LocalStorage storage;
};

/// The process has no rights but those of "nobody" while one lives (where it was root).
class AsNobody {
public:
    AsNobody() {
        if (::geteuid() == 0) changed_ = ::seteuid(65534) == 0;
    }
    ~AsNobody() {
        if (changed_ && ::seteuid(0) != 0) std::abort();
    }
    AsNobody(const AsNobody&) = delete;
    AsNobody& operator=(const AsNobody&) = delete;

private:
    bool changed_ = false;
};

inline bk_put_options when(uint32_t condition) {
    bk_put_options options{};
    options.struct_size = sizeof options;
    options.condition = condition;
    return options;
}

inline bk::Bytes bytes(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// Content that differs at every offset.
inline std::string sample(size_t size, unsigned seed = 1) {
    std::string text(size, '\0');
    uint32_t state = seed * 2654435761u + 1;
    for (char& c : text) {
        state = state * 1664525u + 1013904223u;
        c = static_cast<char>(state >> 24);
    }
    return text;
}

class StorageTest : public testing::Test {
protected:
    StorageTest() {
        std::string name = fs::temp_directory_path() / "bkhost-local-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
        base = name;
        root = base / "store";
        fs::permissions(base, fs::perms::all); // for AsNobody
    }
    ~StorageTest() override {
        std::error_code ignored;
        fs::remove_all(base, ignored);
    }

    std::unique_ptr<OpenStorage> open(bk::FakeConfig::Values more = {}) const {
        more.try_emplace("path", std::vector{root.string()});
        return std::make_unique<OpenStorage>(std::move(more));
    }

    bk_object put(const std::string& key, std::string_view text = "x",
                  uint32_t condition = BK_PUT_ALWAYS) {
        return store().put(key, bytes(text), when(condition));
    }
    [[nodiscard]] std::string get(const std::string& key, uint64_t offset = 0,
                                  uint64_t len = UINT64_MAX, size_t step = 4096) {
        const std::unique_ptr<bk::Reader> reader = store().read(key, offset, len, nullptr);
        std::string text;
        std::vector<uint8_t> buffer(step);
        while (const size_t got = reader->read(buffer))
            text.append(reinterpret_cast<const char*>(buffer.data()), got);
        return text;
    }
    [[nodiscard]] std::vector<std::string> keys(const std::string& prefix = {},
                                                const char* start_after = nullptr,
                                                const char* delimiter = nullptr) {
        std::vector<std::string> found;
        store().list(prefix, start_after, delimiter,
                     [&](const char* key, const bk_object&) { found.emplace_back(key); });
        return found;
    }

    /// Everything below the root, directories with a "/" at their end, the marker left out.
    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> all;
        for (const auto& entry : fs::recursive_directory_iterator(root)) {
            const std::string name = entry.path().lexically_relative(root);
            if (name != kMarker) all.push_back(entry.is_directory() ? name + "/" : name);
        }
        std::sort(all.begin(), all.end());
        return all;
    }

    static void write_file(const fs::path& path, std::string_view text = "x") {
        fs::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
    }

    LocalStorage& store() {
        if (!opened_) opened_ = open();
        return opened_->storage;
    }

    fs::path base; ///< removed at the end
    fs::path root; ///< of the storage; not made yet

private:
    std::unique_ptr<OpenStorage> opened_;
};

/// Runs `call`, which must throw a bk::Error, and gives that.
template <class Call>
bk::Error error_of(Call&& call) {
    try {
        call();
    } catch (const bk::Error& error) {
        return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {BK_OK, ""};
}

#define EXPECT_FAILS(status_, text_, ...)                                                          \
    do {                                                                                           \
        const bk::Error failure = ::local::error_of([&] { __VA_ARGS__; });                         \
        EXPECT_EQ(bk::status_name(failure.status()), std::string(bk::status_name(status_)));       \
        EXPECT_THAT(failure.message(), testing::HasSubstr(text_));                                 \
    } while (false)

} // namespace local
