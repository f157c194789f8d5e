// Each fault of a storage, around the template's storage in memory.
#include "faults_fixture.hpp"

#include <bkhost/storage.hpp>

#include <future>

namespace faults {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Store : public Wrapping<bk_storage> {
public:
    explicit Store(const std::vector<std::string>& faults = {})
        : Wrapping(BK_STORAGE_ID, SAMPLE_MEMORY, "memory", faults) {
        const Answer answer = create();
        if (answer.status != BK_OK) throw std::runtime_error(answer.message());
    }
    /// A call that ends with a bk_error*.
    template <class Call>
    Answer call(Call&& made) {
        Answer answer;
        answer.status = made(&answer.error);
        return answer;
    }
    Answer probe() {
        return call([&](bk_error* e) { return table().probe(self(), nullptr, e); });
    }
    Answer put(const std::string& key, const std::string& text) {
        bk_put_options options{};
        options.struct_size = sizeof options;
        bk_object object = bk::empty_object();
        const Answer answer = call([&](bk_error* e) {
            return table().put(self(), key.c_str(), text.data(), text.size(), &options, &object, e);
        });
        if (answer.status == BK_OK) {
            EXPECT_EQ(object.size, text.size());
        }
        return answer;
    }
    Answer upload(const std::string& key, const std::vector<std::string>& texts) {
        bk_put_options options{};
        options.struct_size = sizeof options;
        void* handle = nullptr;
        Answer answer = call([&](bk_error* e) {
            return table().upload_begin(self(), key.c_str(), &options, &handle, e);
        });
        if (answer.status != BK_OK) return answer;
        std::vector<bk_part> parts;
        uint64_t size = 0;
        for (const std::string& text : texts) {
            bk_part& part = parts.emplace_back();
            part = {sizeof part, static_cast<uint32_t>(parts.size()), size, text.size(), {}};
            size += text.size();
            answer = call(
                [&](bk_error* e) { return table().upload_part(handle, &part, text.data(), e); });
            if (answer.status != BK_OK) break;
        }
        bk_object object = bk::empty_object();
        if (answer.status == BK_OK)
            answer = call([&](bk_error* e) {
                return table().upload_commit(handle, parts.data(),
                                             static_cast<uint32_t>(parts.size()), &object, e);
            });
        if (answer.status == BK_OK) {
            EXPECT_EQ(object.size, size);
        } else {
            (void)call([&](bk_error* e) { return table().upload_abort(handle, e); });
        }
        table().upload_free(handle);
        return answer;
    }
    Answer fetch(const std::string& key, std::string& text) {
        void* handle = nullptr;
        text.clear();
        Answer answer = call([&](bk_error* e) {
            return table().read_open(self(), key.c_str(), 0, UINT64_MAX, nullptr, &handle, e);
        });
        if (answer.status != BK_OK) return answer;
        char buffer[4];
        do {
            size_t got = 0;
            answer = call(
                [&](bk_error* e) { return table().read(handle, buffer, sizeof buffer, &got, e); });
            text.append(buffer, got);
        } while (answer.status == BK_OK);
        table().read_close(handle);
        return answer;
    }
    std::string content(const std::string& key) {
        std::string text;
        const Answer answer = fetch(key, text);
        return answer.status == BK_END ? text : "(" + answer.message() + ")";
    }
    Answer stat(const std::string& key) {
        bk_object object = bk::empty_object();
        return call([&](bk_error* e) { return table().stat(self(), key.c_str(), &object, e); });
    }
    std::vector<std::string> keys() {
        std::vector<std::string> all;
        const bk_object_fn found = [](void* ctx, const char* key,
                                      const bk_object*) noexcept -> bk_status {
            static_cast<std::vector<std::string>*>(ctx)->emplace_back(key);
            return BK_OK;
        };
        const Answer answer = call([&](bk_error* e) {
            return table().list(self(), "", nullptr, nullptr, found, &all, e);
        });
        EXPECT_EQ(answer.status, BK_OK);
        return all;
    }
    Answer remove(const std::string& key) {
        const char* text = key.c_str();
        const bk_removed_fn removed = [](void*, const char*, bk_status status,
                                         const bk_error*) noexcept { return status; };
        return call([&](bk_error* e) {
            return table().remove_many(self(), &text, 1, removed, nullptr, e);
        });
    }
};

TEST(FaultyStorage, WithoutFaultsIsTheStorageInside) {
    Store store;
    EXPECT_EQ(store.probe().status, BK_OK);
    EXPECT_EQ(store.put("a", "hello").status, BK_OK);
    EXPECT_EQ(store.upload("b/c", {"one ", "two"}).status, BK_OK);
    EXPECT_EQ(store.content("a"), "hello");
    EXPECT_EQ(store.content("b/c"), "one two");
    EXPECT_THAT(store.keys(), ElementsAre("a", "b/c"));
    EXPECT_EQ(store.remove("a").status, BK_OK);
    EXPECT_EQ(store.stat("a").status, BK_E_NOT_FOUND);
}

TEST(FaultyStorage, LogsEveryCallWithWhatWasDoneToIt) {
    Store store({"upload_part:2:error=no_space"});
    store.put("a", "hello");
    store.upload("b", {"one ", "two"});
    EXPECT_THAT(store.log(),
                ElementsAre("create - 0 0 -", "put a 0 5 -", "upload_begin b 0 0 -",
                            "upload_part b 0 4 -", "upload_part b 4 3 upload_part:2:error=no_space",
                            "upload_abort b 0 0 -"));
}

TEST(FaultyStorage, AnErrorComesInPlaceOfTheCall) {
    Store store({"put:2:error=unavailable,retryable"});
    EXPECT_EQ(store.put("a", "1").status, BK_OK);
    const Answer answer = store.put("b", "2");
    EXPECT_EQ(answer.status, BK_E_UNAVAILABLE);
    EXPECT_EQ(answer.error.flags, uint32_t{BK_ERR_RETRYABLE});
    EXPECT_STRNE(answer.error.hint, "");
    EXPECT_EQ(store.put("c", "3").status, BK_OK);
    EXPECT_THAT(store.keys(), ElementsAre("a", "c"));
}

TEST(FaultyStorage, AnErrorAfterwardsHidesThatItWasDone) {
    Store store({"put:1:error=timeout,after", "upload_commit:1:error=timeout,after",
                 "upload_begin:2:error=timeout,after", "read_open:1:error=timeout,after"});
    EXPECT_EQ(store.put("a", "1").status, BK_E_TIMEOUT);
    EXPECT_EQ(store.upload("b", {"2"}).status, BK_E_TIMEOUT);
    EXPECT_EQ(store.upload("c", {"3"}).status, BK_E_TIMEOUT);
    std::string text;
    EXPECT_EQ(store.fetch("a", text).status, BK_E_TIMEOUT);
    EXPECT_THAT(store.keys(), ElementsAre("a", "b"));
}

TEST(FaultyStorage, AKeyChoosesTheCalls) {
    Store store({"put@manifest:1:error=denied"});
    EXPECT_EQ(store.put("a", "1").status, BK_OK);
    EXPECT_EQ(store.put("x/manifest.json", "2").status, BK_E_DENIED);
    EXPECT_EQ(store.put("x/manifest.json", "2").status, BK_OK);
}

TEST(FaultyStorage, AFlipChangesOneBitOnTheWay) {
    Store store({"put:1:flip", "upload_part:2:flip", "read:3:flip"});
    store.put("a", "123");
    store.upload("b", {"one ", "two"});
    EXPECT_EQ(store.content("a"), "1\"3");    // '2' ^ 0x10; the reads of 'a' are two
    EXPECT_EQ(store.content("b"), "onu tgo"); // and the first one of 'b' has its own
}

TEST(FaultyStorage, ShortLosesTheRestAndSaysThatAllIsThere) {
    Store store({"put:1:short", "upload_part@b:2:short", "upload_part@c:1:drop"});
    EXPECT_EQ(store.put("a", "12345678").status, BK_OK);
    EXPECT_EQ(store.upload("b", {"1234", "5678", "9"}).status, BK_OK);
    EXPECT_EQ(store.upload("c", {"1234", "5678"}).status, BK_OK);
    EXPECT_EQ(store.content("a"), "1234");
    EXPECT_EQ(store.content("b"), "123456");
    EXPECT_EQ(store.content("c"), "");
    bk_storage_props props{};
    props.struct_size = sizeof props;
    store.table().props(store.self(), &props);
    EXPECT_NE(props.capabilities & BK_CAP_SEQUENTIAL, 0u);
}

TEST(FaultyStorage, DropDoesNothingAndSaysThatItWasDone) {
    Store store({"put:1:drop", "upload_commit:1:drop", "remove_many:1:drop", "list:2:drop"});
    EXPECT_EQ(store.put("a", "1").status, BK_OK);
    EXPECT_EQ(store.upload("b", {"2"}).status, BK_OK);
    EXPECT_EQ(store.put("c", "3").status, BK_OK);
    EXPECT_EQ(store.remove("c").status, BK_OK);
    EXPECT_THAT(store.keys(), ElementsAre("c"));
    EXPECT_THAT(store.keys(), ElementsAre()); // an outage that looks like an empty storage
    EXPECT_THAT(store.keys(), ElementsAre("c"));
}

TEST(FaultyStorage, TruncateEndsTheReading) {
    Store store({"read:2:truncate"});
    store.put("a", "123456789");
    EXPECT_EQ(store.content("a"), "1234");
    EXPECT_EQ(store.content("a"), "123456789");
}

TEST(FaultyStorage, AThrowEndsInTheGuard) {
    Store store({"stat:1:throw"});
    const Answer answer = store.stat("a");
    EXPECT_EQ(answer.status, BK_E_INTERNAL);
    EXPECT_EQ(answer.message(), "thrown by the wrapper");
}

TEST(FaultyStorage, AStallEndsByItselfByInterruptAndByCancel) {
    Store store({"probe:1:stall=10ms", "probe:2:stall=1000s", "probe:3:stall=1000s",
                 "probe:4:block=1000s"});
    EXPECT_EQ(store.probe().status, BK_OK);
    const auto waiting = [&](size_t call) { // until the call is in the log
        while (store.log().size() < call + 1)
            std::this_thread::yield();
    };
    const auto probing = [&] { return store.probe().status; };
    // An interrupt ends the calls that began before it, so it is repeated until it meets one.
    const auto interrupt_until_done = [&](std::future<bk_status>& done) {
        while (done.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready)
            store.table().interrupt(store.self());
    };
    auto stalled = std::async(std::launch::async, probing);
    waiting(2);
    interrupt_until_done(stalled);
    EXPECT_EQ(stalled.get(), BK_E_CANCELLED);
    store.host().cancel();
    EXPECT_EQ(store.probe().status, BK_E_CANCELLED);
    auto blocked = std::async(std::launch::async, probing); // does not look at the cancellation
    waiting(4);
    interrupt_until_done(blocked);
    EXPECT_EQ(blocked.get(), BK_E_CANCELLED);
}

TEST(FaultyStorageDeathTest, EndsTheProcessInEveryWay) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    Store store({"put@crash:1:crash", "put@segv:1:segv", "put@exit:1:exit=7", "put@out:1:escape"});
    EXPECT_EXIT(store.put("crash", ""), testing::KilledBySignal(SIGABRT), "");
    EXPECT_EXIT(store.put("segv", ""), testing::KilledBySignal(SIGSEGV), "");
    EXPECT_EXIT(store.put("exit", ""), testing::ExitedWithCode(7), "");
    EXPECT_EXIT(store.put("out", ""), testing::KilledBySignal(SIGABRT), "thrown out of put");
}

