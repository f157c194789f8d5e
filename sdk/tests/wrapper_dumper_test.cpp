// The dumper wrapper, through the C table of a loaded plugin, with the fakes on the host's side.
#include "sample.hpp"

#include <bkhost/testing/memory_random_source.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using testing::ElementsAre;
using Toy = bk_test::Instance<bk_dumper>;

bk_status probe_failing(const char* how, bk_error& error) {
    Toy toy("toy_dumper", {{"fail", {how}}});
    bk::Texts texts;
    const bk_status status = toy.table->probe(toy.self, bk::Texts::take, &texts, &toy.error);
    error = toy.error;
    return status;
}

TEST(DumperWrapper, EndsEveryExceptionInAnError) {
    bk_error error;
    EXPECT_EQ(probe_failing("", error), BK_OK);
    EXPECT_EQ(probe_failing("memory", error), BK_E_NO_MEMORY);
    EXPECT_STREQ(error.message, "out of memory");
    EXPECT_EQ(probe_failing("standard", error), BK_E_INTERNAL);
    EXPECT_STREQ(error.message, "a standard exception");
    EXPECT_EQ(probe_failing("number", error), BK_E_INTERNAL);
    EXPECT_STREQ(error.message, "an exception of an unknown type");
    EXPECT_EQ(probe_failing("nothing-wrong", error), BK_E_INTERNAL);
    EXPECT_EQ(probe_failing("error", error), BK_E_UNAVAILABLE);
    EXPECT_STREQ(error.message, "toy: no answer");
    EXPECT_STREQ(error.hint, "start it");
    EXPECT_EQ(error.flags, uint32_t{BK_ERR_RETRYABLE});
    EXPECT_EQ(error.retry_after_ms, 250u);
    EXPECT_EQ(error.native_code, 111);
    EXPECT_STREQ(error.native_domain, "errno");
}

TEST(DumperWrapper, LeavesNoInstanceWhenCreateFails) {
    const Toy toy("toy_dumper", {{"fail", {"create"}}});
    EXPECT_EQ(toy.status, BK_E_CONFIG);
    EXPECT_EQ(toy.self, nullptr);
}

TEST(DumperWrapper, HandsTextsOver) {
    Toy toy("toy_dumper");
    bk::Texts texts;
    EXPECT_EQ(toy.table->inspect(toy.self, "{}", bk::Texts::take, &texts, &toy.error), BK_OK);
    EXPECT_EQ(toy.table->dump_begin(toy.self, "{}", bk::Texts::take, &texts, &toy.error), BK_OK);
    EXPECT_THAT(texts.all, ElementsAre("{}", R"({"engine":"toy","extension":"txt"})"));
    const bk_text_fn refuse = [](void*, const char*, size_t) noexcept {
        return bk_status{BK_E_NO_SPACE};
    };
    EXPECT_EQ(toy.table->probe(toy.self, refuse, nullptr, &toy.error), BK_E_NO_SPACE);
}

TEST(DumperWrapper, PlansAndDumps) {
    Toy toy("toy_dumper", {{"rows", {"5"}}});
    std::vector<std::string> labels;
    const bk_unit_fn take = [](void* ctx, const bk_unit* unit) noexcept {
        static_cast<std::vector<std::string>*>(ctx)->emplace_back(unit->label);
        return bk_status{BK_OK};
    };
    EXPECT_EQ(toy.table->plan(toy.self, take, &labels, &toy.error), BK_OK);
    EXPECT_THAT(labels, ElementsAre("settings", "numbers"));

    bk::RecordingSink sink;
    EXPECT_EQ(toy.table->dump(toy.self, 1, sink.get(), &toy.error), BK_OK);
    const bk::RecordingSink::Section& numbers = sink.section("numbers");
    EXPECT_EQ(numbers.bytes, "0\n1\n2\n3\n4\n");
    EXPECT_EQ(numbers.rows(), 5u);
    EXPECT_EQ(numbers.uncut(), "");
    EXPECT_EQ(sink.meta().at("last"), "5");
    EXPECT_EQ(sink.proofs().size(), 1u);
    EXPECT_EQ(toy.table->dump_end(toy.self, 1, &toy.error), BK_OK);
    toy.table->interrupt(toy.self);
}

TEST(DumperWrapper, EndsAtOnceInTheStatusOfItsSink) {
    Toy toy("toy_dumper");
    for (uint64_t n = 1; n <= 7; ++n) {
        bk::RecordingSink sink;
        sink.fail_at_write(n, BK_E_TIMEOUT);
        EXPECT_EQ(toy.table->dump(toy.self, 1, sink.get(), &toy.error), BK_E_TIMEOUT) << n;
        EXPECT_EQ(sink.calls_after_failure(), 0u);
    }
}

TEST(DumperWrapper, IsCancelledInTheMiddle) {
    Toy toy("toy_dumper");
    toy.host.cancel_at_poll(4);
    bk::RecordingSink sink;
    EXPECT_EQ(toy.table->dump(toy.self, 1, sink.get(), &toy.error), BK_E_CANCELLED);
    EXPECT_EQ(sink.bytes(), "0\n1\n2\n3\n");
}

