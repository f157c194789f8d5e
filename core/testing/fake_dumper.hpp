// The dumper `synthetic`: as much data as the test asks for, in fragments that tell their own
// length, and a loader that checks that no fragment was cut. For tests only.
//
// A fragment is 16 characters "/*F 0000000123*/" (its whole length in bytes) and filling that ends
// in a newline, so that the stream is the same for the formats "binary" and "sql".
#pragma once

#include "core/base/digest.hpp"
#include "core/testing/fake_storage.hpp"

#include <bkhost/dumper.hpp>

#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace bkhost::test {

/// What was dumped and what was loaded, by section name; shared by all instances with its name.
/// Thread-safe.
class SyntheticDb {
public:
    struct Section {
        uint64_t bytes = 0, rows = 0, digest = 0;
        std::string hash; ///< XXH3 of the bytes, empty while the section is not complete
        bool operator==(const Section&) const = default;
    };
    using Sections = std::map<std::string, Section>;

    /// Of the last dump that ended well.
    [[nodiscard]] Sections dumped() const {
        const std::lock_guard lock(mutex_);
        return dumped_;
    }
    /// Of the last load that was committed; empty before.
    [[nodiscard]] Sections loaded() const {
        const std::lock_guard lock(mutex_);
        return loaded_;
    }
    /// Pieces of the last load in the order in which they came: "users 0 4096" (section, offset,
    /// bytes).
    [[nodiscard]] std::vector<std::string> pieces() const {
        const std::lock_guard lock(mutex_);
        return pieces_;
    }
    [[nodiscard]] std::string last_request() const {
        const std::lock_guard lock(mutex_);
        return request_;
    }
    /// Until a dump or load with option `hang` hangs.
    void wait_hanging() { hang_.wait_reached(); }
    std::atomic<int> ended_well{0}, ended_badly{0};  ///< dump_end calls
    std::atomic<int> loads_kept{0}, loads_undone{0}; ///< load_end calls

private:
    friend class SyntheticDumper;
    friend class SyntheticLoad;
    mutable std::mutex mutex_;
    Sections dumping_, dumped_, loaded_;
    std::vector<std::string> pieces_;
    std::string request_;
    Gate hang_;
};

inline std::shared_ptr<SyntheticDb> synthetic_db(const std::string& name) {
    return SharedStates<SyntheticDb>::global().get(name);
}

inline constexpr size_t kFragmentHead = 16;

/// Of the fragment that begins with these 16 characters; 0 when none does.
inline uint64_t fragment_size(std::string_view head) {
    uint64_t size = 0;
    if (head.size() < kFragmentHead || !head.starts_with("/*F ")) return 0;
    const auto [end, code] = std::from_chars(head.data() + 4, head.data() + 14, size);
    return code == std::errc{} && end == head.data() + 14 ? size : 0;
}

/// The filling of fragments: byte i of fragment `seed`; printable, in lines.
inline std::string filling(uint64_t seed, size_t size) {
    std::string text(size, '\n');
    uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
    for (size_t i = 0; i + 1 < size; ++i) {
        if (i % 8 == 0) state = state * 6364136223846793005u + 1442695040888963407u;
        text[i] = i % 100 == 99 ? '\n' : static_cast<char>('0' + (state >> (i % 8 * 8)) % 64);
    }
    return text;
}

class SyntheticLoad final : public bk::LoadSession {
public:
    SyntheticLoad(SyntheticDb& db, const std::atomic<bool>& interrupted, bk::Config config)
        : db_(db), interrupted_(interrupted), fail_load_(config.number("fail-load")),
          fail_end_(config.flag("fail-load-end")), hang_(config.flag("hang-load")),
          lazy_(config.flag("lazy-load")) {}

