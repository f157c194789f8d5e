#include "core/driver/dumper.hpp"

#include "core/driver/codec.hpp"

#include <bkhost/error.hpp>

namespace bkhost {

Dumper::Dumper(std::string object, DriverPtr driver, const Services& services)
    : object_(std::move(object)), driver_(std::move(driver)), lock_(*driver_->component) {
    bk_error error = bk::empty_error();
    check(table().create(services.host(), driver_->values.config(), &self_, &error), error);
    cancel_.emplace(services.stop(), [this] { interrupt(); });
}

Dumper::~Dumper() {
    cancel_.reset();
    if (self_ != nullptr) table().destroy(self_);
}

void Dumper::check(bk_status status, const bk_error& error) const {
    if (status != BK_OK) bk::throw_error(status, error, object_);
}

template <class Call>
std::string Dumper::one_text(Call&& call) {
    TextCollector collector;
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    check(call(&TextCollector::add, &collector, &error), error);
    if (collector.texts.size() != 1)
        throw bk::Error(BK_E_INTERNAL, object_ + ": the driver gave " +
                                           std::to_string(collector.texts.size()) +
                                           " texts where one is due");
    return std::move(collector.texts.front());
}

std::string Dumper::probe() {
    return one_text([&](bk_text_fn fn, void* ctx, bk_error* error) {
        return table().probe(self_, fn, ctx, error);
    });
}

std::string Dumper::inspect(const std::string& request) {
    return one_text([&](bk_text_fn fn, void* ctx, bk_error* error) {
        return table().inspect(self_, request.c_str(), fn, ctx, error);
    });
}

std::string Dumper::dump_begin(const std::string& request) {
    return one_text([&](bk_text_fn fn, void* ctx, bk_error* error) {
        return table().dump_begin(self_, request.c_str(), fn, ctx, error);
    });
}

std::vector<DumpUnit> Dumper::plan() {
    std::vector<DumpUnit> units;
    const bk_unit_fn receive = [](void* ctx, const bk_unit* unit) noexcept -> bk_status {
        return bk::guard(nullptr, [&] {
            static_cast<std::vector<DumpUnit>*>(ctx)->push_back(
                {unit->number, unit->phase, (unit->flags & BK_UNIT_ORDERED) != 0, unit->size_hint,
                 unit->label == nullptr ? "" : unit->label});
            return BK_OK;
        });
    };
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    check(table().plan(self_, receive, &units, &error), error);
    return units;
}

void Dumper::dump(uint32_t number, bk_dump_sink& sink) {
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    check(table().dump(self_, number, &sink, &error), error);
}

void Dumper::dump_end(bool ok) {
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    check(table().dump_end(self_, ok ? 1 : 0, &error), error);
}

std::unique_ptr<LoadSession> Dumper::load_begin(const std::string& request) {
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    void* handle = nullptr;
    uint32_t parallel = 1;
    check(table().load_begin(self_, request.c_str(), &handle, &parallel, &error), error);
    return std::make_unique<LoadSession>(*this, handle, parallel);
}

const bk_dumper_extract& Dumper::extraction() const {
    const auto* table = driver_->extension<bk_dumper_extract>(BK_DUMPER_EXTRACT_ID);
    if (table == nullptr)
        throw bk::Error(BK_E_UNSUPPORTED,
                        object_ + ": the driver '" + driver_->description.name +
                            "' cannot take single tables out of this backup",
                        "restore all of it, without naming tables");
    return *table;
}

std::vector<std::string> Dumper::table_names(const std::string& request,
                                             const bk_random_source& source) {
    TextCollector names;
    const bk_dumper_extract& table = extraction();
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    check(table.names(self_, request.c_str(), &source, &TextCollector::add, &names, &error), error);
    return std::move(names.texts);
}

std::vector<std::string> Dumper::extract(const std::string& request,
                                         const bk_random_source& source) {
    TextCollector done;
    const bk_dumper_extract& table = extraction();
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    check(table.extract(self_, request.c_str(), &source, &TextCollector::add, &done, &error),
          error);
    return std::move(done.texts);
}

void Dumper::interrupt() noexcept { table().interrupt(self_); }

LoadSession::~LoadSession() {
    if (handle_ == nullptr) return;
    const auto lock = dumper_.lock_.take();
    bk_error error = bk::empty_error(); // the failure that led here is the one to report
    (void)dumper_.table().load_end(handle_, 0, &error);
}

void LoadSession::load(const bk_load_unit& unit, bk_source& source) {
    const auto lock = dumper_.lock_.take();
    bk_error error = bk::empty_error();
    dumper_.check(dumper_.table().load(handle_, &unit, &source, &error), error);
}

void LoadSession::commit() {
    const auto lock = dumper_.lock_.take();
    bk_error error = bk::empty_error();
    const bk_status status = dumper_.table().load_end(std::exchange(handle_, nullptr), 1, &error);
    dumper_.check(status, error);
}

} // namespace bkhost
