// Removing an archive: manifest first, everything, and never more than one folder.
#include "core/job/archive_cleaner.hpp"

#include "core/job/job_fixture.hpp"

namespace bkhost::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ArchiveCleaner : public JobTest {
protected:
    static inline const std::string kPrefix = "p/_global/shop/20260211T031500Z-k3f9qd/";
    Services services_{log_, {}};
    Storage storage_{"here", set_up(registry_, kStorage, storage("here").spec, "storage 'here'"),
                     services_};
};

TEST_F(ArchiveCleaner, RefusesWhatIsNoFolderOfABackup) {
    here_->set_object(kPrefix + "manifest.json", {1});
    const std::string no_slash = kPrefix.substr(0, kPrefix.size() - 1);
    for (const std::string& prefix :
         {std::string(), std::string("/"), std::string("a"), std::string("a/b"), no_slash,
          std::string("p/"), std::string("p/_global/shop/"), kPrefix + "/", kPrefix + "verify/",
          kPrefix + "manifest.json", std::string("p/20260211T031500Z-k3f9qd2/")}) {
        const bk::Error error = error_of([&] { remove_archive(storage_, prefix); });
        EXPECT_EQ(error.status(), BK_E_INVALID) << prefix;
        EXPECT_FALSE(error.hint().empty());
    }
    EXPECT_THAT(here_->keys(), ElementsAre(kPrefix + "manifest.json"));
}

TEST_F(ArchiveCleaner, TheManifestGoesFirst) {
    for (const char* key : {"a.bin", "manifest.json", "verify/1.json"})
        here_->set_object(kPrefix + key, {1});
    std::vector<std::string> removed;
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call == Call::remove) removed.push_back(key);
    });
    remove_archive(storage_, kPrefix);
    ASSERT_FALSE(removed.empty());
    EXPECT_EQ(removed.front(), kPrefix + "manifest.json");
    EXPECT_THAT(here_->keys(), IsEmpty());
}

TEST_F(ArchiveCleaner, WhenTheManifestStaysEverythingStays) {
    for (const char* key : {"a.bin", "manifest.json"})
        here_->set_object(kPrefix + key, {1});
    here_->fail({.call = Call::remove});
    EXPECT_EQ(error_of([&] { remove_archive(storage_, kPrefix); }).status(), BK_E_UNAVAILABLE);
    EXPECT_EQ(here_->keys().size(), 2u);
}

TEST_F(ArchiveCleaner, TakesUploadsButNothingOfTheNeighbours) {
    const std::string neighbour = "p/_global/shop/20260211T031500Z-k3f9qe/";
    for (const std::string& key :
         {kPrefix + "x/a.bin", neighbour + "a.bin", std::string("p/_global/shop/manifest.json")})
        here_->set_object(key, {1});
    here_->add_stale_upload(kPrefix + "b.bin");
    here_->add_stale_upload(neighbour + "b.bin");
    remove_archive(storage_, kPrefix);
    EXPECT_THAT(here_->keys(), ElementsAre(neighbour + "a.bin", "p/_global/shop/manifest.json"));
    EXPECT_EQ(here_->open_uploads(), 1u);
    remove_archive(storage_, kPrefix);
}

} // namespace
} // namespace bkhost::test
