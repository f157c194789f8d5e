// A configuration: read, checked against drivers, and as JSON. Neither commands nor secrets are run
// or read by any of that.
#include "host/config/config_fixture.hpp"
#include "tests/fuzz/fuzz_target.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

using namespace bkhost;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const TempFolder folder;
    static TestRegistry registry;
    static const Environment environment =
        TestEnvironment{{{"HOME", "/home/me"}, {"LABEL", "production"}, {"PW", "canary"}}}.get();

    const std::string_view text = fuzz::text_of(data, size);
    const std::string path = folder.write("f.yaml", text);
    fuzz::succeeds({BK_E_CONFIG}, [&] {
        const std::string json = to_json(parse_yaml(text, "f.yaml", environment));
        fuzz::require(nlohmann::json::accept(json), "the tree is JSON");
    });
    fuzz::succeeds({BK_E_CONFIG}, [&] {
        for (const ConfigProblem& problem : check_config(load_config(path, environment), registry))
            fuzz::require(!problem.text().empty(), "a problem says what it is");
    });
    return 0;
}
