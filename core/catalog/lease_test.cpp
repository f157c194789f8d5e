#include "core/catalog/catalog_fixture.hpp"

#include <gmock/gmock.h>

#include <barrier>
#include <condition_variable>
#include <csignal>
#include <fcntl.h>
#include <future>
#include <limits>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace bkhost {
namespace {

using test::error_of;
using test::FakeClock;
using test::FakeProbe;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LeaseTest : public test::CatalogTest {};

/// A child process that ends without any destructor; killed at the latest by the destructor here.
class Child {
public:
    template <class Body>
    explicit Child(Body&& body) {
        pid = ::fork();
        if (pid == 0) {
            std::forward<Body>(body)();
            ::_exit(0);
        }
    }
    ~Child() {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    /// Returns when it has ended, and leaves the zombie.
    void wait_for_end() const {
        siginfo_t info{};
        ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
    }
    pid_t pid = -1;
};

/// Counts how often the time was asked for, so that a test can wait for the keeper's thread.
class WatchedClock final : public Clock {
public:
    [[nodiscard]] int64_t monotonic_ms() const override {
        {
            const std::lock_guard lock(mutex_);
            ++asked_;
        }
        changed_.notify_all();
        return Clock::monotonic_ms();
    }
    /// Returns when it was asked `times` more often than now.
    void wait(int times) const {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&, until = asked_ + times] { return asked_ >= until; });
    }

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    mutable int asked_ = 0;
};

} // namespace

TEST(ProcessProbe, KnowsItselfAndOthers) {
    const ProcessProbe& probe = ProcessProbe::system();
    const Owner self = probe.self();
    EXPECT_EQ(self.pid, ::getpid());
    EXPECT_EQ(self.boot_id.size(), 36u);
    EXPECT_NE(self.pid_namespace, 0u);
    EXPECT_EQ(probe.self(), self);
    EXPECT_EQ(probe.presence(self.pid, self.start_ticks), Presence::alive);
    EXPECT_EQ(probe.presence(self.pid, self.start_ticks + 1), Presence::gone) << "a reused pid";
    EXPECT_EQ(probe.presence(std::numeric_limits<pid_t>::max(), 1), Presence::gone);
}

TEST(ProcessProbe, ZombieIsGone) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    Owner owner;
    {
        const Child child([&] {
            const uint64_t start = ProcessProbe().self().start_ticks;
            [[maybe_unused]] const ssize_t put = ::write(ends[1], &start, sizeof start);
        });
        owner.pid = child.pid;
        ASSERT_EQ(::read(ends[0], &owner.start_ticks, sizeof owner.start_ticks),
                  static_cast<ssize_t>(sizeof owner.start_ticks));
        child.wait_for_end();
        ASSERT_EQ(::kill(child.pid, 0), 0) << "still in the process table";
        EXPECT_EQ(ProcessProbe::system().presence(owner.pid, owner.start_ticks), Presence::gone);
    }
    EXPECT_EQ(ProcessProbe::system().presence(owner.pid, owner.start_ticks), Presence::gone);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_F(LeaseTest, DeadByEachOfItsRules) {
    Lease lease;
    lease.owner = {200, 9, "boot-1", 4026531836, "db1", 0};
    lease.heartbeat_ms = clock_.now();
    lease.heartbeat_mono_ms = clock_.monotonic_ms();
    const auto dead = [&] { return is_dead(lease, probe_.owner, probe_, clock_); };
    EXPECT_FALSE(dead());
    probe_.set(200, 9, Presence::gone);
    EXPECT_TRUE(dead()) << "gone: at once";
    lease.owner.pid_namespace = 1;
    EXPECT_FALSE(dead()) << "in another namespace its pid says nothing";
    clock_.pass(lease.ttl_ms + 1);
    EXPECT_TRUE(dead()) << "but its heartbeat does";
    lease.heartbeat_mono_ms = clock_.monotonic_ms();
    EXPECT_FALSE(dead());
    lease.heartbeat_ms = clock_.now();
    lease.owner.boot_id = "boot-2";
    EXPECT_TRUE(dead()) << "before a reboot: at once";
    lease.owner.host_name = "db2";
    lease.heartbeat_ms = clock_.now() - lease.ttl_ms;
    EXPECT_FALSE(dead()) << "another machine, just in time";
    clock_.pass(1);
    EXPECT_TRUE(dead());
}

TEST_F(LeaseTest, UnknownPresenceIsDecidedByTheHeartbeat) {
    Lease lease;
    lease.owner = {200, 9, "boot-1", 4026531836, "db1", 0};
    lease.heartbeat_mono_ms = clock_.monotonic_ms();
    probe_.set(200, 9, Presence::unknown);
    EXPECT_FALSE(is_dead(lease, probe_.owner, probe_, clock_));
    clock_.pass(lease.ttl_ms + 1);
    EXPECT_TRUE(is_dead(lease, probe_.owner, probe_, clock_));
}

