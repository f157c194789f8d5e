// The fake host and the memory source: what they record and where they fail.
#include <bkhost/testing/fake_host.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace {

using testing::ElementsAre;

TEST(FakeHost, RecordsWhatItIsTold) {
    bk::FakeHost fake;
    const bk::Host host = fake.host();
    host.debug("d");
    host.info("i");
    host.warn("row-security", "public.users", "rows are hidden");
    host.progress(1, 2);
    EXPECT_THAT(fake.logs(), ElementsAre(bk::FakeHost::LogLine{BK_LOG_DEBUG, "d"},
                                         bk::FakeHost::LogLine{BK_LOG_INFO, "i"}));
    EXPECT_THAT(fake.warnings(), ElementsAre(bk::FakeHost::Warning{"row-security", "public.users",
                                                                   "rows are hidden"}));
    EXPECT_THAT(fake.progress(), ElementsAre(bk::FakeHost::Progress{1, 2}));
}

TEST(FakeHost, CancelsAtOnceOrAtTheNthPoll) {
    bk::FakeHost fake;
    const bk::Host host = fake.host();
    EXPECT_NO_THROW(host.check_cancelled());
    fake.cancel_at_poll(2);
    EXPECT_FALSE(host.cancelled());
    EXPECT_FALSE(host.cancelled());
    EXPECT_TRUE(host.cancelled());
    EXPECT_TRUE(host.cancelled());
    EXPECT_EQ(fake.polls(), 5u);

    bk::FakeHost other;
    other.cancel();
    EXPECT_THROW(other.host().check_cancelled(), bk::Error);
}

TEST(FakeHost, LendsSecretsAndExtensions) {
    bk::FakeHost fake;
    const int table = 0;
    fake.set_secret("token", "new");
    fake.set_extension("bkhost.clock/1", &table);
    const bk_host* host = fake.get();
    bk::Texts texts;
    bk_error error = bk::empty_error();
    EXPECT_EQ(host->get_secret(host, "token", bk::Texts::take, &texts, &error), BK_OK);
    EXPECT_EQ(texts.joined(), "new");
    EXPECT_EQ(host->get_secret(host, "other", bk::Texts::take, &texts, &error), BK_E_NOT_FOUND);
    EXPECT_STREQ(error.message, "no secret 'other'");
    EXPECT_EQ(fake.host().secret("token"), "new");
    EXPECT_THROW((void)fake.host().secret("other"), bk::Error);
    EXPECT_EQ(host->get_extension(host, "bkhost.clock/1"), &table);
    EXPECT_EQ(host->get_extension(host, "bkhost.clock/2"), nullptr);
}

TEST(FakeHost, MayBeCalledFromSeveralThreads) {
    bk::FakeHost fake;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 100; ++n) {
                fake.host().progress(1, 0);
                (void)fake.host().cancelled();
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(fake.progress().size(), 400u);
    EXPECT_EQ(fake.polls(), 400u);
}

TEST(MemorySource, GivesItsBytesInChunks) {
    bk::MemorySource memory("abcdefgh", 3);
    const bk::Source source = memory.source();
    uint8_t buffer[16];
    EXPECT_EQ(source.read(std::span(buffer, 2)), 2u);
    EXPECT_EQ(source.read(buffer), 3u);
    EXPECT_EQ(buffer[0], 'c');
    EXPECT_EQ(source.read_full(buffer), 3u);
    EXPECT_TRUE(memory.ended());
    EXPECT_EQ(memory.position(), 8u);
    EXPECT_EQ(source.read(buffer), 0u);
}

TEST(MemorySource, FailsAtItsOffset) {
    bk::MemorySource memory("abcdefgh");
    memory.fail_at(5, BK_E_TIMEOUT);
    uint8_t buffer[16];
    EXPECT_EQ(memory.source().read(buffer), 5u);
    try {
        (void)memory.source().read(buffer);
        FAIL() << "nothing thrown";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_TIMEOUT);
    }
    EXPECT_FALSE(memory.ended());
}

} // namespace
