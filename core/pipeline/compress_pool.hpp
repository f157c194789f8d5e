// The compressors: take frames, give them packed, several at once.
#pragma once

#include "core/driver/codec.hpp"
#include "core/pipeline/crew.hpp"
#include "core/pipeline/frame_flow.hpp"

namespace bkhost {

/// Starts `workers` threads in the crew; each ends when `in` is closed and empty, and
/// the last one closes `out`. Without a compressor the bytes pass as they are.
void start_compressors(Crew& crew, unsigned workers, const DriverPtr& compressor,
                       const Services& services, FrameFlow& in, PackedFlow& out);

} // namespace bkhost
