// A block of the configuration as option texts, checked against what its driver declares.
#pragma once

#include "host/config/config.hpp"

#include <string>
#include <vector>

namespace bkhost {

struct BlockReading {
    OptionText text;                     ///< secrets are in it only when they were read
    std::vector<ConfigProblem> problems; ///< none holds a value from a secret or the environment
};

/// Reads the block. With `environment` its secrets are read too; with nullptr they count as present
/// and nothing outside of the block is touched.
[[nodiscard]] BlockReading read_block(const Block& block, const std::vector<OptionInfo>& options,
                                      const Environment* environment);

} // namespace bkhost
