"""The program's archives keep core/FORMAT.md: format_reader.py knows that page only."""

import hashlib
import json
import pathlib
import sqlite3
import struct
import sys

from bkhost_e2e import Case, content, main, make_shop
from format_reader import find_xxh3

READER = pathlib.Path(__file__).with_name("format_reader.py")
BIG_BLOB = 12 << 20  # as text in SQL more than 20 MiB: several frames


def make_odd(path):
    """Tables without rows, and names and values that look like the format's own."""
    connection = sqlite3.connect(path)
    connection.executescript("""
        CREATE TABLE empty(a);
        CREATE TABLE "two
        lines ""quoted"" é, and a comma"(a, b, hidden AS (a) STORED);
        CREATE TABLE keyed(a TEXT PRIMARY KEY, b) WITHOUT ROWID;
        CREATE TABLE last(a INTEGER PRIMARY KEY AUTOINCREMENT, b);
        CREATE INDEX keyed_b ON keyed(b);
    """)
    odd = 'INSERT INTO "two\n        lines ""quoted"" é, and a comma"(a, b) VALUES(?,?)'
    connection.executemany(
        odd, [(1, f"\n-- bkhost section {'0' * 32} 1 {{}}\n"), ("\u2028\r", None), (-0.0, b"")])
    connection.executemany("INSERT INTO keyed VALUES(?,?)", [("é", -2**63), ("", 1e300)])
    connection.executemany("INSERT INTO last(b) VALUES(?)", [(b"\x00" * i,) for i in range(50)])
    connection.commit()
    connection.close()
    return path


