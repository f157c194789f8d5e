// An in-process registry of fake drivers, for tests of pipeline, archive and job: storage `memory`,
// compressors `store` and `swell` (it doubles its input), encryptors `xor` and `xor-stream`
// (without keys and seek), dumper `synthetic`. Also a log and an observer that remember. For tests
// only.
#pragma once

#include "core/base/log.hpp"
#include "core/driver/registry.hpp"
#include "core/pipeline/run_observer.hpp"
#include "core/testing/fake_codecs.hpp"
#include "core/testing/fake_dumper.hpp"
#include "core/testing/fake_storage.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bkhost::test {

inline constexpr bk_component kMemoryDriver =
    bk::storage_component<MemoryStorage>({.name = "memory",
                                          .summary = "objects in a map",
                                          .options = MemoryStorage::kOptions,
                                          .schemes = "memory"},
                                         &MemoryStorage::extension);
inline constexpr bk_component kStoreDriver = bk::transform_component<FrameCodec<1>>(
    BK_COMPRESSOR_ID,
    {.name = "store", .summary = "frames as they are", .options = FrameCodec<1>::kOptions},
    &FrameCodec<1>::extension);
inline constexpr bk_component kSwellDriver = bk::transform_component<FrameCodec<2>>(
    BK_COMPRESSOR_ID,
    {.name = "swell", .summary = "frames twice over", .options = FrameCodec<2>::kOptions},
    &FrameCodec<2>::extension);
inline constexpr bk_component kXorDriver = bk::transform_component<XorCipher>(
    BK_ENCRYPTOR_ID, {.name = "xor", .summary = "a toy", .options = XorCipher::kOptions},
    &XorCipher::extension);
inline constexpr bk_component kXorStreamDriver = bk::transform_component<XorCipher>(
    BK_ENCRYPTOR_ID,
    {.name = "xor-stream", .summary = "a toy without seek", .options = XorCipher::kOptions},
    &XorCipher::stream_extension);
inline constexpr bk_component kSyntheticDriver =
    bk::dumper_component<SyntheticDumper>({.name = "synthetic",
                                           .summary = "made-up data",
                                           .options = SyntheticDumper::kOptions,
                                           .schemes = "synthetic"});

/// All of the fakes. Destroying it forgets every memory_store() and synthetic_db(). Thread-safe.
class FakeRegistry final : public Registry {
public:
    FakeRegistry() {
        add(kStorage, kMemoryDriver);
        add(kCompressor, kStoreDriver);
        add(kCompressor, kSwellDriver);
        add(kEncryptor, kXorDriver);
        add(kEncryptor, kXorStreamDriver);
        add(kDumper, kSyntheticDriver);
    }
    ~FakeRegistry() override {
        SharedStates<MemoryStore>::global().clear();
        SharedStates<SyntheticDb>::global().clear();
    }
    const DriverDescription& describe(std::string_view kind, std::string_view name) override {
        return find(kind, name).description;
    }
    const DriverDescription* find_scheme(std::string_view kind, std::string_view scheme) override {
        for (const Entry& entry : entries_)
            for (const std::string& known : entry.description.schemes)
                if (entry.description.kind == kind && known == scheme) return &entry.description;
        return nullptr;
    }
    std::vector<std::string> names(std::string_view kind) override {
        std::vector<std::string> all;
        for (const Entry& entry : entries_)
            if (entry.description.kind == kind) all.push_back(entry.description.name);
        return all;
    }
    const bk_component& load(std::string_view kind, std::string_view name) override {
        return *find(kind, name).component;
    }

private:
    struct Entry {
        DriverDescription description;
        const bk_component* component;
    };
    void add(std::string_view kind, const bk_component& component) {
        DriverDescription d;
        d.kind = kind;
        d.name = component.name;
        d.interface_id = component.interface_id;
        d.summary = component.summary;
        if (*component.schemes != '\0') d.schemes = {component.schemes};
        for (const bk_option& o : std::span(component.options, component.option_count))
            d.options.push_back({o.key, o.type, o.flags, o.default_value != nullptr,
                                 o.default_value == nullptr ? "" : o.default_value,
                                 o.allowed == nullptr ? "" : o.allowed, o.help});
        d.module_id = "org.bkhost.fake";
        d.module_version = "1";
        entries_.push_back({std::move(d), &component});
    }
    const Entry& find(std::string_view kind, std::string_view name) const {
        for (const Entry& entry : entries_)
            if (entry.description.kind == kind && entry.description.name == name) return entry;
        throw bk::Error(BK_E_CONFIG,
                        "no " + std::string(kind) + " driver '" + std::string(name) + "'");
    }
    std::vector<Entry> entries_;
};

/// Keeps every line. Thread-safe.
class TestLog final : public Log {
public:
    void write(LogLevel level, std::string_view text) override {
        const std::lock_guard lock(mutex_);
        lines_.emplace_back(level, text);
    }
    [[nodiscard]] std::vector<std::string> lines(LogLevel at_least = LogLevel::debug) const {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> all;
        for (const auto& [level, text] : lines_)
            if (level >= at_least) all.push_back(text);
        return all;
    }
    [[nodiscard]] bool contains(std::string_view part) const {
        for (const std::string& line : lines())
            if (line.find(part) != std::string::npos) return true;
        return false;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::pair<LogLevel, std::string>> lines_;
};

/// Thread-safe.
class CountingObserver final : public RunObserver {
public:
    void stage(const std::string& name, uint64_t) override {
        const std::lock_guard lock(mutex_);
        stages_.push_back(name);
    }
    void add_plain(uint64_t bytes) override { plain += bytes; }
    void add_stored(uint64_t bytes) override { stored += bytes; }
    void add_rows(uint64_t count) override { rows += count; }
    [[nodiscard]] std::vector<std::string> stages() const {
        const std::lock_guard lock(mutex_);
        return stages_;
    }
    std::atomic<uint64_t> plain{0}, stored{0}, rows{0};

private:
    mutable std::mutex mutex_;
    std::vector<std::string> stages_;
};

} // namespace bkhost::test
