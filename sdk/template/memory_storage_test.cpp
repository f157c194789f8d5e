// The driver through the same table of functions that the host uses.
#include <bkhost/storage.h>
#include <bkhost/testing/fake_host.hpp>

#include <gtest/gtest.h>

namespace {

class MemoryStorageTest : public testing::Test {
protected:
    MemoryStorageTest() {
        EXPECT_EQ(table_.create(host_.get(), config_.get(), &self_, &error_), BK_OK);
    }
    ~MemoryStorageTest() override { table_.destroy(self_); }

    bk_status put(const char* key, std::string_view text, uint32_t condition) {
        bk_put_options options{};
        options.struct_size = sizeof options;
        options.condition = condition;
        bk_object object{};
        object.struct_size = sizeof object;
        return table_.put(self_, key, text.data(), text.size(), &options, &object, &error_);
    }

    bk::FakeHost host_;
    const bk_component& driver_ = bk::linked_driver("memory");
    bk::FakeConfig config_{{{"limit", {"8"}}}, driver_};
    const bk_storage& table_ = *static_cast<const bk_storage*>(driver_.vtable);
    bk_error error_ = bk::empty_error();
    void* self_ = nullptr;
};

TEST_F(MemoryStorageTest, GivesBackWhatWasPut) {
    ASSERT_EQ(put("a/b", "12345678", BK_PUT_ALWAYS), BK_OK);
    void* reader = nullptr;
    ASSERT_EQ(table_.read_open(self_, "a/b", 6, UINT64_MAX, nullptr, &reader, &error_), BK_OK);
    char buffer[8];
    size_t got = 0;
    EXPECT_EQ(table_.read(reader, buffer, sizeof buffer, &got, &error_), BK_OK);
    EXPECT_EQ(std::string_view(buffer, got), "78");
    EXPECT_EQ(table_.read(reader, buffer, sizeof buffer, &got, &error_), BK_END);
    table_.read_close(reader);
}

TEST_F(MemoryStorageTest, RefusesWhatExistsAndWhatIsTooLarge) {
    ASSERT_EQ(put("k", "1", BK_PUT_IF_ABSENT), BK_OK);
    EXPECT_EQ(put("k", "2", BK_PUT_IF_ABSENT), BK_E_EXISTS);
    EXPECT_STREQ(error_.message, "memory: object 'k' exists");
    EXPECT_EQ(put("big", "123456789", BK_PUT_ALWAYS), BK_E_NO_SPACE);
    EXPECT_STREQ(error_.hint, "raise the option 'limit'");
}

} // namespace