def add_big_rows(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE big(a, b)")
    for size in (1, BIG_BLOB, 2, BIG_BLOB // 5, 3):
        connection.execute("INSERT INTO big VALUES(?, randomblob(?))", (size, size))
    connection.commit()
    connection.close()


def sqlite_text(value):
    """Section 6: the text of a value."""
    kind = {int: (b"i", ">q"), float: (b"r", ">d")}.get(type(value))
    if kind:
        return kind[0] + struct.pack(kind[1], value)
    return b"b" + value if isinstance(value, bytes) else b"t" + value.encode()


def row_sums(database, xxh3):
    """(rows, digest) of each table, by section 6."""
    connection = sqlite3.connect(database)
    sums = {}
    for (table,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%'"):
        name = table.replace('"', '""')
        columns = [f'"{row[1]}"' for row in connection.execute(f'PRAGMA table_xinfo("{name}")')
                   if row[6] == 0]
        rows = total = 0
        for values in connection.execute(f'SELECT {",".join(columns)} FROM "{name}"'):
            texts = [None if value is None else sqlite_text(value) for value in values]
            total += int(xxh3(b"".join(
                b"\x00" if text is None else b"\x01" + struct.pack("<Q", len(text)) + text
                for text in texts)), 16)
            rows += 1
        sums[table] = (rows, f"{total % 2**128:032x}")
    connection.close()
    return sums


def seal(folder, manifest):
    """Writes a manifest with its right digest."""
    manifest.pop("manifest_sha256", None)
    head = json.dumps(manifest, indent=1)[:-2].encode() + b",\n"
    last = f'"manifest_sha256":"{hashlib.sha256(head).hexdigest()}"}}\n'
    (folder / "manifest.json").write_bytes(head + last.encode())


class FormatCase(Case):

    def setUp(self):
        super().setUp()
        self.database = self.home / "shop.db"

    def back_up(self, *arguments, sql=False):
        """The folder of a new archive."""
        source = f"sqlite://{self.database}" + ("?format=sql" if sql else "")
        before = set(self.archives())
        self.bkhost("run", "--from", source, "--to", self.store, *arguments)
        [folder] = set(self.archives()) - before
        return folder

    def read(self, folder, *arguments, code=0):
        return self.tool(sys.executable, READER, folder, *arguments, code=code).decode()

    def decoded(self, folder, *arguments):
        """The dump of an archive that keeps every rule."""
        output = self.home / "decoded"
        self.assertIn("all rules hold", self.read(folder, "--output", output, *arguments))
        return output.read_bytes()

    def index(self, folder):
        """The records of an index without codec and cipher."""
        return [json.loads(line) for line in (folder / "index.ndjson").read_bytes().splitlines()]

    def assert_loads(self, script):
        loaded = self.home / "loaded.db"
        loaded.unlink(missing_ok=True)
        self.tool("sqlite3", loaded, stdin=script)
        self.assertTrue(content(loaded) == content(self.database), "the script gives other rows")


class Format(FormatCase):

    def test_formats_codecs_ciphers_and_volumes(self):
        make_shop(self.database, journal="delete")
        add_big_rows(self.database)
        key, recipient = self.new_key()
        for sql in (False, True):
            for codec in ("zstd", "none"):
                for cipher in (f"age:{recipient}", "none"):
                    for size in ("1MiB", "1GiB"):
                        with self.subTest(sql=sql, codec=codec, cipher=cipher, size=size):
                            folder = self.back_up("--compress", codec, "--encrypt", cipher,
                                                  "--volume-size", size, sql=sql)
                            identity = () if cipher == "none" else ("--identity", key)
                            dump = self.decoded(folder, *identity)
                            volumes = len(list(folder.glob("shop.*")))
                            self.assertTrue(volumes > 1 if size == "1MiB" else volumes == 1)
                            if sql:
                                self.assert_loads(dump)
                            else:
                                self.assertTrue(dump == self.database.read_bytes(), "other bytes")

    def test_a_value_of_several_frames(self):
        make_shop(self.database)
        add_big_rows(self.database)
        folder = self.back_up("--compress", "none", "--volume-size", "1MiB", sql=True)
        self.assert_loads(self.decoded(folder))
        cut = [r for r in self.index(folder) if r.get("more")]
        self.assertGreater(len(cut), 2, "no fragment was cut: the test proves nothing")

    def test_small_frames_of_several_workers(self):
        make_shop(self.database, rows=20000)
        for workers in ("1", "4"):
            with self.subTest(workers=workers):
                folder = self.back_up("--memory", "24MiB", "--workers", workers, sql=True)
                self.assert_loads(self.decoded(folder))

    def test_odd_names_values_and_tables_without_rows(self):
        make_odd(self.database)
        self.assert_loads(self.decoded(self.back_up(sql=True)))
        self.assertTrue(self.decoded(self.back_up()) == self.database.read_bytes(), "other bytes")

    def test_with_a_result_of_verification(self):
        make_shop(self.database)
        folder = self.back_up(sql=True)
        for level in ("quick", "stored", "full"):
            self.bkhost("verify", "latest", "--level", level)
        self.assertTrue(list(folder.glob("verify/*.json")))
        self.assert_loads(self.decoded(folder))

    def test_row_digests(self):
        xxh3 = find_xxh3()
        if not xxh3:
            self.skipTest("neither libxxhash nor xxhsum is here")
        make_odd(self.database)
        expected = row_sums(self.database, xxh3)
        image = self.index(self.back_up("--compress", "none"))
        self.assertEqual({r["table"]: (r["rows"], r["digest"]) for r in image if r["t"] == "proof"},
                         expected)
        records = self.index(self.back_up("--compress", "none", sql=True))
        tables = {r["n"]: r["name"] for r in records if r["t"] == "section"
                  and (r["kind"], r["phase"]) == ("table", 2)}
        found = {tables[r["n"]]: (r["rows"], r["digest"]) for r in records
                 if r["t"] == "total" and r["n"] in tables}
        self.assertEqual(found, {table: sums for table, sums in expected.items() if sums[0]})


class Violations(FormatCase):
    """The reader finds what breaks the page, or the tests above would prove nothing."""

    def setUp(self):
        super().setUp()
        make_shop(self.database, rows=50)
        self.folder = self.back_up("--compress", "none", sql=True)
        self.stored = {path: path.read_bytes() for path in self.folder.iterdir()}

    def assert_found(self, words):
        found = self.read(self.folder, code=1)
        self.assertRegex(found, f"(?m)^violation: .*({words})")
        for path, before in self.stored.items():
            path.write_bytes(before)

    def change(self, edit):
        """Edits manifest and index, and makes sizes and digests right again."""
        manifest = json.loads((self.folder / "manifest.json").read_bytes())
        records = self.index(self.folder)
        edit(manifest, records)
        lines = b"".join(json.dumps(record).encode() + b"\n" for record in records)
        (self.folder / "index.ndjson").write_bytes(lines)
        record = manifest["index"]
        manifest["stored_size"] += len(lines) - record["size"]
        record["size"] = record["packed_size"] = record["plain_size"] = len(lines)
        record["sha256"] = hashlib.sha256(lines).hexdigest()
        seal(self.folder, manifest)

    def test_an_edit_that_changes_nothing_is_no_violation(self):
        self.change(lambda manifest, records: None)
        self.decoded(self.folder)

    def test_damaged_bytes(self):
        for name, words in (("manifest.json", "digest"), ("index.ndjson", "sha256"),
                            ("shop.sql", "sha256")):
            with self.subTest(name=name):
                damaged = bytearray(self.stored[self.folder / name])
                damaged[len(damaged) // 2] ^= 1
                (self.folder / name).write_bytes(damaged)
                self.assert_found(words)

    def test_a_stray_object(self):
        (self.folder / "stray").write_bytes(b"")
        self.assert_found("stray: unknown object")

    def test_manifest(self):
        for member, value, words in (("version", 2, "bkhost-archive 2"), ("requires", ["x"], "'x'"),
                                     ("rows", 7, "sum up"), ("plain_size", 7, "sum up"),
                                     ("stored_size", 7, "sum up"), ("warnings", 7, "sum up"),
                                     ("environment", "other", "not the place"),
                                     ("finished_at", "today", "no time")):
            with self.subTest(member=member):
                self.change(lambda manifest, _: manifest.update({member: value}))
                self.assert_found(words)

    def test_marker(self):
        for value in (None, "", "00" * 15, "AB" * 16, "00" * 16):
            with self.subTest(marker=value):
                self.change(lambda manifest, _: manifest["components"][0].update(marker=value))
                self.assert_found("marker")

    def test_index(self):
        def the_first(kind, records):
            return next(r for r in records if r["t"] == kind)

        def first(kind, member, value):
            return lambda _, records: the_first(kind, records).update({member: value})

        def segment(place, value):
            return lambda _, records: the_first("frame", records)["s"][0].__setitem__(place, value)

        def phase_of_the_last(_, records):
            [r for r in records if r["t"] == "section"][-1]["phase"] = 0

        for name, edit, words in (
                ("end", lambda _, records: records.pop(), "truncated"),
                ("begin", lambda _, records: records.pop(0), "first line"),
                ("id", first("index", "id", "x"), "first line"),
                ("frame number", first("frame", "n", 9), "number"),
                ("plain offset", first("frame", "po", 1), "not where"),
                ("packed offset", first("frame", "ko", 1), "not where"),
                ("packed length", first("frame", "kl", 1), "other bytes"),
                ("checksum", first("frame", "x", "0" * 32), "checksum"),
                ("more", first("frame", "more", 1), "other section|flag 2"),
                ("unknown section", segment(0, 99), "comes later"),
                ("segment's offset", segment(1, 5), "marker"),
                ("segment's length", segment(2, 5), "after its last segment"),
                ("offset in the section", segment(3, 5), "not 0"),
                ("rows", segment(4, 5), "total rows"),
                ("digest", segment(5, "f" * 32), "total digest"),
                ("first", segment(6, 0), "flag 1"),
                ("continued", segment(6, 3), "flag 2"),
                ("name", first("section", "name", "other"), "-- bkhost section"),
                ("phase", phase_of_the_last, "goes down"),
                ("volume", first("volume", "packed", 1), "frames have"),
                ("total", first("total", "bytes", 1), "total bytes"),
                ("sections", first("end", "sections", 1), "found")):
            with self.subTest(name=name):
                if name == "checksum" and not find_xxh3():
                    continue
                self.change(edit)
                self.assert_found(words)


if __name__ == "__main__":
    main()
