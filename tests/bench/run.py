#!/usr/bin/env python3
"""Measures bkhost against the tools that it replaces, in turns, and prints ratios.

    run.py [--quick] [--rounds N] [--work FOLDER] [--json FILE] NAME…

Without a name it lists the benchmarks; `all` is each of them. It prints figures and judges nothing: its
exit status tells only whether every program did its work.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

import benchmarks
from workplace import Workplace


def version_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "not installed"
    return (done.stdout + done.stderr).strip().splitlines()[0].strip("* ")


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def machine(place):
    """What the figures were made on."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    tools = {"bkhost": (place.program, "--version"), "zstd": ("zstd", "--version"),
             "pigz": ("pigz", "--version"), "sqlite3": ("sqlite3", "--version")}
    return {"cores": os.cpu_count(), "processor": processor(), "kernel": platform.release(),
            "memory_gib": round(memory / 2**30, 1),
            "load_before": os.getloadavg()[0],
            "tools": {name: version_of(*command) for name, command in tools.items()}}


def print_table(figures):
    print(f"\n{figures['name']}")
    head = f"  {'':<38}{'wall s':>9}{'min':>9}{'max':>9}{'cpu s':>9}{'MB/s':>9}{'peak MiB':>10}"
    print(head)
    for name, row in figures["contenders"].items():
        walls = [sample["wall_s"] for sample in row["samples"]]
        rate = row["mb_per_s"] if row["mb_per_s"] is not None else "-"
        print(f"  {name:<38}{row['wall_s']:>9.3f}{min(walls):>9.3f}{max(walls):>9.3f}"
              f"{row['cpu_s']:>9.3f}{rate:>9}{row['peak_mib']:>10}")
    for goal in figures["goals"]:
        low, high = goal["spread"]
        cpu = f", cpu {goal['cpu']}" if "cpu" in goal else ""
        met = {True: "met", False: "NOT met", None: ""}[goal["met"]]
        print(f"  {goal['what']}: {goal['value']} ({low} to {high}{cpu}); goal {goal['goal']} {met}")
    for note in figures["notes"]:
        print(f"  {note}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(benchmarks.ALL))
    parser.add_argument("--quick", action="store_true", help="small data, one round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", help="folder for the data; kept, so that it is made once")
    parser.add_argument("--json", help="file for the figures")
    return parser.parse_args()


def main():
    given = arguments()
    if not given.names:
        for name, make in benchmarks.ALL.items():
            print(f"{name:<18}{make.__doc__.splitlines()[0]}")
        return 0
    if given.names == ["all"]:
        given.names = list(benchmarks.ALL)
    if unknown := [name for name in given.names if name not in benchmarks.ALL]:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(benchmarks.ALL)}",
              file=sys.stderr)
        return 2
    folder = given.work or tempfile.mkdtemp(prefix="bkhost-bench-")
    try:
        place = Workplace(folder, given.quick)
        result = {"machine": machine(place), "quick": given.quick, "benchmarks": []}
        for name in given.names:
            benchmark = benchmarks.ALL[name](place)
            if benchmark is None:
                print(f"\n{name}: skipped, a driver or a tool that it needs is not there")
                continue
            benchmark.measure(1 if given.quick else given.rounds, place.environment,
                              warm_up=not given.quick)
            figures = benchmark.figures()
            print_table(figures)
            result["benchmarks"].append(figures)
        if given.json:
            pathlib.Path(given.json).write_text(json.dumps(result, indent=1) + "\n")
    finally:
        if not given.work:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
