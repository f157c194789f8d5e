// The methods that https://www.sqlite.org/vfs.html asks for. The file is IMMUTABLE
// (https://www.sqlite.org/c3ref/c_iocap_atomic.html), so SQLite takes no lock and looks for no
// journal, no log and no -shm, even when the header says WAL: the image is one state.
#include "image_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace sqlite_driver {

struct ImageVfs::State {
    bk::RandomSource source;
    std::string name;
    sqlite3_vfs vfs{};
    bk_status status = BK_OK; ///< of the first read that failed
    bk_error error = bk::empty_error();

    explicit State(bk::RandomSource from) : source(from) {}
};

namespace {

constexpr int kSectorSize = 4096;

/// The file as SQLite sees it; one of any number that are open at once.
template <class Owner>
struct ImageFile {
    sqlite3_file base;
    Owner* owner;

    static ImageFile& of(sqlite3_file* file) noexcept {
        return *reinterpret_cast<ImageFile*>(file);
    }
    static int close(sqlite3_file*) noexcept { return SQLITE_OK; }
    static int read(sqlite3_file* file, void* buffer, int wanted, sqlite3_int64 at) noexcept {
        Owner& owner = *of(file).owner;
        const auto offset = static_cast<uint64_t>(at);
        const auto size = static_cast<size_t>(wanted);
        const uint64_t there = owner.source.size() - std::min(owner.source.size(), offset);
        const size_t n = std::min<uint64_t>(size, there);
        const bk_random_source* source = owner.source.get();
        bk_error error = bk::empty_error();
        const bk_status status =
            n == 0 ? BK_OK : source->read_at(source, offset, buffer, n, &error);
        if (status != BK_OK) {
            if (owner.status == BK_OK) owner.error = error;
            if (owner.status == BK_OK) owner.status = status;
            return SQLITE_IOERR_READ;
        }
        if (n == size) return SQLITE_OK;
        std::memset(static_cast<char*>(buffer) + n, 0, size - n); // as xRead promises
        return SQLITE_IOERR_SHORT_READ;
    }
    static int write(sqlite3_file*, const void*, int, sqlite3_int64) noexcept {
        return SQLITE_READONLY;
    }
    static int truncate(sqlite3_file*, sqlite3_int64) noexcept { return SQLITE_READONLY; }
    static int sync(sqlite3_file*, int) noexcept { return SQLITE_OK; }
    static int size(sqlite3_file* file, sqlite3_int64* size) noexcept {
        *size = static_cast<sqlite3_int64>(of(file).owner->source.size());
        return SQLITE_OK;
    }
    static int lock(sqlite3_file*, int) noexcept { return SQLITE_OK; }
    static int reserved(sqlite3_file*, int* held) noexcept {
        *held = 0;
        return SQLITE_OK;
    }
    static int control(sqlite3_file*, int, void*) noexcept { return SQLITE_NOTFOUND; }
    static int sector(sqlite3_file*) noexcept { return kSectorSize; }
    static int device(sqlite3_file*) noexcept { return SQLITE_IOCAP_IMMUTABLE; }

    static int open(sqlite3_vfs* vfs, const char*, sqlite3_file* file, int flags,
                    int* out) noexcept {
        static constexpr sqlite3_io_methods methods = [] {
            sqlite3_io_methods m{};
            m.iVersion = 1;
            m.xClose = close;
            m.xRead = read;
            m.xWrite = write;
            m.xTruncate = truncate;
            m.xSync = sync;
            m.xFileSize = size;
            m.xLock = lock;
            m.xUnlock = lock;
            m.xCheckReservedLock = reserved;
            m.xFileControl = control;
            m.xSectorSize = sector;
            m.xDeviceCharacteristics = device;
            return m;
        }();
        file->pMethods = nullptr; // so that SQLite does not close what was not opened
        if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return SQLITE_CANTOPEN;
        of(file).owner = static_cast<Owner*>(vfs->pAppData);
        file->pMethods = &methods;
        if (out != nullptr) *out = SQLITE_OPEN_READONLY;
        return SQLITE_OK;
    }
};

} // namespace

ImageVfs::ImageVfs(bk::RandomSource source) : state_(std::make_unique<State>(source)) {
    static std::atomic<uint64_t> number{0};
    state_->name = "bkhost-image-" + std::to_string(++number);
    using File = ImageFile<State>;
    sqlite3_vfs& vfs = state_->vfs;
    const sqlite3_vfs* system = sqlite3_vfs_find(nullptr); // time and random come from there
    vfs.iVersion = 1;
    vfs.szOsFile = sizeof(File);
    vfs.mxPathname = 512;
    vfs.zName = state_->name.c_str();
    vfs.pAppData = state_.get();
    vfs.xOpen = File::open;
    vfs.xDelete = [](sqlite3_vfs*, const char*, int) { return SQLITE_READONLY; };
    vfs.xAccess = [](sqlite3_vfs*, const char*, int, int* result) {
        *result = 0;
        return SQLITE_OK;
    };
    vfs.xFullPathname = [](sqlite3_vfs*, const char* path, int size, char* out) {
        sqlite3_snprintf(size, out, "%s", path);
        return SQLITE_OK;
    };
    vfs.xRandomness = system->xRandomness;
    vfs.xSleep = system->xSleep;
    vfs.xCurrentTime = system->xCurrentTime;
    vfs.xGetLastError = [](sqlite3_vfs*, int, char*) { return 0; };
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        throw bk::Error(BK_E_INTERNAL, "SQLite takes no further file system");
}

ImageVfs::~ImageVfs() { sqlite3_vfs_unregister(&state_->vfs); }

const char* ImageVfs::name() const noexcept { return state_->name.c_str(); }

void ImageVfs::check() const {
    if (state_->status != BK_OK) bk::throw_error(state_->status, state_->error);
}

} // namespace sqlite_driver
