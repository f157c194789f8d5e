// What the tests of jobs share: fake drivers, a real catalog, requests that are small and quick,
// and the checks that hold after every run. For tests only.
#pragma once

#include "core/archive/naming.hpp"
#include "core/catalog/catalog_fixture.hpp"
#include "core/job/backup.hpp"
#include "core/job/restore.hpp"
#include "core/testing/fake_drivers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace bkhost::test {

/// One process that backs the source "shop" up to the storages "here" and "there".
class JobTest : public ::testing::Test {
protected:
    TempDir dir_;
    FakeClock clock_;
    FakeProbe probe_;
    FakeRegistry registry_;
    TestLog log_;
    CountingObserver observer_;
    Catalog catalog_{dir_.path / "catalog.db", clock_, probe_};
    std::shared_ptr<MemoryStore> here_ = memory_store("here"), there_ = memory_store("there");
    std::shared_ptr<SyntheticDb> source_ = synthetic_db("shop");

    [[nodiscard]] JobContext context(std::stop_token stop = {}) {
        return {registry_, catalog_,   log_,  observer_, std::move(stop),
                clock_,    "bkhost 9", "db1", "tester"};
    }
    static NamedDriver storage(const std::string& name) {
        return {name, {"memory", {{"name", {name}}}}};
    }
    /// Two units, several frames and several volumes, to the storage "here".
    static BackupRequest request() {
        BackupRequest request;
        request.job = "nightly";
        request.source_name = "shop";
        request.environment = "production";
        request.source = {"synthetic",
                          {{"name", {"shop"}}, {"unit-bytes", {"700KiB"}}, {"fragment", {"8KiB"}}}};
        request.storages = {storage("here")};
        request.volume_size = 400 * 1024;
        request.memory = 6 << 20; // frames of 256 KiB
        request.workers = 2;
        return request;
    }
    static BackupRequest request_for_two(size_t required) {
        BackupRequest two = request();
        two.storages.push_back(storage("there"));
        two.copies_required = required;
        return two;
    }
    static void set(DriverSpec& spec, const std::string& option, const std::string& value) {
        spec.options[option] = {value};
    }
    [[nodiscard]] BackupOutcome back_up(const BackupRequest& request = JobTest::request()) {
        return run_backup(context(), request);
    }

    static ArchivePlace place(const std::string& storage_name, const BackupRow& row) {
        return {storage(storage_name), row.archive_key};
    }
    /// Into the synthetic database "target".
    static RestoreRequest restore_request(const BackupRow& row,
                                          const std::vector<std::string>& storages = {"here"}) {
        RestoreRequest request;
        request.backup_id = row.id;
        for (const std::string& name : storages)
            request.places.push_back(place(name, row));
        request.decrypt = [](const std::string&) { return OptionText{{"key", {"key one"}}}; };
        request.target = {"synthetic", {{"name", {"target"}}}};
        request.target_text = "target";
        request.environment = "staging";
        request.workers = 2;
        return request;
    }
    /// The name within the archive's folder of the n-th object whose name contains `part`.
    static std::string key_of(const MemoryStore& store, const std::string& part) {
        for (const std::string& key : store.keys())
            if (key.find(part) != std::string::npos) return key;
        ADD_FAILURE() << "no object like '" << part << "'";
        return {};
    }

    /// What holds after any run, however it ended.
    void expect_at_rest() {
        EXPECT_THAT(catalog_.leases(), ::testing::IsEmpty());
        for (const BackupRow& row : catalog_.list())
            EXPECT_FALSE(is_active(row.state)) << row.id << " " << state_name(row.state);
        for (const RestoreRow& row : catalog_.restores())
            EXPECT_FALSE(is_active(row.state)) << row.id << " " << state_name(row.state);
        EXPECT_EQ(here_->open_uploads(), 0u);
        EXPECT_EQ(there_->open_uploads(), 0u);
    }
    void expect_nothing_stored() {
        EXPECT_THAT(here_->keys(), ::testing::IsEmpty());
        EXPECT_THAT(there_->keys(), ::testing::IsEmpty());
    }
    /// The one row that a test with one run has.
    [[nodiscard]] BackupRow only_row() {
        const std::vector<BackupRow> rows = catalog_.list();
        EXPECT_EQ(rows.size(), 1u);
        return rows.empty() ? BackupRow{} : rows.front();
    }
    [[nodiscard]] CopyRow copy_at(const std::string& id, const std::string& storage_name) {
        for (const CopyRow& copy : catalog_.copies(id))
            if (copy.storage == storage_name) return copy;
        ADD_FAILURE() << "no copy on '" << storage_name << "'";
        return {};
    }
    /// Bytes and their hash of every section; rows too, but for fragments that span frames.
    static void expect_same(const SyntheticDb::Sections& dumped,
                            const SyntheticDb::Sections& loaded, bool rows = true) {
        ASSERT_FALSE(dumped.empty());
        ASSERT_EQ(dumped.size(), loaded.size());
        for (const auto& [name, section] : dumped) {
            ASSERT_TRUE(loaded.contains(name)) << name;
            EXPECT_EQ(section.hash, loaded.at(name).hash) << name;
            EXPECT_TRUE(!rows || section == loaded.at(name)) << name;
        }
    }
};

} // namespace bkhost::test
