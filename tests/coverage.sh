#!/usr/bin/env bash
# How much of core its unit tests run: a table of lines and branches by file, then the lines of pipeline,
# archive, catalog and retention that no test reaches. Exit 0 only when each of those lines is
# covered or says why not, beside it: `// not covered: REASON`. Writes build/coverage/report.html too.
# Branches are shown and not judged: gcc counts those of destructors and temporaries among them.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

tests/install_packages.sh coverage
tree=$PWD/build/coverage
programs=(base driver pipeline archive catalog retention job)

cmake --preset coverage >/dev/null
targets=()
for layer in "${programs[@]}"; do
    if compgen -G "core/$layer/*_test.cpp" >/dev/null; then targets+=("bkhost_${layer}_test"); fi
done
cmake --build "$tree" --parallel "$(nproc)" --target "${targets[@]}"
find "$tree" -name '*.gcda' -delete
for target in "${targets[@]}"; do
    "$tree/core/$target" --gtest_brief=1
done

report() { # report FOLDERS OPTION...
    local folders=$1
    shift
    gcovr --root . --object-directory "$tree" --filter "core/($folders)/" \
        --exclude '.*_test\.cpp' --exclude '.*_fixture\.hpp' --exclude-throw-branches \
        --exclude-unreachable-branches --exclude-lines-by-pattern '.*// not covered: .+' "$@"
}

report 'base|driver|pipeline|archive|catalog|retention|job' --branches
report 'base|driver|pipeline|archive|catalog|retention|job' --html-details "$tree/report.html"
report 'pipeline|archive|catalog|retention' --print-summary --fail-under-line 100
