#include "core/base/secret.hpp"

#include <string.h>

namespace bkhost {

void Secret::wipe() noexcept {
    text_.resize(text_.capacity()); // never allocates; also wipes what an earlier, longer text left
    ::explicit_bzero(text_.data(), text_.size());
    text_.clear();
}

} // namespace bkhost
