// Reads one stored object back: a range of its packed stream, decrypted.
#pragma once

#include "core/archive/manifest.hpp"
#include "core/base/digest.hpp"
#include "core/driver/codec.hpp"
#include "core/driver/storage.hpp"
#include "core/pipeline/run_observer.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bkhost {

/// What every object of one archive on one storage is read with.
struct ArchiveAccess {
    Storage& storage;
    std::string folder;  ///< key prefix, ends in "/"
    DriverPtr encryptor; ///< with identities; none when the archive is not encrypted
    std::vector<std::string> key_fingerprints; ///< of the manifest
    const Services& services;
    RunObserver& observer;
};

/// Confined to one thread. Errors: CORRUPT "… the header is damaged", DENIED "… wrong key",
/// CORRUPT for damaged data, each naming storage and object.
class ObjectReader {
public:
    /// The packed bytes [begin, end) of the object; `end` at most record.packed_size.
    ObjectReader(const ArchiveAccess& access, const ObjectRecord& record, uint64_t begin,
                 uint64_t end);
    /// All of it, and its sha256 is compared too, by check_end().
    ObjectReader(const ArchiveAccess& access, const ObjectRecord& record);
    ~ObjectReader();

    /// Fills the buffer as far as the range goes; gives the number of bytes.
    [[nodiscard]] size_t read(std::span<uint8_t> buffer);
    /// After the end of a range that reaches the end of the object: throws CORRUPT unless the
    /// stream ended there and rightly. Without a cipher, and when the range is the whole object,
    /// that takes the sha256 of the manifest: a codec may overlook a flipped bit.
    void check_end();

private:
    ObjectReader(const ArchiveAccess& access, const ObjectRecord& record, uint64_t begin,
                 uint64_t end, bool hashed);
    void open_plain(uint64_t begin, uint64_t end);
    void open_cipher(uint64_t begin, uint64_t end);
    void check_header(std::span<const uint8_t> header);
    void check_keys();
    [[nodiscard]] size_t decrypt(std::span<uint8_t> buffer);
    bool refill();
    [[noreturn]] void corrupt(const std::string& what, const std::string& hint = {}) const;

    const ArchiveAccess access_;
    const ObjectRecord record_;
    std::string object_; ///< for messages
    std::string version_;
    std::unique_ptr<Cipher> cipher_;
    std::unique_ptr<StorageReader> reader_;
    std::vector<uint8_t> stored_; ///< input of the cipher
    size_t stored_size_ = 0, stored_pos_ = 0;
    std::optional<Sha256> hash_; ///< of all stored bytes, when they are compared
    uint64_t skip_ = 0;          ///< decrypted bytes before the range
    uint64_t left_ = 0;          ///< of the range
    bool whole_tail_ = false;    ///< the range reaches the end of the packed stream
    bool stored_tail_ =
        false; ///< what is read of the object reaches its end, so the cipher may finish
    bool stored_end_ = false, cipher_end_ = false;
    bool cipher_full_ = false; ///< it asked for more room
};

} // namespace bkhost
