// The states of backups, restores and copies, and which change may follow which. The only place
// that knows: the catalog asks here before it writes. Not for what a change entails (core/job).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace bkhost {

enum class BackupState : uint8_t {
    pending,     ///< has a row and a lease; nothing is written yet
    running,     ///< its archive is being written
    verifying,   ///< written; being read back before the manifest makes it visible
    completed,   ///< has a manifest on as many storages as the policy wants
    expired,     ///< retention gave it up; the grace time runs
    deleting,    ///< its objects are being removed, manifest first
    deleted,     ///< has no objects any more; the row stays for the history
    failed,      ///< ended by an error
    cancelled,   ///< ended by a signal or by request
    interrupted, ///< its process died
};

enum class RestoreState : uint8_t { pending, running, completed, failed, cancelled, interrupted };

/// Of one archive on one storage.
enum class CopyState : uint8_t {
    uploading, ///< being written, or left behind by a run: nobody could look there since
    stored,
    missing,  ///< was stored, and the storage (which answered) no longer has it
    failed,   ///< has no objects: they were removed after a failure
    deleting, ///< its objects are being removed, manifest first
    deleted,
};

/// How thoroughly a copy was looked at; each level includes the ones before it.
enum class VerifyLevel : uint8_t { none, quick, stored, full, drill };
enum class VerifyOutcome : uint8_t { none, ok, failed, inconclusive };

/// Why a state changes.
enum class Cause : uint8_t {
    step,  ///< the run itself, or an operator, goes one step further
    adopt, ///< somebody else found a manifest that agrees, after the run's process had died
};

template <class State>
struct StateName {
    State state;
    std::string_view name;
};

inline constexpr std::array kBackupStates{
    StateName{BackupState::pending, "pending"},
    StateName{BackupState::running, "running"},
    StateName{BackupState::verifying, "verifying"},
    StateName{BackupState::completed, "completed"},
    StateName{BackupState::expired, "expired"},
    StateName{BackupState::deleting, "deleting"},
    StateName{BackupState::deleted, "deleted"},
    StateName{BackupState::failed, "failed"},
    StateName{BackupState::cancelled, "cancelled"},
    StateName{BackupState::interrupted, "interrupted"},
};
inline constexpr std::array kRestoreStates{
    StateName{RestoreState::pending, "pending"},
    StateName{RestoreState::running, "running"},
    StateName{RestoreState::completed, "completed"},
    StateName{RestoreState::failed, "failed"},
    StateName{RestoreState::cancelled, "cancelled"},
    StateName{RestoreState::interrupted, "interrupted"},
};
inline constexpr std::array kCopyStates{
    StateName{CopyState::uploading, "uploading"}, StateName{CopyState::stored, "stored"},
    StateName{CopyState::missing, "missing"},     StateName{CopyState::failed, "failed"},
    StateName{CopyState::deleting, "deleting"},   StateName{CopyState::deleted, "deleted"},
};
inline constexpr std::array kVerifyLevels{
    StateName{VerifyLevel::none, "none"},     StateName{VerifyLevel::quick, "quick"},
    StateName{VerifyLevel::stored, "stored"}, StateName{VerifyLevel::full, "full"},
    StateName{VerifyLevel::drill, "drill"},
};
inline constexpr std::array kVerifyOutcomes{
    StateName{VerifyOutcome::none, "none"},
    StateName{VerifyOutcome::ok, "ok"},
    StateName{VerifyOutcome::failed, "failed"},
    StateName{VerifyOutcome::inconclusive, "inconclusive"},
};

namespace internal {

// Every list above is in the order of its enum, so that a value is its index.
template <class List>
constexpr bool in_order(const List& list) {
    for (size_t i = 0; i < list.size(); ++i)
        if (static_cast<size_t>(list[i].state) != i) return false;
    return true;
}
static_assert(in_order(kBackupStates) && in_order(kRestoreStates) && in_order(kCopyStates) &&
              in_order(kVerifyLevels) && in_order(kVerifyOutcomes));

template <class State>
constexpr const auto& names_of() {
    if constexpr (std::is_same_v<State, BackupState>)
        return kBackupStates;
    else if constexpr (std::is_same_v<State, RestoreState>)
        return kRestoreStates;
    else if constexpr (std::is_same_v<State, CopyState>)
        return kCopyStates;
    else if constexpr (std::is_same_v<State, VerifyLevel>)
        return kVerifyLevels;
    else
        return kVerifyOutcomes;
}

} // namespace internal

/// "running": as it stands in the catalog, in messages and in JSON. Any of the enums above.
template <class State>
constexpr std::string_view state_name(State state) {
    return internal::names_of<State>()[static_cast<size_t>(state)].name;
}

/// parse_state<BackupState>("running"); nothing when there is no such state.
template <class State>
constexpr std::optional<State> parse_state(std::string_view name) {
    for (const auto& entry : internal::names_of<State>())
        if (entry.name == name) return entry.state;
    return std::nullopt;
}

