// Faults of a dumper, of its sink and of its load, around the sample dumper of the SDK.
#include "faults_fixture.hpp"

#include <bkhost/dumper.hpp>

namespace faults {
namespace {

using testing::Contains;
using testing::ElementsAre;

class Toy : public Wrapping<bk_dumper> {
public:
    explicit Toy(const std::vector<std::string>& faults = {})
        : Wrapping(BK_DUMPER_ID, SAMPLE_TOY_DUMPER, "toy", faults, R"({"rows":"7"})") {
        const Answer answer = create();
        if (answer.status != BK_OK) throw std::runtime_error(answer.message());
    }
    Answer dump(uint32_t unit, bk::RecordingSink& sink) {
        Answer answer;
        answer.status = table().dump(self(), unit, sink.get(), &answer.error);
        return answer;
    }
    Answer load(const std::string& text, int ok) {
        Answer answer;
        void* session = nullptr;
        uint32_t parallel = 0;
        answer.status = table().load_begin(self(), "{}", &session, &parallel, &answer.error);
        if (answer.status != BK_OK) return answer;
        EXPECT_EQ(parallel, 2u);
        bk_load_unit unit{};
        unit.struct_size = sizeof unit;
        unit.section.name = "numbers";
        bk::MemorySource source(text);
        answer.status = table().load(session, &unit, source.get(), &answer.error);
        const bool failed = answer.status != BK_OK;
        Answer end;
        end.status = table().load_end(session, failed ? 0 : ok, &end.error);
        return failed ? answer : end;
    }
};

TEST(FaultyDumper, WithoutFaultsIsTheDumperInside) {
    Toy toy;
    bk::RecordingSink sink;
    EXPECT_EQ(toy.dump(1, sink).status, BK_OK);
    EXPECT_EQ(sink.bytes(), "0\n1\n2\n3\n4\n5\n6\n");
    EXPECT_EQ(sink.meta().at("last"), "7");
    EXPECT_EQ(sink.proofs().size(), 1u);
    EXPECT_EQ(toy.load("0\n1\n", 1).status, BK_OK);
    EXPECT_EQ(toy.load("0\n2\n", 1).status, BK_E_CORRUPT);
}

TEST(FaultyDumper, ADumpFailsInTheMiddle) {
    Toy toy({"write:3:error=unavailable"});
    bk::RecordingSink sink;
    EXPECT_EQ(toy.dump(1, sink).status, BK_E_UNAVAILABLE);
    EXPECT_EQ(sink.bytes(), "0\n1\n");
    EXPECT_THAT(toy.log(), Contains("write - 4 2 write:3:error=unavailable"));
    EXPECT_THAT(toy.log(), Contains("dump 1 0 0 -"));
    EXPECT_THAT(toy.log(), Contains("section numbers 0 0 -"));
}

TEST(FaultyDumper, BytesAreChangedAndLost) {
    Toy toy({"write:1:flip", "write:2:short", "write:3:drop"});
    bk::RecordingSink sink;
    EXPECT_EQ(toy.dump(1, sink).status, BK_OK);
    EXPECT_EQ(sink.bytes(), std::string("0\x1A") + "1" + "3\n4\n5\n6\n");
}

TEST(FaultyDumper, AUnitMayGiveNothing) {
    Toy toy({"dump@1:1:drop"});
    bk::RecordingSink settings, numbers;
    EXPECT_EQ(toy.dump(0, settings).status, BK_OK);
    EXPECT_EQ(toy.dump(1, numbers).status, BK_OK);
    EXPECT_EQ(settings.bytes(), "set;\n");
    EXPECT_EQ(numbers.bytes(), "");
}

TEST(FaultyDumper, EveryCallCanFail) {
    Toy toy({"probe:1:error=denied", "inspect:1:error=denied", "dump_begin:1:error=denied",
             "plan:1:error=denied", "plan:2:drop", "dump_end:1:error=corrupt", "section:1:throw",
             "cut:1:error=no_memory"});
    bk_error error = bk::empty_error();
    bk::Texts texts;
    const auto take = bk::Texts::take;
    EXPECT_EQ(toy.table().probe(toy.self(), take, &texts, &error), BK_E_DENIED);
    EXPECT_EQ(toy.table().inspect(toy.self(), "{}", take, &texts, &error), BK_E_DENIED);
    EXPECT_EQ(toy.table().dump_begin(toy.self(), "{}", take, &texts, &error), BK_E_DENIED);
    uint32_t units = 0;
    const bk_unit_fn count = [](void* ctx, const bk_unit*) noexcept -> bk_status {
        ++*static_cast<uint32_t*>(ctx);
        return BK_OK;
    };
    EXPECT_EQ(toy.table().plan(toy.self(), count, &units, &error), BK_E_DENIED);
    EXPECT_EQ(toy.table().plan(toy.self(), count, &units, &error), BK_OK);
    EXPECT_EQ(units, 0u);
    EXPECT_EQ(toy.table().plan(toy.self(), count, &units, &error), BK_OK);
    EXPECT_EQ(units, 2u);
    bk::RecordingSink first, second;
    EXPECT_EQ(toy.dump(1, first).status, BK_E_INTERNAL);
    EXPECT_EQ(toy.dump(1, second).status, BK_E_NO_MEMORY);
    EXPECT_EQ(toy.table().dump_end(toy.self(), 1, &error), BK_E_CORRUPT);
    EXPECT_EQ(toy.table().dump_end(toy.self(), 1, &error), BK_OK);
}

TEST(FaultyDumper, ALoadFailsAndIsEndedAllTheSame) {
    Toy toy({"load_begin:1:error=denied,after", "source_read:1:error=unavailable",
             "source_read:2:flip", "load:3:drop", "source_read:5:truncate"});
    EXPECT_EQ(toy.load("0\n1\n", 1).status, BK_E_DENIED);
    EXPECT_EQ(toy.load("0\n1\n", 1).status, BK_E_UNAVAILABLE);
    EXPECT_EQ(toy.load("0\n1\n", 1).status, BK_E_CORRUPT); // a flipped bit
    EXPECT_EQ(toy.load("0\n1\n", 1).status, BK_E_CORRUPT); // nothing was loaded
    EXPECT_EQ(toy.load("0\n1\n", 1).status, BK_E_CORRUPT); // nothing was read
    EXPECT_EQ(toy.log().back(), "load_end ok 0 0 -");
}

TEST(FaultyDumper, TheEndOfALoadCanFailOrBeLost) {
    Toy toy({"load_end:1:drop", "load_end:2:error=no_space"});
    EXPECT_EQ(toy.load("0\n2\n", 1).status, BK_OK); // the check did not take place
    EXPECT_EQ(toy.load("0\n1\n", 1).status, BK_E_NO_SPACE);
    EXPECT_EQ(toy.load("0\n1\n", 1).status, BK_OK);
}

} // namespace
} // namespace faults
