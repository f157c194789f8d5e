// bk::Error across the C struct and back: every field, every kind of exception, texts that do not
// fit.
#include <bkhost/error.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <stdexcept>

namespace {

/// A bk_error in which every byte holds rubbish.
bk_error used_error() {
    bk_error error;
    std::memset(&error, 0x5A, sizeof error);
    error.struct_size = sizeof error;
    return error;
}

bk::Error full_error() {
    bk::Error error(BK_E_BUSY, "object 'a' is locked", "try again");
    error.flags = BK_ERR_RETRYABLE | BK_ERR_PARTIAL;
    error.retry_after_ms = 1500;
    error.native_code = -7;
    error.native_domain = "sqlstate";
    return error;
}

TEST(StoreError, ResetsEveryField) {
    bk_error error = used_error();
    EXPECT_EQ(bk::store_error(&error, BK_E_DENIED, "no"), BK_E_DENIED);
    EXPECT_EQ(error.struct_size, sizeof error);
    EXPECT_EQ(error.flags, 0u);
    EXPECT_EQ(error.status, BK_E_DENIED);
    EXPECT_EQ(error.retry_after_ms, 0u);
    EXPECT_EQ(error.native_code, 0);
    EXPECT_STREQ(error.native_domain, "");
    EXPECT_STREQ(error.message, "no");
    EXPECT_STREQ(error.hint, "");
}

TEST(StoreError, TakesEveryFieldOfAnError) {
    bk_error error = used_error();
    EXPECT_EQ(bk::store_error(&error, full_error()), BK_E_BUSY);
    EXPECT_EQ(error.flags, uint32_t{BK_ERR_RETRYABLE | BK_ERR_PARTIAL});
    EXPECT_EQ(error.retry_after_ms, 1500u);
    EXPECT_EQ(error.native_code, -7);
    EXPECT_STREQ(error.native_domain, "sqlstate");
    EXPECT_STREQ(error.message, "object 'a' is locked");
    EXPECT_STREQ(error.hint, "try again");
}

TEST(StoreError, WorksWithoutAPlaceToStore) {
    EXPECT_EQ(bk::store_error(nullptr, BK_E_BUSY, "x"), BK_E_BUSY);
    EXPECT_EQ(bk::store_error(nullptr, full_error()), BK_E_BUSY);
}

TEST(StoreError, MakesAnInternalErrorOfAnErrorThatSaysOk) {
    bk_error error = used_error();
    EXPECT_EQ(bk::store_error(&error, bk::Error(BK_OK, "odd")), BK_E_INTERNAL);
    EXPECT_EQ(error.status, BK_E_INTERNAL);
}

TEST(StoreError, NeverCutsInsideAUtf8Sequence) {
    const std::string sequences[] = {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    for (const std::string& sequence : sequences)
        for (size_t before = 505; before <= 512; ++before) {
            bk_error error = used_error();
            bk::store_error(&error, BK_E_INVALID, std::string(before, 'x') + sequence + "yyyy");
            const std::string kept(error.message);
            ASSERT_LT(kept.size(), sizeof error.message);
            const bool fits = before + sequence.size() <= 511;
            EXPECT_EQ(kept.find(sequence), fits ? before : std::string::npos) << before;
            if (!fits) {
                EXPECT_EQ(kept, std::string(std::min<size_t>(before, 511), 'x'));
            }
        }
}

TEST(StoreError, ReplacesBytesThatAreNoUtf8) {
    const std::pair<std::string, std::string> cases[] = {
        {"a\xFF z", "a? z"},             // never a byte of UTF-8
        {"a\xC3", "a?"},                 // ends too early
        {"\xE2\x82z", "??z"},            // broken in the middle
        {"\xC0\xAF", "??"},              // overlong, two bytes
        {"\xE0\x80\xAF", "???"},         // overlong, three
        {"\xF0\x80\x80\xAF", "????"},    // overlong, four
        {"\xED\xA0\x80", "???"},         // a surrogate
        {"\xF4\x90\x80\x80", "????"},    // past the last code point
        {std::string("a\0b", 3), "a?b"}, // would end the text
        {"\xED\x9F\xBF\xF4\x8F\xBF\xBF", "\xED\x9F\xBF\xF4\x8F\xBF\xBF"},
    };
    for (const auto& [given, kept] : cases) {
        bk_error error = used_error();
        bk::store_error(&error, BK_E_INVALID, given, given);
        EXPECT_EQ(std::string(error.message), kept);
        EXPECT_EQ(std::string(error.hint), kept);
    }
}

TEST(ThrowError, GivesBackWhatWasStored) {
    bk_error stored = used_error();
    bk::store_error(&stored, full_error());
    try {
        bk::throw_error(BK_E_BUSY, stored, "storage 'here'");
        FAIL() << "nothing thrown";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_BUSY);
        EXPECT_EQ(error.message(), "storage 'here': object 'a' is locked");
        EXPECT_EQ(error.hint(), "try again");
        EXPECT_TRUE(error.retryable());
        EXPECT_EQ(error.retry_after_ms, 1500u);
        EXPECT_EQ(error.native_code, -7);
        EXPECT_EQ(error.native_domain, "sqlstate");
    }
}

TEST(ThrowError, DistrustsTheOtherSide) {
    const bk_error rubbish = used_error(); // no text ends in NUL
    try {
        bk::throw_error(12345, rubbish);
        FAIL() << "nothing thrown";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_INTERNAL); // an unknown code
        EXPECT_EQ(error.message(), std::string(512, 'Z'));
        EXPECT_EQ(error.hint(), std::string(256, 'Z'));
        EXPECT_EQ(error.native_domain, std::string(32, 'Z'));
    }
    try {
        bk::throw_error(BK_E_TIMEOUT, bk::empty_error());
        FAIL() << "nothing thrown";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.message(), "failed without a message (timeout)");
    }
}

TEST(Guard, EndsEveryKindOfException) {
    struct Odd {};
    bk_error error = used_error();
    EXPECT_EQ(bk::guard(&error, [] { return BK_END; }), BK_END);
    EXPECT_EQ(bk::guard(&error, []() -> bk_status { throw full_error(); }), BK_E_BUSY);
    EXPECT_STREQ(error.hint, "try again");
    EXPECT_EQ(bk::guard(&error, []() -> bk_status { throw std::bad_alloc(); }), BK_E_NO_MEMORY);
    EXPECT_STREQ(error.message, "out of memory");
    EXPECT_STREQ(error.hint, ""); // of the error before
    EXPECT_EQ(bk::guard(&error, []() -> bk_status { throw std::out_of_range("range"); }),
              BK_E_INTERNAL);
    EXPECT_STREQ(error.message, "range");
    EXPECT_EQ(bk::guard(&error, []() -> bk_status { throw Odd{}; }), BK_E_INTERNAL);
    EXPECT_STREQ(error.message, "an exception of an unknown type");
}

TEST(ThrowErrno, KeepsTheNumber) {
    try {
        bk::throw_errno(ENOSPC, "write '/x'", "make room");
        FAIL() << "nothing thrown";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_NO_SPACE);
        EXPECT_EQ(error.native_code, ENOSPC);
        EXPECT_EQ(error.native_domain, "errno");
        EXPECT_EQ(error.message(), "write '/x': No space left on device");
        EXPECT_EQ(error.hint(), "make room");
    }
}

} // namespace
