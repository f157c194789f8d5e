// The storage driver `folder`: objects and unfinished uploads as files, so that they outlive a
// process that the test kills; each change is a crash point. For tests only.
#pragma once

#include "core/testing/crash_points.hpp"
#include "core/testing/fake_drivers.hpp"

#include <bkhost/storage.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bkhost::test {

/// The files of one `folder` storage: "objects/<key>" and "uploads/<key>", with "|" for "/".
class StorageFolder {
public:
    explicit StorageFolder(const std::filesystem::path& path)
        : objects_(path / "objects"), uploads_(path / "uploads") {
        std::filesystem::create_directories(objects_);
        std::filesystem::create_directories(uploads_);
    }
    [[nodiscard]] std::filesystem::path object(std::string_view key) const {
        return objects_ / file_name(key);
    }
    [[nodiscard]] std::filesystem::path upload(std::string_view key) const {
        return uploads_ / file_name(key);
    }
    [[nodiscard]] std::vector<std::string> keys() const { return names(objects_); }
    [[nodiscard]] std::vector<std::string> open_uploads() const { return names(uploads_); }

private:
    static std::string file_name(std::string_view key) {
        std::string name(key);
        std::ranges::replace(name, '/', '|');
        return name;
    }
    static std::vector<std::string> names(const std::filesystem::path& folder) {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            found.push_back(entry.path().filename().string());
            std::ranges::replace(found.back(), '|', '/');
        }
        std::ranges::sort(found);
        return found;
    }
    const std::filesystem::path objects_, uploads_;
};

inline bk_object folder_object(const std::filesystem::path& file) {
    bk_object object = bk::empty_object();
    object.size = std::filesystem::file_size(file);
    return object;
}

class FolderReader final : public bk::Reader {
public:
    FolderReader(const std::filesystem::path& file, uint64_t offset, uint64_t len)
        : in_(file, std::ios::binary),
          left_(std::min<uint64_t>(len, std::filesystem::file_size(file) - offset)) {
        in_.seekg(static_cast<std::streamoff>(offset));
    }
    size_t read(std::span<uint8_t> buffer) override {
        in_.read(reinterpret_cast<char*>(buffer.data()),
                 static_cast<std::streamsize>(std::min<uint64_t>(buffer.size(), left_)));
        const auto got = static_cast<size_t>(in_.gcount());
        left_ -= got;
        return got;
    }

private:
    std::ifstream in_;
    uint64_t left_;
};

class FolderUpload final : public bk::Upload {
public:
    FolderUpload(const StorageFolder& folder, std::string_view key)
        : object_(folder.object(key)), upload_(folder.upload(key)) {
        CrashPoints::before();
        std::ofstream(upload_, std::ios::binary).close();
        CrashPoints::after();
    }
    void part(bk_part& part, bk::Bytes data) override {
        CrashPoints::before();
        std::fstream out(upload_, std::ios::binary | std::ios::in | std::ios::out);
        out.seekp(static_cast<std::streamoff>(part.offset));
        out.write(reinterpret_cast<const char*>(data.data()),
                  static_cast<std::streamsize>(data.size()));
        out.close();
        if (!out) throw bk::Error(BK_E_UNAVAILABLE, "cannot write '" + upload_.string() + "'");
        CrashPoints::after();
    }
    bk_object commit(std::span<const bk_part>) override {
        CrashPoints::before();
        std::filesystem::rename(upload_, object_);
        CrashPoints::after();
        return folder_object(object_);
    }
    void abort() override {
        CrashPoints::before();
        std::filesystem::remove(upload_);
        CrashPoints::after();
    }

private:
    const std::filesystem::path object_, upload_;
};

/// The driver. Options: `path`; `away`: every call fails as if nobody answered.
class FolderStorage final : public bk::Storage {
public:
    static constexpr bk_option kOptions[] = {
        bk::option("path", BK_OPT_PATH, "where", "folder", nullptr, BK_OPT_URL_TARGET),
        bk::option("away", BK_OPT_BOOL, "does not answer", "false"),
    };
    FolderStorage(bk::Host, bk::Config config)
        : folder_(std::string(config.text("path"))), away_(config.flag("away")) {}

