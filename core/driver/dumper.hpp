// An opened dumper: the calls of bkhost.dumper as C++, with messages that name the source.
#pragma once

#include "core/driver/services.hpp"

#include <bkhost/extract.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bkhost {

struct DumpUnit {
    uint32_t number = 0, phase = 0;
    bool ordered = false;
    uint64_t size_hint = 0;
    std::string label;
};

class Dumper;

/// A load under way; ended as failed by the destructor unless end() was called.
class LoadSession {
public:
    LoadSession(Dumper& dumper, void* handle, uint32_t parallel) noexcept
        : dumper_(dumper), handle_(handle), parallel_(parallel == 0 ? 1 : parallel) {}
    ~LoadSession();
    LoadSession(const LoadSession&) = delete;
    LoadSession& operator=(const LoadSession&) = delete;

    /// How many load() calls at once are worth while.
    [[nodiscard]] uint32_t parallel() const noexcept { return parallel_; }
    void load(const bk_load_unit& unit, bk_source& source); ///< thread-safe up to parallel()
    /// Checks, makes durable and visible.
    void commit();

private:
    Dumper& dumper_;
    void* handle_;
    uint32_t parallel_;
};

/// Confined, but for dump(), LoadSession::load() and interrupt().
class Dumper {
public:
    /// `object` stands before every message: "source 'shop'".
    Dumper(std::string object, DriverPtr driver, const Services& services);
    ~Dumper();
    Dumper(const Dumper&) = delete;
    Dumper& operator=(const Dumper&) = delete;

    [[nodiscard]] const DriverSetup& driver() const noexcept { return *driver_; }
    [[nodiscard]] std::string probe();
    [[nodiscard]] std::string inspect(const std::string& request);
    [[nodiscard]] std::string dump_begin(const std::string& request);
    [[nodiscard]] std::vector<DumpUnit> plan();
    void dump(uint32_t number, bk_dump_sink& sink);
    void dump_end(bool ok);
    [[nodiscard]] std::unique_ptr<LoadSession> load_begin(const std::string& request);
    /// Single tables out of a dump, by the extension of extract.h; UNSUPPORTED without it.
    [[nodiscard]] std::vector<std::string> table_names(const std::string& request,
                                                       const bk_random_source& source);
    /// One JSON text a table.
    [[nodiscard]] std::vector<std::string> extract(const std::string& request,
                                                   const bk_random_source& source);
    void interrupt() noexcept;

private:
    friend class LoadSession;
    [[nodiscard]] const bk_dumper& table() const noexcept { return driver_->table<bk_dumper>(); }
    void check(bk_status status, const bk_error& error) const;
    /// The one text that a call hands over; INTERNAL when it hands over none or several.
    template <class Call>
    [[nodiscard]] std::string one_text(Call&& call);

    [[nodiscard]] const bk_dumper_extract& extraction() const;

    std::string object_;
    DriverPtr driver_;
    CallLock lock_;
    void* self_ = nullptr;
    CancelLink cancel_;
};

} // namespace bkhost
