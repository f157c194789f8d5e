// A sample plugin as the host sees it: loaded from its file, driven through the C tables.
#pragma once

#include <bkhost/testing/fake_host.hpp>

#include <dlfcn.h>

#include <stdexcept>

namespace bk_test {

/// The only driver of the plugin `file` in SAMPLE_DIR. The library stays loaded, as in the host.
inline const bk_component& sample(const std::string& file) {
    void* library = dlopen((SAMPLE_DIR "/" + file + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(dlerror());
    void* symbol = dlsym(library, BK_ENTRY_NAME);
    bk_module_fn entry = nullptr;
    std::memcpy(&entry, &symbol, sizeof entry);
    return *entry()->components[0];
}

/// An instance of a kind with the plain create (all but the transforms), and what its calls need.
template <class Table>
class Instance {
public:
    explicit Instance(const std::string& file, const bk::FakeConfig::Values& values = {})
        : driver(sample(file)), config(values, driver),
          table(static_cast<const Table*>(driver.vtable)) {
        status = table->create(host.get(), config.get(), &self, &error);
    }
    ~Instance() {
        if (self != nullptr) table->destroy(self);
    }
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    const bk_component& driver;
    bk::FakeHost host;
    bk::FakeConfig config;
    const Table* table;
    bk_error error = bk::empty_error();
    void* self = nullptr;
    bk_status status; ///< of create
};

} // namespace bk_test
