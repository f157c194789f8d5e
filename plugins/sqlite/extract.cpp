// First into a database of our own, then where it belongs: so the target is not touched before
// every page that is needed was read and checked.
#include "extract.hpp"

#include "image_vfs.hpp"
#include "schema.hpp"

#include <nlohmann/json.hpp>

namespace sqlite_driver {
namespace {

/// The image as a database to read from.
class Image {
public:
    Image(bk::RandomSource source, const Cancel& cancel)
        : vfs_(source), connection_(vfs_.reading([&] {
              return std::make_unique<Connection>(
                  "in the backup", Access::read, std::chrono::milliseconds(0), cancel, vfs_.name());
          })) {
        connection_->exec("PRAGMA temp_store=MEMORY"); // there is no other file
    }
    template <class Body>
    auto reading(Body&& body) {
        return vfs_.reading([&] { return body(*connection_); });
    }

private:
    ImageVfs vfs_;
    std::unique_ptr<Connection> connection_; ///< ends before the file system
};

/// What a new database takes over from the image, before it has any page.
void adopt_settings(Connection& image, Connection& made) {
    for (const char* pragma : {"page_size", "auto_vacuum", "application_id", "user_version"})
        made.exec(std::string("PRAGMA ") + pragma + "=" +
                  std::to_string(image.number(std::string("PRAGMA ") + pragma)));
    made.exec("PRAGMA encoding=" + quote_text(image.text("PRAGMA encoding")));
}

std::map<std::string, uint64_t> copy_out(Connection& image, const std::string& path,
                                         const Names& names, const Cancel& cancel) {
    Connection made(path, Access::write, std::chrono::milliseconds(0), cancel);
    made.confine();
    // The file is nobody's until it is complete and synced: neither journal nor syncs are needed.
    made.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
              "PRAGMA cache_size=-16384; PRAGMA foreign_keys=OFF;"
              "PRAGMA ignore_check_constraints=ON");
    adopt_settings(image, made);
    made.exec("BEGIN");
    std::map<std::string, uint64_t> rows = copy_tables(image, made, names, cancel);
    made.exec("COMMIT");
    return rows;
}

} // namespace

void list_tables(bk::RandomSource source, const bk::Emit& name, const Cancel& cancel) {
    Image image(source, cancel);
    image.reading([&](Connection& connection) {
        const std::map<std::string, std::string> shadows = read_shadows(connection);
        for (const Object& object : read_objects(connection))
            if ((object.type == "table" || object.type == "view") && !shadows.contains(object.name))
                name(object.name);
    });
}

void extract_tables(bk::RandomSource source, const RestoreOptions& options, const bk::Emit& table,
                    bk::Host host, const Cancel& cancel) {
    RestoreTarget target(options, host, cancel);
    const std::map<std::string, uint64_t> rows = [&] {
        Image image(source, cancel);
        return image.reading([&](Connection& connection) {
            return copy_out(connection, target.temporary(), options.tables, cancel);
        });
    }();
    target.finish();
    for (const std::string& name : options.tables) {
        const auto found = rows.find(name);
        table(
            nlohmann::json{{"table", name}, {"rows", found != rows.end() ? found->second : 0}}.dump(
                -1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
}

} // namespace sqlite_driver
