// The options of the driver and what they come down to.
#pragma once

#include <bkhost/plugin.hpp>

#include <sys/types.h>

#include <array>
#include <string>

namespace local {

struct Settings {
    std::string path; ///< of the root directory
    bool create = true;
    bool fsync = true;
    bool require_marker = false;
    mode_t file_mode = 0600;
    mode_t dir_mode = 0700;
};

inline constexpr std::array kOptions{
    bk::option("path", BK_OPT_PATH, "directory that holds the objects", nullptr, nullptr,
               BK_OPT_REQUIRED | BK_OPT_URL_TARGET),
    bk::option("create", BK_OPT_BOOL, "make the directory if its parent exists", "true"),
    bk::option("require-marker", BK_OPT_BOOL,
               "refuse a directory without the file .bkhost-storage (use it for mounts)", "false"),
    bk::option("fsync", BK_OPT_BOOL, "wait until the data are on the disk before success", "true",
               nullptr, BK_OPT_ADVANCED),
    bk::option("file-mode", BK_OPT_STRING, "mode of new files, octal", "0600", nullptr,
               BK_OPT_ADVANCED),
    bk::option("dir-mode", BK_OPT_STRING, "mode of new directories, octal", "0700", nullptr,
               BK_OPT_ADVANCED),
};

/// Throws CONFIG. No I/O.
[[nodiscard]] Settings read_settings(const bk::Config& config);

} // namespace local
