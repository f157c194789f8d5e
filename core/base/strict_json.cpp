#include "core/base/strict_json.hpp"

namespace bkhost {

void check_json_depth(std::string_view text) {
    unsigned depth = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"') { // what stands in a text does not count
            for (++i; i < text.size() && text[i] != '"'; ++i)
                if (text[i] == '\\') ++i;
        } else if (c == '[' || c == '{') {
            if (++depth > kMaxJsonDepth)
                throw bk::Error(BK_E_CORRUPT,
                                "nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
}

} // namespace bkhost
