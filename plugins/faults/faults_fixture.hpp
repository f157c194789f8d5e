// For tests: a wrapped driver behind the tables that the host would call.
#pragma once

#include <bkhost/testing/fake_host.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

namespace faults {

/// The linked driver `faulty` of a kind.
inline const bk_component& faulty(std::string_view interface_id) {
    const bk_module* module = bk_module_v0();
    for (uint32_t i = 0; i < module->component_count; ++i)
        if (module->components[i]->interface_id == interface_id) return *module->components[i];
    throw bk::Error(BK_E_NOT_FOUND, "no such kind");
}

/// A status with what the driver said of it.
struct Answer {
    bk_status status = BK_OK;
    bk_error error = bk::empty_error();
    [[nodiscard]] std::string message() const { return error.message; }
};

/// An instance of a wrapper. The plan of faults belongs to the process and is found by the
/// options, so every test has a log of its own name.
template <class Table>
class Wrapping {
public:
    using Values = bk::FakeConfig::Values;

    Wrapping(const char* interface_id, const std::string& plugin, const std::string& driver,
             const std::vector<std::string>& faults, const std::string& options = "{}")
        : component_(faulty(interface_id)), log_(unique_log()),
          config_(Values{{"plugin", {plugin}},
                         {"driver-name", {driver}},
                         {"options", {options}},
                         {"fault", faults},
                         {"log", {log_}}},
                  component_) {}
    Wrapping(const Wrapping&) = delete;
    Wrapping& operator=(const Wrapping&) = delete;
    ~Wrapping() {
        if (self_ != nullptr) table().destroy(self_);
        std::filesystem::remove(log_);
    }

    [[nodiscard]] const Table& table() const {
        return *static_cast<const Table*>(component_.vtable);
    }
    template <class... Direction>
    Answer create(Direction... direction) {
        Answer answer;
        answer.status =
            table().create(host_.get(), config_.get(), direction..., &self_, &answer.error);
        return answer;
    }
    [[nodiscard]] void* self() const { return self_; }
    [[nodiscard]] bk::FakeHost& host() { return host_; }
    [[nodiscard]] const bk_config* config() const { return config_.get(); }
    [[nodiscard]] const bk_component& component() const { return component_; }
    /// The lines of the log, each "function key offset bytes faults".
    [[nodiscard]] std::vector<std::string> log() const {
        std::vector<std::string> lines;
        std::ifstream file(log_);
        for (std::string line; std::getline(file, line);) {
            std::ranges::replace(line, '\t', ' ');
            lines.push_back(line);
        }
        return lines;
    }

private:
    static std::string unique_log() {
        static int count = 0;
        return std::filesystem::temp_directory_path() /
               ("bkhost-faults-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
    }

    const bk_component& component_;
    const std::string log_;
    bk::FakeHost host_;
    bk::FakeConfig config_;
    void* self_ = nullptr;
};

} // namespace faults
