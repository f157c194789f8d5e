// What the catalog's tests share: a directory of their own, processes that obey, and
// raw SQL on the file. For tests only.
#pragma once

#include "core/catalog/catalog.hpp"
#include "core/catalog/database.hpp"
#include "core/testing/fake_clock.hpp"

#include <bkhost/error.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace bkhost::test {

class TempDir {
public:
    TempDir() {
        std::string name = (std::filesystem::temp_directory_path() / "bkcatalog-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) bk::throw_errno(errno, "mkdtemp");
        path = name;
    }
    ~TempDir() { std::filesystem::remove_all(path); }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    std::filesystem::path path;
};

/// Plays one process of a machine; the presence of others is as told.
class FakeProbe final : public ProcessProbe {
public:
    explicit FakeProbe(int64_t pid = 100) { owner = {pid, 7, "boot-1", 4026531836, "db1", 0}; }
    [[nodiscard]] Owner self() const override { return owner; }
    [[nodiscard]] Presence presence(int64_t pid, uint64_t start) const override {
        const std::lock_guard lock(mutex_);
        const auto found = processes_.find({pid, start});
        return found == processes_.end() ? Presence::alive : found->second;
    }
    void set(int64_t pid, uint64_t start, Presence presence) {
        const std::lock_guard lock(mutex_);
        processes_[{pid, start}] = presence;
    }
    Owner owner;

private:
    mutable std::mutex mutex_;
    std::map<std::pair<int64_t, uint64_t>, Presence> processes_;
};

class CatalogTest : public ::testing::Test {
protected:
    TempDir dir_;
    std::filesystem::path file_ = dir_.path / "catalog.db";
    FakeClock clock_;
    FakeProbe probe_;

    /// "20260211T0315NNZ-aaaaaa" and so on: distinct for every number below 3600.
    static std::string id(int number, const std::string& tail = "aaaaaa") {
        return format_time_compact(1'770'779'700'000 + number * 1000) + '-' + tail;
    }
    static BackupRow row(const std::string& id) {
        BackupRow row;
        row.id = id;
        row.job = "shop";
        row.source = "shop";
        row.environment = "production";
        row.engine = "postgres";
        row.started_ms = *parse_time(id.substr(0, 16));
        return row;
    }
    static CopyRow copy(const std::string& storage, CopyState state = CopyState::uploading) {
        CopyRow copy;
        copy.storage = storage;
        copy.location = {"local", {{"path", {"/var/backups"}}}};
        copy.state = state;
        return copy;
    }
    /// Goes through all states to completed.
    static void complete(Catalog& catalog, const std::string& id,
                         const std::string& storage = "here", int64_t size = 10) {
        complete(catalog, row(id), storage, size);
    }
    static void complete(Catalog& catalog, const BackupRow& row,
                         const std::string& storage = "here", int64_t size = 10) {
        CopyRow stored = copy(storage, CopyState::stored);
        stored.size = size;
        const Lease lease = catalog.begin_backup(row);
        catalog.transition(row.id, BackupState::pending, BackupState::running, {}, &lease);
        catalog.transition(row.id, BackupState::running, BackupState::verifying, {}, &lease);
        catalog.finish_backup(row.id, BackupState::verifying, BackupState::completed, {}, {stored},
                              lease);
    }
    /// Past the catalog, as another program would.
    void sql(const std::string& statements) const {
        internal::Database(file_).run(statements.c_str());
    }
    [[nodiscard]] int64_t sql_integer(const std::string& query) const {
        return internal::Database(file_).integer(query);
    }
};

/// The error that `body` throws; a failure of the test when it throws none.
template <class Body>
bk::Error error_of(Body&& body) {
    try {
        std::forward<Body>(body)();
    } catch (const bk::Error& error) {
        return error;
    }
    ADD_FAILURE() << "no error was thrown";
    return {BK_OK, "no error"};
}

} // namespace bkhost::test
