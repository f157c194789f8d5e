// Removing an archive: manifest first, everything, and never more than one folder.
#include "core/job/archive_cleaner.hpp"

#include "core/job/job_fixture.hpp"

namespace bkhost::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ArchiveCleaner : public JobTest {
protected:
    Services services_{log_, {}};
    Storage storage_{"here", set_up(registry_, kStorage, storage("here").spec, "storage 'here'"),
                     services_};
};

TEST_F(ArchiveCleaner, RefusesWhatIsNoFolder) {
    here_->set_object("a/manifest.json", {1});
    for (const char* prefix : {"", "/", "a", "a/b", "a/manifest.json"})
        EXPECT_EQ(error_of([&] { remove_archive(storage_, prefix); }).status(), BK_E_INVALID)
            << prefix;
    EXPECT_THAT(here_->keys(), ElementsAre("a/manifest.json"));
}

TEST_F(ArchiveCleaner, TheManifestGoesFirst) {
    for (const char* key : {"p/a.bin", "p/manifest.json", "p/verify/1.json"})
        here_->set_object(key, {1});
    std::vector<std::string> removed;
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call == Call::remove) removed.push_back(key);
    });
    remove_archive(storage_, "p/");
    ASSERT_FALSE(removed.empty());
    EXPECT_EQ(removed.front(), "p/manifest.json");
    EXPECT_THAT(here_->keys(), IsEmpty());
}

TEST_F(ArchiveCleaner, WhenTheManifestStaysEverythingStays) {
    for (const char* key : {"p/a.bin", "p/manifest.json"})
        here_->set_object(key, {1});
    here_->fail({.call = Call::remove});
    EXPECT_EQ(error_of([&] { remove_archive(storage_, "p/"); }).status(), BK_E_UNAVAILABLE);
    EXPECT_EQ(here_->keys().size(), 2u);
}

TEST_F(ArchiveCleaner, TakesUploadsButNothingOfTheNeighbours) {
    for (const char* key : {"p/x/a.bin", "p/xy/a.bin", "p/manifest.json"})
        here_->set_object(key, {1});
    here_->add_stale_upload("p/x/b.bin");
    here_->add_stale_upload("p/xy/b.bin");
    remove_archive(storage_, "p/x/");
    EXPECT_THAT(here_->keys(), ElementsAre("p/manifest.json", "p/xy/a.bin"));
    EXPECT_EQ(here_->open_uploads(), 1u);
    remove_archive(storage_, "p/x/");
}

} // namespace
} // namespace bkhost::test
