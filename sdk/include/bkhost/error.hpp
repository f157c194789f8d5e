// bk::Error: what ends an operation, on both sides of the ABI, and its translation from and to the
// C struct bk_error. Not for what is to be expected (absent, end): that is a return value.
#pragma once

#include <bkhost/abi.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace bk::inline v0 {

/// A failure. `message` says what failed on which object, in lower case, quoting values and without
/// secrets; `hint` what the operator can do (may be empty). Thread-safe as any value.
class Error : public std::runtime_error {
public:
    Error(bk_status status, const std::string& message, std::string hint = {})
        : std::runtime_error(message), status_(status), hint_(std::move(hint)) {}

    [[nodiscard]] bk_status status() const noexcept { return status_; }
    [[nodiscard]] std::string message() const { return what(); }
    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }
    [[nodiscard]] bool retryable() const noexcept { return (flags & BK_ERR_RETRYABLE) != 0; }
    [[nodiscard]] bool cancelled() const noexcept { return status_ == BK_E_CANCELLED; }

    uint32_t flags = 0;          ///< BK_ERR_RETRYABLE, BK_ERR_PARTIAL
    uint32_t retry_after_ms = 0; ///< asked by the service
    int64_t native_code = 0;     ///< errno, HTTP status, server error number
    std::string native_domain;   ///< "errno", "http", "sqlstate"

private:
    bk_status status_;
    std::string hint_;
};

/// "no space", "denied" ...: the status in words, for logs.
inline const char* status_name(bk_status status) noexcept {
    switch (status) {
    case BK_OK: return "ok";
    case BK_END: return "end";
    case BK_NEED_OUTPUT: return "need output";
    case BK_E_CANCELLED: return "cancelled";
    case BK_E_CONFIG: return "configuration";
    case BK_E_INVALID: return "invalid";
    case BK_E_NOT_FOUND: return "not found";
    case BK_E_EXISTS: return "exists";
    case BK_E_DENIED: return "denied";
    case BK_E_UNAVAILABLE: return "unavailable";
    case BK_E_TIMEOUT: return "timeout";
    case BK_E_CORRUPT: return "corrupt";
    case BK_E_NO_SPACE: return "no space";
    case BK_E_UNSUPPORTED: return "unsupported";
    case BK_E_BUSY: return "busy";
    case BK_E_NO_MEMORY: return "no memory";
    default: return "internal";
    }
}

/// The status that an errno means; BK_E_INTERNAL where none fits.
inline bk_status status_of_errno(int number) noexcept {
    switch (number) {
    case ENOENT:
    case ENOTDIR: return BK_E_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY: return BK_E_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS: return BK_E_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return BK_E_NO_SPACE;
    case ENOMEM: return BK_E_NO_MEMORY;
    case ETIMEDOUT: return BK_E_TIMEOUT;
    case EINVAL:
    case ENAMETOOLONG: return BK_E_INVALID;
    case EBUSY: return BK_E_BUSY;
    case EIO: return BK_E_UNAVAILABLE;
    default: return BK_E_INTERNAL;
    }
}

/// What an operator can do about an errno where the caller knows nothing better; may be "".
inline const char* hint_of_errno(int number) noexcept {
    switch (status_of_errno(number)) {
    case BK_E_NOT_FOUND: return "check the path, and that what holds it is mounted";
    case BK_E_EXISTS: return "choose another name, or move what is there";
    case BK_E_DENIED: return "check the rights and the owner of the file and of its directories";
    case BK_E_NO_SPACE: return "free space there, or raise the limit on file sizes or the quota";
    case BK_E_NO_MEMORY: return "free memory, or lower the memory budget";
    case BK_E_UNAVAILABLE: return "check the disk: the system log says more";
    default: return "";
    }
}

/// Throws for a failed system call: "<what>: <text of errno>"; without a hint, that of the errno.
[[noreturn]] inline void throw_errno(int number, const std::string& what, std::string hint = {}) {
    if (hint.empty()) hint = hint_of_errno(number);
    Error error(status_of_errno(number), what + ": " + std::strerror(number), std::move(hint));
    error.native_code = number;
    error.native_domain = "errno";
    throw error;
}

/// A bk_error ready to be handed to a call.
inline bk_error empty_error() noexcept {
    bk_error error{};
    error.struct_size = sizeof error;
    return error;
}