    void load(const bk_load_unit& unit, bk::Source source) override {
        if (hang_ && !db_.hang_.pass(interrupted_)) throw bk::Error(BK_E_CANCELLED, "interrupted");
        if (fail_load_ > 0 && ++loads_ == fail_load_)
            throw bk::Error(BK_E_NO_SPACE, "load " + std::to_string(fail_load_) + " made to fail");
        const std::string name = unit.section.name;
        std::string bytes;
        std::vector<uint8_t> buffer(64 * 1024);
        if (lazy_) return void(source.read(buffer));
        while (const size_t got = source.read(buffer))
            bytes.append(reinterpret_cast<const char*>(buffer.data()), got);
        check(name, unit, bytes);
        const std::lock_guard lock(mutex_);
        Loaded& to = sections_[name];
        to.rows += unit.rows;
        to.digest += unit.digest[0];
        order_.push_back(name + " " + std::to_string(unit.section_offset) + " " +
                         std::to_string(bytes.size()));
        to.pieces[unit.section_offset] = std::move(bytes);
    }
    void end(bool ok) override {
        if (!ok) {
            ++db_.loads_undone;
            return;
        }
        if (fail_end_) throw bk::Error(BK_E_CORRUPT, "the end of the load made to fail");
        SyntheticDb::Sections done;
        for (const auto& [name, loaded] : sections_) {
            Xxh3 hash;
            uint64_t bytes = 0;
            for (const auto& [offset, piece] : loaded.pieces) {
                if (offset != bytes)
                    throw bk::Error(BK_E_CORRUPT, "section '" + name + "' has a gap");
                hash.update(as_bytes(piece));
                bytes += piece.size();
            }
            done[name] = {bytes, loaded.rows, loaded.digest, hash.finish()};
        }
        const std::lock_guard lock(db_.mutex_);
        db_.loaded_ = std::move(done);
        db_.pieces_ = std::move(order_);
        ++db_.loads_kept;
    }

private:
    struct Loaded {
        std::map<uint64_t, std::string> pieces; ///< by offset
        uint64_t rows = 0, digest = 0;
    };
    static void check(const std::string& name, const bk_load_unit& unit, std::string_view bytes) {
        if (unit.size != 0 && unit.size != bytes.size())
            throw bk::Error(BK_E_CORRUPT,
                            "a piece of '" + name + "' has another size than was said");
        while (!bytes.empty()) {
            const uint64_t size = fragment_size(bytes);
            if (size == 0 || size > bytes.size())
                throw bk::Error(BK_E_CORRUPT, "a piece of '" + name + "' cuts a fragment");
            bytes.remove_prefix(size);
        }
    }

    SyntheticDb& db_;
    const std::atomic<bool>& interrupted_;
    const int64_t fail_load_;
    const bool fail_end_, hang_, lazy_;
    std::atomic<int64_t> loads_{0};
    std::mutex mutex_;
    std::map<std::string, Loaded> sections_;
    std::vector<std::string> order_;
};

/// The driver. Data sections are "t0", "t1" ...; with `phases` also "prologue", "schema",
/// "indexes", "keys", "epilogue".
class SyntheticDumper final : public bk::Dumper {
public:
    static constexpr bk_option kOptions[] = {
        bk::option("name", BK_OPT_STRING, "which of the test's databases", "db", nullptr,
                   BK_OPT_URL_TARGET),
        bk::option("units", BK_OPT_INT, "of the data phase", "2"),
        bk::option("unit-bytes", BK_OPT_SIZE, "about", "1MiB"),
        bk::option("fragment", BK_OPT_SIZE, "bytes of a fragment, at least 32", "16KiB"),
        bk::option("huge", BK_OPT_SIZE, "bytes of one fragment in the first unit; 0: none", "0"),
        bk::option("phases", BK_OPT_BOOL, "units of the other phases too", "false"),
        bk::option("format", BK_OPT_ENUM, "of the stream", "binary", "binary|sql"),
        bk::option("ordered", BK_OPT_BOOL, "data units and sections are ordered", "false"),
        bk::option("proof", BK_OPT_BOOL, "rows are proven beside the stream", "false"),
        bk::option("empty", BK_OPT_BOOL, "units write nothing", "false"),
        bk::option("path", BK_OPT_STRING, "the source's path for the probe"),
        bk::option("warning", BK_OPT_STRING, "the dumper warns of this"),
        bk::option("password", BK_OPT_SECRET, "taken and forgotten"),
        bk::option("fail-probe", BK_OPT_BOOL, "the source is away", "false"),
        bk::option("fail-write", BK_OPT_INT, "the n-th fragment fails; 0: none", "0"),
        bk::option("fail-end", BK_OPT_BOOL, "the dump turns out incomplete at its end", "false"),
        bk::option("hang", BK_OPT_BOOL, "units hang until interrupted", "false"),
        bk::option("fail-load", BK_OPT_INT, "the n-th piece fails; 0: none", "0"),
        bk::option("fail-load-end", BK_OPT_BOOL, "the load fails at its end", "false"),
        bk::option("hang-load", BK_OPT_BOOL, "pieces hang until interrupted", "false"),
        bk::option("lazy-load", BK_OPT_BOOL, "only the start of each piece is read", "false"),
    };
    SyntheticDumper(bk::Host host, bk::Config config)
        : host_(host), config_(config), holder_(synthetic_db(config.text("name"))), db_(*holder_) {}