TEST(FaultyStorage, TheCountGoesOnInTheNextInstance) {
    Store first({"put:3:error=no_space"});
    EXPECT_EQ(first.put("a", "1").status, BK_OK);
    EXPECT_EQ(first.put("a", "1").status, BK_OK);
    void* second = nullptr;
    bk_error error = bk::empty_error();
    ASSERT_EQ(first.table().create(first.host().get(), first.config(), &second, &error), BK_OK);
    bk_put_options options{};
    options.struct_size = sizeof options;
    bk_object object = bk::empty_object();
    EXPECT_EQ(first.table().put(second, "a", "1", 1, &options, &object, &error), BK_E_NO_SPACE);
    first.table().destroy(second);
}

TEST(FaultyStorage, ExtensionsAreThereWhateverIsInside) {
    Store store({"abort_stale:2:error=denied"});
    const auto* uploads = static_cast<const bk_storage_uploads*>(
        store.component().get_extension(BK_STORAGE_UPLOADS_ID));
    const auto* usage =
        static_cast<const bk_storage_usage*>(store.component().get_extension(BK_STORAGE_USAGE_ID));
    ASSERT_TRUE(uploads != nullptr && usage != nullptr);
    bk_error error = bk::empty_error();
    uint64_t count = 9, free = 0, total = 0;
    EXPECT_EQ(uploads->abort_stale(store.self(), "", 0, &count, &error), BK_OK);
    EXPECT_EQ(count, 0u);
    EXPECT_EQ(uploads->abort_stale(store.self(), "", 0, &count, &error), BK_E_DENIED);
    EXPECT_EQ(usage->free_space(store.self(), &free, &total, &error), BK_OK);
    EXPECT_EQ(free, UINT64_MAX);
    EXPECT_EQ(store.component().get_extension("bkhost.other/0"), nullptr);
}

