#include "core/catalog/states.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace bkhost {
namespace {

// Written out by hand from the design, so that a slip in the switch cannot hide in a copy of it.
const std::set<std::string> kBackupSteps{
    "pending running",     "pending failed",     "pending cancelled",    "pending interrupted",
    "running verifying",   "running failed",     "running cancelled",    "running interrupted",
    "verifying completed", "verifying failed",   "verifying cancelled",  "verifying interrupted",
    "completed expired",   "completed deleting", "expired deleting",     "deleting deleted",
    "failed deleting",     "cancelled deleting", "interrupted deleting",
};
const std::set<std::string> kAdoptions{
    "running completed",
    "verifying completed",
    "interrupted completed",
};
const std::set<std::string> kRestoreSteps{
    "pending running",   "pending failed", "pending cancelled", "pending interrupted",
    "running completed", "running failed", "running cancelled", "running interrupted",
};

const std::set<std::string> kCopySteps{
    "uploading stored", "uploading failed", "uploading deleting", "stored missing",
    "stored deleting",  "missing deleting", "failed deleted",     "deleting deleted",
};
const std::set<std::string> kCopyAdoptions{
    "uploading stored",
    "missing stored",
    "failed stored",
    "deleted stored",
};

template <class States>
std::set<std::string> pairs(const States& states, Cause cause) {
    std::set<std::string> found;
    for (const auto& from : states)
        for (const auto& to : states)
            if (allowed(from.state, to.state, cause))
                found.insert(std::string(from.name) + ' ' + std::string(to.name));
    return found;
}

} // namespace

TEST(States, BackupPairsAreThoseOfTheDesign) {
    EXPECT_EQ(pairs(kBackupStates, Cause::step), kBackupSteps);
    EXPECT_EQ(pairs(kBackupStates, Cause::adopt), kAdoptions);
}

TEST(States, RestorePairsAreThoseOfTheDesign) {
    EXPECT_EQ(pairs(kRestoreStates, Cause::step), kRestoreSteps);
    EXPECT_TRUE(pairs(kRestoreStates, Cause::adopt).empty());
}

TEST(States, CopyPairsAreThoseOfTheDesign) {
    EXPECT_EQ(pairs(kCopyStates, Cause::step), kCopySteps);
    EXPECT_EQ(pairs(kCopyStates, Cause::adopt), kCopyAdoptions);
}

TEST(States, NamesGoBothWays) {
    for (const auto& entry : kBackupStates) {
        EXPECT_EQ(state_name(entry.state), entry.name);
        EXPECT_EQ(parse_state<BackupState>(entry.name), entry.state);
    }
    for (const auto& entry : kRestoreStates)
        EXPECT_EQ(parse_state<RestoreState>(state_name(entry.state)), entry.state);
    for (const auto& entry : kCopyStates)
        EXPECT_EQ(parse_state<CopyState>(state_name(entry.state)), entry.state);
    for (const auto& entry : kVerifyLevels)
        EXPECT_EQ(parse_state<VerifyLevel>(state_name(entry.state)), entry.state);
    for (const auto& entry : kVerifyOutcomes)
        EXPECT_EQ(parse_state<VerifyOutcome>(state_name(entry.state)), entry.state);
    for (const char* bad : {"", "Running", "aborted", "running "})
        EXPECT_FALSE(parse_state<BackupState>(bad)) << bad;
    EXPECT_EQ(state_name(BackupState::verifying), "verifying");
}

TEST(States, ActiveOnesAreThoseWithAProcess) {
    std::set<std::string_view> active;
    for (const auto& entry : kBackupStates)
        if (is_active(entry.state)) active.insert(entry.name);
    EXPECT_EQ(active, (std::set<std::string_view>{"pending", "running", "verifying"}));
    EXPECT_TRUE(is_active(RestoreState::running));
    EXPECT_FALSE(is_active(RestoreState::interrupted));
}

} // namespace bkhost
