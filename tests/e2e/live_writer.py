"""A backup of a database that another process writes to all the time.

Run as a test, or by the test itself as the writer: `live_writer.py --write DATABASE`.
BKHOST_BIG=1 takes 1.1 GiB, past SQLite's lock page, instead of 64 MiB; BKHOST_MIB any other size.
"""

import hashlib
import json
import os
import select
import sqlite3
import subprocess
import sys
import time
import zlib

from bkhost_e2e import SANITIZED, Case, ask, main, make_big

MIB = int(os.environ.get("BKHOST_MIB", "1152" if os.environ.get("BKHOST_BIG") else "64"))
PEAK_MIB = 160


def next_link(link, number):
    """The chain that proves which state a database is in: each transaction hashes the last one."""
    return hashlib.sha256(f"{link}:{number}".encode()).hexdigest()


def prepare(database):
    connection = sqlite3.connect(database, isolation_level=None)
    connection.executescript("""
        CREATE TABLE one(n INTEGER NOT NULL);
        CREATE TABLE two(n INTEGER NOT NULL, link TEXT NOT NULL);
        CREATE TABLE rows(id INTEGER PRIMARY KEY, body BLOB NOT NULL, crc INTEGER NOT NULL);
        INSERT INTO one VALUES(0);
        INSERT INTO two VALUES(0, '');
    """)
    connection.close()


def write(database):
    """Writes until standard input ends, without any patience for locks; then prints what it saw."""
    connection = sqlite3.connect(database, timeout=0, isolation_level=None)
    connection.execute("PRAGMA synchronous=normal")
    number, link = connection.execute("SELECT n, link FROM two").fetchone()
    blobs = connection.execute("SELECT max(id) FROM blobs").fetchone()[0]
    seen = {"transactions": 0, "error": None, "slowest_ms": 0}
    while not select.select([sys.stdin], [], [], 0.001)[0]:
        began = time.monotonic()
        number, link = number + 1, next_link(link, number + 1)
        body = hashlib.shake_128(link.encode()).digest(3000)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE one SET n=?", (number,))
            connection.execute("INSERT OR REPLACE INTO rows VALUES(?,?,?)",
                               (number % 5000, body, zlib.crc32(body)))
            connection.execute("UPDATE blobs SET body=randomblob(65000) WHERE id=?",
                               (1 + number * 7919 % blobs,))
            connection.execute("UPDATE two SET n=?, link=?", (number, link))
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            seen["error"] = str(error)
            break
        seen["transactions"] += 1
        seen["slowest_ms"] = max(seen["slowest_ms"], int((time.monotonic() - began) * 1000))
        if seen["transactions"] == 10:
            print("writing", flush=True)
    print(json.dumps(seen), flush=True)


class Writer:
    """The other process."""

    def __init__(self, case, database):
        self._case = case
        self._process = subprocess.Popen([sys.executable, __file__, "--write", str(database)],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        case.addCleanup(self._end)
        case.assertEqual(self._process.stdout.readline(), "writing\n")

    def _end(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def stop(self):
        out, _ = self._process.communicate(timeout=60)
        seen = json.loads(out)
        self._case.assertIsNone(seen["error"], "the backup got in the writer's way")
        return seen


class LiveWriter(Case):
    timeout = 900

    def setUp(self):
        super().setUp()
        self.database = make_big(self.home / "shop.db", MIB)
        prepare(self.database)

    def check_state(self, restored, least, most):
        """Exactly one committed state, and one that was current while the backup ran."""
        self.assertEqual(ask(restored, "PRAGMA integrity_check"), "ok")
        number = ask(restored, "SELECT n FROM one")
        self.assertEqual(ask(restored, "SELECT n FROM two"), number)
        self.assertTrue(least <= number <= most, (least, number, most))
        link = ""
        for i in range(1, number + 1):
            link = next_link(link, i)
        self.assertEqual(ask(restored, "SELECT link FROM two"), link)
        connection = sqlite3.connect(restored)
        for identity, body, crc in connection.execute("SELECT id, body, crc FROM rows"):
            self.assertEqual(zlib.crc32(body), crc, f"row {identity}")
        connection.close()
        self.assertEqual(ask(restored, "SELECT max(id) FROM rows"), min(number, 4999))

    def report(self, what, result):
        rate = MIB / max(result.seconds, 0.001)
        print(f"    {what}: {MIB} MiB in {result.seconds:.1f} s ({rate:.0f} MiB/s), "
              f"peak {result.peak_mib:.0f} MiB", file=sys.stderr)
        if not SANITIZED:
            self.assertLessEqual(result.peak_mib, PEAK_MIB, what)

    def test_backups_beside_a_writer(self):
        key, recipient = self.new_key()
        self.write_config(self.config(self.database, recipient))
        writer = Writer(self, self.database)
        for _ in range(3 if MIB <= 256 else 1):
            least = ask(self.database, "SELECT n FROM one")
            result = self.bkhost("run", "shop")
            most = ask(self.database, "SELECT n FROM one")
            self.assertGreater(most, least, "the writer stood still")
            self.report("run", result)
            restored = self.home / "restored.db"
            self.report("restore", self.bkhost("restore", "latest", "--to", f"sqlite:{restored}",
                                               "--identity", str(key)))
            self.check_state(restored, least, most)
            restored.unlink()
        seen = writer.stop()
        print(f"    writer: {seen}", file=sys.stderr)
        self.bkhost("run", "shop")
        self.restore_and_compare(self.database, "--identity", str(key))
        self.assert_clean()

    def test_two_backups_at_once_beside_a_writer(self):
        writer = Writer(self, self.database)
        least = ask(self.database, "SELECT n FROM one")
        stores = [self.home / "first", self.home / "second"]
        runs = [self.start("run", "--from", f"sqlite:{self.database}", "--to", str(store))
                for store in stores]
        for run in runs:
            result = run.wait(self.timeout)
            self.assertEqual(result.code, 0, str(result))
        most = ask(self.database, "SELECT n FROM one")
        writer.stop()
        self.assertEqual([row["state"] for row in self.rows("--all")], ["completed"] * 2)
        for number, row in enumerate(self.rows("--all")):
            restored = self.home / f"restored{number}.db"
            self.bkhost("restore", row["id"], "--to", f"sqlite:{restored}")
            self.check_state(restored, least, most)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(sys.argv[2])
    else:
        main()