TEST_F(LeaseTest, JumpOfTheWallClockKillsNobodyOnThisMachine) {
    Catalog catalog(file_, clock_, probe_);
    (void)catalog.begin_backup(row(id(0)));
    for (const int64_t jump : {int64_t{86'400'000}, int64_t{-172'800'000}}) {
        clock_.wall += jump; // set by hand, or a night asleep: the monotonic clock stands
        EXPECT_THAT(catalog.expired_leases(), IsEmpty()) << jump;
        EXPECT_THAT(catalog.orphans(), IsEmpty()) << jump;
    }
    clock_.mono += kLeaseTtlMs + 1;
    EXPECT_EQ(catalog.expired_leases().size(), 1u);
}

TEST_F(LeaseTest, RenewingKeepsIt) {
    Catalog catalog(file_, clock_, probe_);
    const Lease lease = catalog.try_acquire("prune").value();
    for (int i = 0; i < 5; ++i) {
        clock_.pass(kLeaseTtlMs);
        EXPECT_TRUE(catalog.renew(lease));
        EXPECT_THAT(catalog.expired_leases(), IsEmpty());
        EXPECT_FALSE(catalog.try_acquire("prune")) << "held, by this very process";
    }
    EXPECT_EQ(catalog.leases()[0].acquired_ms, lease.acquired_ms);
    EXPECT_EQ(catalog.leases()[0].heartbeat_ms, clock_.now());
    catalog.release(lease);
    EXPECT_FALSE(catalog.renew(lease));
    EXPECT_FALSE(catalog.held(lease));
    EXPECT_TRUE(catalog.try_acquire("prune"));
    EXPECT_EQ(error_of([&] { (void)catalog.try_acquire("x", 0); }).status(), BK_E_INVALID);
}

TEST_F(LeaseTest, WhoWasTakenForDeadIsFencedOff) {
    FakeProbe other_probe(300);
    Catalog ours(file_, clock_, probe_);
    Catalog other(file_, clock_, other_probe);
    const Lease lease = ours.begin_backup(row(id(0)), {copy("here")});
    ours.transition(id(0), BackupState::pending, BackupState::running, {}, &lease);
    EXPECT_FALSE(other.take_over(lease.name, lease.epoch)) << "it lives";
    clock_.pass(kLeaseTtlMs + 1);
    const std::vector<Orphan> orphans = other.orphans();
    ASSERT_EQ(orphans.size(), 1u);
    EXPECT_EQ(orphans[0].backup->id, id(0));
    const Lease taken = other.take_over(orphans[0]).value();
    EXPECT_GT(taken.epoch, lease.epoch);

    EXPECT_FALSE(ours.renew(lease));
    const bk::Error error = error_of(
        [&] { ours.transition(id(0), BackupState::running, BackupState::verifying, {}, &lease); });
    EXPECT_EQ(error.status(), BK_E_BUSY);
    EXPECT_THAT(error.message(), HasSubstr("pid 300 on 'db1'"));
    EXPECT_EQ(error_of([&] {
                  ours.finish_backup(id(0), BackupState::running, BackupState::failed, {}, {},
                                     lease);
              }).status(),
              BK_E_BUSY);
    EXPECT_EQ(ours.backup(id(0))->state, BackupState::running);
    ours.release(lease);
    EXPECT_TRUE(other.held(taken)) << "a lost lease cannot be given back";
    other.finish_backup(id(0), BackupState::running, BackupState::interrupted, {}, {}, taken);
    EXPECT_THAT(other.leases(), IsEmpty());
    EXPECT_FALSE(ours.take_over(orphans[0])) << "it has ended";
    EXPECT_THAT(ours.leases(), IsEmpty());
}

TEST_F(LeaseTest, FinishWantsTheLeaseOfItsRow) {
    Catalog catalog(file_, clock_, probe_);
    (void)catalog.begin_backup(row(id(0)));
    const Lease slot = catalog.try_acquire_slot("run", 1).value();
    EXPECT_EQ(error_of([&] {
                  catalog.finish_backup(id(0), BackupState::pending, BackupState::failed, {}, {},
                                        slot);
              }).status(),
              BK_E_INVALID);
    EXPECT_EQ(error_of([&] {
                  catalog.finish_restore(id(0), RestoreState::pending, RestoreState::failed, {},
                                         slot);
              }).status(),
              BK_E_INVALID);
}

