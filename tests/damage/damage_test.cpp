// Every object of an archive cut at every byte, flipped at every bit, removed and exchanged: each
// reader says that it is damaged, and nothing stands at the target of a restore.
//
// BKHOST_DAMAGE_STEP=n takes every n-th case only. BKHOST_DAMAGE_SEED and BKHOST_DAMAGE_FLIPS:
// which bits of the volumes are flipped, and how many of them ("all").
#include "tests/damage/damage_bed.hpp"
#include "tests/damage/real_drivers.hpp"

#include "core/base/digest.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <iostream>
#include <random>

namespace bkhost::test {
namespace {

constexpr int kFailuresShown = 10;
constexpr size_t kFlips = 10'000; // of a volume
constexpr uint64_t kSeed = 20260211;

#ifdef BKHOST_DAMAGE_STEP // a build in which each case takes long
constexpr uint64_t kStep = BKHOST_DAMAGE_STEP;
#else
constexpr uint64_t kStep = 1;
#endif

uint64_t number(const char* variable, uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::stoull(text);
}

/// Who is asked about a case besides `verify full` and `restore`.
struct Asked {
    bool stored = true;  ///< verify stored
    bool import = false; ///< the manifest is what is damaged
    bool reap = false;   ///< no size or digest of the manifest is right
};

class Damaged : public ::testing::TestWithParam<Packing> {
protected:
    static void SetUpTestSuite() { drivers_ = std::make_unique<RealDrivers>(); }
    static void TearDownTestSuite() { drivers_.reset(); }

    inline static std::unique_ptr<RealDrivers> drivers_; // one a process
    DamageBed bed_{*drivers_, GetParam()};
    const size_t step_ = std::max<size_t>(1, number("BKHOST_DAMAGE_STEP", kStep)) *
                         (number("BKHOST_DAMAGE_ALL", 0) == 0 ? GetParam().every : 1);
    std::map<std::string, size_t> cases_; ///< by kind
    size_t met_ = 0;
    int failures_ = 0;

    void TearDown() override {
        for (const auto& [kind, count] : cases_) {
            std::cout << "[  CASES   ] " << GetParam().name << ": " << kind << ": " << count
                      << '\n';
            RecordProperty(kind, std::to_string(count));
        }
        ASSERT_FALSE(cases_.empty());
    }

    void expect(const std::string& what, const char* reader, const Said& said, Answer wanted) {
        if (said.answer == wanted) return;
        if (++failures_ <= kFailuresShown)
            ADD_FAILURE() << what << ": " << reader << " says '" << answer_name(said.answer)
                          << "' (" << said.text << "), not '" << answer_name(wanted) << "'";
    }

    /// Whether this case's turn has come.
    [[nodiscard]] bool due() { return met_++ % step_ == 0; }

    void ask(const std::string& kind, const std::string& what, const Changes& changes, Asked asked,
             Answer wanted = Answer::damaged) {
        ++cases_[kind];
        bed_.put(changes);
        expect(what, "verify full", bed_.verify(VerifyLevel::full), wanted);
        if (asked.stored) expect(what, "verify stored", bed_.verify(VerifyLevel::stored), wanted);
        expect(what, "restore", bed_.restore(), wanted);
        if (asked.import) expect(what, "import", bed_.import(), wanted);
        if (asked.reap) expect(what, "reap", bed_.reap(), Answer::damaged);
    }

