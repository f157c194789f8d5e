// The tables of the catalog and how an older file is brought up to date. Internal to the catalog.
#pragma once

#include "core/catalog/database.hpp"

#include <filesystem>
#include <span>

namespace bkhost::internal {

/// "bkct" in the file's header: tells a catalog from any other SQLite file.
inline constexpr int64_t kApplicationId = 0x626b6374;

/// SQL that leads from schema `i` to `i + 1`, in the order of the versions; never changed once
/// released.
std::span<const char* const> catalog_migrations();

/// Creates the file empty with mode 0600, and absent directories above it with 0700, unless it
/// exists.
void create_file(const std::filesystem::path& file);

/// Checks that it is a catalog (or empty) of a version that `migrations` reach, sets the modes of
/// the connection, and runs what is missing in one transaction. Throws CONFIG, CORRUPT,
/// UNSUPPORTED.
void open_schema(Database& database, const std::filesystem::path& file,
                 std::span<const char* const> migrations = catalog_migrations());

} // namespace bkhost::internal
