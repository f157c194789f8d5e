"""The benchmarks by name. Each gives a Benchmark, or None when a driver or tool is not there."""

import json
import os
import shutil

from comparison import Benchmark, Contender, Goal

ZSTD = {"driver": "zstd", "level": 3}


def backup_job(place, database, **source):
    """The job `shop` as the goals name it: a page image, zstd 3, row proof off."""
    place.job("shop", {"driver": "sqlite", "path": str(database), "row-proof": False, **source}, ZSTD)
    return place.bkhost("run", "shop", "--progress", "none", "-q")


def sqlite_backup(place):
    """SQLite to a folder with zstd 3, against sqlite3 and zstd."""
    database = place.shop()
    copy, packed = place.folder / "copy.db", place.folder / "out.zst"
    zstd = ["zstd", "-3", "-T0", "-q", "-f"]
    copied = [[["sqlite3", database, f".backup '{copy}'"]], [[*zstd, copy, "-o", packed]]]
    straight = [[[*zstd, database, "-o", packed]]]
    dumped = [[["sqlite3", database, ".dump"], [*zstd, "-o", packed]]]
    sync = [[["sync", packed]]]

    def clean():
        place.remove(copy, packed)
        place.clean_store()

    contenders = [Contender("bkhost", [[backup_job(place, database)]], clean),
                  Contender("sqlite3 .backup, zstd", copied, clean),
                  Contender("zstd of the file", straight, clean),
                  Contender("zstd of the file, sync", straight + sync, clean),
                  Contender("sqlite3 .dump | zstd", dumped, clean)]
    return Benchmark("sqlite-backup", database.stat().st_size, contenders, [
        Goal("bkhost", "sqlite3 .backup, zstd", at_most=0.80),
        Goal("bkhost", "zstd of the file", at_most=1.05),
        Goal("bkhost", "sqlite3 .dump | zstd", at_most=0.35),
        Goal("bkhost", "zstd of the file, sync")], ["bkhost syncs its files and reads them back in part"])


def sqlite_restore(place):
    """The same database back, against zstd -d and sync."""
    database = place.shop()
    packed, target = database.with_suffix(".zst"), place.folder / "restored.db"
    place.clean_store()
    place.run(*backup_job(place, database))
    if not packed.exists():
        place.run("zstd", "-3", "-T0", "-q", database, "-o", packed)

    def clean():
        place.remove(target)

    def restore(options):
        return [[place.bkhost("restore", "latest", "--to", f"sqlite:{target}{options}",
                              "--progress", "none", "-q")]]

    unpack = [[["zstd", "-d", "-q", packed, "-o", target]]]
    contenders = [Contender("bkhost", restore(""), clean),
                  Contender("bkhost, integrity-check none", restore("?integrity-check=none"), clean),
                  Contender("zstd -d, sync", unpack + [[["sync", target]]], clean),
                  Contender("zstd -d, sync, quick_check",
                            unpack + [[["sync", target]],
                                      [["sqlite3", target, "PRAGMA quick_check"]]], clean)]
    return Benchmark("sqlite-restore", database.stat().st_size, contenders, [
        Goal("bkhost", "zstd -d, sync", at_most=1.2),
        Goal("bkhost, integrity-check none", "zstd -d, sync", at_most=1.2),
        Goal("bkhost", "zstd -d, sync, quick_check")])


def gzip_backup(place):
    """SQLite to a folder with gzip 4, against pigz."""
    if not shutil.which("pigz") or not place.has_driver("gzip"):
        return None
    database = place.shop()
    packed = place.folder / "out.gz"
    place.job("gzip", {"driver": "sqlite", "path": str(database), "row-proof": False},
              {"driver": "gzip", "level": 4})

    def clean():
        place.remove(packed)
        place.clean_store()

    contenders = [
        Contender("bkhost", [[place.bkhost("run", "gzip", "--progress", "none", "-q")]], clean),
        Contender("pigz -4", [[["pigz", "-4", "-c", database], packed]], clean)]
    return Benchmark("gzip", database.stat().st_size, contenders,
                     [Goal("bkhost", "pigz -4", at_most=1.1)])


def stream(place):
    """Made-up bytes through zstd 1 and age into nothing, against zstd -1 -T2 on the same bytes."""
    if not place.has_driver("synthetic"):
        return None
    size = (32 if place.quick else 2048) << 20
    source = {"driver": "synthetic", "size": size, "ratio": 3}
    place.run("age-keygen", "-o", place.folder / "key.txt")
    recipient = place.run("age-keygen", "-y", place.folder / "key.txt").decode().strip()
    (place.folder / "key.txt").unlink()
    age = {"driver": "age", "recipients": [recipient]}
    place.job("plain", source, "none")
    place.job("packed", source, {"driver": "zstd", "level": 1}, store={"driver": "null"})
    place.job("stream", source, {"driver": "zstd", "level": 1}, age, {"driver": "null"})
    place.clean_store()
    place.run(*place.bkhost("run", "plain", "-q"))
    volume = max(place.store.rglob("plain*"), key=lambda path: path.stat().st_size)
    zstd = ["zstd", "-1", "-T2", "-q", "-c", volume]
    contenders = [
        Contender("bkhost", [[place.bkhost("run", "stream", "--progress", "none", "-q")]]),
        Contender("bkhost without age", [[place.bkhost("run", "packed", "--progress", "none", "-q")]]),
        Contender("zstd -1 -T2", [[zstd]]),
        Contender("zstd -1 -T2 | age", [[zstd, ["age", "-r", recipient]]])]
    return Benchmark("stream", volume.stat().st_size, contenders, [
        Goal("bkhost", "zstd -1 -T2", at_least=0.80, inverse=True),
        Goal("bkhost without age", "zstd -1 -T2", inverse=True),
        Goal("bkhost", "zstd -1 -T2 | age", inverse=True)])


def startup(place):
    """How long bkhost takes to say something."""
    repeat = 5 if place.quick else 20
    version = [[[place.program, "--version"]]]
    plugins = [[[place.program, "plugin", "list", "--plugin-dir", place.plugins]]]
    contenders = [Contender("bkhost --version", version), Contender("bkhost plugin list", plugins)]
    for _ in range(repeat):  # besides the rounds: a start is short
        for contender in contenders:
            contender.measure(place.environment)
    return Benchmark("startup", 0, contenders, [Goal("bkhost --version", at_most=0.020),
                                                Goal("bkhost plugin list", at_most=0.050)])


def abi_calls(place):
    """The share of a backup's processor time that calls across the plugin boundary take."""
    program = os.environ.get("BENCH_ABI_CALLS", "")
    if not os.path.exists(program):
        return None
    database = place.shop()
    place.clean_store()
    folder = place.folder / "abi"
    told = json.loads(place.run(program, place.program, place.plugins, database, folder))
    shutil.rmtree(folder)
    goal = {"what": "boundary / all processor time", "value": round(told["share"], 6),
            "spread": [round(told["share"], 6)] * 2, "goal": "<= 0.01", "met": told["share"] <= 0.01}
    return Benchmark("abi-calls", database.stat().st_size, [], [], found=[goal], notes=[
        "calls: " + ", ".join(f"{name} {count}" for name, count in told["calls"].items()),
        "ns a call: " + ", ".join(f"{name} {cost:.1f}" for name, cost in told["ns"].items()),
        f"{told['boundary_s'] * 1e6:.0f} us of {told['processor_s']:.2f} s"])


ALL = {"sqlite-backup": sqlite_backup, "sqlite-restore": sqlite_restore, "stream": stream, "gzip": gzip_backup,
       "abi-calls": abi_calls, "startup": startup}
