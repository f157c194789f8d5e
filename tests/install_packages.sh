#!/usr/bin/env bash
# Installs the packages of packages.txt that are missing: `build` what a build takes, `test` (and no
# argument) what the tests take besides, `coverage` what tests/coverage.sh takes besides that. Calls apt
# only when something is missing; as root, or with sudo.
set -euo pipefail

list=$(dirname "$(readlink -f "$0")")/packages.txt
purpose=${1:-test}
case $purpose in
build | test | coverage) ;;
*)
    echo "usage: $0 [build|test|coverage]" >&2
    exit 2
    ;;
esac

wanted() {
    awk -v purpose="$purpose" '
        BEGIN { rank["build"] = 1; rank["test"] = 2; rank["coverage"] = 3 }
        { sub(/#.*/, "") }
        NF == 0 { next }
        NF != 2 || !($2 in rank) {
            print FILENAME ":" FNR ": not \"PACKAGE build|test|coverage\"" > "/dev/stderr"
            exit 1
        }
        rank[$2] <= rank[purpose] { print $1 }' "$list"
}

installed() {
    dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

packages=$(wanted)
missing=()
for package in $packages; do
    installed "$package" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
    echo "packages: all there"
    exit 0
fi

as_root=()
if ((EUID != 0)); then
    command -v sudo >/dev/null || {
        echo "missing: ${missing[*]}; install them, or run this as root" >&2
        exit 1
    }
    as_root=(sudo)
fi
echo "packages: installing ${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"
