"""What the end-to-end tests share: a home of their own, databases, the program as a user runs it.

BKHOST names the program and BKHOST_PLUGINS the folder of its plugins (ctest sets both). Each test
has a home folder that is removed at the end.
"""

import json
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

BKHOST = os.environ.get("BKHOST", "")
PLUGINS = os.environ.get("BKHOST_PLUGINS", "")
SANITIZED = bool(os.environ.get("BKHOST_SANITIZED"))
MARKER = ".bkhost-storage"
ID = re.compile(r"\d{8}T\d{6}Z-[a-z2-9]{6}")
ACTIVE = {"pending", "running", "verifying", "deleting"}


class Result:
    """How a program ended."""

    def __init__(self, arguments, code, out, err, seconds, peak_kib):
        self.arguments = arguments
        self.code = code  # negative: the signal that ended it
        self.out = out  # bytes
        self.err = err.decode("utf-8", "replace")
        self.seconds = seconds
        self.peak_mib = peak_kib / 1024

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        shown = self.out[:4000].decode("utf-8", "replace")
        return (f"{' '.join(map(str, self.arguments))}\n"
                f"exit {self.code} after {self.seconds:.1f} s\n"
                f"--- stdout\n{shown}\n--- stderr\n{self.err}")


class Running:
    """A program that runs, with its output in files, so that no pipe can fill up."""

    def __init__(self, arguments, environment, stdin=None, user=None):
        self.arguments = [str(a) for a in arguments]
        self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            self.arguments, env=environment, stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=self._out, stderr=self._err, user=user, extra_groups=[] if user else None)
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)
        self.result = None

    def ended_within(self, seconds):
        """Whether it ends in that time. Does not collect it."""
        if self.result:
            return True
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(max(0, seconds) * 1000))

    def kill(self, number=signal.SIGKILL):
        if not self.result:
            signal.pidfd_send_signal(self._pidfd, number)

    def wait(self, timeout):
        """Its Result; a program that takes longer is killed and fails the test."""
        if self.result:
            return self.result
        late = not self.ended_within(timeout)
        if late:
            self.kill()
        _, status, usage = os.wait4(self.pid, 0)
        code = self._process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - self._began
        os.close(self._pidfd)
        out, err = self._content(self._out), self._content(self._err)
        self.result = Result(self.arguments, code, out, err, seconds, usage.ru_maxrss)
        if late:
            raise AssertionError(f"took longer than {timeout} s: {self.result}")
        return self.result

    @staticmethod
    def _content(file):
        file.seek(0)
        content = file.read()
        file.close()
        return content


