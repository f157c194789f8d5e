// What the options of the driver say, and the window that bounds both directions.
#pragma once

namespace zstd_plugin {

/// log2 of the widest window written and read: 128 MiB, what `zstd -d` takes without being asked.
inline constexpr int kMaxWindowLog = 27;

struct Settings {
    int level = 3;
    bool long_distance = false;
    bool checksum = true;
};

} // namespace zstd_plugin
