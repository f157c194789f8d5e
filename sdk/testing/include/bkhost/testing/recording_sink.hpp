// A bk_dump_sink that keeps all that a dumper writes, for tests of one unit. It refuses what the
// contract in dumper.h forbids, and fails where the test wants.
#pragma once

#include <bkhost/dumper.hpp>

#include <limits>
#include <map>

namespace bk::inline v0 {

/// One thread a sink, as for any sink; give each unit of a plan its own.
class RecordingSink {
public:
    struct Fragment {
        std::string bytes;
        uint64_t rows;
        std::array<uint64_t, 2> digest;
    };
    struct Section {
        uint32_t phase, step, flags;
        std::string kind, namespace_name, name, depends;
        uint64_t size_hint;
        std::string bytes;               ///< all of it, in order
        std::vector<Fragment> fragments; ///< without a tail that was never cut

        [[nodiscard]] uint64_t rows() const {
            uint64_t sum = 0;
            for (const Fragment& fragment : fragments)
                sum += fragment.rows;
            return sum;
        }
        /// The digests of the fragments, added up modulo 2^128.
        [[nodiscard]] std::array<uint64_t, 2> digest() const {
            std::array<uint64_t, 2> sum{};
            for (const Fragment& fragment : fragments) {
                sum[0] += fragment.digest[0];
                sum[1] += fragment.digest[1] + (sum[0] < fragment.digest[0] ? 1u : 0u);
            }
            return sum;
        }
        /// Bytes after the last cut; empty when the dumper cut at its end as it should.
        [[nodiscard]] std::string uncut() const {
            size_t size = 0;
            for (const Fragment& fragment : fragments)
                size += fragment.bytes.size();
            return bytes.substr(size);
        }
    };
    struct Proof {
        std::string namespace_name, table;
        uint64_t rows;
        std::array<uint64_t, 2> digest;
    };

    explicit RecordingSink(uint32_t fragment_target = 1 << 20) {
        table_.fragment_target = fragment_target;
    }
    RecordingSink(const RecordingSink&) = delete;
    RecordingSink& operator=(const RecordingSink&) = delete;

    [[nodiscard]] bk_dump_sink* get() noexcept { return &table_; }
    [[nodiscard]] Sink sink() noexcept { return Sink(&table_); }

    /// The n-th write (from 1) fails, and every call after it.
    void fail_at_write(uint64_t n, bk_status status = BK_E_NO_SPACE) noexcept {
        fail_at_ = n;
        fail_status_ = status;
    }
    /// Every call from now on gives CANCELLED. Call it from the sink's thread.
    void cancel() noexcept { failed_ = BK_E_CANCELLED; }

    /// In the order in which they were named first.
    [[nodiscard]] const std::vector<Section>& sections() const noexcept { return sections_; }
    /// Throws NOT_FOUND.
    [[nodiscard]] const Section& section(std::string_view name) const {
        for (const Section& one : sections_)
            if (one.name == name) return one;
        throw Error(BK_E_NOT_FOUND, "the dump has no section '" + std::string(name) + "'");
    }
    /// The whole stream, as it would stand in a volume.
    [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }
    [[nodiscard]] const std::map<std::string, std::string>& meta() const noexcept { return meta_; }
    [[nodiscard]] const std::vector<Proof>& proofs() const noexcept { return proofs_; }
    [[nodiscard]] uint64_t writes() const noexcept { return writes_; }
    /// Calls after one had failed: a dumper makes none.
    [[nodiscard]] uint64_t calls_after_failure() const noexcept { return late_calls_; }

private:
    /// Runs one call of the sink, unless an earlier one failed.
    template <class Body>
    static bk_status run(bk_dump_sink* sink, bk_error* error, Body&& body) noexcept {
        auto& self = *static_cast<RecordingSink*>(sink->ctx);
        if (self.failed_ != BK_OK) {
            if (self.reported_) ++self.late_calls_;
            self.reported_ = true;
            return store_error(error, self.failed_, "the sink failed, as the test wanted");
        }
        const bk_status status = guard(error, [&] { return body(self), BK_OK; });
        self.failed_ = status;
        self.reported_ = status != BK_OK;
        return status;
    }

