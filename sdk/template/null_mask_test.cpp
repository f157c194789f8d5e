// The C driver through its table of functions.
#include <bkhost/sanitizer.h>
#include <bkhost/testing/fake_host.hpp>

#include <gtest/gtest.h>

namespace {

TEST(NullMask, MasksWhatMayBeNull) {
    const auto& table = *static_cast<const bk_sanitizer*>(bk::linked_driver("null").vtable);
    bk::FakeHost host;
    const bk::FakeConfig config({}, bk::linked_driver("null"));
    bk_error error = bk::empty_error();
    void* self = nullptr;
    ASSERT_EQ(table.create(host.get(), config.get(), &self, &error), BK_OK);
    const auto ask = [&](const char* column, bk::Texts& texts) {
        return table.expression(self, "sqlite", column, bk::Texts::take, &texts, &error);
    };
    bk::Texts texts;
    EXPECT_EQ(ask(R"({"name":"nullable","nullable":true})", texts), BK_OK);
    EXPECT_EQ(texts.joined(), "NULL");
    EXPECT_EQ(ask(R"({"name":"nullable", "nullable" : false})", texts), BK_E_UNSUPPORTED);
    EXPECT_STREQ(error.message, "null: the column cannot hold NULL");
    table.destroy(self);
}

} // namespace
