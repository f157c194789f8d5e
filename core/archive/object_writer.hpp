// One stored object: packed bytes in, encrypted, hashed, cut into parts and sent.
#pragma once

#include "core/archive/manifest.hpp"
#include "core/archive/upload_fan.hpp"
#include "core/base/digest.hpp"
#include "core/driver/codec.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace bkhost {

/// Confined to one thread. Not visible before commit(); the destructor aborts.
class ObjectWriter {
public:
    /// `folder` ends in "/"; `name` is the key within it.
    ObjectWriter(UploadFan& fan, const std::string& folder, const std::string& name,
                 const DriverPtr& encryptor, const Services& services);
    ~ObjectWriter();
    ObjectWriter(const ObjectWriter&) = delete;
    ObjectWriter& operator=(const ObjectWriter&) = delete;

    void write(std::span<const uint8_t> packed);
    /// Ends the stream: every byte is sent, though not yet visible.
    void finish();
    /// Durable and visible, and read back. After finish().
    void commit();

    [[nodiscard]] uint64_t packed_size() const noexcept { return record_.packed_size; }
    [[nodiscard]] uint64_t stored_size() const noexcept { return record_.size; }
    /// Whole after finish(), but for plain_size, which the caller knows.
    [[nodiscard]] const ObjectRecord& record() const noexcept { return record_; }
    /// Of the encryptor's recipients; empty without one.
    [[nodiscard]] std::vector<std::string> fingerprints();

private:
    void run(std::span<const uint8_t> packed, int32_t op);
    void store(std::span<const uint8_t> bytes); ///< counts and hashes what stands in the part
    void send_part();
    void copy_through(std::span<const uint8_t> packed);

    UploadFan& fan_;
    std::unique_ptr<Cipher> cipher_;
    FanUploadPtr upload_;
    PartBuffer part_;
    ObjectRecord record_;
    Sha256 sha256_;
    std::vector<uint8_t> head_, tail_; ///< the first and last 64 KiB
};

} // namespace bkhost
