// bkhost restore --dry-run, once backup and target are known.
#pragma once

#include "core/job/restore.hpp"
#include "host/commands/session.hpp"

namespace bkhost {

/// Shows what the restore would do. Gives 0 when it would go well as far as that can be told, else
/// 1.
[[nodiscard]] int preview_command(Session& session, const RestoreRequest& request);

} // namespace bkhost
