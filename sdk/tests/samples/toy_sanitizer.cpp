// A sanitizer that gives the same expression for every column.
#include <bkhost/sanitizer.hpp>

namespace {

class Upper : public bk::Sanitizer {
public:
    Upper(bk::Host, bk::Config) {}
    std::string expression(const char* dialect, const char* column) override {
        if (std::string_view(dialect) != "sqlite")
            throw bk::Error(BK_E_UNSUPPORTED, std::string("upper: dialect '") + dialect + "'");
        return std::string("upper(") + column + ")";
    }
    int32_t suggest(const char* column) override {
        return std::string_view(column).find("name") != std::string_view::npos ? 80 : 0;
    }
};

constexpr bk_component kUpper =
    bk::sanitizer_component<Upper>({.name = "upper", .summary = "capitals"});

} // namespace

BK_MODULE("org.example.upper", "0.1.0", "capitals", "sanitizer:upper:\n", &kUpper)
