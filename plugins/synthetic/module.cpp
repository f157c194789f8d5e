// The plugin "synthetic": three drivers for tests and measurements.
#include "shelf_storage.hpp"
#include "synthetic_dumper.hpp"

namespace synthetic {
namespace {

constexpr bk_component kDumper = bk::dumper_component<SyntheticDumper>(
    {.name = "synthetic",
     .summary = "a database of any size made from a seed; a restore checks every byte",
     .options = kDumperOptions,
     .schemes = "synthetic"});
constexpr bk_component kNull = bk::storage_component<NullStorage>(
    {.name = "null",
     .summary = "takes everything and keeps nothing: for measurements only",
     .schemes = "null"});
constexpr bk_component kMemory = bk::storage_component<MemoryStorage>(
    {.name = "memory",
     .summary = "objects in the process, gone at its end: for tests",
     .options = kMemoryOptions,
     .schemes = "memory"});

} // namespace
} // namespace synthetic

BK_MODULE("org.bkhost.synthetic", "0.1.0", "both ends of a run without a database and a disk",
          "dumper:synthetic:synthetic\nstorage:null:null\nstorage:memory:memory\n",
          &synthetic::kDumper, &synthetic::kNull, &synthetic::kMemory)
