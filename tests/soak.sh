#!/usr/bin/env bash
# What is too long for every change: hours of fuzzing, memory at sizes, every bit of larger archives,
# writers that never stop, kills. Each part prints its figures and one line "pass" or "FAIL".
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "$0")")")

usage() {
    cat <<END
usage: tests/soak.sh [OPTION...] [PART...]

Parts (all of them unless some are named):
  fuzz     every fuzz target in turn, new inputs are kept beside the build
  memory   peak memory of backups of 1 GiB and of 8 GiB: synthetic, encrypted, and of SQLite files
  huge     peak memory of a synthetic backup of 1 TiB against one of a 64th of that
  damage   every bit of every object of small and of larger archives, several seeds
  writer   backups and restores beside a process that never stops writing
  kill     runs that are killed at random moments, other moments each time

Options:
  --build DIR        a release build with tests (default: build/release)
  --fuzz-build DIR   of -DBKHOST_FUZZ=ON; configured and built when needed (default: build/fuzz)
  --hours H          how long fuzz, writer and kill take, each (default: 1; 0.01 is allowed)
  --huge SIZE        of the part huge, in GiB (default: 1024)
  --seeds N          of the part damage (default: 4)
  --rows N           of each table of the larger archive of the part damage (default: 200)
  --self-check       everything small, some minutes in all: whether this script works
END
}

build=$root/build/release fuzz_build=$root/build/fuzz
hours=1 huge=1024 seeds=4 rows=200 step=1 small=1024 large=8192 writer_mib=1152
parts=()
while (($# > 0)); do
    case $1 in
    --build) build=$(readlink -f "$2") && shift ;;
    --fuzz-build) fuzz_build=$(readlink -m "$2") && shift ;;
    --hours) hours=$2 && shift ;;
    --huge) huge=$2 && shift ;;
    --seeds) seeds=$2 && shift ;;
    --rows) rows=$2 && shift ;;
    --self-check) hours=0.003 huge=4 seeds=1 rows=20 step=997 small=256 large=1024 writer_mib=16 ;;
    --help | -h) usage && exit 0 ;;
    fuzz | memory | huge | damage | writer | kill) parts+=("$1") ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done