    void interrupt() noexcept override {
        interrupted_ = true;
        db_.hang_.wake();
    }
    std::string probe() override {
        if (config_.flag("fail-probe")) throw bk::Error(BK_E_UNAVAILABLE, "the source is away");
        return R"({"engine":"synthetic","version":"1","identity":")" + config_.text("name") +
               R"(","source_path":")" + config_.text("path") + R"(","size":null,"warnings":[]})";
    }
    std::string inspect(const char*) override {
        std::string tables;
        for (int64_t i = 0; i < config_.number("units"); ++i)
            tables += (i > 0 ? "," : "") + std::string(R"({"namespace":"main","name":"t)") +
                      std::to_string(i) +
                      R"(","rows":null,"columns":[],"key":[],"foreign_keys":[]})";
        return R"({"tables":[)" + tables + "]}";
    }
    std::string dump_begin(const char* request) override {
        const std::lock_guard lock(db_.mutex_);
        db_.request_ = request;
        db_.dumping_.clear();
        const std::string format = config_.text("format");
        return R"({"engine":"synthetic","version":"1","extension":")" +
               std::string(format == "sql" ? "sql" : "bin") + R"(","format":")" + format +
               R"(","layout":{"fragment":)" + std::to_string(config_.number("fragment")) + "}}";
    }
    void plan(const Units& unit) override {
        const auto add = [&](uint32_t number, uint32_t phase, uint32_t flags, const char* label) {
            unit({sizeof(bk_unit), flags, phase, number,
                  static_cast<uint64_t>(config_.number("unit-bytes")), label});
        };
        const uint32_t flags = config_.flag("ordered") ? uint32_t{BK_UNIT_ORDERED} : 0u;
        for (uint32_t i = 0; i < config_.number("units"); ++i)
            add(i, BK_PHASE_DATA, flags, ("t" + std::to_string(i)).c_str());
        if (!config_.flag("phases")) return;
        add(kPrologue, BK_PHASE_PROLOGUE, 0, "prologue");
        add(kSchema, BK_PHASE_PRE, 0, "schema");
        add(kPost, BK_PHASE_POST, 0, "post");
        add(kEpilogue, BK_PHASE_EPILOGUE, 0, "epilogue");
    }
    void dump(uint32_t number, bk::Sink sink) override {
        if (config_.flag("hang") && !db_.hang_.pass(interrupted_))
            throw bk::Error(BK_E_CANCELLED, "interrupted");
        if (config_.flag("empty")) return;
        const auto size = static_cast<uint64_t>(config_.number("fragment"));
        switch (number) {
        case kPrologue: return small(sink, BK_PHASE_PROLOGUE, 0, "session", "prologue");
        case kSchema: return small(sink, BK_PHASE_PRE, 0, "schema", "schema");
        case kPost:
            small(sink, BK_PHASE_POST, 1, "index", "indexes");
            return small(sink, BK_PHASE_POST, 3, "constraint", "keys");
        case kEpilogue: return small(sink, BK_PHASE_EPILOGUE, 0, "session", "epilogue");
        default: break;
        }
        Recorder to(*this, sink, "t" + std::to_string(number));
        to.section(BK_PHASE_DATA, 0, "table",
                   config_.flag("ordered") ? uint32_t{BK_SECTION_ORDERED} : 0u);
        const auto total = static_cast<uint64_t>(config_.number("unit-bytes"));
        const auto huge = static_cast<uint64_t>(config_.number("huge"));
        for (uint64_t done = 0, i = 0; done < total; done += size, ++i) {
            if (number == 0 && huge > 0 && i == 1) to.fragment(number * 1000003 + 999983, huge);
            to.fragment(number * 1000003 + i, size);
        }
        if (number == 0 && !config_.text("warning").empty())
            host_.warn("synthetic", "main.t0", config_.text("warning"));
        sink.meta(("unit-" + std::to_string(number)).c_str(), R"({"done":true})");
        to.end(config_.flag("proof"));
    }
    void dump_end(bool ok) override {
        if (ok && config_.flag("fail-end"))
            throw bk::Error(BK_E_CORRUPT, "the dump is not complete: its footer is missing");
        ++(ok ? db_.ended_well : db_.ended_badly);
        const std::lock_guard lock(db_.mutex_);
        if (ok) db_.dumped_ = db_.dumping_;
    }
    std::unique_ptr<bk::LoadSession> load_begin(const char* request) override {
        const std::lock_guard lock(db_.mutex_);
        db_.request_ = request;
        if (!db_.loaded_.empty() && db_.request_.find(R"("target":"refuse")") != std::string::npos)
            throw bk::Error(BK_E_EXISTS, "the target is not empty", "replace it");
        return std::make_unique<SyntheticLoad>(db_, interrupted_, config_);
    }

