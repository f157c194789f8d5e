// A disk that cannot make data durable: the functions below stand before the C library's, which
// SQLite calls.
#include "core/catalog/catalog_fixture.hpp"

#include <gmock/gmock.h>

#include <cerrno>
#include <sys/syscall.h>
#include <unistd.h>

namespace bkhost::test {
namespace {

std::atomic<int> failing_sync{0}; ///< which of the next ones fails; 0: none

int sync_or_fail(long number, int fd) {
    if (failing_sync.load() != 0 && failing_sync.fetch_sub(1) == 1) {
        errno = EIO;
        return -1;
    }
    return static_cast<int>(::syscall(number, fd));
}

using ::testing::IsEmpty;
using ::testing::Not;

/// What could not be made durable is an error, and what was stays.
TEST_F(CatalogTest, ASyncThatFailsIsToldAndLosesNothing) {
    for (int n = 1;; ++n) {
        const std::string old_one = id(3 * n), failing = id(3 * n + 1), next = id(3 * n + 2);
        bool told = false;
        {
            Catalog catalog(file_, clock_, probe_);
            complete(catalog, old_one);
            failing_sync = n;
            try {
                complete(catalog, failing);
            } catch (const bk::Error& error) {
                told = true;
                EXPECT_EQ(error.status(), BK_E_UNAVAILABLE) << error.what();
                EXPECT_THAT(error.hint(), Not(IsEmpty()));
            }
            const bool reached = failing_sync.exchange(0) == 0;
            EXPECT_EQ(told, reached) << "sync " << n;
        }
        Catalog catalog(file_, clock_, probe_);
        EXPECT_EQ(catalog.backup(old_one)->state, BackupState::completed);
        for (const CatalogProblem& problem : catalog.check())
            ADD_FAILURE() << problem.object << ": " << problem.message;
        complete(catalog, next);
        if (!told) {
            EXPECT_EQ(catalog.backup(failing)->state, BackupState::completed);
            EXPECT_GT(n, 4) << "each commit is synced";
            return;
        }
        ASSERT_LT(n, 100);
    }
}

} // namespace
} // namespace bkhost::test

extern "C" {

int fsync(int fd) { return bkhost::test::sync_or_fail(SYS_fsync, fd); }
int fdatasync(int fd) { return bkhost::test::sync_or_fail(SYS_fdatasync, fd); }

} // extern "C"
