// A dumper of numbers: a prologue and one table of `rows` lines, a fragment each three rows. `fail`
// throws from probe what a driver should not, and from other calls what it may.
#include <bkhost/extract.hpp>

#include <stdexcept>

namespace {

class Toy : public bk::Dumper, public bk::TableExtractor {
public:
    Toy(bk::Host host, bk::Config config) : host_(host), config_(config) {
        if (config.text("fail") == "create") throw bk::Error(BK_E_CONFIG, "toy: cannot be created");
    }

    std::string probe() override {
        const std::string fail = config_.text("fail");
        if (fail == "memory") throw std::bad_alloc();
        if (fail == "standard") throw std::runtime_error("a standard exception");
        if (fail == "number") throw 42;
        if (fail == "nothing-wrong") throw bk::Error(BK_OK, "not a failure");
        if (fail == "error") {
            bk::Error error(BK_E_UNAVAILABLE, "toy: no answer", "start it");
            error.flags = BK_ERR_RETRYABLE;
            error.retry_after_ms = 250;
            error.native_code = 111;
            error.native_domain = "errno";
            throw error;
        }
        return R"({"engine":"toy"})";
    }
    std::string inspect(const char* request) override { return request; }
    std::string dump_begin(const char*) override { return R"({"engine":"toy","extension":"txt"})"; }
    void plan(const Units& unit) override {
        unit({sizeof(bk_unit), 0, BK_PHASE_PROLOGUE, 0, 0, "settings"});
        unit({sizeof(bk_unit), 0, BK_PHASE_DATA, 1, 0, "numbers"});
    }
    void dump(uint32_t number, bk::Sink sink) override {
        if (number == 0) {
            sink.section({.phase = BK_PHASE_PROLOGUE, .kind = "schema", .name = "settings"});
            sink.write("set;\n");
            return sink.cut();
        }
        sink.section({.kind = "table", .name = "numbers"});
        const int64_t rows = config_.number("rows");
        for (int64_t row = 0; row < rows; ++row) {
            host_.check_cancelled();
            sink.write(std::to_string(row) + "\n");
            if (row % 3 == 2) sink.cut(3, {static_cast<uint64_t>(row), 0});
        }
        if (rows % 3 != 0) sink.cut(static_cast<uint64_t>(rows % 3));
        sink.meta("last", std::to_string(rows));
        sink.proof("", "numbers", static_cast<uint64_t>(rows), {1, 2});
    }
    void dump_end(bool ok) override {
        if (ok && config_.text("fail") == "end") throw bk::Error(BK_E_CORRUPT, "toy: no footer");
    }
    std::unique_ptr<bk::LoadSession> load_begin(const char* request) override;
    void names(const char* request, bk::RandomSource source, const bk::Emit& name) override {
        name(request);
        name(std::to_string(source.size()));
    }
    /// Gives the last two bytes.
    void extract(const char*, bk::RandomSource source, const bk::Emit& table) override {
        if (config_.text("fail") == "extract") throw std::runtime_error("a standard exception");
        std::string tail(2, ' ');
        source.read_at(source.size() - 2, {reinterpret_cast<uint8_t*>(tail.data()), 2});
        table(tail);
    }

private:
    bk::Host host_;
    bk::Config config_;
};

/// Keeps what it is given; `end` fails unless that was "0\n1\n".
class ToySession : public bk::LoadSession {
public:
    uint32_t parallel() noexcept override { return 2; }
    void load(const bk_load_unit&, bk::Source source) override {
        uint8_t buffer[3];
        std::string text;
        while (const size_t n = source.read(buffer))
            text.append(buffer, buffer + n);
        text_ += text; // a piece that failed left nothing
    }
    void loaded(const Loaded& piece) override { piece(7, 8); }
    void end(bool ok) override {
        if (ok && text_ != "0\n1\n") throw bk::Error(BK_E_CORRUPT, "toy: other rows than expected");
    }

private:
    std::string text_;
};

std::unique_ptr<bk::LoadSession> Toy::load_begin(const char* request) {
    if (std::string_view(request) == "null") return nullptr;
    return std::make_unique<ToySession>();
}

constexpr bk_option kOptions[] = {
    bk::option("rows", BK_OPT_INT, "rows of the table", "7", "0..1000"),
    bk::option("fail", BK_OPT_STRING, "what goes wrong", "", nullptr),
};
const void* extension(const char* id) noexcept {
    return std::string_view(id) == BK_DUMPER_EXTRACT_ID ? &bk::dumper_extract<Toy>::table : nullptr;
}
constexpr bk_component kToy = bk::dumper_component<Toy>(
    {.name = "toy", .summary = "numbers", .options = kOptions, .schemes = "toy,numbers"},
    &extension);

} // namespace

BK_MODULE("org.example.toy", "0.1.0", "dumps numbers", "dumper:toy:toy,numbers\n", &kToy)