((${#parts[@]} > 0)) || parts=(fuzz memory huge damage writer kill)
seconds=$(awk -v hours="$hours" 'BEGIN { printf "%d", hours * 3600 + 0.5 }')

export BKHOST=$build/host/bkhost BKHOST_PLUGINS=$build/plugins-0 PYTHONDONTWRITEBYTECODE=1
[[ -x $BKHOST ]] || { echo "no program '$BKHOST': name a build with --build" >&2 && exit 2; }
home=$(mktemp -d "${TMPDIR:-/tmp}/bkhost-soak-XXXXXX")
trap 'rm -rf "$home"' EXIT
failed=0

# verdict NAME STATUS TEXT
verdict() {
    if (($2 == 0)); then
        echo "pass: $1: $3"
    else
        echo "FAIL: $1: $3"
        failed=$((failed + 1))
    fi
}

# bkhost ARGUMENT...: prints its peak memory in KiB; its own output only when it fails.
peak_of() {
    HOME=$home python3 - "$BKHOST" "$@" --plugin-dir "$BKHOST_PLUGINS" --progress none <<'END'
import os, subprocess, sys
with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
    said = child.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
if child.returncode != 0:
    sys.exit(f"{' '.join(sys.argv[1:])}: exit {child.returncode}\n{said}")
print(usage.ru_maxrss)
END
}

# same_peak NAME SMALL LARGE: both in KiB; at most 5 % apart.
same_peak() {
    local status=0
    awk -v a="$2" -v b="$3" 'BEGIN { exit !(a > 0 && b <= a * 1.05 && a <= b * 1.05) }' || status=1
    verdict "$1" $status "peak $(($2 / 1024)) MiB and $(($3 / 1024)) MiB, at most 5 % apart"
}

# peaks NAME SMALL LARGE ARGUMENT...: sizes in MiB; SIZE in the arguments stands for them.
peaks() {
    local name=$1 sizes=("$2" "$3") found=() size peak
    shift 3
    for size in "${sizes[@]}"; do
        peak=$(peak_of "${@//SIZE/$size}") || { verdict "$name" 1 "the backup failed"; return 0; }
        found+=("$peak")
    done
    same_peak "$name, ${sizes[0]} and ${sizes[1]} MiB" "${found[@]}"
}

part_fuzz() {
    (cd "$root" && cmake --preset fuzz -B "$fuzz_build") >"$home/cmake.log"
    cmake --build "$fuzz_build" --parallel "$(nproc)" >>"$home/cmake.log" || {
        tail -n 20 "$home/cmake.log" >&2
        verdict fuzz 1 "the targets cannot be built"
        return 0
    }
    local programs=("$fuzz_build"/tests/fuzz/*_fuzz) program name found status
    for program in "${programs[@]}"; do
        name=$(basename "$program" _fuzz)
        found=$fuzz_build/found/$name status=0
        mkdir -p "$found"
        "$program" -max_total_time=$((seconds / ${#programs[@]} + 1)) -timeout=10 -rss_limit_mb=2048 \
            -max_len=65536 -print_final_stats=1 -artifact_prefix="$found-" "$found" \
            "$root/tests/fuzz/corpus/$name" >"$home/$name.log" 2>&1 || status=1
        ((status == 0)) || tail -n 40 "$home/$name.log"
        verdict "fuzz $name" $status "$(awk '/stat::number_of_executed_units/ { print $2 }' \
            "$home/$name.log") inputs, $(find "$found" -type f | wc -l) kept"
    done
}

part_memory() {
    local free recipient
    recipient=$("$BKHOST" key generate --output "$home/key.txt" --plugin-dir "$BKHOST_PLUGINS" --quiet)
    peaks "memory, synthetic" $small $large run --from synthetic:SIZEMiB --to null: --compress zstd:1
    peaks "memory, synthetic, encrypted" $small $large run --from synthetic:SIZEMiB --to null: \
        --compress zstd:1 --encrypt "age:$recipient"
    free=$(df --output=avail -m "$home" | tail -n 1)
    if ((free < large + small + 2048)); then
        echo "skipped: memory, sqlite: $free MiB are free below ${TMPDIR:-/tmp}"
        return 0
    fi
    for size in $small $large; do
        PYTHONPATH=$root/tests/e2e python3 -c "
import pathlib, sys, bkhost_e2e
bkhost_e2e.make_big(pathlib.Path(sys.argv[1]), int(sys.argv[2]))" "$home/$size.db" "$size"
    done
    peaks "memory, sqlite" $small $large run --from "sqlite:$home/SIZE.db" --to null: --compress zstd:1
    rm -f "$home"/*.db
}

part_huge() {
    peaks "huge" $((huge * 1024 / 64)) $((huge * 1024)) run --from synthetic:SIZEMiB --to null: \
        --compress zstd:1
}

# damage_run NAME VARIABLE=VALUE...
damage_run() {
    local name=$1 status=0
    shift
    env TMPDIR="$([[ -d /dev/shm ]] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" "$@" \
        "$build/tests/damage/damage_test" --gtest_brief=1 >"$home/damage.log" 2>&1 || status=1
    ((status == 0)) || grep -v CASES "$home/damage.log" | tail -n 40
    verdict "damage, $name" $status "$(awk '/CASES/ { sum += $NF } END { print sum + 0 }' \
        "$home/damage.log") cases"
}

part_damage() {
    local seed
    for ((seed = 1; seed <= seeds; ++seed)); do
        damage_run "seed $seed" BKHOST_DAMAGE_SEED=$seed BKHOST_DAMAGE_STEP=$step BKHOST_DAMAGE_ALL=1
    done
    damage_run "every bit" BKHOST_DAMAGE_FLIPS=all BKHOST_DAMAGE_STEP=$step BKHOST_DAMAGE_ALL=1
    damage_run "every bit, $rows rows" BKHOST_DAMAGE_FLIPS=all BKHOST_DAMAGE_ROWS="$rows" \
        BKHOST_DAMAGE_STEP=$step BKHOST_DAMAGE_ALL=1
}

# again NAME SCRIPT: with another seed each time, until the time is over; at least once.
again() {
    local name=$1 script=$2 end=$((SECONDS + seconds)) rounds=0
    while ((rounds == 0 || SECONDS < end)); do
        rounds=$((rounds + 1))
        if ! BKHOST_SEED=$rounds BKHOST_MIB=$writer_mib python3 "$root/tests/e2e/$script" \
            >"$home/$name.log" 2>&1; then
            tail -n 60 "$home/$name.log"
            verdict "$name" 1 "in round $rounds"
            return 0
        fi
        grep -E '^ +(run|restore|writer):' "$home/$name.log" || true
    done
    verdict "$name" 0 "$rounds rounds"
}
part_writer() { again writer live_writer.py; }
part_kill() { again kill kill9.py; }

for part in "${parts[@]}"; do
    echo "== $part"
    "part_$part"
done
((failed == 0)) || exit 1
