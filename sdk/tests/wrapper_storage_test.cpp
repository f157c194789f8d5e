// The storage wrapper, through the C table of a loaded plugin (the template's driver in memory).
#include "sample.hpp"

#include <bkhost/storage.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using testing::ElementsAre;

class StorageWrapper : public testing::Test {
protected:
    bk_status put(const char* key, std::string_view text, uint32_t condition = BK_PUT_ALWAYS) {
        bk_put_options options{};
        options.condition = condition;
        return memory.table->put(memory.self, key, text.data(), text.size(), &options, &object,
                                 &memory.error);
    }
    bk_status upload(const char* key, std::string_view text, bool commit) {
        bk_put_options options{};
        void* handle = nullptr;
        if (const bk_status status =
                memory.table->upload_begin(memory.self, key, &options, &handle, &memory.error))
            return status;
        bk_part part{};
        part.size = text.size();
        bk_status status = memory.table->upload_part(handle, &part, text.data(), &memory.error);
        if (status == BK_OK)
            status = commit ? memory.table->upload_commit(handle, &part, 1, &object, &memory.error)
                            : memory.table->upload_abort(handle, &memory.error);
        memory.table->upload_free(handle);
        return status;
    }
    std::string read(const char* key, uint64_t offset, uint64_t len, size_t cap) {
        void* reader = nullptr;
        std::string text;
        if (memory.table->read_open(memory.self, key, offset, len, nullptr, &reader,
                                    &memory.error) != BK_OK)
            return "failed";
        std::vector<char> buffer(cap);
        size_t got = 0;
        while (memory.table->read(reader, buffer.data(), cap, &got, &memory.error) == BK_OK)
            text.append(buffer.data(), got);
        EXPECT_EQ(got, 0u);
        memory.table->read_close(reader);
        return text;
    }
    std::vector<std::string> list(const char* prefix, const char* after, const char* delimiter) {
        std::vector<std::string> keys;
        const bk_object_fn take = [](void* ctx, const char* key, const bk_object*) noexcept {
            static_cast<std::vector<std::string>*>(ctx)->emplace_back(key);
            return bk_status{BK_OK};
        };
        EXPECT_EQ(
            memory.table->list(memory.self, prefix, after, delimiter, take, &keys, &memory.error),
            BK_OK);
        return keys;
    }

    bk_test::Instance<bk_storage> memory{"memory"};
    bk_object object = bk::empty_object();
};

TEST_F(StorageWrapper, PutsReadsAndLists) {
    ASSERT_EQ(memory.status, BK_OK);
    EXPECT_EQ(put("a/1", "one"), BK_OK);
    EXPECT_EQ(object.size, 3u);
    EXPECT_EQ(upload("a/2", "two two", true), BK_OK);
    EXPECT_EQ(upload("a/3", "gone", false), BK_OK);
    EXPECT_EQ(put("b", "x"), BK_OK);
    EXPECT_EQ(read("a/2", 4, UINT64_MAX, 2), "two");
    EXPECT_EQ(read("a/2", 0, 3, 100), "two");
    EXPECT_EQ(read("none", 0, 1, 1), "failed");
    EXPECT_THAT(list("", nullptr, nullptr), ElementsAre("a/1", "a/2", "b"));
    EXPECT_THAT(list("a/", "a/1", nullptr), ElementsAre("a/2"));
    EXPECT_THAT(list("", nullptr, "/"), ElementsAre("a/", "b"));
    bk_storage_props props{};
    memory.table->props(memory.self, &props);
    EXPECT_EQ(props.max_object_size, uint64_t{64} << 20);
    EXPECT_EQ(memory.table->probe(memory.self, nullptr, &memory.error), BK_OK);
    memory.table->interrupt(memory.self);
}

TEST_F(StorageWrapper, TranslatesFailures) {
    EXPECT_EQ(put("k", "1", BK_PUT_IF_ABSENT), BK_OK);
    EXPECT_EQ(put("k", "2", BK_PUT_IF_ABSENT), BK_E_EXISTS);
    EXPECT_EQ(memory.error.status, BK_E_EXISTS);
    EXPECT_STREQ(memory.error.message, "memory: object 'k' exists");
    EXPECT_EQ(memory.table->stat(memory.self, "k", &object, &memory.error), BK_OK);
    EXPECT_EQ(memory.table->stat(memory.self, "none", &object, &memory.error), BK_E_NOT_FOUND);
    EXPECT_STREQ(memory.error.message, "no object 'none'");
    void* reader = nullptr;
    EXPECT_EQ(memory.table->read_open(memory.self, "k", 0, 1, "old", &reader, &memory.error),
              BK_E_CORRUPT);
    EXPECT_EQ(reader, nullptr);
}

TEST_F(StorageWrapper, StopsWhenTheReceiverGivesUp) {
    ASSERT_EQ(put("a", "1"), BK_OK);
    ASSERT_EQ(put("b", "1"), BK_OK);
    int calls = 0;
    const bk_object_fn stop = [](void* ctx, const char*, const bk_object*) noexcept {
        ++*static_cast<int*>(ctx);
        return bk_status{BK_E_CANCELLED};
    };
    EXPECT_EQ(memory.table->list(memory.self, "", nullptr, nullptr, stop, &calls, &memory.error),
              BK_E_CANCELLED);
    EXPECT_EQ(calls, 1);
}

TEST_F(StorageWrapper, TellsTheResultOfEachRemoval) {
    ASSERT_EQ(put("a", "1"), BK_OK);
    const char* const keys[] = {"a", "none"};
    std::vector<bk_status> results;
    const bk_removed_fn take = [](void* ctx, const char*, bk_status status,
                                  const bk_error*) noexcept {
        static_cast<std::vector<bk_status>*>(ctx)->push_back(status);
        return bk_status{BK_OK};
    };
    EXPECT_EQ(memory.table->remove_many(memory.self, keys, 2, take, &results, &memory.error),
              BK_OK);
    EXPECT_THAT(results, ElementsAre(BK_OK, BK_OK));
    EXPECT_TRUE(list("", nullptr, nullptr).empty());
}

} // namespace