void refused(const std::string& plugin, const std::string& driver,
             const std::vector<std::string>& faults, const std::string& options,
             const char* message) {
    Wrapping<bk_storage> wrapping(BK_STORAGE_ID, plugin, driver, faults, options);
    const Answer answer = wrapping.create();
    EXPECT_EQ(answer.status, BK_E_CONFIG) << answer.message();
    EXPECT_THAT(answer.message(), HasSubstr(message));
}

TEST(FaultyStorage, WhatCannotBeWrappedIsRefused) {
    refused("/nonexistent.so", "memory", {}, "{}", "cannot load");
    refused(SAMPLE_MEMORY, "other", {}, "{}", "no driver 'other'");
    refused(SAMPLE_XOR, "xor", {}, "{}", "no driver 'xor' of the kind bkhost.storage/0");
    refused(SAMPLE_MEMORY, "memory", {"writ:1:crash"}, "{}", "no function 'writ'");
    refused(SAMPLE_MEMORY, "memory", {}, "[]", "not a JSON object");
    refused(SAMPLE_MEMORY, "memory", {}, R"({"limi":"1"})", "'limi': no such option");
}

TEST(FaultyStorage, TheDriverInsideGetsItsOptions) {
    Wrapping<bk_storage> wrapping(BK_STORAGE_ID, SAMPLE_MEMORY, "memory", {},
                                  R"({"limit":"2KiB"})");
    ASSERT_EQ(wrapping.create().status, BK_OK);
    bk_storage_props props{};
    props.struct_size = sizeof props;
    wrapping.table().props(wrapping.self(), &props);
    EXPECT_EQ(props.max_object_size, 2048u);
}

} // namespace
} // namespace faults
