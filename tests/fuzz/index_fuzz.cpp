// The index: plain lines, read as an archive's are, under a manifest that claims what the lines say
// of volumes and sums, so that only the rules of the format refuse them.
#include "core/archive/index_reader.hpp"
#include "core/base/digest.hpp"
#include "core/base/text.hpp"
#include "core/testing/fake_storage.hpp"
#include "tests/fuzz/fuzz_target.hpp"

#include <optional>

namespace {

using namespace bkhost;

constexpr const char* kId = "20260211T031500Z-k3f9qd";
constexpr size_t kMost = 8; // components and volumes of the manifest

constexpr bk_component kMemory = bk::storage_component<test::MemoryStorage>(
    {.name = "memory", .summary = "objects in a map", .options = test::MemoryStorage::kOptions},
    &test::MemoryStorage::extension);

/// The line as a record; also holds that a record's own line is read as the same record.
std::optional<IndexRecord> record_of(std::string_view line) {
    std::optional<IndexRecord> record;
    if (!fuzz::succeeds({BK_E_CORRUPT}, [&] { record = parse_index_line(line); })) return record;
    if (std::holds_alternative<IndexUnknown>(*record)) return record;
    const std::string written = index_line(*record);
    const IndexRecord again =
        parse_index_line(std::string_view(written).substr(0, written.size() - 1));
    fuzz::require(index_line(again) == written, "a record's line is read as that record");
    return record;
}

/// A manifest with what the lines claim.
Manifest claimed(std::string_view text) {
    Manifest manifest;
    manifest.id = kId;
    manifest.components.emplace_back();
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const std::optional<IndexRecord> record = record_of(line);
        if (!record) continue;
        if (std::holds_alternative<Warning>(*record)) ++manifest.warnings;
        if (const auto* end = std::get_if<IndexEnd>(&*record)) manifest.plain_size = end->plain;
        const auto* volume = std::get_if<IndexVolume>(&*record);
        if (volume == nullptr || volume->component >= kMost || volume->number >= kMost) continue;
        if (manifest.components.size() <= volume->component)
            manifest.components.resize(volume->component + 1);
        ComponentRecord& component = manifest.components[volume->component];
        component.frames += volume->frames;
        component.volumes.resize(std::max<size_t>(component.volumes.size(), volume->number + 1));
        component.volumes[volume->number].plain_size = volume->plain;
        component.volumes[volume->number].packed_size = volume->packed;
    }
    return manifest;
}

void read(Manifest manifest, std::string_view text) {
    static NullLog log;
    static Services services(log, {});
    static RunObserver observer;
    static const DriverPtr driver = std::make_shared<const DriverSetup>(DriverSetup{
        {}, &kMemory, OptionValues({{"name", BK_OPT_STRING, 0, true, "store", "", ""}}, {}, "")});
    static Storage storage("memory", driver, services);

    manifest.index.key = "index.ndjson";
    manifest.index.size = manifest.index.packed_size = text.size();
    manifest.index.sha256 = sha256_hex(as_bytes(text));
    test::memory_store("store")->set_object("index.ndjson", {text.begin(), text.end()});
    const ArchiveAccess access{storage, "", {}, {}, services, observer};
    uint64_t frames = 0, plain = 0;
    const bool whole = fuzz::succeeds({BK_E_CORRUPT}, [&] {
        IndexReader index(access, manifest, {});
        while (const std::optional<IndexRecord> record = index.next()) {
            const auto* frame = std::get_if<IndexFrame>(&*record);
            if (frame == nullptr) continue;
            ++frames;
            plain += frame->plain_length;
            fuzz::require(!frame->segments.empty(), "a frame has a segment");
            fuzz::require(frame->component < manifest.components.size(), "its component exists");
            fuzz::require(frame->volume < manifest.components[frame->component].volumes.size(),
                          "its volume exists");
        }
    });
    if (whole) fuzz::require(plain == manifest.plain_size, "the frames are all the plain bytes");
}

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    read(claimed(text), text);
    return 0;
}
