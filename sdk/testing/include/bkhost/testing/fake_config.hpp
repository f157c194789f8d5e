// A configuration for a driver under test: the host's rules for options, small enough to read. It
// accepts a little less than the host does (no "1h30m", no fractions) and never more.
#pragma once

#include <bkhost/plugin.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>

namespace bk::inline v0 {

/// Checked values with the defaults filled in, as a driver's create receives them. Immutable,
/// thread-safe; must outlive the instance.
class FakeConfig {
public:
    using Values = std::map<std::string, std::vector<std::string>>;

    /// FakeConfig config({{"level", {"3"}}, {"recipients", {"a", "b"}}}, kOptions);
    /// Throws CONFIG for an unknown key, a missing required one, several values for one that is not
    /// REPEATED, and a value that does not fit the type or `allowed`.
    FakeConfig(const Values& values, std::span<const bk_option> options) {
        for (const bk_option& option : options)
            add(option, values);
        for (const auto& [key, texts] : values)
            if (!find(key.c_str())) throw wrong(key, "no such option");
    }
    /// With the options of a driver, found by linked_driver for example.
    FakeConfig(const Values& values, const bk_component& driver)
        : FakeConfig(values, std::span(driver.options, driver.option_count)) {}
    FakeConfig(const FakeConfig&) = delete;
    FakeConfig& operator=(const FakeConfig&) = delete;

    [[nodiscard]] const bk_config* get() const noexcept { return &table_; }
    [[nodiscard]] Config config() const noexcept { return Config(&table_); }

private:
    struct Value {
        std::string text;
        int64_t number;
    };

    static Error wrong(const std::string& key, const std::string& what) {
        return Error(BK_E_CONFIG, "option '" + key + "': " + what);
    }

    void add(const bk_option& option, const Values& values) {
        std::vector<std::string> texts;
        if (const auto given = values.find(option.key); given != values.end())
            texts = given->second;
        if (texts.empty() && option.default_value != nullptr) texts = {option.default_value};
        if (texts.empty() && (option.flags & BK_OPT_REQUIRED) != 0)
            throw wrong(option.key, "required, but not given");
        if (texts.size() > 1 && (option.flags & BK_OPT_REPEATED) == 0)
            throw wrong(option.key, "takes one value only");
        std::vector<Value>& all = values_[option.key];
        for (std::string& text : texts) {
            const int64_t number = parse(option, text);
            all.push_back({std::move(text), number});
        }
    }

    /// What get_int gives. Throws CONFIG when the text does not fit.
    static int64_t parse(const bk_option& option, const std::string& text) {
        const std::string_view allowed = option.allowed != nullptr ? option.allowed : "";
        switch (option.type) {
        case BK_OPT_BOOL: return boolean(option, text);
        case BK_OPT_ENUM: return choice(option, text, allowed);
        case BK_OPT_INT:
        case BK_OPT_SIZE:
        case BK_OPT_DURATION: break;
        default: return 0;
        }
        const std::optional<int64_t> number = measure(option.type, text);
        if (!number) throw wrong(option.key, "'" + text + "' is not a number of its type");
        if (const size_t dots = allowed.find(".."); dots != std::string_view::npos) {
            const auto low = measure(option.type, allowed.substr(0, dots));
            const auto high = measure(option.type, allowed.substr(dots + 2));
            if ((low && *number < *low) || (high && *number > *high))
                throw wrong(option.key, "'" + text + "' is outside " + std::string(allowed));
        }
        return *number;
    }

    static int64_t boolean(const bk_option& option, const std::string& text) {
        for (const char* yes : {"true", "yes", "on"})
            if (text == yes) return 1;
        for (const char* no : {"false", "no", "off"})
            if (text == no) return 0;
        throw wrong(option.key, "'" + text + "' is neither true nor false");
    }

    static int64_t choice(const bk_option& option, const std::string& text,
                          std::string_view allowed) {
        for (int64_t index = 0; !allowed.empty(); ++index) {
            const size_t bar = std::min(allowed.find('|'), allowed.size());
            if (allowed.substr(0, bar) == text) return index;
            allowed.remove_prefix(std::min(bar + 1, allowed.size()));
        }
        throw wrong(option.key, "'" + text + "' is none of " + option.allowed);
    }

    /// A whole number with the unit of the type.
    static std::optional<int64_t> measure(uint32_t type, std::string_view text) {
        int64_t number = 0;
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (code != std::errc{}) return std::nullopt;
        const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
        const int64_t factor = unit_factor(type, unit);
        if (factor == 0 || (type != BK_OPT_INT && number < 0)) return std::nullopt;
        if (number > std::numeric_limits<int64_t>::max() / factor) return std::nullopt;
        return number * factor;
    }

    /// 0: not a unit of this type.
    static int64_t unit_factor(uint32_t type, std::string_view unit) {
        if (type == BK_OPT_INT) return unit.empty() ? 1 : 0;
        struct Unit {
            uint32_t type;
            std::string_view name;
            int64_t factor;
        };
        static constexpr Unit kUnits[] = {
            {BK_OPT_SIZE, "", 1},
            {BK_OPT_SIZE, "B", 1},
            {BK_OPT_SIZE, "KiB", 1 << 10},
            {BK_OPT_SIZE, "MiB", 1 << 20},
            {BK_OPT_SIZE, "GiB", 1 << 30},
            {BK_OPT_SIZE, "TiB", int64_t{1} << 40},
            {BK_OPT_SIZE, "KB", 1000},
            {BK_OPT_SIZE, "MB", 1000 * 1000},
            {BK_OPT_SIZE, "GB", 1000 * 1000 * 1000},
            {BK_OPT_DURATION, "ms", 1},
            {BK_OPT_DURATION, "s", 1000},
            {BK_OPT_DURATION, "m", 60 * 1000},
            {BK_OPT_DURATION, "h", 60 * 60 * 1000},
            {BK_OPT_DURATION, "d", 24 * 60 * 60 * 1000},
        };
        for (const Unit& known : kUnits)
            if (known.type == type && known.name == unit) return known.factor;
        return 0;
    }

    [[nodiscard]] const std::vector<Value>* find(std::string_view key) const noexcept {
        const auto found = values_.find(key);
        return found != values_.end() ? &found->second : nullptr;
    }
    static const Value* at(const bk_config* config, const char* key, uint32_t i) noexcept {
        const auto* all = static_cast<const FakeConfig*>(config->ctx)->find(key);
        return all != nullptr && i < all->size() ? &(*all)[i] : nullptr;
    }
    static uint32_t count(const bk_config* config, const char* key) noexcept {
        const auto* all = static_cast<const FakeConfig*>(config->ctx)->find(key);
        return all != nullptr ? static_cast<uint32_t>(all->size()) : 0;
    }
    static const char* get_str(const bk_config* config, const char* key, uint32_t i) noexcept {
        const Value* value = at(config, key, i);
        return value != nullptr ? value->text.c_str() : nullptr;
    }
    static int64_t get_int(const bk_config* config, const char* key, uint32_t i) noexcept {
        const Value* value = at(config, key, i);
        return value != nullptr ? value->number : 0;
    }

    std::map<std::string, std::vector<Value>, std::less<>> values_;
    bk_config table_{sizeof(bk_config), 0, this, count, get_str, get_int};
};

} // namespace bk::inline v0
