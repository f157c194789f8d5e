#!/usr/bin/env bash
# All that a change must pass: packages, a release build with every test, the unit tests under address
# and undefined-behaviour sanitizer, the threaded parts under thread sanitizer, each fuzz target for some
# seconds. What takes longer is in soak.sh.
# Last line: "N passed, M failed". Exit 0 only when nothing failed.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

jobs=$(nproc)
passed=0 failed=0 skipped=0

finish() {
    ((skipped == 0)) || echo "$skipped skipped"
    echo "all: ${SECONDS} s"
    echo "$passed passed, $failed failed"
    ((failed == 0)) || exit 1
    exit 0
}

# phase TITLE COMMAND...: runs it, says how long it took, gives its status.
phase() {
    local title=$1 start=$SECONDS status=0
    shift
    echo "== $title"
    "$@" || status=$?
    echo "== $title: $((SECONDS - start)) s, status $status"
    return "$status"
}

# A phase that the rest cannot do without.
must() {
    phase "$@" && return
    echo "failed: $1" >&2
    failed=$((failed + 1))
    finish
}

attribute() { # attribute TAG NAME: the number in NAME="…"
    sed -n "s/.* $2=\"\([0-9]\+\)\".*/\1/p" <<<"$1"
}

# count STATUS REPORT: adds up a JUnit report. A run that ended badly is never counted as clean, also
# when it left no report.
count() {
    local status=$1 report=$2 tag='' tests failures skips
    if [[ -f $report ]]; then tag=$(head -c 2000 "$report" | tr '\n\t' '  '); fi
    tag=${tag#*<testsuite}
    tag=${tag%%>*}
    tests=$(attribute "$tag" tests)
    failures=$(attribute "$tag" failures)
    if [[ -z $tests || -z $failures ]]; then
        echo "no report of the run: $report" >&2
        failed=$((failed + 1))
        return
    fi
    skips=$(grep -c '^[[:space:]]*<skipped' "$report" || true)
    failed=$((failed + failures))
    ((status == 0 || failures > 0)) || failed=$((failed + 1))
    skipped=$((skipped + skips))
    passed=$((passed + tests - failures - skips))
}

# shellcheck disable=SC2317 # called through `must`
build() { # build PRESET [TARGET...]
    local preset=$1
    shift
    cmake --preset "$preset" &&
        cmake --build --preset "$preset" --parallel "$jobs" ${1:+--target "$@"}
}

run_ctest() { # run_ctest TITLE PRESET [OPTION...]
    local title=$1 tree=$PWD/build/$2 status=0
    shift 2
    rm -f "$tree/report.xml"
    phase "$title" ctest --test-dir "$tree" --output-on-failure --no-tests=error --parallel "$jobs" \
        --output-junit "$tree/report.xml" "$@" || status=$?
    count "$status" "$tree/report.xml"
}

run_program() { # run_program PRESET TARGET: a GoogleTest program by itself
    local tree=$PWD/build/$1 target=$2 program status=0
    program=$(find "$tree" -type f -name "$target" -perm -u+x -print -quit)
    rm -f "$tree/$target.xml"
    phase "$1: $target" "${fixed_addresses[@]}" "$program" --gtest_brief=1 \
        "--gtest_output=xml:$tree/$target.xml" || status=$?
    count "$status" "$tree/$target.xml"
}

# Each fuzz target from the kept corpus on; an input that it fails with lies beside the build.
run_fuzzers() {
    local tree=$PWD/build/fuzz program name status
    for program in "$tree"/tests/fuzz/*_fuzz; do
        name=$(basename "$program" _fuzz) status=0
        mkdir -p "$tree/found/$name"
        phase "fuzz: $name" "$program" -max_total_time=5 -timeout=10 -max_len=16384 \
            -artifact_prefix="$tree/found/$name-" "$tree/found/$name" "tests/fuzz/corpus/$name" \
            >"$tree/found/$name.log" 2>&1 || status=$?
        grep '^==' "$tree/found/$name.log"
        ((status == 0)) || tail -n 60 "$tree/found/$name.log"
        if ((status == 0)); then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    done
}

# The thread sanitizer of gcc 12 does not start where the kernel randomizes addresses widely; a container
# may forbid to turn that off, and then mostly need not.
fixed_addresses=()
if setarch "$(uname -m)" -R true 2>/dev/null; then fixed_addresses=(setarch "$(uname -m)" -R); fi

threaded=(bkhost_pipeline_test bkhost_archive_test bkhost_catalog_test)

must "packages" tests/install_packages.sh test
must "release: build" build release
run_ctest "release: all tests" release
must "asan: build" build asan unit_tests
run_ctest "asan: unit tests" asan -L unit
must "tsan: build" build tsan "${threaded[@]}"
for target in "${threaded[@]}"; do
    run_program tsan "$target"
done
must "fuzz: build" build fuzz
run_fuzzers
finish
