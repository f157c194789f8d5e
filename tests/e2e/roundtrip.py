"""What was backed up comes back: page sizes, journal modes, formats, codecs, storages."""

import hashlib
import json
import shutil
import sqlite3

from bkhost_e2e import ID, Case, ask, content, main, make_shop

PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536]


class RoundTrip(Case):

    def setUp(self):
        super().setUp()
        self.database = self.home / "shop.db"

    def run_line(self, *arguments):
        """A backup by one line, without a configuration."""
        self.bkhost("run", "--from", f"sqlite:{self.database}", "--to", str(self.store), *arguments)

    def volume(self, store=None):
        folder = self.archives(store)[-1]
        [volume] = json.loads((folder / "manifest.json").read_text())["components"][0]["volumes"]
        return folder / volume["key"]

    def test_encrypted_wal_database_from_a_configuration(self):
        make_shop(self.database)
        key, recipient = self.new_key()
        self.write_config(self.config(self.database, recipient))
        self.json("run", "shop")
        [row] = self.rows()
        self.assertRegex(row["id"], ID)
        self.assertEqual((row["state"], row["source"]), ("completed", "shop"))
        self.assertEqual(row["environment"], "test")
        self.assertIn(row["id"], json.dumps(self.json("show", row["id"])))
        self.assertIn(row["id"], self.bkhost("list").out.decode())
        self.assertIn(row["id"], self.bkhost("show", row["id"]).out.decode())
        for level in ("quick", "stored", "full"):
            with self.subTest(level=level):
                self.json("verify", row["id"], "--level", level, "--identity", str(key))
        restored = self.home / "restored.db"
        self.json("restore", "latest", "--to", f"sqlite:{restored}", "--identity", str(key))
        image = restored.read_bytes()
        packed = self.tool("age", "-d", "-i", key, self.volume())
        by_tools = self.tool("zstd", "-dc", stdin=packed)
        self.assertTrue(by_tools == image, "the tools give other bytes")
        self.assertTrue(self.bkhost("cat", row["id"], "--identity", str(key)).out == image)
        self.assert_same_database(self.database, restored)
        self.assert_clean()

    def test_keys_of_the_configuration_are_used(self):
        make_shop(self.database)
        key, recipient = self.new_key()
        config = self.config(self.database, recipient)
        config["decrypt"] = [{"driver": "age", "identity-files": [str(key)]}]
        self.write_config(config)
        self.bkhost("run")
        self.bkhost("verify", "latest", "--level", "full")
        self.restore_and_compare(self.database)

    def test_page_sizes(self):
        for size in PAGE_SIZES:
            with self.subTest(page_size=size):
                self.database = self.home / f"pages{size}.db"
                self.store = self.home / f"store{size}"
                make_shop(self.database, page_size=size)
                self.assertEqual(ask(self.database, "PRAGMA page_size"), size)
                self.run_line("--compress", "zstd:9")
                self.restore_and_compare(self.database, "--source", f"pages{size}")

    def test_journal_modes(self):
        for journal in ("wal", "delete", "truncate", "persist"):
            with self.subTest(journal=journal):
                self.database = self.home / f"{journal}.db"
                make_shop(self.database, journal=journal)
                self.run_line()
                self.restore_and_compare(self.database, "--source", journal)

    def test_what_is_only_in_the_log_is_backed_up(self):
        make_shop(self.database)
        writer = sqlite3.connect(self.database)
        self.addCleanup(writer.close)
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("INSERT INTO tags VALUES('only in the log', 1)")
        writer.commit()
        self.run_line()
        target = self.restore_and_compare(self.database)
        self.assertEqual(ask(target, "SELECT n FROM tags WHERE word='only in the log'"), 1)

    def test_without_codec_and_cipher_the_volume_is_the_database(self):
        make_shop(self.database)
        self.run_line("--compress", "none", "--encrypt", "none")
        target = self.home / "restored.db"
        self.bkhost("restore", "latest", "--to", f"sqlite:{target}")
        self.assertTrue(self.volume().read_bytes() == target.read_bytes())
        self.assert_same_database(self.database, target)

    def test_encrypted_by_one_line(self):
        make_shop(self.database)
        key, recipient = self.new_key()
        self.run_line("--encrypt", f"age:{recipient}")
        self.assertFalse(b"SQLite format 3" in self.volume().read_bytes())
        self.restore_and_compare(self.database, "--identity", str(key))

    def test_one_of_several_identities_fits(self):
        make_shop(self.database)
        other, _ = self.new_key("other.txt")
        key, recipient = self.new_key()
        self.run_line("--encrypt", f"age:{recipient}")
        self.restore_and_compare(self.database, "--identity", str(other), "--identity", str(key))

    def test_two_storages_get_the_same_objects(self):
        make_shop(self.database)
        second = self.home / "second"
        config = self.config(self.database)
        config["storages"]["there"] = {"driver": "local", "path": str(second)}
        config["jobs"]["shop"]["store"] = ["here", "there"]
        self.write_config(config)
        self.bkhost("run", "shop")
        digests = [{name: hashlib.sha256((store / name).read_bytes()).hexdigest()
                    for name in self.stored_files(store)} for store in (self.store, second)]
        self.assertTrue(digests[0])
        self.assertEqual(digests[0], digests[1])
        self.restore_and_compare(self.database, "--storage", "there")
        shutil.rmtree(self.archives()[0])
        self.restore_and_compare(self.database, "--storage", "there")
        self.restore_and_compare(self.database)  # finds the copy that is left by itself

    def test_format_sql(self):
        make_shop(self.database)
        self.write_config(self.config(self.database, format="sql"))
        self.bkhost("run")
        script = self.tool("zstd", "-dc", self.volume())
        by_tool = self.home / "by-tool.db"
        self.tool("sqlite3", by_tool, stdin=script)
        self.assertTrue(content(by_tool) == content(self.database), "other rows by sqlite3")
        target = self.home / "restored.db"
        self.bkhost("restore", "latest", "--to", f"sqlite:{target}")
        self.assertTrue(content(target) == content(self.database), "other rows")
        self.assertTrue(self.bkhost("cat", "latest").out == script)
        self.assertEqual(ask(target, "PRAGMA integrity_check"), "ok")
        self.bkhost("verify", "latest", "--level", "full")

    def test_latest_and_an_older_one(self):
        make_shop(self.database)
        self.run_line()
        older = self.newest()["id"]
        first = self.home / "first-state.db"
        shutil.copy(self.database, first)
        make_more = sqlite3.connect(self.database)
        make_more.execute("DELETE FROM orders WHERE id % 2")
        make_more.commit()
        make_more.close()
        self.run_line()
        self.assertNotEqual(self.newest()["id"], older)
        self.restore_and_compare(self.database)
        self.restore_and_compare(first, backup=older)

    def test_latest_is_the_newest_also_of_several_in_a_second(self):
        make_shop(self.database, rows=10)
        writer = sqlite3.connect(self.database)
        self.addCleanup(writer.close)
        for number in range(6):
            writer.execute("UPDATE users SET name=?", (number,))
            writer.commit()
            self.run_line()
            with self.subTest(number=number):
                self.restore_and_compare(self.database)
                self.restore_and_compare(self.database, "--storage", str(self.store))

    def test_latest_is_of_the_source_that_is_named(self):
        other = make_shop(self.home / "other.db", seed=7)
        self.bkhost("run", "--from", f"sqlite:{other}", "--to", str(self.store))
        make_shop(self.database)
        self.run_line()
        self.restore_and_compare(other, "--source", "other")
        self.restore_and_compare(self.database, "--source", "shop")

    def test_replace_puts_the_old_state_back(self):
        make_shop(self.database)
        self.run_line()
        good = self.home / "good.db"
        shutil.copy(self.database, good)
        changed = sqlite3.connect(self.database)
        changed.execute("DROP TABLE users")
        changed.commit()
        changed.close()
        self.bkhost("restore", "latest", "--to", f"sqlite:{self.database}", code=(1, 2))
        self.bkhost("restore", "latest", "--to", f"sqlite:{self.database}", "--replace", "--force")
        self.assert_same_database(good, self.database)

    def test_a_small_memory_is_enough(self):
        make_shop(self.database, rows=20000)
        self.run_line("--memory", "24MiB")
        self.restore_and_compare(self.database)

    def test_an_empty_table_and_a_database_of_one_page(self):
        connection = sqlite3.connect(self.database)
        connection.execute("CREATE TABLE hollow(a)")
        connection.commit()
        connection.close()
        self.run_line()
        self.restore_and_compare(self.database)