TEST_F(LeaseTest, RowWithoutALeaseIsAnOrphanToo) {
    Catalog catalog(file_, clock_, probe_);
    const Lease lease = catalog.begin_backup(row(id(0)));
    RestoreRow restore;
    restore.id = id(1);
    const Lease restoring = catalog.begin_restore(restore);
    catalog.release(lease);
    catalog.release(restoring);
    const std::vector<Orphan> orphans = catalog.orphans();
    ASSERT_EQ(orphans.size(), 2u);
    EXPECT_FALSE(orphans[0].lease);
    EXPECT_EQ(orphans[1].restore->id, id(1));
    EXPECT_TRUE(catalog.take_over(orphans[0]));
    EXPECT_TRUE(catalog.take_over(orphans[1]));
    EXPECT_FALSE(catalog.take_over(orphans[0])) << "the first of two reapers lives";
    EXPECT_FALSE(catalog.take_over(Orphan{}));
}

TEST_F(LeaseTest, OfEightReapersOneTakesOver) {
    probe_.set(100, 7, Presence::gone);
    {
        Catalog catalog(file_, clock_, probe_);
        (void)catalog.begin_backup(row(id(0)));
    }
    FakeProbe reaper(300);
    reaper.set(100, 7, Presence::gone);
    std::barrier start(8);
    std::atomic<int> won{0};
    {
        std::vector<std::jthread> reapers;
        for (int i = 0; i < 8; ++i)
            reapers.emplace_back([&] {
                Catalog catalog(file_, clock_, reaper);
                const Lease dead = catalog.expired_leases().at(0);
                start.arrive_and_wait();
                if (catalog.take_over(dead.name, dead.epoch)) ++won;
            });
    }
    EXPECT_EQ(won, 1);
}

TEST_F(LeaseTest, AtMostSoManySlots) {
    Catalog catalog(file_, clock_, probe_);
    const Lease zero = catalog.try_acquire_slot("run", 2).value();
    const Lease one = catalog.try_acquire_slot("run", 2).value();
    EXPECT_EQ(zero.name, "run#0");
    EXPECT_EQ(one.name, "run#1");
    EXPECT_FALSE(catalog.try_acquire_slot("run", 2));
    EXPECT_TRUE(catalog.try_acquire_slot("restore", 2)) << "another limit";
    EXPECT_TRUE(catalog.try_acquire_slot("ru", 1)) << "a name that is the beginning of another";
    catalog.release(zero);
    EXPECT_FALSE(catalog.try_acquire_slot("run", 1)) << "the limit was lowered; run#1 still counts";
    EXPECT_EQ(catalog.try_acquire_slot("run", 2)->name, "run#0");
    EXPECT_EQ(error_of([&] { (void)catalog.try_acquire_slot("run", 0); }).status(), BK_E_INVALID);
}

TEST_F(LeaseTest, DeadHolderOfASlotIsReplaced) {
    FakeProbe other_probe(300);
    Catalog other(file_, clock_, other_probe);
    const Lease theirs = other.try_acquire_slot("run", 1).value();
    Catalog catalog(file_, clock_, probe_);
    EXPECT_FALSE(catalog.try_acquire_slot("run", 1));
    probe_.set(300, 7, Presence::gone);
    const Lease ours = catalog.try_acquire_slot("run", 1).value();
    EXPECT_EQ(ours.name, theirs.name);
    EXPECT_FALSE(other.renew(theirs));
    EXPECT_TRUE(catalog.renew(ours));
}

TEST_F(LeaseTest, EpochsGrowAcrossReleases) {
    Catalog catalog(file_, clock_, probe_);
    const Lease first = catalog.try_acquire_slot("run", 1).value();
    catalog.release(first);
    const Lease second = catalog.try_acquire_slot("run", 1).value();
    EXPECT_GT(second.epoch, first.epoch);
    EXPECT_FALSE(catalog.renew(first)) << "same name, same process, earlier grant";
}

TEST_F(LeaseTest, SlotsHoldAmongThreads) {
    std::atomic<int> got{0};
    std::barrier start(8);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&] {
                Catalog catalog(file_, clock_, probe_);
                start.arrive_and_wait();
                if (catalog.try_acquire_slot("run", 3)) ++got;
            });
    }
    EXPECT_EQ(got, 3);
}