TEST(DumperWrapper, FailsAnIncompleteDumpAtItsEnd) {
    Toy toy("toy_dumper", {{"fail", {"end"}}});
    EXPECT_EQ(toy.table->dump_end(toy.self, 0, &toy.error), BK_OK);
    EXPECT_EQ(toy.table->dump_end(toy.self, 1, &toy.error), BK_E_CORRUPT);
}

TEST(DumperWrapper, Loads) {
    Toy toy("toy_dumper");
    void* session = nullptr;
    uint32_t parallel = 0;
    ASSERT_EQ(toy.table->load_begin(toy.self, "{}", &session, &parallel, &toy.error), BK_OK);
    EXPECT_EQ(parallel, 2u);
    const bk_loaded_fn check = [](void* ctx, uint64_t frame, uint64_t offset) noexcept {
        *static_cast<uint64_t*>(ctx) = frame * 10 + offset;
        return bk_status{BK_OK};
    };
    uint64_t pieces = 0;
    EXPECT_EQ(toy.table->loaded(session, check, &pieces, &toy.error), BK_OK);
    EXPECT_EQ(pieces, 78u);

    bk::MemorySource broken("0\n1\n", 1);
    broken.fail_at(2, BK_E_CORRUPT);
    const bk_load_unit unit{};
    EXPECT_EQ(toy.table->load(session, &unit, broken.get(), &toy.error), BK_E_CORRUPT);
    bk::MemorySource rest("0\n1\n", 3);
    EXPECT_EQ(toy.table->load(session, &unit, rest.get(), &toy.error), BK_OK);
    EXPECT_TRUE(rest.ended());
    EXPECT_EQ(toy.table->load_end(session, 1, &toy.error), BK_OK);
}

TEST(DumperWrapper, FreesTheSessionEvenWhenItsEndFails) {
    Toy toy("toy_dumper"); // the leak checker of the sanitizer build watches
    void* session = nullptr;
    uint32_t parallel = 0;
    ASSERT_EQ(toy.table->load_begin(toy.self, "{}", &session, &parallel, &toy.error), BK_OK);
    EXPECT_EQ(toy.table->load_end(session, 1, &toy.error), BK_E_CORRUPT);
}

TEST(DumperWrapper, RefusesAnEmptySession) {
    Toy toy("toy_dumper");
    void* session = nullptr;
    uint32_t parallel = 0;
    EXPECT_EQ(toy.table->load_begin(toy.self, "null", &session, &parallel, &toy.error),
              BK_E_INTERNAL);
    EXPECT_STREQ(toy.error.message, "the driver returned an empty pointer");
}

const bk_dumper_extract& extension(const Toy& toy) {
    return *static_cast<const bk_dumper_extract*>(toy.driver.get_extension(BK_DUMPER_EXTRACT_ID));
}

TEST(DumperWrapper, TakesTablesOutOfARandomSource) {
    Toy toy("toy_dumper");
    const bk::MemoryRandomSource source("0123456789");
    bk::Texts texts;
    EXPECT_EQ(
        extension(toy).names(toy.self, "{}", source.get(), bk::Texts::take, &texts, &toy.error),
        BK_OK);
    EXPECT_EQ(
        extension(toy).extract(toy.self, "{}", source.get(), bk::Texts::take, &texts, &toy.error),
        BK_OK);
    EXPECT_THAT(texts.all, ElementsAre("{}", "10", "89"));
    EXPECT_EQ(toy.driver.get_extension("bkhost.dumper.unknown/0"), nullptr);
}

TEST(DumperWrapper, EndsAnExtractionInWhatItsSourceOrReceiverSays) {
    Toy toy("toy_dumper");
    const auto extract = [&](const bk::MemoryRandomSource& source, bk_text_fn receiver) {
        bk::Texts texts;
        return extension(toy).extract(toy.self, "{}", source.get(), receiver, &texts, &toy.error);
    };
    bk::MemoryRandomSource broken("0123456789");
    broken.fail_at_read(1, BK_E_CORRUPT);
    EXPECT_EQ(extract(broken, bk::Texts::take), BK_E_CORRUPT);
    EXPECT_STREQ(toy.error.message, "the source failed, as the test wanted");
    EXPECT_EQ(extract(bk::MemoryRandomSource("0"), bk::Texts::take), BK_E_INVALID);
    const bk_text_fn refuse = [](void*, const char*, size_t) noexcept {
        return bk_status{BK_E_NO_SPACE};
    };
    EXPECT_EQ(extract(bk::MemoryRandomSource("0123456789"), refuse), BK_E_NO_SPACE);
    Toy failing("toy_dumper", {{"fail", {"extract"}}});
    EXPECT_EQ(extension(failing).extract(failing.self, "{}", broken.get(), refuse, nullptr,
                                         &failing.error),
              BK_E_INTERNAL);
}

} // namespace