class Documents(Case):
    """With --json every verb prints one document, and nothing else goes to standard output."""

    def test_every_verb(self):
        database = make_shop(self.home / "shop.db")
        key, recipient = self.new_key()
        self.write_config(self.config(database, recipient))
        target = self.home / "restored.db"
        identity = ("--identity", str(key))
        for verb in (["run", "--progress", "json"], ["list"], ["list", "--all"], ["show", "latest"],
                     ["verify", "latest", "--level", "full", *identity],
                     ["restore", "latest", "--to", f"sqlite:{target}", *identity],
                     ["plugin", "list"], ["plugin", "show", "sqlite"], ["catalog", "check"],
                     ["catalog", "rebuild"]):
            with self.subTest(verb=" ".join(verb)):
                arguments = verb
                if verb == ["show", "latest"]:
                    arguments = ["show", self.newest()["id"]]
                self.json(*arguments)
        self.assert_same_database(database, target)

    def test_an_error_is_a_document_too(self):
        document = self.json("show", "20260101T000000Z-aaaaaa", code=(1, 2))
        self.assertEqual(set(document["error"]), {"status", "message", "hint"})

    def test_progress_as_json_lines_goes_to_standard_error(self):
        database = make_shop(self.home / "shop.db")
        result = self.bkhost("run", "--from", f"sqlite:{database}", "--to", str(self.store),
                             "--progress", "json")
        last = [json.loads(line) for line in result.err.splitlines() if line.startswith("{")][-1]
        self.assertEqual(last["t"], "progress")
        self.assertEqual(last["plain_bytes"], database.stat().st_size)
        self.restore_and_compare(database)


if __name__ == "__main__":
    main()
