// A compressor that compresses nothing. A frame is a zero byte after each byte, 0xFF at its end, so
// that truncation and damage show.
#include <bkhost/transform.hpp>

namespace {

class Identity : public bk::Transform {
public:
    Identity(bk::Host, bk::Config, bk::Direction direction) : direction_(direction) {}
    static uint64_t memory(bk::Config, bk::Direction, uint64_t) noexcept {
        return sizeof(Identity);
    }

    bk_status process(bk_in& in, bk_out& out, bk::Op op) override {
        return direction_ == bk::Direction::forward ? encode(in, out, op) : decode(in, out, op);
    }

private:
    enum class Next { mark, byte };

    bk_status encode(bk_in& in, bk_out& out, bk::Op op) {
        while (in.pos < in.len) {
            if (out.pos == out.cap) return BK_NEED_OUTPUT;
            out.data[out.pos++] = next_ == Next::mark ? uint8_t{0} : in.data[in.pos++];
            next_ = next_ == Next::mark ? Next::byte : Next::mark;
        }
        if (op != bk::Op::finish) return BK_OK;
        if (out.pos == out.cap) return BK_NEED_OUTPUT;
        out.data[out.pos++] = 0xFF;
        return BK_END;
    }
    bk_status decode(bk_in& in, bk_out& out, bk::Op op) {
        while (in.pos < in.len) {
            if (next_ == Next::mark) {
                const uint8_t mark = in.data[in.pos++];
                if (mark != 0 && mark != 0xFF) throw bk::Error(BK_E_CORRUPT, "identity: bad mark");
                inside_ = mark == 0;
                if (inside_)
                    next_ = Next::byte;
                else if (op == bk::Op::frame)
                    return BK_END;
                continue;
            }
            if (out.pos == out.cap) return BK_NEED_OUTPUT;
            out.data[out.pos++] = in.data[in.pos++];
            next_ = Next::mark;
        }
        if (op != bk::Op::finish) return BK_OK;
        if (inside_) throw bk::Error(BK_E_CORRUPT, "identity: truncated");
        return BK_END;
    }

    bk::Direction direction_;
    Next next_ = Next::mark;
    bool inside_ = false;
};

constexpr bk_transform_file kFile{sizeof(bk_transform_file), 0, nullptr, "same", "cat"};

const void* extension(const char* id) noexcept {
    return std::string_view(id) == BK_TRANSFORM_FILE_ID ? &kFile : nullptr;
}

constexpr bk_component kIdentity = bk::transform_component<Identity>(
    BK_COMPRESSOR_ID, {.name = "identity", .summary = "nothing"}, extension);

} // namespace

BK_MODULE("org.example.identity", "1.2.3", "compresses nothing", "compressor:identity:\n",
          &kIdentity)
