#include "core/driver/codec.hpp"

#include <bkhost/error.hpp>

#include <algorithm>

namespace bkhost {
namespace {

std::string object_of(const DriverSetup& driver) {
    return driver.description.kind + " '" + driver.description.name + "'";
}

void check(bk_status status, const bk_error& error, const DriverSetup& driver) {
    if (status != BK_OK) bk::throw_error(status, error, object_of(driver));
}

} // namespace

bk_status TextCollector::add(void* ctx, const char* text, size_t len) noexcept {
    return bk::guard(nullptr, [&] {
        static_cast<TextCollector*>(ctx)->texts.emplace_back(text, len);
        return BK_OK;
    });
}

CodecFile codec_file(const DriverSetup& driver) {
    const auto* file = driver.extension<bk_transform_file>(BK_TRANSFORM_FILE_ID);
    if (file == nullptr) return {driver.description.name, ""};
    return {file->suffix, file->decode_command};
}

std::string codec_text(const std::string& driver, const OptionText& options) {
    const auto level = options.find("level");
    const bool known = level != options.end() && !level->second.empty();
    return known ? driver + ":" + level->second.front() : driver;
}

uint64_t codec_memory(const DriverSetup& driver, int32_t direction, uint64_t frame_size) {
    return driver.table<bk_transform>().memory(driver.values.config(), direction, frame_size);
}

bool is_damage(const bk::Error& error) noexcept {
    return error.status() == BK_E_CORRUPT || error.status() == BK_E_UNSUPPORTED;
}

Codec::Codec(DriverPtr driver, const Services& services, int32_t direction)
    : driver_(std::move(driver)), lock_(*driver_->component) {
    bk_error error = bk::empty_error();
    check(driver_->table<bk_transform>().create(services.host(), driver_->values.config(),
                                                direction, &self_, &error),
          error, *driver_);
    cancel_.emplace(services.stop(), [this] { interrupt(); });
}

Codec::~Codec() {
    cancel_.reset();
    if (self_ != nullptr) driver_->table<bk_transform>().destroy(self_);
}

bk_status Codec::process(bk_in& in, bk_out& out, int32_t op) {
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    const bk_status status = driver_->table<bk_transform>().process(self_, &in, &out, op, &error);
    if (status != BK_OK && status != BK_NEED_OUTPUT && status != BK_END)
        check(status, error, *driver_);
    if (in.pos > in.len || out.pos > out.cap)
        throw bk::Error(BK_E_INTERNAL, object_of(*driver_) + ": moved a cursor past its end");
    return status;
}

void Codec::run(std::span<const uint8_t> input, int32_t op, std::span<uint8_t> buffer,
                const Output& output) {
    bk_in in{input.data(), input.size(), 0};
    for (;;) {
        bk_out out{buffer.data(), buffer.size(), 0};
        const size_t before = in.pos;
        const bk_status status = process(in, out, op);
        if (out.pos > 0) output(buffer.first(out.pos));
        if (status == BK_END && in.pos == in.len) return;
        if (status == BK_OK && in.pos == in.len && op == BK_RUN) return;
        if (out.pos == 0 && in.pos == before)
            throw bk::Error(BK_E_INTERNAL, object_of(*driver_) + ": makes no progress");
    }
}

size_t Codec::frame(std::span<const uint8_t> input, std::vector<uint8_t>& out) {
    bk_in in{input.data(), input.size(), 0};
    size_t done = 0;
    for (;;) {
        if (done == out.size()) out.resize(std::max<size_t>(out.size() * 2, 64 * 1024));
        bk_out room{out.data() + done, out.size() - done, 0};
        const size_t before = in.pos;
        const bk_status status = process(in, room, BK_FINISH);
        done += room.pos;
        if (status == BK_END) {
            if (in.pos == in.len) return done;
            throw bk::Error(BK_E_CORRUPT, object_of(*driver_) + ": data behind the end of a frame");
        }
        if (room.pos == 0 && in.pos == before)
            throw bk::Error(BK_E_INTERNAL, object_of(*driver_) + ": makes no progress");
    }
}

Codec::FramePart Codec::frame_part(std::span<const uint8_t> input, std::span<uint8_t> buffer,
                                   const Output& output) {
    bk_in in{input.data(), input.size(), 0};
    for (;;) {
        bk_out out{buffer.data(), buffer.size(), 0};
        const size_t before = in.pos;
        const bk_status status = process(in, out, BK_FRAME);
        if (out.pos > 0) output(buffer.first(out.pos));
        if (status == BK_END) return {in.pos, true};
        if (status == BK_OK && in.pos == in.len) return {in.pos, false};
        if (out.pos == 0 && in.pos == before)
            throw bk::Error(BK_E_INTERNAL, object_of(*driver_) + ": makes no progress");
    }
}

void Codec::interrupt() noexcept {
    const bk_transform& table = driver_->table<bk_transform>();
    if (BK_HAS(&table, bk_transform, interrupt)) table.interrupt(self_);
}

Cipher::Cipher(DriverPtr driver, const Services& services, int32_t direction)
    : Codec(std::move(driver), services, direction),
      keys_(this->driver().extension<bk_encryptor_keys>(BK_ENCRYPTOR_KEYS_ID)),
      seek_(this->driver().extension<bk_encryptor_seek>(BK_ENCRYPTOR_SEEK_ID)) {}

std::vector<std::string> Cipher::fingerprints() {
    TextCollector collector;
    if (keys_ == nullptr) return {};
    bk_error error = bk::empty_error();
    check(keys_->fingerprints(self(), &TextCollector::add, &collector, &error), error, driver());
    return collector.texts;
}

uint64_t Cipher::header_size() const noexcept {
    return seek_ == nullptr ? 0 : seek_->header_size(self());
}

Cipher::Position Cipher::seek(uint64_t plain_offset) {
    Position position{};
    bk_error error = bk::empty_error();
    check(seek_->seek(self(), plain_offset, &position.stored_offset, &position.skip, &error), error,
          driver());
    return position;
}

uint64_t Cipher::stored_end(uint64_t plain_end) const noexcept {
    return seek_->stored_end(self(), plain_end);
}

} // namespace bkhost