class Case(unittest.TestCase):
    """A test with a home folder, a storage folder and the program."""

    maxDiff = 2000
    timeout = 120

    @classmethod
    def setUpClass(cls):
        for name, value in (("BKHOST", BKHOST), ("BKHOST_PLUGINS", PLUGINS)):
            if not value or not os.path.exists(value):
                raise RuntimeError(f"{name} must name the program and the plugins, is '{value}'")

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="bkhost-e2e-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.store = self.home / "store"
        self.state = self.home / "state"
        self.config_path = self.home / "config" / "bkhost" / "bkhost.yaml"
        self._running = []
        self.addCleanup(self._end_all)
        self.environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.home),
            "LANG": "C.UTF-8", "TERM": "xterm", "TMPDIR": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"), "XDG_STATE_HOME": str(self.state),
            "XDG_DATA_HOME": str(self.home / "data"), "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_RUNTIME_DIR": str(self.home)}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def _end_all(self):
        for running in self._running:
            running.kill()
            running.wait(30)

    # ---- the program

    def start(self, *arguments, **how):
        command = [BKHOST, *arguments, "--plugin-dir", PLUGINS]
        running = Running(command, self.environment, **how)
        self._running.append(running)
        return running

    def bkhost(self, *arguments, code=0, **how):
        """Runs it to its end. `code`: the exit status that it must have (or several), None: any."""
        result = self.start(*arguments, **how).wait(self.timeout)
        if code is not None:
            self.assertIn(result.code, code if isinstance(code, tuple) else (code,), str(result))
        return result

    def json(self, *arguments, code=0):
        """Runs it with --json and gives the document."""
        result = self.bkhost(*arguments, "--json", code=code)
        try:
            return result.json()
        except ValueError as error:
            self.fail(f"not one JSON document ({error}): {result}")

    def tool(self, *arguments, stdin=b"", code=0):
        """Runs another program and gives its output."""
        done = subprocess.run([str(a) for a in arguments], input=stdin, capture_output=True,
                              timeout=self.timeout, check=False)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stderr.decode()}")
        return done.stdout

    # ---- configuration and keys

    def write_config(self, config):
        """JSON is YAML, and one line a key gives line numbers."""
        self.config_path.parent.mkdir(parents=True, exist_ok=True)
        self.config_path.write_text(json.dumps(config, indent=2) + "\n")
        self.config_path.chmod(0o600)

    def config(self, database, recipient=None, **source):
        """A configuration with the job `shop` from the database to the storage `here`."""
        job = {"source": "shop", "store": ["here"], "compress": {"driver": "zstd", "level": 3}}
        job["encrypt"] = {"driver": "age", "recipients": [recipient]} if recipient else "none"
        return {"environment": "test",
                "storages": {"here": {"driver": "local", "path": str(self.store)}},
                "sources": {"shop": {"driver": "sqlite", "path": str(database), **source}},
                "jobs": {"shop": job}}

    def new_key(self, name="key.txt"):
        """(path of an identity, its recipient), made by age's own tool."""
        path = self.home / name
        self.tool("age-keygen", "-o", path)
        path.chmod(0o600)
        return path, re.search(r"age1[a-z0-9]+", path.read_text()).group()

    # ---- what is there

    def rows(self, *arguments):
        """The backups that `list` shows."""
        document = self.json("list", *arguments)
        rows = document["backups"] if isinstance(document, dict) else document
        self.assertIsInstance(rows, list)
        return rows

    def newest(self, *arguments):
        rows = self.rows("--all", *arguments)
        self.assertTrue(rows, "the list is empty")
        return max(rows, key=lambda row: row["started_at"])

    def archives(self, store=None):
        """The folders of the archives on a storage, oldest first."""
        store = store or self.store
        return sorted((p.parent for p in store.glob("*/*/*/*/manifest.json")), key=lambda p: p.name)

    def stored_files(self, store=None):
        """Every file on a storage but its marker, as relative names."""
        store = store or self.store
        return sorted(str(p.relative_to(store)) for p in store.rglob("*")
                      if p.is_file() and p.name != MARKER)

    def assert_clean(self, store=None):
        """Nothing runs, and every object on the storage belongs to a whole archive."""
        self.assertEqual([r for r in self.rows("--all") if r["state"] in ACTIVE], [])
        store = store or self.store
        whole = [str(a.relative_to(store)) + "/" for a in self.archives(store)]
        stray = [f for f in self.stored_files(store) if not f.startswith(tuple(whole))]
        self.assertEqual(stray, [], "objects without a manifest")
        self.assertEqual([f for f in self.stored_files(store) if f.endswith(".part")], [])

    def assert_fails(self, result, *words):
        """One message that names what it is about, and a hint."""
        lines = result.err.splitlines()
        messages = [line for line in lines if line.startswith("bkhost: ")]
        self.assertEqual(len(messages), 1, str(result))
        for word in words:
            self.assertRegex(result.err, word, str(result))
        self.assertTrue(any(line.strip().startswith("hint: ") for line in lines),
                        f"it has no hint: {result}")
        return messages[0]

    # ---- databases

    def dump(self, database):
        return self.tool("sqlite3", database, ".dump")

    def assert_same_database(self, expected, restored):
        """The same rows and definitions, and the settings that .dump does not show."""
        # As booleans: what differs may be long.
        self.assertTrue(self.dump(expected) == self.dump(restored), "the dumps differ")
        for pragma in ("user_version", "application_id", "page_size", "encoding"):
            query = f"PRAGMA {pragma}"
            self.assertEqual(ask(expected, query), ask(restored, query), pragma)
        self.assertTrue(content(expected) == content(restored), "the rows differ")
        self.assertEqual(ask(restored, "PRAGMA integrity_check"), "ok")

    def restore_and_compare(self, database, *arguments, backup="latest"):
        """Restores to a fresh file; gives its path."""
        target = self.home / f"restored-{time.monotonic_ns()}.db"
        self.bkhost("restore", backup, "--to", f"sqlite:{target}", *arguments)
        self.assert_same_database(database, target)
        return target


