// One small archive made by the shipped drivers, and everybody who reads archives: each is asked
// what it says of the archive in a damaged form. For tests only.
#pragma once

#include "core/catalog/catalog_fixture.hpp"
#include "core/job/import.hpp"
#include "core/job/verify.hpp"
#include "core/testing/fake_storage.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace bkhost::test {

/// How an archive is packed; "" for no codec or no cipher.
struct Packing {
    std::string name, format, compress, encrypt;
    size_t every = 1; ///< every n-th case is enough, since another packing has the rest
    friend std::ostream& operator<<(std::ostream& out, const Packing& packing) {
        return out << packing.name;
    }
};

/// What a reader says.
enum class Answer {
    good,    ///< verified, restored, in the catalog
    damaged, ///< CORRUPT, or the outcome `failed`
    absent,  ///< NOT_FOUND
    other    ///< any other error
};
[[nodiscard]] const char* answer_name(Answer answer) noexcept;
struct Said {
    Answer answer = Answer::other;
    std::string text; ///< the message
};

using Data = MemoryStore::Data;
using Objects = std::map<std::string, Data>; ///< by name within the archive's folder
/// Objects that are not as they were; without bytes: removed.
using Changes = std::map<std::string, std::optional<Data>>;

/// Confined. Rows of the database that is backed up: BKHOST_DAMAGE_ROWS.
class DamageBed {
public:
    DamageBed(Registry& registry, const Packing& packing);
    ~DamageBed();
    DamageBed(const DamageBed&) = delete;
    DamageBed& operator=(const DamageBed&) = delete;

    [[nodiscard]] const Objects& objects() const noexcept { return objects_; }
    /// The same objects of a backup of another database, made with the same key.
    [[nodiscard]] const Objects& others() const noexcept { return others_; }
    [[nodiscard]] const Manifest& manifest() const noexcept { return manifest_; }

    /// The archive is in that form until the next call.
    void put(const Changes& changes);
    [[nodiscard]] Said verify(VerifyLevel level);
    /// Also says `good` when it failed and left something at or beside the target.
    [[nodiscard]] Said restore();
    /// Into an empty catalog.
    [[nodiscard]] Said import();
    /// As the archive of a process that died before it could write its row. Removes the objects
    /// unless the answer is `good`: put() them again.
    [[nodiscard]] Said reap();
    /// Whether the last restored file is the database that was backed up; removes it.
    [[nodiscard]] bool take_restored();

private:
    [[nodiscard]] BackupRow back_up(const Packing& packing, const std::string& source);
    [[nodiscard]] Objects stored(const BackupRow& row) const;
    [[nodiscard]] JobContext context(Catalog& catalog);
    [[nodiscard]] ArchivePlace place() const;
    [[nodiscard]] DecryptOptions decrypt() const;
    [[nodiscard]] std::string target() const;

    Registry& registry_;
    TempDir dir_;
    FakeClock clock_;
    FakeProbe probe_, dying_probe_{200};
    NullLog log_;
    RunObserver observer_;
    std::string store_name_;
    std::shared_ptr<MemoryStore> store_; // shared with the driver's instances
    std::string recipient_;
    Catalog catalog_, empty_, reaping_, dying_;
    internal::Database reaping_file_;
    BackupRow row_;
    Objects objects_, others_;
    Manifest manifest_;
};

} // namespace bkhost::test
