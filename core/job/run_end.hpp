// How a run that failed is told apart: cancelled or failed, and what the row says of it.
#pragma once

#include "core/catalog/catalog.hpp"

#include <bkhost/error.hpp>

#include <exception>
#include <string>

namespace bkhost {

struct RunEnd {
    bool cancelled = false;
    std::string error, hint;
};

/// Of whatever the run threw.
[[nodiscard]] inline RunEnd run_end(const std::exception& error) {
    const auto* known = dynamic_cast<const bk::Error*>(&error);
    return {known != nullptr && known->cancelled(), error.what(),
            known == nullptr ? "" : known->hint()};
}

} // namespace bkhost
