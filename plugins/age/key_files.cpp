#include "key_files.hpp"

#include <bkhost/error.hpp>

namespace age_plugin {

void read_recipients_file(const std::string& path, std::vector<Point>& all) {
    const bk::KeyFile file(path, "age");
    parse_recipients(file.read().reveal(), file.name(), all);
}

void read_identity_file(const std::string& path, std::vector<Identity>& all) {
    const bk::KeyFile file(path, "age");
    file.refuse_when_others_may_read();
    const size_t before = all.size();
    parse_identities(file.read().reveal(), file.name(), all);
    if (all.size() == before)
        throw bk::Error(BK_E_CONFIG, "age: the key file " + file.name() + " holds no identity",
                        "it needs a line AGE-SECRET-KEY-1..., as age-keygen writes it");
}

} // namespace age_plugin