TEST_F(LeaseTest, CrashedRunIsSeenAtOnceAndTakenOverOnce) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    char ready = 0;
    {
        const Child child([&] {
            Catalog catalog(file_);
            const Lease lease = catalog.begin_backup(row(id(0)), {copy("here")});
            catalog.transition(id(0), BackupState::pending, BackupState::running, {}, &lease);
            [[maybe_unused]] const ssize_t put = ::write(ends[1], "!", 1);
            ::pause(); // with the catalog open, until it is killed
        });
        ASSERT_EQ(::read(ends[0], &ready, 1), 1);
        Catalog watcher(file_);
        EXPECT_THAT(watcher.orphans(), IsEmpty()) << "it lives";
    }
    Catalog catalog(file_); // well before the ttl
    EXPECT_EQ(catalog.backup(id(0))->state, BackupState::running);
    EXPECT_EQ(catalog.expired_leases().size(), 1u);
    const std::vector<Orphan> orphans = catalog.orphans();
    ASSERT_EQ(orphans.size(), 1u);
    EXPECT_EQ(catalog.copies(id(0))[0].state, CopyState::uploading);
    const std::optional<Lease> lease = catalog.take_over(orphans[0]);
    ASSERT_TRUE(lease);
    EXPECT_FALSE(Catalog(file_).take_over(orphans[0]));
    catalog.finish_backup(id(0), BackupState::running, BackupState::completed, {},
                          {copy("here", CopyState::stored)}, *lease, Cause::adopt);
    EXPECT_THAT(catalog.check(), IsEmpty());
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_F(LeaseTest, ChildThatExitsMidwayIsSeenToo) {
    {
        const Child child([&] {
            Catalog catalog(file_);
            (void)catalog.begin_backup(row(id(0)));
            ::_exit(0);
        });
        child.wait_for_end();
        EXPECT_EQ(Catalog(file_).orphans().size(), 1u) << "a zombie is not alive";
    }
    EXPECT_EQ(Catalog(file_).orphans().size(), 1u);
}

TEST_F(LeaseTest, KeeperRenewsAndReleases) {
    const WatchedClock clock;
    Catalog catalog(file_, clock, probe_);
    const Lease lease = catalog.try_acquire_slot("run", 1, 300).value();
    {
        const LeaseKeeper keeper(catalog, lease, [] { ADD_FAILURE() << "not lost"; });
        clock.wait(3); // the third has begun: two are written
        EXPECT_FALSE(keeper.lost());
        EXPECT_TRUE(catalog.held(keeper.lease()));
        EXPECT_GT(catalog.leases().at(0).heartbeat_mono_ms, lease.heartbeat_mono_ms);
    }
    EXPECT_THAT(catalog.leases(), IsEmpty());
}

TEST_F(LeaseTest, KeeperStopsAtOnce) {
    Catalog catalog(file_, clock_, probe_);
    const Lease lease = catalog.begin_backup(row(id(0)));
    {
        const LeaseKeeper keeper(catalog, lease, [] {}); // would wait 20 s for its first renewal
        catalog.finish_backup(id(0), BackupState::pending, BackupState::cancelled, {}, {}, lease);
    }
    EXPECT_EQ(catalog.backup(id(0))->state, BackupState::cancelled);
}

TEST_F(LeaseTest, KeeperTellsWhenTheLeaseIsTakenOver) {
    Catalog catalog(file_, clock_, probe_);
    const Lease lease = catalog.try_acquire("prune", 30).value();
    std::promise<void> lost;
    int calls = 0;
    {
        const LeaseKeeper keeper(catalog, lease, [&] {
            ++calls;
            lost.set_value();
        });
        FakeProbe other_probe(300);
        other_probe.set(100, 7, Presence::gone); // as it sees it, say after a mistaken verdict
        Catalog other(file_, clock_, other_probe);
        const std::optional<Lease> taken = other.take_over("prune", lease.epoch);
        ASSERT_TRUE(taken);
        lost.get_future().wait();
        EXPECT_TRUE(keeper.lost());
        EXPECT_TRUE(other.held(*taken));
    }
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(catalog.leases().size(), 1u) << "the keeper does not release what is another's";
}

TEST_F(LeaseTest, KeeperGivesUpWhenItCannotRenewForItsTtl) {
    Catalog catalog(file_, clock_, probe_);
    const Lease lease = catalog.try_acquire("prune", 60).value();
    std::promise<void> lost;
    const LeaseKeeper keeper(catalog, lease, [&] { lost.set_value(); });
    sql("ALTER TABLE leases RENAME TO hidden");
    lost.get_future().wait();
    EXPECT_TRUE(keeper.lost());
}

TEST_F(LeaseTest, KeeperOutlivesAShortFailure) {
    const WatchedClock clock;
    Catalog catalog(file_, clock, probe_);
    const Lease lease = catalog.try_acquire("prune", 1500).value();
    const LeaseKeeper keeper(catalog, lease, [] { ADD_FAILURE() << "not lost"; });
    sql("ALTER TABLE leases RENAME TO hidden");
    clock.wait(2); // the second renewal has begun: the first has failed
    sql("ALTER TABLE hidden RENAME TO leases");
    clock.wait(2);
    EXPECT_FALSE(keeper.lost());
    EXPECT_GT(catalog.leases().at(0).heartbeat_mono_ms, lease.heartbeat_mono_ms);
}

} // namespace bkhost
