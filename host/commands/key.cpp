// bkhost key generate and bkhost key show: key files of an encryptor.
#include "core/base/secret.hpp"
#include "core/driver/codec.hpp"
#include "host/commands/commands.hpp"
#include "host/commands/output.hpp"
#include "host/render/error_text.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

#include <array>
#include <fcntl.h>
#include <unistd.h>

namespace bkhost {
namespace {

using Json = nlohmann::ordered_json;

const bk_encryptor_keys& keys_of(Session& session, const std::string& driver) {
    const bk_component& component = session.registry().load(kEncryptor, driver);
    const void* found = component.get_extension == nullptr
                            ? nullptr
                            : component.get_extension(BK_ENCRYPTOR_KEYS_ID);
    if (found == nullptr)
        throw bk::Error(BK_E_UNSUPPORTED,
                        "encryptor '" + driver + "' has no keys to generate or show");
    return *static_cast<const bk_encryptor_keys*>(found);
}

std::vector<std::string> public_keys(const bk_encryptor_keys& keys, const std::string& text,
                                     const std::string& object) {
    TextCollector collector;
    bk_error error = bk::empty_error();
    const bk_status status =
        keys.public_keys(text.data(), text.size(), &TextCollector::add, &collector, &error);
    if (status != BK_OK) bk::throw_error(status, error, object);
    return collector.texts;
}

void write_new(const std::string& path, const std::string& text) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        bk::throw_errno(errno, "cannot make the key file '" + path + "'",
                        errno == EEXIST ? "a key file is never overwritten: choose another name"
                                        : "");
    size_t done = 0;
    int failed = 0;
    while (done < text.size() && failed == 0) {
        const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
        if (n >= 0)
            done += static_cast<size_t>(n);
        else if (errno != EINTR)
            failed = errno;
    }
    if (failed == 0 && ::fsync(fd) != 0) failed = errno;
    ::close(fd);
    if (failed != 0) {
        ::unlink(path.c_str());
        bk::throw_errno(failed, "cannot write the key file '" + path + "'");
    }
}

Secret read_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        bk::throw_errno(errno, "cannot read the key file '" + path + "'",
                        "name the file that 'bkhost key generate --output FILE' wrote");
    std::string text;
    std::array<char, 4096> buffer;
    ssize_t n = 0;
    while ((n = ::read(fd, buffer.data(), buffer.size())) > 0 && text.size() < 1024 * 1024)
        text.append(buffer.data(), static_cast<size_t>(n));
    const int failed = n < 0 ? errno : 0;
    ::close(fd);
    if (failed != 0) bk::throw_errno(failed, "cannot read the key file '" + path + "'");
    return Secret(std::move(text));
}

int print_keys(Session& session, const std::vector<std::string>& keys, const std::string& file) {
    if (session.options().json) {
        print(Json{{"public_keys", keys}, {"file", file.empty() ? Json(nullptr) : Json(file)}}.dump(
                  1) +
              "\n");
        return kExitDone;
    }
    for (const std::string& key : keys)
        print(key + "\n");
    return kExitDone;
}

} // namespace

int key_generate_command(Session& session, const KeyOptions& options) {
    const bk_encryptor_keys& keys = keys_of(session, options.driver);
    TextCollector collector;
    bk_error error = bk::empty_error();
    const bk_status status = keys.generate(&TextCollector::add, &collector, &error);
    if (status != BK_OK) bk::throw_error(status, error, "encryptor '" + options.driver + "'");
    std::string text;
    for (const std::string& part : collector.texts)
        text += part;
    const Secret secret(std::move(text));
    if (options.file.empty()) {
        if (session.options().json)
            throw bk::Error(BK_E_CONFIG, "with --json a key needs a file to go to",
                            "give --output FILE");
        print(secret.reveal());
        return kExitDone;
    }
    write_new(options.file, secret.reveal());
    session.log().info("wrote the key file '" + options.file +
                       "': keep a copy where the backups are not; without it they cannot be read");
    return print_keys(session,
                      public_keys(keys, secret.reveal(), "key file '" + options.file + "'"),
                      options.file);
}

int key_show_command(Session& session, const KeyOptions& options) {
    const Secret secret = read_file(options.file);
    const std::vector<std::string> keys = public_keys(
        keys_of(session, options.driver), secret.reveal(), "key file '" + options.file + "'");
    return print_keys(session, keys, options.file);
}

} // namespace bkhost
