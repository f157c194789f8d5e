// Both storages by the calls of a backup: upload, read back, list, remove.
#include "shelf_storage.hpp"

#include <bkhost/testing/fake_host.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace synthetic {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <class Driver>
struct Opened {
    explicit Opened(std::span<const bk_option> options = {},
                    const bk::FakeConfig::Values& values = {})
        : config(values, options), storage(host.host(), config.config()) {}
    Driver* operator->() { return &storage; }

    bk::FakeHost host;
    bk::FakeConfig config;
    Driver storage;
};

struct Memory : Opened<MemoryStorage> {
    explicit Memory(const std::string& name, const std::string& max_size = "1MiB")
        : Opened(kMemoryOptions, {{"name", {name}}, {"max-size", {max_size}}}) {}
};

bk_put_options when(uint32_t condition, const char* version = nullptr) {
    bk_put_options options{};
    options.struct_size = sizeof options;
    options.condition = condition;
    options.if_version = version;
    return options;
}

bk::Bytes bytes(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string sample(size_t size) {
    std::string text(size, '\0');
    for (size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>(i * 7 + (i >> 8) * 13 + (i >> 16));
    return text;
}

bk_part send(bk::Upload& upload, uint32_t number, uint64_t offset, std::string_view text) {
    bk_part part{};
    part.struct_size = sizeof part;
    part.number = number;
    part.offset = offset;
    part.size = text.size();
    upload.part(part, bytes(text));
    return part;
}

bk_object store(bk::Storage& storage, const std::string& key, std::string_view text,
                size_t part_size) {
    const auto upload = storage.upload(key, when(BK_PUT_ALWAYS));
    std::vector<bk_part> parts;
    for (size_t at = 0; at < text.size(); at += part_size)
        parts.push_back(
            send(*upload, static_cast<uint32_t>(parts.size() + 1), at, text.substr(at, part_size)));
    return upload->commit(parts);
}

std::string fetch(bk::Storage& storage, const std::string& key, uint64_t offset = 0,
                  uint64_t len = UINT64_MAX) {
    const auto reader = storage.read(key, offset, len, nullptr);
    std::string text;
    std::array<uint8_t, 1000> buffer;
    while (const size_t got = reader->read(buffer))
        text.append(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(got));
    return text;
}

std::vector<std::string> keys(bk::Storage& storage, std::string_view prefix,
                              const char* after = nullptr, const char* delimiter = nullptr) {
    std::vector<std::string> all;
    storage.list(prefix, after, delimiter,
                 [&](const char* key, const bk_object&) { all.emplace_back(key); });
    return all;
}

template <class Body>
std::string message_of(Body&& body, bk_status status) {
    try {
        body();
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), status) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
}

TEST(Null, GivesTheEndsOfAnUploadBackAndNothingBetween) {
    const std::string content = sample(300000);
    for (const size_t part : {size_t{1000}, size_t{70000}, size_t{65536}, content.size()}) {
        Opened<NullStorage> null;
        EXPECT_EQ(store(null.storage, "a/b", content, part).size, content.size());
        EXPECT_EQ(null->stat("a/b")->size, content.size());
        EXPECT_EQ(fetch(null.storage, "a/b", 0, 65536), content.substr(0, 65536)) << part;
        EXPECT_EQ(fetch(null.storage, "a/b", 300000 - 65536), content.substr(300000 - 65536));
        message_of([&] { fetch(null.storage, "a/b"); }, BK_E_UNSUPPORTED);
        message_of([&] { fetch(null.storage, "a/b", 100000, 10); }, BK_E_UNSUPPORTED);
    }
}

TEST(Null, AnUploadSmallerThanItsEndsComesBackWhole) {
    Opened<NullStorage> null;
    for (const size_t size : {size_t{0}, size_t{10}, size_t{65537}, size_t{131072}}) {
        const std::string content = sample(size);
        store(null.storage, "k", content, 5000);
        EXPECT_EQ(fetch(null.storage, "k"), content) << size;
    }
}

TEST(Null, KeepsSmallObjectsWholeAndForgetsWithTheInstance) {
    const std::string manifest = sample(500000);
    {
        Opened<NullStorage> null;
        null->put("a/manifest.json", bytes(manifest), when(BK_PUT_IF_ABSENT));
        EXPECT_EQ(fetch(null.storage, "a/manifest.json"), manifest);
    }
    Opened<NullStorage> other;
    EXPECT_FALSE(other->stat("a/manifest.json"));
}

TEST(Memory, InstancesOfOneNameShareTheirObjects) {
    const std::string content = sample(200000);
    {
        Memory writer("shared");
        store(writer.storage, "a/b", content, 4096);
    }
    Memory reader("shared"), stranger("other");
    EXPECT_EQ(fetch(reader.storage, "a/b"), content);
    EXPECT_EQ(fetch(reader.storage, "a/b", 4095, 3), content.substr(4095, 3));
    EXPECT_EQ(fetch(reader.storage, "a/b", content.size()), "");
    message_of([&] { fetch(reader.storage, "a/b", content.size() + 1); }, BK_E_INVALID);
    EXPECT_FALSE(stranger->stat("a/b"));
}

TEST(Memory, IsFullAtItsLimitAndHasRoomAgainAfterwards) {
    Memory memory("full", "1000");
    store(memory.storage, "old", sample(600), 100);
    EXPECT_THAT(message_of([&] { store(memory.storage, "a", sample(401), 100); }, BK_E_NO_SPACE),
                HasSubstr("1000 bytes"));
    EXPECT_FALSE(memory->stat("a"));
    message_of([&] { memory->put("b", bytes(sample(401)), when(BK_PUT_ALWAYS)); }, BK_E_NO_SPACE);
    store(memory.storage, "c", sample(400), 100); // the failed ones gave their room back
    message_of([&] { memory->put("c", bytes("x"), when(BK_PUT_IF_ABSENT)); }, BK_E_NO_SPACE);
    memory->remove("old");
    message_of([&] { memory->put("c", bytes("x"), when(BK_PUT_IF_ABSENT)); }, BK_E_EXISTS);
    memory->put("c", bytes(sample(600)), when(BK_PUT_ALWAYS));
    memory->put("d", bytes(sample(400)), when(BK_PUT_ALWAYS)); // the old 'c' is gone
}

TEST(Memory, NothingIsVisibleBeforeCommitAndAnAbortLeavesNothing) {
    Memory memory("uploads", "100");
    const auto upload = memory->upload("k", when(BK_PUT_ALWAYS));
    (void)send(*upload, 1, 0, sample(100));
    EXPECT_FALSE(memory->stat("k"));
    upload->abort();
    message_of([&] { (void)send(*upload, 2, 100, "x"); }, BK_E_INVALID);
    message_of([&] { (void)upload->commit({}); }, BK_E_CORRUPT);
    EXPECT_THAT(keys(memory.storage, ""), ElementsAre());
}

TEST(Memory, PartsComeInOrderAndAreTheOnesCommitted) {
    Memory memory("parts");
    const auto upload = memory->upload("k", when(BK_PUT_ALWAYS));
    message_of([&] { (void)send(*upload, 2, 0, "a"); }, BK_E_INVALID);
    const bk_part first = send(*upload, 1, 0, "abc");
    message_of([&] { (void)send(*upload, 2, 4, "d"); }, BK_E_INVALID);
    const bk_part second = send(*upload, 2, 3, "d");
    message_of([&] { (void)upload->commit({&first, 1}); }, BK_E_CORRUPT);
    const std::array both{first, second};
    EXPECT_EQ(upload->commit(both).size, 4u);
}

TEST(Memory, ConditionsHold) {
    Memory memory("conditions");
    const bk_object first = memory->put("k", bytes("1"), when(BK_PUT_IF_ABSENT));
    message_of([&] { memory->put("k", bytes("2"), when(BK_PUT_IF_ABSENT)); }, BK_E_EXISTS);
    const bk_object second = memory->put("k", bytes("2"), when(BK_PUT_IF_VERSION, first.version));
    message_of([&] { memory->put("k", bytes("3"), when(BK_PUT_IF_VERSION, first.version)); },
               BK_E_EXISTS);
    message_of([&] { memory->put("x", bytes("3"), when(BK_PUT_IF_VERSION, first.version)); },
               BK_E_EXISTS);
    message_of([&] { (void)memory->read("k", 0, 1, first.version); }, BK_E_CORRUPT);
    const auto reader = memory->read("k", 0, 1, second.version);
    memory->remove("k"); // the reader goes on
    uint8_t byte = 0;
    EXPECT_EQ(reader->read({&byte, 1}), 1u);
    EXPECT_EQ(byte, '2');
    message_of([&] { (void)memory->read("k", 0, 1, nullptr); }, BK_E_NOT_FOUND);
    memory->remove("k"); // what is absent counts as removed
}

TEST(Memory, ListsInOrderAndFoldsFolders) {
    Memory memory("lists");
    for (const char* key : {"a/1", "a/2", "a.b", "ab", "b"})
        memory->put(key, bytes("x"), when(BK_PUT_ALWAYS));
    EXPECT_THAT(keys(memory.storage, ""), ElementsAre("a.b", "a/1", "a/2", "ab", "b"));
    EXPECT_THAT(keys(memory.storage, "a/"), ElementsAre("a/1", "a/2"));
    EXPECT_THAT(keys(memory.storage, "", nullptr, "/"), ElementsAre("a.b", "a/", "ab", "b"));
    EXPECT_THAT(keys(memory.storage, "", "a/", "/"), ElementsAre("ab", "b"));
    EXPECT_THAT(keys(memory.storage, "", "a/1"), ElementsAre("a/2", "ab", "b"));
}

TEST(Memory, RefusesWhatIsNoKey) {
    Memory memory("keys");
    for (const std::string& key :
         {std::string(""), std::string("/a"), std::string("a/"), std::string("a//b"),
          std::string("a/../b"), std::string("."), std::string(1025, 'a')})
        message_of([&] { memory->put(key, bytes("x"), when(BK_PUT_ALWAYS)); }, BK_E_INVALID);
}

} // namespace
} // namespace synthetic