private:
    enum : uint32_t { kPrologue = 1000, kSchema, kPost, kEpilogue };
    static constexpr size_t kStep = 64 * 1024; ///< bytes of one write

    /// One section on its way out: counts and hashes what the loader must bring back.
    class Recorder {
    public:
        Recorder(SyntheticDumper& dumper, bk::Sink& sink, std::string name)
            : dumper_(dumper), sink_(sink), name_(std::move(name)) {}
        void section(uint32_t phase, uint32_t step, const char* kind, uint32_t flags = 0) {
            sink_.section({phase, step, flags, kind, "main", name_, "", 0});
        }
        void fragment(uint64_t seed, uint64_t size) {
            const int64_t n = ++dumper_.fragments_;
            if (n == dumper_.config_.number("fail-write"))
                throw bk::Error(BK_E_UNAVAILABLE,
                                "fragment " + std::to_string(n) + " made to fail");
            std::array<char, kFragmentHead + 1> head{};
            std::snprintf(head.data(), head.size(), "/*F %010llu*/",
                          static_cast<unsigned long long>(size));
            write({head.data(), kFragmentHead});
            const std::string fill = filling(seed, std::min<size_t>(size - kFragmentHead, kStep));
            for (uint64_t left = size - kFragmentHead; left > 0;) {
                const size_t step = std::min<size_t>(left, fill.size());
                write(std::string_view(fill).substr(fill.size() - step)); // ends in the newline
                left -= step;
            }
            sink_.cut(dumper_.config_.flag("proof") ? 0 : 10, {seed + 1, 0});
            is_.rows += 10;
            is_.digest += seed + 1;
        }
        void end(bool proof) {
            if (proof) sink_.proof("main", name_, is_.rows, {is_.digest, 0});
            is_.hash = hash_.finish();
            if (proof) is_.rows = is_.digest = 0; // they are not in the stream
            const std::lock_guard lock(dumper_.db_.mutex_);
            dumper_.db_.dumping_[name_] = is_;
        }

    private:
        void write(std::string_view bytes) {
            sink_.write(bytes);
            hash_.update(as_bytes(bytes));
            is_.bytes += bytes.size();
        }
        SyntheticDumper& dumper_;
        bk::Sink& sink_;
        std::string name_;
        SyntheticDb::Section is_;
        Xxh3 hash_;
    };
    void small(bk::Sink& sink, uint32_t phase, uint32_t step, const char* kind, const char* name) {
        Recorder to(*this, sink, name);
        to.section(phase, step, kind);
        to.fragment(phase * 77 + step, 200);
        to.end(false);
    }

    bk::Host host_;
    bk::Config config_;
    std::shared_ptr<SyntheticDb> holder_;
    SyntheticDb& db_;
    std::atomic<bool> interrupted_{false};
    std::atomic<int64_t> fragments_{0};
};

} // namespace bkhost::test
