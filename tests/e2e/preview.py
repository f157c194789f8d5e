"""restore --dry-run: tells what a restore would do, and writes nothing."""

import signal

from bkhost_e2e import Case, ask, main, make_big, make_shop


class Preview(Case):

    def setUp(self):
        super().setUp()
        self.database = make_shop(self.home / "shop.db", rows=300)
        self.key, recipient = self.new_key()
        self.write_config(self.config(self.database, recipient))
        self.bkhost("run", "shop")
        self.target = self.home / "target.db"

    def preview(self, *arguments, code=0):
        """The document of a dry run, which has left everything as it was."""
        before = self.everything()
        document = self.json("restore", "latest", "--to", f"sqlite:{self.target}", "--dry-run",
                             *arguments, code=code)
        self.assertEqual(self.everything(), before)
        self.assertEqual(document["obstacles"] != [], code == 1)
        return document

    def everything(self):
        """Names, times and bytes of all that a restore could touch; the catalog's rows."""
        files = {}
        for path in (*self.store.rglob("*"), self.target):
            if path.is_file():
                files[path] = (path.stat().st_mtime_ns, path.read_bytes())
        return files, self.catalog("SELECT count(*) FROM restores"), self.catalog(
            "SELECT group_concat(state) FROM backups")

    def catalog(self, query):
        return ask(self.state / "bkhost" / "catalog.db", query)

    def identity(self):
        return "--identity", str(self.key)

    def test_a_fresh_target(self):
        document = self.preview(*self.identity())
        [row] = self.rows()
        self.assertEqual(document["backup_id"], row["id"])
        self.assertEqual(document["bytes_to_fetch"], row["stored_size"])
        self.assertEqual(document["bytes_to_load"], row["plain_size"])
        self.assertEqual(document["storage"], "here")
        self.assertEqual(document["engine"]["name"], "sqlite")
        rows = {s["name"]: s["rows"] for s in document["sections"] if s["kind"] == "table"}
        for table in ("users", "orders", "tags", 'odd "name'):
            quoted = table.replace('"', '""')
            self.assertEqual(rows[table], ask(self.database, f'SELECT count(*) FROM "{quoted}"'))
        self.assertFalse(document["target"]["exists"])
        self.assertEqual(document["target"]["effect"], "made")
        self.assertRegex(document["prediction"], "backup of 'shop'")
        self.restore_and_compare(self.database, *self.identity())

    def test_text(self):
        text = self.bkhost("restore", "latest", "--to", f"sqlite:{self.target}", "--dry-run",
                           *self.identity()).out.decode()
        self.assertRegex(text, r"(?m)^to fetch: .* in 2 objects on here$")
        self.assertRegex(text, r"(?m)^target: .*target\.db, which is not there")
        self.assertRegex(text, r"(?m)^time: +about ")
        self.assertRegex(text, r"(?m)^table +main\.users +300 +")
        self.assertFalse(self.target.exists())

    def test_a_target_that_is_there(self):
        make_shop(self.target, rows=7)
        document = self.preview(*self.identity(), code=1)
        self.assertTrue(document["target"]["exists"])
        self.assertIn("main.users", document["target"]["tables"])
        self.assertEqual(document["target"]["effect"], "none")
        [obstacle] = document["obstacles"]
        self.assertEqual(obstacle["status"], "exists")
        self.assertIn("--replace", obstacle["hint"])
        document = self.preview(*self.identity(), "--replace")
        self.assertEqual(document["target"]["effect"], "replaced")
        self.target.write_text("this is no database at all " * 200)
        self.preview(*self.identity(), "--replace", code=1)

    def test_without_the_key(self):
        document = self.preview(code=1)
        self.assertIsNone(document["sections"])
        self.assertGreater(document["bytes_to_fetch"], 0)
        self.assertIn("no key is known here", document["obstacles"][0]["message"])
        other, _ = self.new_key("other.txt")
        document = self.preview("--identity", str(other), code=1)
        self.assertEqual(document["obstacles"][0]["status"], "denied")

    def test_single_tables(self):
        document = self.preview(*self.identity(), "--tables", "users")
        self.assertTrue(document["at_most"])
        self.assertEqual([(s["name"], s["rows"]) for s in document["sections"]], [("users", 300)])
        make_shop(self.target, rows=7)
        document = self.preview(*self.identity(), "--tables", "users", code=1)
        self.assertEqual(document["target"]["in_the_way"], ["main.users"])
        document = self.preview(*self.identity(), "--tables", "users", "--replace")
        self.assertEqual(document["target"]["effect"], "replaced")
        document = self.preview(*self.identity(), "--tables", "user", code=1)
        self.assertIn("'user'", document["obstacles"][0]["message"])

    def test_the_time_goes_by_restores(self):
        for count in (1, 2):
            target = self.home / f"restored-{count}.db"
            self.bkhost("restore", "latest", "--to", f"sqlite:{target}", *self.identity())
        document = self.preview(*self.identity())
        self.assertEqual(document["prediction"],
                         "the median of 2 restores of 'shop' from storage 'here'")
        self.assertIsInstance(document["predicted_ms"], int)

    def test_a_damaged_index(self):
        [archive] = self.archives()
        [index] = archive.glob("index.*")
        content = bytearray(index.read_bytes())
        content[-20] ^= 1
        index.write_bytes(content)
        document = self.preview(*self.identity(), code=1)
        self.assertEqual(document["obstacles"][0]["status"], "corrupt")

    def test_it_does_not_clean_up_after_others(self):
        self.database.unlink()
        make_big(self.database, 8)
        running = self.start("run", "shop", "--max-rate", "16KiB", "--progress", "none")
        states = "SELECT group_concat(state) FROM (SELECT state FROM backups ORDER BY started_ms)"
        while self.catalog(states) != "completed,running":
            self.assertFalse(running.ended_within(0.05))
        running.kill(signal.SIGKILL)
        running.wait(self.timeout)
        self.preview(*self.identity())
        self.assertEqual(self.catalog(states), "completed,running")

    def test_from_a_storage_alone(self):
        document = self.json("restore", "latest", "--storage", str(self.store), "--to",
                             f"sqlite:{self.target}", "--dry-run", *self.identity())
        self.assertEqual(document["backup_id"], self.rows()[0]["id"])


if __name__ == "__main__":
    main()