def ask(database, query):
    """The first value of a query."""
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchone()[0]
    finally:
        connection.close()


def content(database):
    """All rows with their types, and all definitions, whatever their order in the file."""
    connection = sqlite3.connect(database)
    try:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
        definitions = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        found = {"": sorted(connection.execute(definitions))}
        for (name,) in names:
            quoted = name.replace('"', '""')
            found[name] = sorted(map(repr, connection.execute(f'SELECT * FROM "{quoted}"')))
        return found
    finally:
        connection.close()


def make_shop(path, rows=2000, page_size=4096, journal="wal", seed=1):
    """A small database with something of everything; closed, so that its log is folded in."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA page_size={page_size}")
    connection.execute(f"PRAGMA journal_mode={journal}")
    connection.executescript("""
        PRAGMA user_version=42;
        PRAGMA application_id=1651208056;
        CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL, mail TEXT UNIQUE,
                           photo BLOB);
        CREATE TABLE orders(id INTEGER PRIMARY KEY AUTOINCREMENT, user INTEGER REFERENCES users(id),
                            total REAL, note TEXT);
        CREATE TABLE tags(word TEXT, n, PRIMARY KEY(word)) WITHOUT ROWID;
        CREATE TABLE "odd ""name" ("select" TEXT, "ünï" BLOB);
        CREATE INDEX orders_user ON orders(user, total);
        CREATE VIEW rich AS SELECT user, sum(total) AS total FROM orders GROUP BY user;
        CREATE TRIGGER tagged AFTER INSERT ON orders WHEN new.note IS NOT NULL
            BEGIN INSERT OR IGNORE INTO tags VALUES(new.note, new.id); END;
    """)
    connection.execute("BEGIN")
    for i in range(rows):
        photo = bytes((i * seed + k) & 0xff for k in range(i % 200)) if i % 3 else None
        connection.execute("INSERT INTO users VALUES(?,?,?,?)",
                           (i, f"Zoë {i} 'quoted'\nline", f"u{i}@example.org", photo))
        connection.execute("INSERT INTO orders(user, total, note) VALUES(?,?,?)",
                           (i, i * 1.1 * seed, f"tag{i % 50}" if i % 2 else None))
    connection.execute('INSERT INTO "odd ""name" VALUES(?,?)', ("\x00nul", b"\x00\xff"))
    connection.execute("COMMIT")
    connection.close()
    return pathlib.Path(path)


def make_big(path, mib, page_size=4096):
    """A WAL database of about that size, of blobs that do not compress; takes little memory."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA page_size={page_size}")
    connection.execute("PRAGMA journal_mode=wal")
    connection.execute("PRAGMA synchronous=off")
    connection.execute("CREATE TABLE blobs(id INTEGER PRIMARY KEY, body BLOB)")
    for _ in range(mib // 8 or 1):
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<128) "
            "INSERT INTO blobs(body) SELECT randomblob(65000) FROM n")
    connection.close()
    return pathlib.Path(path)


def main():
    """Runs the tests of the calling script."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(0 if unittest.main(verbosity=2, exit=False).result.wasSuccessful() else 1)
