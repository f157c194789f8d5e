// The plugin "faults": one driver `faulty` of each kind.
#include "faulty_drivers.hpp"

#include <bkhost/plugin.hpp>

BK_MODULE("org.bkhost.faults", "0.1.0", "any driver, made to fail on demand: for tests",
          "storage:faulty:faulty\ndumper:faulty:faulty\ncompressor:faulty:faulty\n"
          "encryptor:faulty:faulty\n",
          &faults::kFaultyStorage, &faults::kFaultyDumper, &faults::kFaultyCompressor,
          &faults::kFaultyEncryptor)
