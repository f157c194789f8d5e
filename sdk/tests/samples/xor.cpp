// An "encryptor" for tests of the wrapper: every byte xor the key. No protection of any kind.
#include <bkhost/transform.hpp>

#include <charconv>

namespace {

class Xor : public bk::Encryptor {
public:
    Xor(bk::Host, bk::Config config, bk::Direction)
        : key_(static_cast<uint8_t>(config.number("key"))) {}
    static uint64_t memory(bk::Config, bk::Direction, uint64_t) noexcept { return sizeof(Xor); }
    static void generate(bk::Emit emit) { emit("7"); }
    static void public_keys(std::string_view text, bk::Emit emit) {
        emit("xor-" + std::string(text));
    }

    bk_status process(bk_in& in, bk_out& out, bk::Op op) override {
        if (ended_) throw bk::Error(BK_E_INVALID, "xor: the stream has ended");
        for (; in.pos < in.len; ++in.pos, ++out.pos) {
            if (out.pos == out.cap) return BK_NEED_OUTPUT;
            out.data[out.pos] = in.data[in.pos] ^ key_;
        }
        ended_ = op == bk::Op::finish;
        return ended_ ? BK_END : BK_OK;
    }
    std::vector<std::string> fingerprints() override { return {"xor-" + std::to_string(key_)}; }
    uint64_t header_size() noexcept override { return 0; }
    Position seek(uint64_t plain_offset) override {
        if (plain_offset > 1000) throw bk::Error(BK_E_INVALID, "xor: offset past the end");
        return {plain_offset / 16 * 16, plain_offset % 16};
    }
    uint64_t stored_end(uint64_t plain_end) noexcept override { return plain_end; }

private:
    uint8_t key_;
    bool ended_ = false;
};

const void* extension(const char* id) noexcept {
    if (std::string_view(id) == BK_ENCRYPTOR_KEYS_ID) return &bk::encryptor_extensions<Xor>::keys;
    if (std::string_view(id) == BK_ENCRYPTOR_SEEK_ID) return &bk::encryptor_extensions<Xor>::seek;
    return nullptr;
}

constexpr bk_option kOptions[] = {
    bk::option("key", BK_OPT_INT, "the byte", nullptr, "0..255", BK_OPT_REQUIRED),
};
constexpr bk_component kXor = bk::transform_component<Xor>(
    BK_ENCRYPTOR_ID, {.name = "xor", .summary = "for tests", .options = kOptions}, extension);

} // namespace

BK_MODULE("org.example.xor", "0.1.0", "hides nothing", "encryptor:xor:\n", &kXor)
