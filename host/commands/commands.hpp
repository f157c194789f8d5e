// The verbs of the command line as functions: options in, exit status out. How options are written
// is host/command_line.cpp's.
#pragma once

#include "host/commands/session.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bkhost {

struct RunOptions {
    std::vector<std::string> jobs; ///< empty with --from: ad hoc; else all jobs
    std::string from, encrypt, compress, name;
    std::vector<std::string> to;
    std::string memory, volume_size, notes;
    std::string max_rate, timeout;   ///< "": as the job says
    std::optional<unsigned> retries; ///< nothing: as the job says
    unsigned workers = 0;
};
[[nodiscard]] int run_command(Session& session, const RunOptions& options);

/// Which backup, and where to read it from.
struct BackupChoice {
    std::string id; ///< id or its beginning, "latest", or empty: asked for on a terminal
    std::string source, storage;
    std::vector<std::string> identities;
};

struct ListOptions {
    std::string source, job, storage;
    bool all = false; ///< every environment and every state
    int64_t limit = 0;
};
[[nodiscard]] int list_command(Session& session, const ListOptions& options);
[[nodiscard]] int show_command(Session& session, const std::string& id);

struct RestoreOptions {
    BackupChoice choice;
    std::string to, memory, notes;
    std::vector<std::string> tables; ///< lists of names, as they were written
    unsigned workers = 0;
    bool replace = false, force = false, sequential = false;
    bool dry_run = false; ///< show what would be done, and write nothing
};
[[nodiscard]] int restore_command(Session& session, const RestoreOptions& options);

struct VerifyOptions {
    BackupChoice choice;
    std::string level = "stored", memory;
};
[[nodiscard]] int verify_command(Session& session, const VerifyOptions& options);

struct ReindexOptions {
    BackupChoice choice;
    std::string encrypt;
};
[[nodiscard]] int reindex_command(Session& session, const ReindexOptions& options);

struct CatOptions {
    BackupChoice choice;
    std::string memory;
};
[[nodiscard]] int cat_command(Session& session, const CatOptions& options);

struct DeleteOptions {
    std::vector<std::string> ids;
    std::string storage; ///< this copy alone
    bool force = false;  ///< ask no question
};
[[nodiscard]] int delete_command(Session& session, const DeleteOptions& options);

[[nodiscard]] int init_command(Session& session, const std::string& path);
[[nodiscard]] int check_command(Session& session);
[[nodiscard]] int doctor_command(Session& session, const std::vector<std::string>& jobs);

[[nodiscard]] int plugin_list_command(Session& session, bool broken);
[[nodiscard]] int plugin_show_command(Session& session, const std::string& name);

struct KeyOptions {
    std::string driver = "age", file;
};
[[nodiscard]] int key_generate_command(Session& session, const KeyOptions& options);
[[nodiscard]] int key_show_command(Session& session, const KeyOptions& options);

[[nodiscard]] int catalog_rebuild_command(Session& session,
                                          const std::vector<std::string>& storages);
[[nodiscard]] int catalog_check_command(Session& session);

} // namespace bkhost
