"""A damaged or lost index costs convenience and not data: `restore --sequential` needs none, and `reindex` makes it anew."""

import json
import pathlib
import re
import sqlite3
import sys

from bkhost_e2e import Case, content, main, make_shop

READER = pathlib.Path(__file__).with_name("format_reader.py")
BIG_BLOB = 12 << 20  # as text in SQL more than 20 MiB: a group of frames


def add_odd_rows(path):
    """Values of several frames, and values that look like section markers."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE odd_values(a, b)")
    for nonce in ("0" * 32, "f" * 32, ""):
        line = f'\n-- bkhost section {nonce} 1 {{"kind":"table","name":"users","phase":2}}\n'
        connection.execute("INSERT INTO odd_values VALUES(?,?)", (line, line.encode() * 3))
    connection.execute("INSERT INTO odd_values VALUES(1, randomblob(?))", (BIG_BLOB,))
    connection.execute("INSERT INTO odd_values VALUES(2, 'after it')")
    connection.commit()
    connection.close()


class Reindex(Case):

    def setUp(self):
        super().setUp()
        self.database = make_shop(self.home / "shop.db", journal="delete")
        add_odd_rows(self.database)
        self.key, self.recipient = self.new_key()

    def back_up(self, *arguments, sql=False, encrypted=False):
        """The folder of a new archive, and what is needed to read and to write it."""
        source = f"sqlite://{self.database}" + ("?format=sql" if sql else "")
        cipher = f"age:{self.recipient}" if encrypted else "none"
        before = set(self.archives())
        self.bkhost("run", "--from", source, "--to", self.store, "--encrypt", cipher, *arguments)
        [folder] = set(self.archives()) - before
        self.identity = ("--identity", self.key) if encrypted else ()
        self.encrypt = ("--encrypt", cipher) if encrypted else ()
        return folder

    @staticmethod
    def manifest(folder):
        return json.loads((folder / "manifest.json").read_bytes())

    def index(self, folder):
        return folder / self.manifest(folder)["index"]["key"]

    def flip(self, path, offset):
        data = bytearray(path.read_bytes())
        data[offset] ^= 1
        path.write_bytes(data)

    def cat(self, folder):
        return self.bkhost("cat", folder.name, *self.identity).out

    def restore_fails(self, folder, *words):
        target = self.home / "never.db"
        result = self.bkhost("restore", folder.name, "--to", f"sqlite:{target}", *self.identity,
                             code=1)
        self.assert_fails(result, *words)
        self.assertFalse(target.exists())
        return result

    def restored(self, folder, *arguments):
        """A restore is the same database; an image is the same file."""
        target = self.home / "restored.db"
        target.unlink(missing_ok=True)
        self.bkhost("restore", folder.name, "--to", f"sqlite:{target}", *self.identity, *arguments)
        self.assertTrue(content(target) == content(self.database), "the rows differ")
        if self.manifest(folder)["components"][0]["format"] == "image":
            self.assertTrue(target.read_bytes() == self.database.read_bytes(), "other bytes")

    def assert_rules(self, folder):
        found = self.tool(sys.executable, READER, folder, *self.identity).decode()
        self.assertIn("all rules hold", found)

    def test_formats_codecs_and_ciphers(self):
        for sql in (False, True):
            for codec in ("zstd", "none"):
                for encrypted in (True, False):
                    for lost in (True, False):
                        with self.subTest(sql=sql, codec=codec, encrypted=encrypted, lost=lost):
                            folder = self.back_up("--compress", codec, "--volume-size", "8MiB",
                                                  sql=sql, encrypted=encrypted)
                            self.one_archive(folder, lost)

    def one_archive(self, folder, lost):
        dump, before, old = self.cat(folder), self.manifest(folder), self.index(folder)
        if lost:
            old.unlink()
        else:
            self.flip(old, old.stat().st_size // 2)
        result = self.restore_fails(folder, re.escape(old.name), "--sequential", "reindex")
        self.assertIn("hint: ", result.err)
        self.restored(folder, "--sequential")

        document = self.json("reindex", folder.name, *self.identity, *self.encrypt)
        [made] = document["results"]
        self.assertTrue(made["rebuilt"])
        self.assertEqual(made["index"], self.index(folder).name)
        self.assertFalse(old.exists(), "the old index is still there")
        self.assert_rules(folder)
        self.bkhost("verify", folder.name, "--level", "full", *self.identity)
        self.assertTrue(self.cat(folder) == dump, "another dump")
        self.restored(folder)
        self.restored(folder, "--sequential")
        after = self.manifest(folder)
        self.assertEqual(after["rows"], before["rows"])
        for volume, was in zip(after["components"][0]["volumes"],
                               before["components"][0]["volumes"]):
            self.assertEqual(volume, was)
        self.assert_clean()

    def test_a_whole_index_is_left_alone(self):
        folder = self.back_up()
        before = self.manifest(folder)
        [result] = self.json("reindex", folder.name)["results"]
        self.assertFalse(result["rebuilt"])
        self.assertEqual(self.manifest(folder), before)

    def test_the_catalog_follows(self):
        folder = self.back_up()
        self.bkhost("verify", folder.name, "--level", "full")
        self.index(folder).unlink()
        self.bkhost("reindex", folder.name)
        shown = self.json("show", folder.name)
        self.assertIn(self.manifest(folder)["manifest_sha256"], json.dumps(shown))
        self.assertNotIn('"full"', json.dumps(shown), "what was verified is not there any more")
        self.bkhost("verify", folder.name, "--level", "full")
        self.assert_rules(folder)

    def test_recipients(self):
        folder = self.back_up(encrypted=True)
        self.index(folder).unlink()
        before = self.stored_files()
        _, stranger = self.new_key("stranger.txt")
        for arguments, words in (((), "recipient"),
                                 (("--encrypt", f"age:{stranger}"), "not for age-x25519:")):
            result = self.bkhost("reindex", folder.name, *self.identity, *arguments, code=(1, 2))
            self.assert_fails(result, words)
            self.assertEqual(self.stored_files(), before)
        result = self.bkhost("reindex", folder.name, *self.encrypt, code=1)
        self.assert_fails(result, "no key is known")
        self.assertEqual(self.stored_files(), before)

    def test_the_jobs_own_recipients(self):
        self.write_config(self.config(self.database, self.recipient))
        self.bkhost("run", "shop")
        [folder] = self.archives()
        self.identity = ("--identity", self.key)
        self.index(folder).unlink()
        self.bkhost("reindex", "latest", *self.identity)
        self.assert_rules(folder)
        self.restored(folder)

    def test_damaged_volumes_are_neither_loaded_nor_indexed(self):
        for sql in (False, True):
            for codec in ("zstd", "none"):
                with self.subTest(sql=sql, codec=codec):
                    folder = self.back_up("--compress", codec, sql=sql)
                    self.index(folder).unlink()
                    record = self.manifest(folder)["components"][0]["volumes"][0]
                    volume = folder / record["key"]
                    self.flip(volume, volume.stat().st_size - 20)
                    before = self.stored_files()
                    target = self.home / "never.db"
                    result = self.bkhost("restore", folder.name, "--sequential", "--to",
                                         f"sqlite:{target}", code=1)
                    self.assert_fails(result, re.escape(volume.name))
                    self.assertFalse(target.exists())
                    result = self.bkhost("reindex", folder.name, code=1)
                    self.assert_fails(result, re.escape(volume.name))
                    self.assertEqual(self.stored_files(), before)


if __name__ == "__main__":
    main()
