// The drivers of this plugin, one a kind.
#pragma once

#include <bkhost/abi.h>

namespace faults {

extern const bk_component kFaultyStorage;
extern const bk_component kFaultyDumper;
extern const bk_component kFaultyCompressor;
extern const bk_component kFaultyEncryptor;

} // namespace faults
