// A file system of SQLite with one file in it, the page image in an archive: only the pages that
// SQLite asks for are read.
#pragma once

#include "cancel.hpp"

#include <bkhost/extract.hpp>

#include <memory>
#include <string>
#include <type_traits>

namespace sqlite_driver {

/// Registered while it lives; confined to one thread. The source lives longer, connections do not.
class ImageVfs {
public:
    explicit ImageVfs(bk::RandomSource source);
    ~ImageVfs();
    ImageVfs(const ImageVfs&) = delete;
    ImageVfs& operator=(const ImageVfs&) = delete;

    [[nodiscard]] const char* name() const noexcept;
    /// Runs what reads the image. When a read failed, that is what is thrown, and not the "disk I/O
    /// error" that SQLite makes of it, or nothing: it leaves out what it could not open of a
    /// virtual table.
    template <class Body>
    auto reading(Body&& body) {
        try {
            if constexpr (std::is_void_v<decltype(body())>) {
                body();
                check();
            } else {
                auto result = body();
                check();
                return result;
            }
        } catch (const bk::Error&) {
            check();
            throw;
        }
    }

private:
    struct State;
    void check() const;
    std::unique_ptr<State> state_;
};

} // namespace sqlite_driver
