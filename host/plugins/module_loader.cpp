// The ABI major stands in the name of the entry, so that asking for a symbol is asking for a
// version.
#include "host/plugins/module_loader.hpp"

#include "host/plugins/module_check.hpp"

#include <bkhost/error.hpp>

#include <boost/dll/shared_library.hpp>

#include <dlfcn.h>

namespace bkhost {
namespace {

constexpr int kMaxMajor = 9;

/// Why there is no entry of our major.
bk::Error no_entry(const boost::dll::shared_library& library) {
    for (int major = 0; major <= kMaxMajor; ++major) {
        const std::string name = "bk_module_v" + std::to_string(major);
        if (!library.has(name)) continue;
        return {BK_E_CONFIG,
                "it is made for plugin ABI major " + std::to_string(major) +
                    ", and this host has " + std::to_string(BK_ABI_MAJOR),
                "use a bkhost of ABI major " + std::to_string(major) +
                    ", or a build of the plugin for this one"};
    }
    return {BK_E_CONFIG, "it does not export " BK_ENTRY_NAME,
            "rebuild the plugin with the SDK's bkhost_add_plugin"};
}

} // namespace

const bk_module& open_module(const std::string& path) {
    boost::dll::fs::error_code error;
    boost::dll::shared_library library;
    library.load(path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local, error);
    if (error) {
        const char* why = ::dlerror(); // Boost's code says "bad file descriptor" for everything
        throw bk::Error(BK_E_CONFIG,
                        "it cannot be loaded: " + (why != nullptr ? why : error.message()),
                        "install the libraries that the plugin needs (ldd shows them)");
    }
    // Never unmapped, whatever happens to the handle: client libraries leave thread-local
    // destructors and threads behind, and a dlclose under them crashes at the next thread's end.
    if (::dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE) == nullptr)
        throw bk::Error(BK_E_INTERNAL, "it cannot be kept in memory");
    if (!library.has(BK_ENTRY_NAME)) throw no_entry(library);
    const auto entry = library.get<const bk_module*() noexcept>(BK_ENTRY_NAME);
    const bk_module* module = entry();
    if (const std::string why = module_problem(module); !why.empty())
        throw bk::Error(BK_E_CONFIG, why,
                        "tell its vendor; 'bkhost plugin check' names the rule that it breaks");
    return *module;
}

} // namespace bkhost
