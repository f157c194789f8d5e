// A call that blocks in a driver which only listens to interrupt() ends when the job is cancelled,
// whatever stage the job is in.
#include "core/driver/codec.hpp"
#include "core/driver/dumper.hpp"
#include "core/driver/storage.hpp"
#include "core/testing/fake_drivers.hpp"

#include <bkhost/error.hpp>
#include <gtest/gtest.h>

#include <future>

namespace bkhost {
namespace {

/// An instance of any kind: one call of it blocks until it is interrupted.
struct Blocking {
    std::promise<void> entered, interrupted;

    static bk_status block(void* self, bk_error* error) noexcept {
        auto& instance = *static_cast<Blocking*>(self);
        instance.entered.set_value();
        instance.interrupted.get_future().wait();
        return bk::store_error(error, BK_E_CANCELLED, "interrupted");
    }
    static void interrupt(void* self) noexcept {
        static_cast<Blocking*>(self)->interrupted.set_value();
    }
    static void destroy(void*) noexcept {}
};

Blocking* current = nullptr; // what create gives

bk_status create(const bk_host*, const bk_config*, void** self, bk_error*) noexcept {
    *self = current;
    return BK_OK;
}
bk_status create_codec(const bk_host*, const bk_config*, int32_t, void** self, bk_error*) noexcept {
    *self = current;
    return BK_OK;
}
bk_status probe_storage(void* self, const char*, bk_error* error) noexcept {
    return Blocking::block(self, error);
}
bk_status probe_dumper(void* self, bk_text_fn, void*, bk_error* error) noexcept {
    return Blocking::block(self, error);
}
bk_status process(void* self, bk_in*, bk_out*, int32_t, bk_error* error) noexcept {
    return Blocking::block(self, error);
}

class Cancel : public testing::Test {
protected:
    Cancel() { current = &instance_; }

    template <class Table>
    DriverPtr driver(const char* interface_id, const Table& table) {
        component_.struct_size = sizeof component_;
        component_.thread_model = BK_THREADS_PARALLEL;
        component_.name = "blocking";
        component_.interface_id = interface_id;
        component_.vtable = &table;
        DriverDescription description;
        description.kind = "any";
        description.name = "blocking";
        return std::make_shared<const DriverSetup>(
            DriverSetup{description, &component_, OptionValues({}, {}, "blocking")});
    }
    /// Runs the call, cancels the job while it blocks, and expects that it ends as cancelled.
    template <class Call>
    void expect_cancelled(Call&& call) {
        auto ended = std::async(std::launch::async, std::forward<Call>(call));
        instance_.entered.get_future().wait();
        stop_.request_stop();
        try {
            ended.get();
            FAIL() << "the call did not fail";
        } catch (const bk::Error& error) {
            EXPECT_TRUE(error.cancelled()) << error.what();
        }
    }

    Blocking instance_;
    bk_component component_{};
    test::TestLog log_;
    std::stop_source stop_;
    Services services_{log_, stop_.get_token()};
};

TEST_F(Cancel, WakesAStorage) {
    bk_storage table{};
    table.struct_size = sizeof table;
    table.create = create;
    table.destroy = Blocking::destroy;
    table.interrupt = Blocking::interrupt;
    table.probe = probe_storage;
    Storage storage("here", driver(BK_STORAGE_ID, table), services_);
    expect_cancelled([&] { storage.probe(""); });
}

TEST_F(Cancel, WakesADumper) {
    bk_dumper table{};
    table.struct_size = sizeof table;
    table.create = create;
    table.destroy = Blocking::destroy;
    table.interrupt = Blocking::interrupt;
    table.probe = probe_dumper;
    Dumper dumper("source", driver(BK_DUMPER_ID, table), services_);
    expect_cancelled([&] { (void)dumper.probe(); });
}

TEST_F(Cancel, WakesACodec) {
    bk_transform table{};
    table.struct_size = sizeof table;
    table.create = create_codec;
    table.destroy = Blocking::destroy;
    table.interrupt = Blocking::interrupt;
    table.process = process;
    Codec codec(driver(BK_COMPRESSOR_ID, table), services_, BK_FORWARD);
    expect_cancelled([&] {
        bk_in in{};
        bk_out out{};
        (void)codec.process(in, out, BK_RUN);
    });
}

TEST_F(Cancel, IsForgottenWithTheInstance) {
    bk_storage table{};
    table.struct_size = sizeof table;
    table.create = create;
    table.destroy = Blocking::destroy;
    table.interrupt = Blocking::interrupt;
    { const Storage storage("here", driver(BK_STORAGE_ID, table), services_); }
    stop_.request_stop();
    EXPECT_EQ(instance_.interrupted.get_future().wait_for(std::chrono::seconds(0)),
              std::future_status::timeout);
}

} // namespace
} // namespace bkhost
