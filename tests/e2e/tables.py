"""Single tables out of a backup: the same rows and definitions, nothing else touched or read."""

import json
import os
import pathlib
import sqlite3
import unittest

from bkhost_e2e import PLUGINS, Case, ask, main

ODD = 'odd "one", two'
QUOTED = '"odd ""one"", two"'  # in SQL and in --tables alike
CHUNK, STORED_CHUNK = 65536, 65552  # of age, see core/FORMAT.md
FAULTS = pathlib.Path(os.environ.get("BKHOST_FAULTS", PLUGINS + "/../plugins/faults")) / "faults.so"


def make_many(path, journal="wal", mib=20):
    """Tables of every sort, the small ones before and behind a large one."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA journal_mode={journal}")
    db.executescript(f"""
        PRAGMA user_version=42; PRAGMA application_id=77;
        CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT, mail TEXT UNIQUE, up AS (upper(mail)));
        CREATE INDEX users_mail ON users(mail DESC) WHERE id > 3;
        CREATE TABLE {QUOTED}("a b" INTEGER, "ünï" TEXT);
        CREATE INDEX "odd, index" ON {QUOTED}("a b");
        CREATE TABLE "Straße 🚲"(v);
        CREATE TABLE "Case"(v REAL, w BLOB);
        CREATE TABLE pairs(k TEXT, n INT, PRIMARY KEY(k, n)) WITHOUT ROWID;
        CREATE TABLE log(what);
        CREATE TABLE blobs(id INTEGER PRIMARY KEY, body BLOB);
        CREATE TABLE posts(id INTEGER PRIMARY KEY, user INT REFERENCES users(id), text);
        CREATE TRIGGER posted AFTER INSERT ON posts BEGIN INSERT INTO log VALUES(new.id); END;
        CREATE TRIGGER gone AFTER DELETE ON posts BEGIN DELETE FROM posts WHERE user=old.id; END;
        CREATE VIEW talk AS SELECT mail, text FROM users JOIN posts ON posts.user=users.id;
        CREATE VIRTUAL TABLE docs USING fts5(title, body);
        INSERT INTO docs VALUES('one','some words'),('two','others');
        INSERT INTO users(mail) VALUES('a'),('b'),('x''y'),(NULL),('ü'); DELETE FROM users WHERE id=5;
        INSERT INTO {QUOTED} VALUES(1,'x'),(NULL,''),(3,'a' || char(0) || 'b');
        INSERT INTO "Straße 🚲" VALUES(1),('1'),(x'31'),(1.0),(NULL);
        INSERT INTO "Case" VALUES(0.1, x''),(1e308, zeroblob(70000)),(-0.0, NULL);
        INSERT INTO pairs VALUES('b',1),('a',2);
    """)
    for _ in range(mib * 2):
        db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<64) "
                   "INSERT INTO blobs(body) SELECT randomblob(8000) FROM n")
    db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000) "
               "INSERT INTO posts SELECT i, i%5, hex(randomblob(20)) FROM n")
    db.close()
    return pathlib.Path(path)


def table(database, name):
    """Rows with their types, in order, and every definition that belongs to the table."""
    db = sqlite3.connect(database)
    db.text_factory = bytes
    quoted = '"' + name.replace('"', '""') + '"'
    try:
        rows = sorted(map(repr, db.execute(f"SELECT * FROM {quoted}")))
        counter = db.execute("SELECT seq FROM sqlite_sequence WHERE name=?", (name,)).fetchall() \
            if db.execute("SELECT 1 FROM sqlite_master WHERE name='sqlite_sequence'").fetchall() else []
        definitions = sorted(map(repr, db.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name=?", (name,))))
        return rows, counter, definitions
    finally:
        db.close()


def names(database):
    db = sqlite3.connect(database)
    try:
        return sorted(n for (n,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"))
    finally:
        db.close()


class Tables:
    """The cases, for each of the classes at the end."""

    form, packed, volume_size = "image", True, None

    def setUp(self):
        super().setUp()
        self.database = make_many(self.home / "many.db")
        self.key, recipient = self.new_key()
        config = self.config(self.database, recipient if self.packed else None, format=self.form)
        if not self.packed:
            config["jobs"]["shop"]["compress"] = "none"
        self.calls = self.home / "calls"
        if FAULTS.exists():
            config["storages"]["here"] = {
                "driver": "faulty", "plugin": PLUGINS + "/local.so", "driver-name": "local",
                "options": {"path": str(self.store)}, "log": str(self.calls)}
            config["plugin-dirs"] = [str(FAULTS.parent.resolve())]
        self.write_config(config)
        more = ["--volume-size", self.volume_size] if self.volume_size else []
        self.bkhost("run", "shop", *more)
        self.archive = self.archives()[0]
        self.read_index()
        self.assertEqual(len(self.volumes) > 1, bool(self.volume_size))

    def restore(self, *arguments, target=None, code=0):
        target = target or self.home / "target.db"
        return self.bkhost("restore", "latest", "--to", f"sqlite:{target}", "--identity",
                           str(self.key), "--json", *arguments, code=code)

    def assert_same(self, *tables, target=None):
        for name in tables:
            self.assertEqual(table(self.database, name), table(target or self.home / "target.db", name))
        self.assertEqual(ask(target or self.home / "target.db", "PRAGMA integrity_check"), "ok")

    def assert_same_rows(self, name):
        self.assertEqual(table(self.database, name)[0], table(self.home / "target.db", name)[0])

    def test_tables_come_back_into_a_new_file(self):
        wanted = ["users", ODD, "Straße 🚲", "Case", "pairs"]
        row = self.restore("--tables", f"users,{QUOTED} , Straße 🚲", "--tables", "Case",
                           "--tables", "pairs,users").json()
        self.assertEqual(row["tables"], wanted)
        self.assertEqual(row["rows"], 4 + 3 + 5 + 3 + 2)
        self.assertLess(row["bytes"], 18 << 20)
        self.assert_same(*wanted)
        self.assertEqual(names(self.home / "target.db"), sorted(wanted))
        for pragma in ("user_version", "application_id", "page_size", "encoding"):
            self.assertEqual(ask(self.home / "target.db", f"PRAGMA {pragma}"),
                             ask(self.database, f"PRAGMA {pragma}"), pragma)
        self.assert_clean()

    def test_into_a_database_that_is_there(self):
        target = make_many(self.home / "target.db", "delete", mib=0)
        db = sqlite3.connect(target)
        db.executescript("DELETE FROM users; UPDATE posts SET text='mine'; DROP TABLE docs")
        others = {n: table(target, n) for n in names(target) if n not in ("users", "posts", "talk")}
        before = target.read_bytes()
        error = self.restore("--tables", "docs,users", code=1)
        self.assert_fails(error, "'users'", "--replace")
        self.assertEqual(target.read_bytes(), before)
        self.restore("--tables", "docs,users,posts", "--replace", "--force")
        self.assert_same("users", "posts")
        self.assertEqual({n: table(target, n) for n in others}, others)
        self.assertEqual(ask(target, "SELECT title FROM docs WHERE docs MATCH 'words'"), "one")
        self.assertEqual(len(table(target, "talk")[0]), len(table(self.database, "talk")[0]))
        db.close()

    def test_what_needs_an_absent_table_is_reported(self):
        result = self.restore("--tables", "posts,talk")
        self.assertIn("trigger 'posted': left out: it needs table 'log'", result.err)
        self.assertIn("view 'talk': left out: it needs table 'users'", result.err)
        self.assertIn("table 'posts': refers to table 'users', which is not there", result.err)
        self.assertEqual(names(self.home / "target.db"), ["posts"])
        self.assert_same_rows("posts")

    def test_unknown_tables_and_lists_that_are_none(self):
        message = self.restore("--tables", "users,case,psts", code=2)
        self.assert_fails(message, "has no table 'case', 'psts'", "did you mean 'Case', 'posts'")
        self.assert_fails(self.restore("--tables", "docs_data", code=2), "'docs_data'")
        self.assert_fails(self.restore("--tables", "a,,b", code=2), "not a list of names")
        self.assertFalse((self.home / "target.db").exists())
        self.assert_clean()

    # ---- what is read, and damage in it

    def read_index(self):
        manifest = json.loads((self.archive / "manifest.json").read_text())
        index = self.archive / manifest["index"]["key"]
        content = index.read_bytes()
        if manifest["encryptor"]:
            content = self.tool("age", "-d", "-i", self.key, stdin=content)
        if manifest["compressor"]:
            content = self.tool("zstd", "-d", "-q", "-c", stdin=content)
        records = [json.loads(line) for line in content.splitlines()]
        self.sections = {r["n"]: r for r in records if r["t"] == "section"}
        self.frames = [r for r in records if r["t"] == "frame"]
        self.header = manifest["components"][0]["volumes"][0]["header_size"]
        self.volumes = [v["key"] for v in manifest["components"][0]["volumes"]]

    def needed(self, name):
        """The frames that hold what belongs to a table, by the archive's own index."""
        if self.form == "sql":
            mine = {n for n, s in self.sections.items()
                    if s["kind"] == "session" or name in (s["depends"], s["name"])}
            return [f for f in self.frames if any(s[0] in mine for s in f["s"])]
        db = sqlite3.connect(self.database)
        page = ask(self.database, "PRAGMA page_size")
        pages = {1} | {p for (p,) in db.execute(
            "SELECT pageno FROM dbstat WHERE name IN (?, 'sqlite_schema', 'sqlite_sequence')", (name,))}
        db.close()

        def holds(frame):
            return any(s[3] <= (p - 1) * page < s[3] + s[2] for s in frame["s"] for p in pages)
        return [f for f in self.frames if holds(f)]

    def stored(self, frame):
        """Stored bytes that a frame needs: with the cipher whole chunks, and the header."""
        if not self.header:
            return frame["kl"]
        first, end = frame["ko"] // CHUNK, -(-(frame["ko"] + frame["kl"]) // CHUNK)
        return (end - first) * STORED_CHUNK + self.header

    @unittest.skipUnless(FAULTS.exists(), "the plugin `faults` is not built")
    def test_little_more_is_read_than_is_needed(self):
        self.calls.write_text("")
        self.restore("--tables", "posts")
        needed = self.needed("posts")
        calls = [line.split("\t") for line in self.calls.read_text().splitlines()]
        read = sum(int(c[3]) for c in calls
                   if c[0] == "read_open" and c[1].endswith(tuple(self.volumes)))
        allowed = sum(map(self.stored, needed))
        print(f"{len(needed)} of {len(self.frames)} frames, {read} bytes read, {allowed} needed")
        self.assertGreater(read, 0)
        self.assertLessEqual(read, 1.02 * allowed)
        self.assertLess(len(needed), len(self.frames) / 2)
        self.assert_same_rows("posts")

    def flip(self, frame):
        path = self.archive / self.volumes[frame["v"]]
        content = bytearray(path.read_bytes())
        at = frame["ko"] + frame["kl"] // 2
        content[at if not self.header else
                self.header + at // CHUNK * STORED_CHUNK + at % CHUNK] ^= 1
        path.write_bytes(content)

    def test_damage_counts_where_it_is_needed_alone(self):
        needed = self.needed("posts")
        others = [f for f in self.frames if f not in needed]
        self.assertTrue(others)
        for frame in others:
            near = any(f["v"] == frame["v"] and abs(f["n"] - frame["n"]) < 2 for f in needed)
            if not near or not self.header:  # a chunk of age may hold the ends of two frames
                self.flip(frame)
        self.restore("--tables", "posts")
        self.assert_same_rows("posts")
        self.flip(needed[-1])
        before = (self.home / "target.db").read_bytes()
        result = self.restore("--tables", "posts", "--replace", "--force", code=1)
        self.assert_fails(result, "damaged|differs|tag|corrupt|authenticat")
        self.assertEqual((self.home / "target.db").read_bytes(), before)
        self.restore("--tables", "posts", target=self.home / "new.db", code=1)
        self.assertFalse((self.home / "new.db").exists())
        self.assert_clean()


class Image(Tables, Case):
    pass


class PlainImage(Tables, Case):
    packed, volume_size = False, "6MiB"


class Script(Tables, Case):
    form = "sql"


class PlainScript(Tables, Case):
    form, packed, volume_size = "sql", False, "6MiB"


if __name__ == "__main__":
    main()