namespace internal {
inline void copy_text(char* to, size_t size, std::string_view text) noexcept {
    size_t n = text.size() < size - 1 ? text.size() : size - 1;
    while (n > 0 && n < text.size() && (static_cast<unsigned char>(text[n]) & 0xC0u) == 0x80u)
        --n; // never cut inside a UTF-8 sequence
    if (n > 0) std::memcpy(to, text.data(), n);
    to[n] = '\0';
}

/// Bytes of the UTF-8 sequence that `text` begins with; 0 when it begins with none (or with NUL).
inline size_t utf8_length(std::string_view text) noexcept {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return first == 0 ? 0 : 1;
    const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
    for (size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0u) != 0x80u) return 0;
    const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    const bool too_large = first == 0xF4 && byte(1) > 0x8F;
    return overlong || surrogate || too_large ? 0 : length;
}

/// Copies what fits as UTF-8: whole sequences only, and '?' for each byte that is none (a file name
/// may hold any), since the host prints these texts and writes them as JSON.
inline void copy_utf8(char* to, size_t size, std::string_view text) noexcept {
    size_t n = 0;
    while (!text.empty()) {
        const size_t length = utf8_length(text);
        const size_t step = length == 0 ? 1 : length;
        if (n + step > size - 1) break;
        if (length == 0)
            to[n] = '?';
        else
            std::memcpy(to + n, text.data(), length);
        n += step;
        text.remove_prefix(step);
    }
    to[n] = '\0';
}

/// The text in a field that should end in NUL, but comes from the other side.
template <size_t N>
std::string_view field_text(const char (&field)[N]) noexcept {
    return {field, ::strnlen(field, N)};
}
} // namespace internal

/// Stores a failure; every field is set anew. Returns the status. Field by field and not as a
/// whole: the caller's struct may be older and shorter than ours.
inline bk_status store_error(bk_error* out, bk_status status, std::string_view message,
                             std::string_view hint = {}) noexcept {
    if (out == nullptr) return status;
    out->flags = 0;
    out->status = status;
    out->retry_after_ms = 0;
    out->native_code = 0;
    out->native_domain[0] = '\0';
    internal::copy_utf8(out->message, sizeof out->message, message);
    internal::copy_utf8(out->hint, sizeof out->hint, hint);
    return status;
}

/// As above. An Error that says BK_OK is a mistake of the thrower and becomes INTERNAL.
inline bk_status store_error(bk_error* out, const Error& error) noexcept {
    const bk_status status = error.status() == BK_OK ? bk_status{BK_E_INTERNAL} : error.status();
    store_error(out, status, error.what(), error.hint());
    if (out != nullptr) {
        out->flags = error.flags;
        out->retry_after_ms = error.retry_after_ms;
        out->native_code = error.native_code;
        internal::copy_utf8(out->native_domain, sizeof out->native_domain, error.native_domain);
    }
    return status;
}

/// Throws what a call across the ABI left in `error`, for any status that is an error.
/// `object` stands before the message ("storage 'here'").
[[noreturn]] inline void throw_error(bk_status status, const bk_error& error,
                                     const std::string& object = {}) {
    std::string message(internal::field_text(error.message));
    if (message.empty())
        message = std::string("failed without a message (") + status_name(status) + ")";
    Error thrown(status >= BK_E_INTERNAL && status <= BK_E_NO_MEMORY ? status : BK_E_INTERNAL,
                 object.empty() ? message : object + ": " + message,
                 std::string(internal::field_text(error.hint)));
    thrown.flags = error.flags;
    thrown.retry_after_ms = error.retry_after_ms;
    thrown.native_code = error.native_code;
    thrown.native_domain = internal::field_text(error.native_domain);
    throw thrown;
}

/// The only place where exceptions end: runs `body`, which returns a bk_status, and stores what it
/// throws.
template <class Body>
bk_status guard(bk_error* out, Body&& body) noexcept {
    try {
        return std::forward<Body>(body)();
    } catch (const Error& error) {
        return store_error(out, error);
    } catch (const std::bad_alloc&) {
        return store_error(out, BK_E_NO_MEMORY, "out of memory");
    } catch (const std::exception& error) {
        return store_error(out, BK_E_INTERNAL, error.what());
    } catch (...) {
        return store_error(out, BK_E_INTERNAL, "an exception of an unknown type");
    }
}

} // namespace bk::inline v0