    void props(bk_storage_props& props) noexcept override {
        props.capabilities =
            BK_CAP_ATOMIC_REPLACE | BK_CAP_PUT_IF_ABSENT | BK_CAP_RANGE_READ | BK_CAP_SEQUENTIAL;
        props.max_part_size = uint64_t{5} << 30;
        props.parallel_parts = 1;
    }
    void interrupt() noexcept override {}
    void probe(const char*) override { answer(); }
    bk_object put(std::string_view key, bk::Bytes data, const bk_put_options& options) override {
        answer();
        const std::filesystem::path file = folder_.object(key);
        if (options.condition == BK_PUT_IF_ABSENT && std::filesystem::exists(file))
            throw bk::Error(BK_E_EXISTS, "object '" + std::string(key) + "' exists");
        const std::filesystem::path unseen = folder_.object("") / ".." / "unseen";
        CrashPoints::before();
        std::ofstream out(unseen, std::ios::binary | std::ios::trunc);
        out.write(reinterpret_cast<const char*>(data.data()),
                  static_cast<std::streamsize>(data.size()));
        out.close();
        std::filesystem::rename(unseen, file);
        CrashPoints::after();
        return folder_object(file);
    }
    std::unique_ptr<bk::Upload> upload(std::string_view key, const bk_put_options&) override {
        answer();
        return std::make_unique<FolderUpload>(folder_, key);
    }
    std::unique_ptr<bk::Reader> read(std::string_view key, uint64_t offset, uint64_t len,
                                     const char*) override {
        answer();
        if (!std::filesystem::exists(folder_.object(key)))
            throw bk::Error(BK_E_NOT_FOUND, "no object '" + std::string(key) + "'");
        return std::make_unique<FolderReader>(folder_.object(key), offset, len);
    }
    std::optional<bk_object> stat(std::string_view key) override {
        answer();
        if (!std::filesystem::exists(folder_.object(key))) return std::nullopt;
        return folder_object(folder_.object(key));
    }
    void list(std::string_view prefix, const char*, const char*, const Found& found) override {
        answer();
        for (const std::string& key : folder_.keys())
            if (key.starts_with(prefix)) found(key.c_str(), folder_object(folder_.object(key)));
    }
    void remove(std::string_view key) override {
        answer();
        if (!std::filesystem::exists(folder_.object(key))) return;
        CrashPoints::before();
        std::filesystem::remove(folder_.object(key));
        CrashPoints::after();
    }

    static const void* extension(const char* id) noexcept {
        static constexpr bk_storage_uploads uploads{
            sizeof(bk_storage_uploads), 0,
            [](void* self, const char* prefix, int64_t, uint64_t* count,
               bk_error* error) noexcept -> bk_status {
                return bk::guard(error, [&] {
                    *count = static_cast<FolderStorage&>(*static_cast<bk::Storage*>(self))
                                 .abort_uploads(prefix);
                    return BK_OK;
                });
            }};
        return std::string_view(id) == BK_STORAGE_UPLOADS_ID ? &uploads : nullptr;
    }

private:
    void answer() const {
        if (away_) throw bk::Error(BK_E_UNAVAILABLE, "does not answer");
    }
    uint64_t abort_uploads(std::string_view prefix) {
        answer();
        uint64_t count = 0;
        for (const std::string& key : folder_.open_uploads()) {
            if (!key.starts_with(prefix)) continue;
            CrashPoints::before();
            std::filesystem::remove(folder_.upload(key));
            CrashPoints::after();
            ++count;
        }
        return count;
    }
    StorageFolder folder_;
    const bool away_;
};

inline constexpr bk_component kFolderDriver = bk::storage_component<FolderStorage>(
    {.name = "folder", .summary = "objects as files", .options = FolderStorage::kOptions},
    &FolderStorage::extension);

/// The fakes, and `folder`. Thread-safe.
class FolderRegistry final : public Registry {
public:
    FolderRegistry() {
        folder_.kind = kStorage;
        folder_.name = kFolderDriver.name;
        folder_.interface_id = kFolderDriver.interface_id;
        for (const bk_option& o : FolderStorage::kOptions)
            folder_.options.push_back({o.key, o.type, o.flags, o.default_value != nullptr,
                                       o.default_value == nullptr ? "" : o.default_value, "",
                                       o.help});
    }
    const DriverDescription& describe(std::string_view kind, std::string_view name) override {
        return name == folder_.name ? folder_ : others_.describe(kind, name);
    }
    const DriverDescription* find_scheme(std::string_view kind, std::string_view scheme) override {
        return others_.find_scheme(kind, scheme);
    }
    std::vector<std::string> names(std::string_view kind) override { return others_.names(kind); }
    const bk_component& load(std::string_view kind, std::string_view name) override {
        return name == folder_.name ? kFolderDriver : others_.load(kind, name);
    }

private:
    FakeRegistry others_;
    DriverDescription folder_;
};

} // namespace bkhost::test
