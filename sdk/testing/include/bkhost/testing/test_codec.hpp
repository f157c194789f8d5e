// A compressor or encryptor under test: the driver through its C tables, as a host calls it, its
// streams cut into pieces of chosen sizes; content to try it on; and what it costs.
#pragma once

#include <bkhost/testing/fake_config.hpp>
#include <bkhost/testing/fake_host.hpp>
#include <bkhost/testing/test_files.hpp>
#include <bkhost/transform.hpp>

#include <malloc.h>

#include <algorithm>
#include <random>
#include <utility>

namespace bk::inline v0 {

/// How a stream is cut for process(): each piece of input and output has 1..max bytes, drawn by the
/// seed, or exactly max when the seed is 0.
struct Pieces {
    size_t max_in = SIZE_MAX;
    size_t max_out = size_t{1} << 16;
    uint64_t seed = 0;
};

/// One instance of a driver. Throws what it answers, and INTERNAL when it leaves input behind.
/// Confined to one thread.
class TestCodec {
public:
    TestCodec(const bk_component& driver, int32_t direction, const FakeConfig::Values& values = {})
        : table_(*static_cast<const bk_transform*>(driver.vtable)), config_(values, driver) {
        bk_error error = empty_error();
        const bk_status status =
            table_.create(host_.get(), config_.get(), direction, &self_, &error);
        if (status != BK_OK) throw_error(status, error);
    }
    ~TestCodec() { table_.destroy(self_); }
    TestCodec(const TestCodec&) = delete;
    TestCodec& operator=(const TestCodec&) = delete;

    bk_status process(bk_in& in, bk_out& out, int32_t op) {
        bk_error error = empty_error();
        const bk_status status = table_.process(self_, &in, &out, op, &error);
        if (status >= BK_E_INTERNAL) throw_error(status, error);
        return status;
    }

    /// Feeds all of `input`, the last piece with FINISH, up to END; appends to `output`, before a
    /// failure too.
    void run(const Bytes& input, Bytes& output, const Pieces& pieces = {}) {
        Cutter cutter(pieces);
        size_t taken = 0;
        for (bk_status status = BK_OK; status != BK_END;) {
            const Bytes piece = cutter.piece(input, taken);
            taken += piece.size();
            status = give(piece, taken == input.size() ? BK_FINISH : BK_RUN, output, cutter).status;
        }
    }
    [[nodiscard]] Bytes run(const Bytes& input, const Pieces& pieces = {}) {
        Bytes output;
        run(input, output, pieces);
        return output;
    }

    struct Frame {
        size_t end; ///< stored bytes up to and with this frame
        Bytes plain;
        bool operator==(const Frame&) const = default;
    };
    /// Reverse of a compressor: the frames of `stored` one by one, by FRAME, and FINISH at the end.
    [[nodiscard]] std::vector<Frame> frames(const Bytes& stored, const Pieces& pieces = {}) {
        Cutter cutter(pieces);
        std::vector<Frame> all;
        Bytes plain;
        for (size_t taken = 0; taken < stored.size();) {
            const Given given = give(cutter.piece(stored, taken), BK_FRAME, plain, cutter);
            taken += given.taken;
            if (given.status == BK_END) all.push_back({taken, std::exchange(plain, {})});
        }
        run({}, plain);
        if (!plain.empty()) throw Error(BK_E_INTERNAL, "output after the last frame");
        return all;
    }

    [[nodiscard]] void* self() const noexcept { return self_; }

private:
    class Cutter {
    public:
        explicit Cutter(const Pieces& pieces) : pieces_(pieces), random_(pieces.seed) {}
        /// A copy of exact size, so that reading past the piece is seen by the sanitizer.
        Bytes piece(const Bytes& input, size_t from) {
            const size_t size = std::min(draw(pieces_.max_in), input.size() - from);
            const auto begin = input.begin() + static_cast<ptrdiff_t>(from);
            return Bytes(begin, begin + static_cast<ptrdiff_t>(size));
        }
        Bytes room() { return Bytes(draw(pieces_.max_out), 0); }

    private:
        size_t draw(size_t max) {
            if (pieces_.seed == 0) return max;
            return std::uniform_int_distribution<size_t>(1, max)(random_);
        }
        const Pieces pieces_;
        std::mt19937_64 random_;
    };

    struct Given {
        bk_status status;
        size_t taken;
    };
    Given give(const Bytes& piece, int32_t op, Bytes& output, Cutter& cutter) {
        bk_in in{piece.data(), piece.size(), 0};
        for (;;) {
            Bytes room = cutter.room();
            bk_out out{room.data(), room.size(), 0};
            bk_error error = empty_error();
            const bk_status status = table_.process(self_, &in, &out, op, &error);
            output.insert(output.end(), room.begin(),
                          room.begin() + static_cast<ptrdiff_t>(out.pos));
            if (status >= BK_E_INTERNAL) throw_error(status, error);
            if (status == BK_NEED_OUTPUT) continue;
            const bool may_stop = op == BK_FRAME && status == BK_END;
            if (in.pos != in.len && !may_stop)
                throw Error(BK_E_INTERNAL, "the codec left input behind");
            return {status, in.pos};
        }
    }

    const bk_transform& table_;
    FakeHost host_;
    FakeConfig config_;
    void* self_ = nullptr;
};

/// Text-like content that compresses to about a third; the same for the same size and seed.
[[nodiscard]] inline Bytes sample(size_t size, uint64_t seed = 1) {
    std::mt19937_64 random(seed);
    Bytes content;
    content.reserve(size + 32);
    while (content.size() < size) {
        const std::string line =
            "INSERT INTO t VALUES (" + std::to_string(random() % 100000) + ");\n";
        content.insert(content.end(), line.begin(), line.end());
    }
    content.resize(size);
    return content;
}

/// The first `size` bytes.
[[nodiscard]] inline Bytes head(const Bytes& bytes, size_t size) {
    return Bytes(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
}

[[nodiscard]] inline Bytes flipped(Bytes bytes, size_t bit) {
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ (1U << (bit % 8)));
    return bytes;
}

/// What a run of `codec` fails with; BK_OK when it does not. `output` gets what came out before.
[[nodiscard]] inline Error failure_of(TestCodec&& codec, const Bytes& input, Bytes& output,
                                      const Pieces& pieces = {}) {
    try {
        codec.run(input, output, pieces);
    } catch (const Error& error) {
        return error;
    }
    return {BK_OK, "no error"};
}

/// What the driver says that an instance costs.
[[nodiscard]] inline uint64_t promised_memory(const bk_component& driver, int32_t direction,
                                              const FakeConfig::Values& values,
                                              uint64_t frame_size) {
    const FakeConfig config(values, driver);
    return static_cast<const bk_transform*>(driver.vtable)
        ->memory(config.get(), direction, frame_size);
}

/// Bytes that this process holds from malloc, mapped blocks included.
[[nodiscard]] inline uint64_t allocated() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/// False under a sanitizer, whose allocator tells nothing.
[[nodiscard]] inline bool allocator_counts() {
    const uint64_t before = allocated();
    const Bytes probe(1 << 20);
    return allocated() - before >= probe.size();
}

} // namespace bk::inline v0
