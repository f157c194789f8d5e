// The log's checksum against one computed by hand, and every way in which a log can disagree with
// the state that it is read for.
#include "wal_file.hpp"

#include "database.hpp"
#include "testbed.hpp"

namespace {

using namespace sqlite_driver;
using testbed::failure;

TEST(WalChecksum, ByHand) {
    const std::array<uint8_t, 16> bytes{0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4};
    // s1 = 1, s2 = 2 + 1; s1 = 1 + 3 + 3, s2 = 3 + 4 + 7
    EXPECT_EQ(wal_checksum({0, 0}, bytes, true), (std::array<uint32_t, 2>{7, 14}));
    EXPECT_EQ(wal_checksum({0, 0}, std::span(bytes).first(8), false),
              (std::array<uint32_t, 2>{0x01000000, 0x03000000}));
    const auto half = wal_checksum({0, 0}, std::span(bytes).first(8), true);
    EXPECT_EQ(wal_checksum(half, std::span(bytes).subspan(8), true),
              (std::array<uint32_t, 2>{7, 14}));
}

class WalFile : public testing::Test {
protected:
    WalFile() {
        writer.exec("PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES(1);"
                    "INSERT INTO t VALUES(2); INSERT INTO t VALUES(3)");
        (void)connection.number("SELECT count(*) FROM t");
        head = WalIndex::of(connection.file())->head().value();
    }
    bk_status read(const WalHead& wanted) {
        return failure([&] { WalPages(connection.wal_file(), wanted, "log", cancel); }, &message);
    }

    testbed::TempDirectory directory;
    bk::FakeHost host;
    Cancel cancel{host.host()};
    testbed::Db writer{directory.file("a.db")};
    Connection connection{directory.file("a.db"), Access::read, std::chrono::seconds(1), cancel};
    WalHead head;
    std::string message;
};

TEST_F(WalFile, EveryPageOnceInItsNewestFrame) {
    const WalPages pages(connection.wal_file(), head, "log", cancel);
    EXPECT_EQ(head.frames, 5U);
    EXPECT_EQ(head.pages, 2U);
    EXPECT_EQ(pages.next(1), 1U);
    EXPECT_EQ(pages.next(2), 2U);
    EXPECT_EQ(pages.next(3), 0U);
    std::vector<uint8_t> page(head.page_size);
    pages.read(2, page);
    EXPECT_EQ(page[4], 3) << "cells on the leaf of t";
}

TEST_F(WalFile, AnotherStateIsRefused) {
    EXPECT_EQ(read(head), BK_OK);
    WalHead other = head;
    other.frames = head.frames - 1;
    EXPECT_EQ(read(other), BK_E_CORRUPT);
    EXPECT_THAT(message, testing::HasSubstr("last frame"));
    other = head;
    other.frames = head.frames + 1;
    EXPECT_EQ(read(other), BK_E_CORRUPT);
    other = head;
    other.salt[1] ^= 1;
    EXPECT_EQ(read(other), BK_E_CORRUPT);
    EXPECT_THAT(message, testing::HasSubstr("salts"));
    other = head;
    other.page_size = 512;
    EXPECT_EQ(read(other), BK_E_CORRUPT);
    other = head;
    other.pages = 3;
    EXPECT_EQ(read(other), BK_E_CORRUPT);
}

TEST_F(WalFile, EveryChangedByteIsFound) {
    const std::string path = directory.file("a.db-wal");
    const std::string log = testbed::read_file(path);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    for (size_t at = 0; at < log.size(); at += at < 200 ? 1 : 509) {
        // Bytes 12 to 15 count checkpoints: the header's checksum covers them too.
        file.seekp(static_cast<std::streamoff>(at));
        file.put(static_cast<char>(log[at] ^ 0x40)).flush();
        EXPECT_EQ(read(head), BK_E_CORRUPT) << at;
        file.seekp(static_cast<std::streamoff>(at));
        file.put(log[at]).flush();
    }
    EXPECT_EQ(read(head), BK_OK);
}

TEST_F(WalFile, ReadingIsCancelled) {
    host.cancel();
    EXPECT_EQ(read(head), BK_E_CANCELLED);
}

} // namespace