/// Whether a process is at work on it, so that the row needs a living lease.
constexpr bool is_active(BackupState state) {
    return state == BackupState::pending || state == BackupState::running ||
           state == BackupState::verifying;
}
constexpr bool is_active(RestoreState state) {
    return state == RestoreState::pending || state == RestoreState::running;
}

/// Whether a backup may go from one state to the other. `completed → deleting` is the explicit
/// delete, which waits for no expiry. `adopt` is the way to `completed` for a manifest that
/// outlived its run: also from `interrupted`, since the manifest is the commit point and not the
/// row.
constexpr bool allowed(BackupState from, BackupState to, Cause cause = Cause::step) {
    using enum BackupState;
    if (cause == Cause::adopt)
        return to == completed && (from == running || from == verifying || from == interrupted);
    switch (from) {
    case pending: return to == running || to == failed || to == cancelled || to == interrupted;
    case running: return to == verifying || to == failed || to == cancelled || to == interrupted;
    case verifying: return to == completed || to == failed || to == cancelled || to == interrupted;
    case completed: return to == expired || to == deleting;
    case expired:
    case failed:
    case cancelled:
    case interrupted: return to == deleting;
    case deleting: return to == deleted;
    case deleted: return false;
    }
    return false;
}

/// Whether a restore may go from one state to the other. Nothing is adopted: only the process that
/// loads knows whether everything is in.
constexpr bool allowed(RestoreState from, RestoreState to, Cause cause = Cause::step) {
    using enum RestoreState;
    if (cause == Cause::adopt) return false;
    if (from == pending)
        return to == running || to == failed || to == cancelled || to == interrupted;
    if (from == running)
        return to == completed || to == failed || to == cancelled || to == interrupted;
    return false;
}

/// Whether a copy may go from one state to the other. `adopt` is an import that has found a whole
/// archive on the storage; what is being removed it never brings back.
constexpr bool allowed(CopyState from, CopyState to, Cause cause = Cause::step) {
    using enum CopyState;
    if (cause == Cause::adopt) return to == stored && from != stored && from != deleting;
    switch (from) {
    case uploading: return to == stored || to == failed || to == deleting;
    case stored: return to == missing || to == deleting;
    case missing: return to == deleting;
    case failed: return to == deleted;
    case deleting: return to == deleted;
    case deleted: return false;
    }
    return false;
}

namespace internal {

/// Whether any number of changes leads from one state to the other.
template <class State, size_t N>
constexpr bool reachable(const std::array<StateName<State>, N>& states, State from, State to) {
    std::array<bool, N> seen{};
    seen[static_cast<size_t>(from)] = true;
    for (size_t round = 0; round < N; ++round)
        for (const auto& a : states)
            for (const auto& b : states)
                if (seen[static_cast<size_t>(a.state)] && allowed(a.state, b.state))
                    seen[static_cast<size_t>(b.state)] = true;
    return seen[static_cast<size_t>(to)];
}

/// The first of the list is where everything begins.
template <class State, size_t N>
constexpr bool all_reachable(const std::array<StateName<State>, N>& states) {
    for (const auto& entry : states)
        if (!reachable(states, states.front().state, entry.state)) return false;
    return true;
}

/// No change leads back to where it came from: a state is entered at most once (but by adoption).
template <class State, size_t N>
constexpr bool no_cycle(const std::array<StateName<State>, N>& states) {
    for (const auto& a : states)
        for (const auto& b : states)
            if (allowed(a.state, b.state) &&
                (a.state == b.state || reachable(states, b.state, a.state)))
                return false;
    return true;
}

template <class State, size_t N>
constexpr bool all_can_be_deleted(const std::array<StateName<State>, N>& states) {
    for (const auto& entry : states)
        if (!reachable(states, entry.state, State::deleted)) return false;
    return true;
}

constexpr bool final_state(BackupState state) {
    for (const auto& entry : kBackupStates)
        if (allowed(state, entry.state) || allowed(state, entry.state, Cause::adopt)) return false;
    return true;
}

constexpr bool active_can_be_interrupted() {
    for (const auto& entry : kBackupStates)
        if (is_active(entry.state) != allowed(entry.state, BackupState::interrupted)) return false;
    for (const auto& entry : kRestoreStates)
        if (is_active(entry.state) != allowed(entry.state, RestoreState::interrupted)) return false;
    return true;
}

static_assert(all_reachable(kBackupStates) && all_reachable(kRestoreStates) &&
              all_reachable(kCopyStates));
static_assert(no_cycle(kBackupStates) && no_cycle(kRestoreStates) && no_cycle(kCopyStates));
static_assert(all_can_be_deleted(kBackupStates) && all_can_be_deleted(kCopyStates));
static_assert(final_state(BackupState::deleted), "there is no way out of deleted");
static_assert(active_can_be_interrupted(), "a dead process must leave a row that can be ended");
static_assert(!allowed(CopyState::deleting, CopyState::stored, Cause::adopt),
              "a manifest that goes in a moment makes no copy");
static_assert(!allowed(BackupState::running, BackupState::completed),
              "a run passes through verifying; only adoption goes straight");

} // namespace internal
} // namespace bkhost
