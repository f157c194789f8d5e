// Who holds a lease, whether that process lives, and the thread that renews. See lease.hpp.
#include "core/catalog/lease.hpp"

#include "core/base/text.hpp"
#include "core/catalog/catalog.hpp"

#include <bkhost/error.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <csignal>
#include <fstream>
#include <iterator>
#include <mutex>
#include <stop_token>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace bkhost {
namespace {

/// What /proc/PID/stat tells; `state` is 0 when it could not be read.
struct ProcStat {
    char state = 0;
    int64_t threads = 0;
    uint64_t start_ticks = 0;
};

template <class Number>
Number number(const std::string& text) {
    Number value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

ProcStat proc_stat(int64_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const size_t name_end = text.rfind(") "); // the name may hold spaces and brackets
    if (name_end == std::string::npos) return {};
    const std::vector<std::string> fields =
        split(text.substr(name_end + 2), ' '); // from field 3 on
    if (fields.size() < 20) return {};
    return {fields[0][0], number<int64_t>(fields[17]), number<uint64_t>(fields[19])};
}

std::string first_line(const char* path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

} // namespace

Owner ProcessProbe::self() const {
    Owner owner;
    owner.pid = ::getpid();
    owner.start_ticks = proc_stat(owner.pid).start_ticks;
    owner.boot_id = first_line("/proc/sys/kernel/random/boot_id");
    struct stat pid_namespace {};
    if (::stat("/proc/self/ns/pid", &pid_namespace) == 0)
        owner.pid_namespace = pid_namespace.st_ino;
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) == 0) owner.host_name = name.data();
    owner.uid = ::getuid();
    if (owner.start_ticks == 0 || owner.boot_id.empty() || owner.pid_namespace == 0)
        throw bk::Error(BK_E_UNSUPPORTED,
                        "cannot tell this process from others: /proc is not readable",
                        "mount /proc; leases need it");
    return owner;
}

Presence ProcessProbe::presence(int64_t pid, uint64_t start_ticks) const {
    if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) return Presence::gone;
    const ProcStat stat = proc_stat(pid);
    if (stat.state == 0) return Presence::unknown;
    if (stat.start_ticks != start_ticks) return Presence::gone;
    // A zombie with threads left is a process whose main thread has ended: that one lives.
    const bool ended = stat.state == 'X' || (stat.state == 'Z' && stat.threads <= 1);
    return ended ? Presence::gone : Presence::alive;
}

const ProcessProbe& ProcessProbe::system() {
    static const ProcessProbe probe;
    return probe;
}

bool is_dead(const Lease& lease, const Owner& self, const ProcessProbe& probe, const Clock& clock) {
    const Owner& owner = lease.owner;
    if (owner.boot_id == self.boot_id) {
        const bool visible = owner.pid_namespace == self.pid_namespace;
        if (visible && probe.presence(owner.pid, owner.start_ticks) == Presence::gone) return true;
        return lease.heartbeat_mono_ms + lease.ttl_ms < clock.monotonic_ms();
    }
    if (owner.host_name == self.host_name) return true; // the machine has been started anew
    return lease.heartbeat_ms + lease.ttl_ms < clock.now();
}

struct LeaseKeeper::State {
    Catalog& catalog;
    const Lease lease;
    std::function<void()> on_lost;
    std::atomic<bool> lost{false};
    std::mutex mutex;
    std::condition_variable_any wake; // only the stop token wakes it before its time
    std::jthread thread;

    void run(const std::stop_token& stop);
    /// False when the catalog cannot be written now.
    bool try_renew();
};

bool LeaseKeeper::State::try_renew() {
    try {
        if (!catalog.renew(lease)) lost = true;
        return true;
    } catch (const bk::Error&) {
        return false; // a locked catalog or a full disk may pass; the ttl says for how long
    }
}

void LeaseKeeper::State::run(const std::stop_token& stop) {
    using namespace std::chrono;
    const milliseconds ttl(lease.ttl_ms);
    auto renewed = steady_clock::now();
    while (!lost) {
        std::unique_lock lock(mutex);
        wake.wait_for(lock, stop, ttl / 3, [] { return false; });
        if (stop.stop_requested()) return;
        const auto attempt = steady_clock::now();
        if (try_renew())
            renewed = attempt;
        else if (steady_clock::now() - renewed >= ttl)
            lost = true;
    }
    on_lost();
}

LeaseKeeper::LeaseKeeper(Catalog& catalog, Lease lease, std::function<void()> on_lost)
    : state_(new State{catalog, std::move(lease), std::move(on_lost), {}, {}, {}, {}}) {
    state_->thread =
        std::jthread([state = state_.get()](const std::stop_token& stop) { state->run(stop); });
}

LeaseKeeper::~LeaseKeeper() {
    state_->thread.request_stop();
    state_->thread.join();
    try {
        state_->catalog.release(state_->lease);
    } catch (const bk::Error&) {
        return; // it runs out by itself
    }
}

const Lease& LeaseKeeper::lease() const noexcept { return state_->lease; }
bool LeaseKeeper::lost() const noexcept { return state_->lost; }

} // namespace bkhost
