// The shared parts of this folder's tests; see the header.
#include "codec_fixture.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace age_test {

const bk_component& driver() { return bk::linked_driver("age"); }

const bk_transform& table() { return *static_cast<const bk_transform*>(driver().vtable); }

Codec::Codec(int32_t direction, const Values& values) : config_(values, driver()) {
    bk_error error = bk::empty_error();
    const bk_status status = table().create(host_.get(), config_.get(), direction, &self_, &error);
    if (status != BK_OK) bk::throw_error(status, error);
}

Codec::~Codec() { table().destroy(self_); }

bk_status Codec::process(bk_in& in, bk_out& out, int32_t op) {
    bk_error error = bk::empty_error();
    const bk_status status = table().process(self_, &in, &out, op, &error);
    if (status >= BK_E_INTERNAL) bk::throw_error(status, error);
    return status;
}

void Codec::run(const Bytes& input, Bytes& output, const Pieces& pieces) {
    std::mt19937_64 random(pieces.seed);
    const auto draw = [&](size_t max) {
        return pieces.seed == 0 ? max : std::uniform_int_distribution<size_t>(1, max)(random);
    };
    size_t taken = 0;
    Bytes room;
    for (bk_status status = BK_OK; status != BK_END;) {
        const size_t size = std::min(draw(pieces.max_in), input.size() - taken);
        const int32_t op = taken + size == input.size() ? BK_FINISH : BK_RUN;
        // A copy of exact size, so that reading past the piece is seen by the sanitizer.
        const Bytes piece(input.begin() + static_cast<ptrdiff_t>(taken),
                          input.begin() + static_cast<ptrdiff_t>(taken + size));
        bk_in in{piece.data(), size, 0};
        do {
            room.assign(draw(pieces.max_out), 0);
            bk_out out{room.data(), room.size(), 0};
            bk_error error = bk::empty_error();
            status = table().process(self_, &in, &out, op, &error);
            output.insert(output.end(), room.begin(),
                          room.begin() + static_cast<ptrdiff_t>(out.pos));
            if (status >= BK_E_INTERNAL) bk::throw_error(status, error);
        } while (status == BK_NEED_OUTPUT);
        if (in.pos != in.len) throw bk::Error(BK_E_INTERNAL, "the codec left input behind");
        taken += size;
    }
}

Bytes Codec::run(const Bytes& input, const Pieces& pieces) {
    Bytes output;
    run(input, output, pieces);
    return output;
}

Bytes sample(size_t size, uint64_t seed) {
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

TestDir::TestDir() {
    std::string name = (std::filesystem::temp_directory_path() / "bkhost-age-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) bk::throw_errno(errno, "mkdtemp");
    path_ = name;
}

TestDir::~TestDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::filesystem::path& path, const Bytes& content) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(content.data()),
               static_cast<std::streamsize>(content.size()));
}

Bytes read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(file), {});
}

int run_tool(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (std::string& argument : arguments)
        argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_t child = 0;
    if (posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), environ) != 0) return -1;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256;
}

Bytes from_hex(std::string_view hex) {
    Bytes bytes;
    for (size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.push_back(
            static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    return bytes;
}

Keys::Keys() {
    for (const int key : {1, 2}) {
        const std::string text = std::string(key == 1 ? kIdentity1 : kIdentity2) + "\n";
        write_file(file(key), Bytes(text.begin(), text.end()));
        std::filesystem::permissions(file(key), std::filesystem::perms::owner_read |
                                                    std::filesystem::perms::owner_write);
    }
}

Values Keys::reader(int key) const { return {{"identity-files", {file(key)}}}; }

Bytes Keys::encrypt(const Bytes& plain) const {
    return Codec(BK_FORWARD, {{"recipients", {kRecipient1}}}).run(plain);
}

bk::Error failure_of(const Bytes& stored, const Values& reader, const Pieces& pieces) {
    try {
        (void)Codec(BK_REVERSE, reader).run(stored, pieces);
    } catch (const bk::Error& error) {
        return error;
    }
    return {BK_OK, "no error"};
}

} // namespace age_test
