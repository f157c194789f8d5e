// The trial of a storage: what it finds, and that it leaves nothing.
#include "core/job/preflight.hpp"

#include "core/job/job_fixture.hpp"

namespace bkhost::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kKey = "production/.doctor-1";

class Preflight : public JobTest {
protected:
    Services services_{log_, {}};
    Storage storage_{"here", set_up(registry_, kStorage, storage("here").spec, "storage 'here'"),
                     services_};

    bk::Error trial_error() {
        return error_of([&] { (void)try_all(storage_, kKey, clock_); });
    }
};

TEST_F(Preflight, LeavesNothing) {
    try_write(storage_, kKey);
    EXPECT_EQ(here_->calls(Call::put), 1u);
    EXPECT_FALSE(try_all(storage_, kKey, clock_)) << "this storage tells no times";
    EXPECT_THAT(here_->keys(), IsEmpty());
}

TEST_F(Preflight, AFailureOfAnyCallIsReportedAndLeavesNothing) {
    for (const Call call : {Call::put, Call::stat, Call::open, Call::read, Call::list}) {
        here_->fail({.call = call, .status = BK_E_DENIED});
        const bk::Error error = trial_error();
        EXPECT_EQ(error.status(), BK_E_DENIED) << static_cast<int>(call);
        EXPECT_THAT(error.what(), HasSubstr("storage 'here'"));
        EXPECT_THAT(here_->keys(), IsEmpty()) << static_cast<int>(call);
    }
    here_->fail({.call = Call::remove, .status = BK_E_DENIED});
    EXPECT_EQ(error_of([&] { try_write(storage_, kKey); }).status(), BK_E_DENIED);
}

TEST_F(Preflight, AnObjectThatArrivedAlthoughThePutFailedIsRemoved) {
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call != Call::put) return;
        here_->set_object(key, {'x'});
        throw bk::Error(BK_E_TIMEOUT, "no answer");
    });
    EXPECT_EQ(error_of([&] { try_write(storage_, kKey); }).status(), BK_E_TIMEOUT);
    EXPECT_THAT(here_->keys(), IsEmpty());
}

TEST_F(Preflight, AStorageThatAnswersWronglyIsFoundOut) {
    here_->truncate_on_commit(1);
    EXPECT_THAT(trial_error().what(), HasSubstr("what was read back differs"));
    here_->clear_faults();
    here_->flip_on_read(".doctor", 3);
    EXPECT_THAT(trial_error().what(), HasSubstr("what was read back differs"));
    here_->clear_faults();
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call == Call::stat) here_->erase(key);
    });
    EXPECT_THAT(trial_error().what(), HasSubstr("is not there after it was written"));
    here_->on_call([&](Call call, const std::string&, uint32_t) {
        if (call == Call::list) here_->erase(kKey);
    });
    EXPECT_THAT(trial_error().what(), HasSubstr("is missing in the list"));
    here_->on_call({});
    EXPECT_THAT(here_->keys(), IsEmpty());
}

} // namespace
} // namespace bkhost::test