    /// Bits [begin, end) of an object, one after the other.
    void flip_all(const std::string& kind, const std::string& name, size_t begin, size_t end,
                  Asked asked) {
        const Data& whole = bed_.objects().at(name);
        for (size_t bit = begin; bit < end; ++bit) {
            if (!due()) continue;
            // An adoption looks at the whole manifest, so a bit of each of its bytes is enough.
            Asked now = asked;
            now.reap = asked.reap && bit % 8 == bit / 8 % 8;
            flip(kind, name, whole, bit, now);
        }
    }
    void flip(const std::string& kind, const std::string& name, Data data, size_t bit,
              Asked asked) {
        data[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
        ask(kind, "bit " + std::to_string(bit) + " of " + name, {{name, std::move(data)}}, asked);
    }

    [[nodiscard]] std::vector<ObjectRecord> volumes() const {
        return bed_.manifest().components.front().volumes;
    }
    /// The manifest as it would be had the object been stored like that.
    [[nodiscard]] Data manifest_for(const std::string& name, const Data& data) const {
        Manifest manifest = bed_.manifest();
        for (ObjectRecord& volume : manifest.components.front().volumes)
            if (volume.key == name) claim(volume, data);
        if (manifest.index.key == name) claim(manifest.index, data);
        const std::string text = manifest_text(manifest);
        return {text.begin(), text.end()};
    }
    static void claim(ObjectRecord& record, const Data& data) {
        record.size = data.size();
        record.sha256 = sha256_hex(data);
    }
};

const Packing kPackings[] = {{"ImageZstdAge", "image", "zstd", "age", 1},
                             {"SqlZstdAge", "sql", "zstd", "age", 5},
                             {"ImageZstd", "image", "zstd", "", 3},
                             {"ImageAge", "image", "", "age", 5},
                             {"SqlPlain", "sql", "", "", 5}};
INSTANTIATE_TEST_SUITE_P(Archive, Damaged, ::testing::ValuesIn(kPackings),
                         [](const auto& test) { return test.param.name; });

/// Without this, all that follows could pass for want of anything that works.
TEST_P(Damaged, NothingIsFoundGood) {
    ++cases_["nothing"];
    bed_.put({});
    for (const VerifyLevel level : {VerifyLevel::quick, VerifyLevel::stored, VerifyLevel::full})
        expect("nothing", "verify", bed_.verify(level), Answer::good);
    expect("nothing", "restore", bed_.restore(), Answer::good);
    EXPECT_TRUE(bed_.take_restored());
    expect("nothing", "import", bed_.import(), Answer::good);
    expect("nothing", "reap", bed_.reap(), Answer::good);
}

TEST_P(Damaged, EveryBitOfTheManifest) {
    flip_all("manifest, flipped", "manifest.json", 0, bed_.objects().at("manifest.json").size() * 8,
             {.import = true, .reap = true});
}

TEST_P(Damaged, EveryBitOfTheIndex) {
    const std::string name = bed_.manifest().index.key;
    flip_all("index, flipped", name, 0, bed_.objects().at(name).size() * 8, {});
}

TEST_P(Damaged, BitsOfTheVolumes) {
    const uint64_t seed = number("BKHOST_DAMAGE_SEED", kSeed);
    const char* wanted = std::getenv("BKHOST_DAMAGE_FLIPS");
    const bool all = wanted != nullptr && std::strcmp(wanted, "all") == 0;
    const size_t count = all || wanted == nullptr ? kFlips : std::stoul(wanted);
    std::cout << "[   SEED   ] " << seed << '\n';
    std::mt19937_64 random(seed);
    for (const ObjectRecord& volume : volumes()) {
        flip_all("volume's header, flipped", volume.key, 0, volume.header_size * 8, {});
        const Data& whole = bed_.objects().at(volume.key);
        if (all)
            flip_all("volume, flipped", volume.key, volume.header_size * 8, whole.size() * 8, {});
        for (size_t i = 0; !all && i < count / volumes().size(); ++i) {
            const size_t bit = random() % (whole.size() * 8);
            if (due()) flip("volume, flipped", volume.key, whole, bit, {});
        }
    }
}

TEST_P(Damaged, ACutAtEveryByte) {
    for (const auto& [name, whole] : bed_.objects())
        for (size_t size = 0; size < whole.size(); ++size)
            if (due())
                ask(name == "manifest.json" ? "manifest, cut" : "object, cut",
                    name + " cut to " + std::to_string(size),
                    {{name, Data(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size))}},
                    {.import = name == "manifest.json", .reap = true});
}

/// A manifest whose size and digest fit the cut object: cipher, codec and index must tell.
TEST_P(Damaged, ACutAtEveryByteThatTheManifestAgreesWith) {
    for (const auto& [name, whole] : bed_.objects()) {
        if (name == "manifest.json") continue;
        for (size_t size = 0; size < whole.size(); ++size) {
            if (!due()) continue;
            Data cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
            const Data manifest = manifest_for(name, cut);
            ask("object, cut, and the manifest agrees", name + " cut to " + std::to_string(size),
                {{name, std::move(cut)}, {"manifest.json", manifest}}, {.stored = false});
        }
    }
}

TEST_P(Damaged, AnObjectThatIsRemoved) {
    for (const auto& [name, whole] : bed_.objects()) {
        const bool manifest = name == "manifest.json";
        ask("removed", name + " removed", {{name, std::nullopt}},
            {.import = manifest, .reap = true}, manifest ? Answer::absent : Answer::damaged);
    }
    Changes all;
    for (const auto& [name, whole] : bed_.objects())
        all[name] = std::nullopt;
    ask("removed", "all removed", all, {.import = true, .reap = true}, Answer::absent);
}

TEST_P(Damaged, AnObjectInThePlaceOfAnother) {
    for (const auto& [name, whole] : bed_.objects())
        for (const auto& [other, bytes] : bed_.objects())
            if (other != name)
                ask("exchanged", other + " as " + name, {{name, bytes}},
                    {.import = name == "manifest.json", .reap = true});
}

TEST_P(Damaged, AnObjectOfAnotherBackupInItsPlace) {
    for (const auto& [name, whole] : bed_.objects()) {
        ASSERT_NE(whole, bed_.others().at(name));
        ask("of another backup", name + " of another backup", {{name, bed_.others().at(name)}},
            {.import = name == "manifest.json"});
    }
    Changes all;
    for (const auto& [name, bytes] : bed_.others())
        all[name] = bytes;
    ask("of another backup", "all objects of another backup", all, {.import = true, .reap = true});
}

TEST_P(Damaged, BytesBehindTheEnd) {
    for (const auto& [name, whole] : bed_.objects())
        for (const char* more : {"\n", "}", "x", "\xff\xff\xff\xff"}) {
            Data data = whole;
            data.insert(data.end(), more, more + std::strlen(more));
            ask("longer", name + " is longer", {{name, std::move(data)}},
                {.import = name == "manifest.json", .reap = true});
        }
}

} // namespace
} // namespace bkhost::test
