// Parts on their way to several storages: order, failures, what is read back, and what is left.
#include "core/archive/object_writer.hpp"
#include "core/testing/archive_bed.hpp"
#include "core/testing/time_limit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>

namespace bkhost {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr size_t kPart = 1000;

/// A crew and a fan over some storages; ends them in the right order.
struct Fan {
    Fan(ArchiveBed& bed_, std::vector<Storage*> storages_, size_t required = 1, unsigned parts = 6)
        : bed(bed_), storages(std::move(storages_)), crew(bed.stop.get_token()),
          wake(crew.token(),
               [this] {
                   for (Storage* storage : storages)
                       storage->interrupt();
               }),
          fan(crew, bed.log, storages, {required, kPart, parts}) {}
    ~Fan() {
        fan.close();
        crew.stop();
        (void)crew.wait();
    }
    /// Writes an object of that many bytes and makes it visible.
    ObjectRecord write(const std::string& name, size_t size, const DriverPtr& encryptor = {}) {
        ObjectWriter writer(fan, kFolder, name, encryptor, bed.services);
        writer.write(as_bytes(filling(1, size)));
        writer.finish();
        writer.commit();
        return writer.record();
    }
    ArchiveBed& bed;
    std::vector<Storage*> storages;
    Crew crew;
    std::stop_callback<std::function<void()>> wake;
    UploadFan fan;
};

struct Failure {
    bk_status status = BK_OK;
    std::string text;
};
template <class Call>
Failure failure_of(Call&& call) {
    try {
        call();
    } catch (const bk::Error& error) {
        return {error.status(), error.what()};
    }
    return {};
}

std::string stored(const std::string& store, const std::string& name) {
    const MemoryStore::Data data = memory_store(store)->object(kFolder + name);
    return {data.begin(), data.end()};
}

TEST(UploadFan, PartsThatEndInAnotherOrderMakeTheSameObject) {
    ArchiveBed bed;
    const auto store = memory_store("a");
    store->parallel_parts = 2;
    std::mutex mutex;
    std::condition_variable changed;
    uint32_t newest = 0;
    store->on_call([&](Call call, const std::string&, uint32_t part) {
        if (call != Call::part) return;
        std::unique_lock lock(mutex);
        newest = std::max(newest, part);
        changed.notify_all();
        // Parts 1, 4, 7 ... wait until the second one after them has begun: then the one between,
        // sent by the same thread, is acknowledged before them.
        if (part % 3 == 1 && part + 2 <= 20) changed.wait(lock, [&] { return newest >= part + 2; });
    });
    with_time_limit(bed.stop, [&] {
        Fan fan(bed, {&bed.storage("a")});
        const ObjectRecord record = fan.write("x", 20 * kPart - 1);
        EXPECT_EQ(record.size, 20 * kPart - 1);
        EXPECT_EQ(record.sha256, sha256_hex(as_bytes(stored("a", "x"))));
    });
    EXPECT_EQ(stored("a", "x"), filling(1, 20 * kPart - 1));
    EXPECT_EQ(store->calls(Call::part), 20u);
}

TEST(UploadFan, ASequentialStorageGetsItsPartsInOrderAndOneAtATime) {
    ArchiveBed bed;
    memory_store("a")->sequential = true; // the store itself refuses anything else
    Fan fan(bed, {&bed.storage("a"), &bed.storage("b")}, 2);
    (void)fan.write("x", 50 * kPart);
    EXPECT_EQ(stored("a", "x"), filling(1, 50 * kPart));
    EXPECT_EQ(stored("b", "x"), stored("a", "x"));
}

TEST(UploadFan, AFailingStorageIsLeftOutWithAWarningWhenEnoughRemain) {
    for (const Call call : {Call::upload, Call::part, Call::commit, Call::stat, Call::open}) {
        ArchiveBed bed;
        memory_store("b")->fail({.call = call, .nth = call == Call::part ? 3u : 1u});
        with_time_limit(bed.stop, [&] {
            Fan fan(bed, {&bed.storage("a"), &bed.storage("b")}, 1);
            (void)fan.write("x", 30 * kPart);
            (void)fan.write("y", 5 * kPart); // goes on without it
            const std::vector<UploadFan::Target> targets = fan.fan.targets();
            EXPECT_FALSE(targets[0].dropped);
            EXPECT_TRUE(targets[1].dropped);
            EXPECT_THAT(targets[1].error, HasSubstr("made to fail"));
        });
        EXPECT_EQ(stored("a", "x"), filling(1, 30 * kPart));
        EXPECT_EQ(stored("a", "y"), filling(1, 5 * kPart));
        EXPECT_THAT(bed.log.lines(LogLevel::warn),
                    ElementsAre(HasSubstr("storage 'b' is left out of this backup")));
        EXPECT_EQ(memory_store("b")->open_uploads(), 0u);
    }
}

TEST(UploadFan, AFailingStorageEndsTheRunWhenItIsRequired) {
    for (const Call call : {Call::upload, Call::part, Call::commit, Call::stat, Call::open}) {
        ArchiveBed bed;
        memory_store("b")->fail(
            {.call = call, .nth = call == Call::part ? 3u : 1u, .status = BK_E_NO_SPACE});
        with_time_limit(bed.stop, [&] {
            Fan fan(bed, {&bed.storage("a"), &bed.storage("b")}, 2);
            fan.crew.run([&] { (void)fan.write("x", 30 * kPart); });
            (void)fan.crew.wait();
            const Failure failure = failure_of([&] { fan.crew.check(); });
            EXPECT_EQ(failure.status, BK_E_NO_SPACE);
            EXPECT_THAT(failure.text, HasSubstr("storage 'b'"));
        });
        EXPECT_EQ(memory_store("b")->open_uploads(), 0u);
        EXPECT_EQ(memory_store("a")->open_uploads(), 0u);
    }
}

TEST(UploadFan, ATruncatedCommitIsFoundByItsSize) {
    ArchiveBed bed;
    memory_store("a")->truncate_on_commit(1);
    Fan fan(bed, {&bed.storage("a")});
    const Failure failure = failure_of([&] { (void)fan.write("x", 3 * kPart); });
    EXPECT_EQ(failure.status, BK_E_CORRUPT);
    EXPECT_THAT(failure.text, HasSubstr("has 2999 bytes after the upload of 3000"));
}

TEST(UploadFan, AChangedByteAtEitherEndIsFoundByReadingBack) {
    constexpr size_t kSize = 200 * 1024;
    for (const uint64_t at :
         {uint64_t{0}, uint64_t{65535}, uint64_t{kSize - 65536}, uint64_t{kSize - 1}}) {
        ArchiveBed bed;
        memory_store("a")->flip_on_read("/x", at);
        memory_store("a")->read_limit = 777; // a storage may give less than was asked
        Fan fan(bed, {&bed.storage("a")});
        const Failure failure = failure_of([&] { (void)fan.write("x", kSize); });
        EXPECT_EQ(failure.status, BK_E_CORRUPT) << at;
        EXPECT_THAT(failure.text, HasSubstr("read back differs"));
    }
}

TEST(UploadFan, ASmallObjectIsReadBackTooAndNeverReplaced) {
    ArchiveBed bed;
    Fan fan(bed, {&bed.storage("a")});
    fan.fan.put("k", as_bytes("once"));
    EXPECT_EQ(failure_of([&] { fan.fan.put("k", as_bytes("twice")); }).status, BK_E_EXISTS);
    const MemoryStore::Data kept = memory_store("a")->object("k");
    EXPECT_EQ(std::string(kept.begin(), kept.end()), "once");

    ArchiveBed other;
    memory_store("c")->truncate_on_commit(2);
    Fan second(other, {&other.storage("c")});
    EXPECT_EQ(failure_of([&] { second.fan.put("k", as_bytes("text")); }).status, BK_E_CORRUPT);
}

TEST(UploadFan, NothingIsLeftOfAnUploadThatIsGivenUp) {
    ArchiveBed bed;
    {
        Fan fan(bed, {&bed.storage("a"), &bed.storage("b")});
        ObjectWriter writer(fan.fan, kFolder, "x", {}, bed.services);
        writer.write(as_bytes(filling(1, 10 * kPart + 5)));
        writer.finish(); // all sent, but no commit
    }
    for (const char* name : {"a", "b"}) {
        EXPECT_THAT(memory_store(name)->keys(), IsEmpty());
        EXPECT_EQ(memory_store(name)->open_uploads(), 0u);
        EXPECT_EQ(memory_store(name)->calls(Call::abort), 1u);
    }
}

TEST(UploadFan, CancelEndsABlockedUploadAndWhatWaitsBehindIt) {
    ArchiveBed bed;
    const auto gate = memory_store("a")->block(Call::part, 2);
    with_time_limit(bed.stop, [&] {
        Fan fan(bed, {&bed.storage("a")}, 1, 3); // few buffers: the writer waits too
        auto writing = std::async(std::launch::async, [&] {
            return failure_of([&] { (void)fan.write("x", 100 * kPart); });
        });
        gate->wait_reached();
        bed.stop.request_stop();
        EXPECT_EQ(writing.get().status, BK_E_CANCELLED);
        EXPECT_FALSE(fan.crew.wait());
        EXPECT_EQ(failure_of([&] { fan.crew.check(); }).status, BK_E_CANCELLED);
    });
    EXPECT_THAT(memory_store("a")->keys(), IsEmpty());
    EXPECT_EQ(memory_store("a")->open_uploads(), 0u);
}

TEST(UploadFan, PartsThatStillWaitWhenTheRunEndsAreFreed) {
    ArchiveBed bed;
    memory_store("a")->parallel_parts = 1;
    const auto gate = memory_store("a")->block(Call::part, 1);
    with_time_limit(bed.stop, [&] {
        Fan fan(bed, {&bed.storage("a")}, 1, 6);
        ObjectWriter writer(fan.fan, kFolder, "x", {}, bed.services);
        writer.write(as_bytes(filling(1, 5 * kPart))); // one is blocked, four wait
        gate->wait_reached();
    }); // the fan is destroyed with parts in its queue
    EXPECT_EQ(memory_store("a")->open_uploads(), 0u);
}

TEST(UploadFan, ASlowStorageDoesNotMakeTheRunGrow) {
    ArchiveBed bed;
    const auto gate = memory_store("b")->block(Call::part, 1);
    with_time_limit(bed.stop, [&] {
        Fan fan(bed, {&bed.storage("a"), &bed.storage("b")}, 2, 4);
        auto writing = std::async(std::launch::async, [&] { (void)fan.write("x", 50 * kPart); });
        gate->wait_reached(); // b has one part at least and lets none go
        EXPECT_LE(memory_store("a")->calls(Call::part), 4u);
        gate->open();
        writing.get();
    });
    EXPECT_EQ(stored("b", "x"), filling(1, 50 * kPart));
}

TEST(ObjectWriter, NoEmptyPartWhenTheStreamEndsWhereAPartDoes) {
    // 16 bytes of header and a last block of 1 + n + 16: exactly two parts of 1,000.
    constexpr size_t kPlain = 1024 + 2 * kPart - 16 - 1041 - 17;
    ArchiveBed bed;
    Fan fan(bed, {&bed.storage("a")});
    const ObjectRecord record = fan.write("x", kPlain, bed.encryptor());
    EXPECT_EQ(record.size, 2 * kPart);
    EXPECT_EQ(record.packed_size, kPlain);
    EXPECT_EQ(record.header_size, 16u);
    EXPECT_EQ(record.header_sha256, sha256_hex(as_bytes(stored("a", "x").substr(0, 16))));
    EXPECT_EQ(memory_store("a")->calls(Call::part), 2u);
}

TEST(ObjectWriter, WithoutACipherTheHeaderIsEmpty) {
    ArchiveBed bed;
    Fan fan(bed, {&bed.storage("a")});
    const ObjectRecord record = fan.write("x", 2 * kPart);
    EXPECT_EQ(record.size, record.packed_size);
    EXPECT_EQ(record.header_size, 0u);
    EXPECT_EQ(record.header_sha256, sha256_hex({}));
    EXPECT_EQ(memory_store("a")->calls(Call::part), 2u);
}

TEST(VolumeWriter, AnEmptyDumpIsRefused) {
    ArchiveBed bed;
    WriteSpec spec;
    spec.storages = {&bed.storage("a")};
    spec.units = {{[](bk::Sink sink) { sink.section({.kind = "table", .name = "t"}); }}};
    const Failure failure = failure_of([&] { bed.write(spec); });
    EXPECT_EQ(failure.status, BK_E_CORRUPT);
    EXPECT_THAT(failure.text, HasSubstr("the dump of 'shop' is empty"));
    EXPECT_THAT(memory_store("a")->keys(), IsEmpty());
}

TEST(CompressPool, AFailingCompressorEndsTheRunWithItsOwnError) {
    ArchiveBed bed;
    WriteSpec spec;
    spec.storages = {&bed.storage("a")};
    spec.compressor = bed.compressor("store", {{"fail-frame", {"3"}}});
    spec.units = {{[](bk::Sink sink) {
        for (uint64_t i = 0; i < 100; ++i)
            write_fragment(sink, "t", filling(i, 4096));
    }}};
    with_time_limit(bed.stop, [&] {
        const Failure failure = failure_of([&] { bed.write(spec); });
        EXPECT_EQ(failure.status, BK_E_INTERNAL);
        EXPECT_THAT(failure.text, HasSubstr("made to fail"));
    });
    EXPECT_THAT(memory_store("a")->keys(), IsEmpty());
    EXPECT_EQ(memory_store("a")->open_uploads(), 0u);
}

} // namespace
} // namespace bkhost