    static bk_status on_section(bk_dump_sink* sink, const bk_section* section,
                                bk_error* error) noexcept {
        return run(sink, error, [&](RecordingSink& self) { self.open(*section); });
    }
    static bk_status on_write(bk_dump_sink* sink, const void* data, size_t len,
                              bk_error* error) noexcept {
        return run(sink, error, [&](RecordingSink& self) {
            if (++self.writes_ >= self.fail_at_)
                throw Error(self.fail_status_, "the sink failed, as the test wanted");
            Section& current = self.current("write");
            current.bytes.append(static_cast<const char*>(data), len);
            self.bytes_.append(static_cast<const char*>(data), len);
            self.fragment_.append(static_cast<const char*>(data), len);
        });
    }
    static bk_status on_cut(bk_dump_sink* sink, const bk_fragment* fragment,
                            bk_error* error) noexcept {
        return run(sink, error, [&](RecordingSink& self) {
            self.cut(fragment->rows, {fragment->digest[0], fragment->digest[1]});
        });
    }
    static bk_status on_meta(bk_dump_sink* sink, const char* key, const char* json,
                             bk_error* error) noexcept {
        return run(sink, error, [&](RecordingSink& self) { self.meta_[key] = json; });
    }
    static bk_status on_proof(bk_dump_sink* sink, const char* namespace_name, const char* table,
                              uint64_t rows, const uint64_t digest[2], bk_error* error) noexcept {
        return run(sink, error, [&](RecordingSink& self) {
            self.proofs_.push_back({namespace_name, table, rows, {digest[0], digest[1]}});
        });
    }

    Section& current(const char* call) {
        if (sections_.empty())
            throw Error(BK_E_INVALID, std::string(call) + " before the first section");
        return sections_[current_];
    }
    void open(const bk_section& section) {
        if (!sections_.empty()) {
            const Section& last = sections_[current_];
            if (std::pair(section.phase, section.step) < std::pair(last.phase, last.step))
                throw Error(BK_E_INVALID, std::string("section '") + section.name +
                                              "' goes back to an earlier phase or step");
            if (!fragment_.empty()) cut(0, {});
        }
        for (current_ = 0; current_ < sections_.size(); ++current_)
            if (same(sections_[current_], section)) return;
        sections_.push_back({section.phase,
                             section.step,
                             section.flags,
                             section.kind,
                             section.namespace_name,
                             section.name,
                             section.depends,
                             section.size_hint,
                             {},
                             {}});
    }
    static bool same(const Section& known, const bk_section& section) {
        return known.phase == section.phase && known.step == section.step &&
               known.kind == section.kind && known.namespace_name == section.namespace_name &&
               known.name == section.name;
    }
    void cut(uint64_t rows, std::array<uint64_t, 2> digest) {
        current("cut").fragments.push_back({std::move(fragment_), rows, digest});
        fragment_.clear();
    }

    std::vector<Section> sections_;
    size_t current_ = 0;
    std::string bytes_, fragment_;
    std::map<std::string, std::string> meta_;
    std::vector<Proof> proofs_;
    uint64_t writes_ = 0, late_calls_ = 0;
    uint64_t fail_at_ = std::numeric_limits<uint64_t>::max();
    bk_status fail_status_ = BK_E_NO_SPACE;
    bk_status failed_ = BK_OK;
    bool reported_ = false; ///< the caller was told of failed_
    bk_dump_sink table_{
        sizeof(bk_dump_sink), 1 << 20, this, on_section, on_write, on_cut, on_meta, on_proof};
};

} // namespace bk::inline v0
