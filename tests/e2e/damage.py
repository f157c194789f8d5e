"""Damaged archives and wrong keys: a clear error each, exit 4 from verify, no wrong database."""

import json
import random

from bkhost_e2e import MARKER, Case, main, make_shop


class Damage(Case):

    def setUp(self):
        super().setUp()
        self.database = make_shop(self.home / "shop.db")
        self.key, recipient = self.new_key()
        self.write_config(self.config(self.database, recipient))
        self.bkhost("run", "shop")
        self.archive = self.archives()[0]
        self.manifest = self.archive / "manifest.json"
        described = json.loads(self.manifest.read_text())
        self.record = described["components"][0]["volumes"][0]
        self.volume = self.archive / self.record["key"]
        self.index = self.archive / described["index"]["key"]
        self.originals = {p: p.read_bytes() for p in self.archive.iterdir() if p.is_file()}
        self.folder = self.home / "target"
        self.folder.mkdir()

    def tearDown(self):
        """With the objects as they were, everything is there again."""
        for path, content in self.originals.items():
            path.write_bytes(content)
        self.restore_and_compare(self.database, "--identity", str(self.key),
                                 backup=self.archive.name)

    def flip(self, path, offset, bit=0):
        content = bytearray(path.read_bytes())
        content[offset] ^= 1 << bit
        path.write_bytes(content)

    def verify(self, level, code, key=None):
        return self.bkhost("verify", "latest", "--level", level, "--identity", str(key or self.key),
                           code=code)

    def restore_fails(self, *words, key=None):
        """Gives the message; leaves nothing at the target, nor beside it."""
        result = self.bkhost("restore", "latest", "--to", f"sqlite:{self.folder / 'shop.db'}",
                             "--identity", str(key or self.key), code=1)
        self.assertEqual([p.name for p in self.folder.iterdir()], [], str(result))
        self.assert_clean()
        return self.assert_fails(result, *words)

    def test_four_causes_have_four_messages(self):
        other, _ = self.new_key("other.txt")
        messages = {"wrong key": self.restore_fails("(?i)key|identit", key=other)}
        self.assertNotIn(self.verify("full", None, other).code, (0, 4), "a wrong key is no damage")

        self.flip(self.volume, self.record["header_size"] // 2)
        messages["header"] = self.restore_fails("(?i)header", self.volume.name)
        self.assertIn(self.volume.name, self.said(self.verify("full", 4)))
        self.volume.write_bytes(self.originals[self.volume])

        self.flip(self.volume, self.record["size"] // 2)
        messages["volume"] = self.restore_fails(self.volume.name)
        self.assertIn(self.volume.name, self.said(self.verify("full", 4)))
        self.volume.write_bytes(self.originals[self.volume])

        self.flip(self.manifest, self.manifest.stat().st_size // 2)
        messages["manifest"] = self.restore_fails("(?i)manifest")
        self.assertIn("manifest.json", self.said(self.verify("quick", 4)))

        self.assertEqual(len(set(messages.values())), 4, messages)

    @staticmethod
    def said(result):
        return result.out.decode() + result.err

    def test_one_flipped_bit_in_the_header_is_never_called_a_wrong_key(self):
        chance = random.Random(20260211)
        for _ in range(6):
            offset, bit = chance.randrange(self.record["header_size"]), chance.randrange(8)
            with self.subTest(offset=offset, bit=bit):
                self.flip(self.volume, offset, bit)
                message = self.restore_fails("(?i)header|damaged", self.volume.name)
                self.assertNotRegex(message, "(?i)wrong key|no identity")
                self.volume.write_bytes(self.originals[self.volume])

    def test_a_truncated_volume(self):
        whole = self.record["size"]
        for size in (0, 1, self.record["header_size"], whole // 2, whole - 1):
            with self.subTest(size=size):
                self.volume.write_bytes(self.originals[self.volume][:size])
                self.assertIn(self.volume.name, self.said(self.verify("quick", 4)))
                self.restore_fails(self.volume.name)

    def test_a_volume_with_bytes_behind_its_end(self):
        self.volume.write_bytes(self.originals[self.volume] + b"x")
        self.assertIn(self.volume.name, self.said(self.verify("quick", 4)))
        self.restore_fails(self.volume.name)

    def test_objects_that_are_missing(self):
        for path in (self.volume, self.index):
            with self.subTest(object=path.name):
                path.unlink()
                self.assertIn(path.name, self.said(self.verify("quick", 4)))
                self.restore_fails(path.name)
                path.write_bytes(self.originals[path])

    def test_a_missing_manifest_means_no_archive(self):
        self.manifest.unlink()
        result = self.bkhost("restore", "latest", "--to", f"sqlite:{self.folder / 'shop.db'}",
                             "--identity", str(self.key), code=1)
        self.assert_fails(result, "manifest|no archive|missing")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_damaged_index(self):
        for offset in (10, self.index.stat().st_size // 2, self.index.stat().st_size - 1):
            with self.subTest(offset=offset):
                self.flip(self.index, offset)
                self.assertIn(self.index.name, self.said(self.verify("stored", 4)))
                self.restore_fails(self.index.name)
                self.index.write_bytes(self.originals[self.index])

    def test_objects_of_another_backup_in_its_place(self):
        make_shop(self.home / "other.db", seed=9)
        config = self.config(self.database, self.new_key("second.txt")[1])
        config["sources"]["shop"]["path"] = str(self.home / "other.db")
        self.write_config(config)
        self.bkhost("run", "shop")
        [other] = [a for a in self.archives() if a != self.archive]
        self.volume.write_bytes((other / self.volume.name).read_bytes())
        result = self.bkhost("verify", self.archive.name, "--level", "stored", code=4)
        self.assertIn(self.volume.name, self.said(result))

    def test_bits_flipped_anywhere_are_found(self):
        chance = random.Random(4711)
        for _ in range(12):
            path = chance.choice([self.volume, self.index, self.manifest])
            offset, bit = chance.randrange(path.stat().st_size), chance.randrange(8)
            with self.subTest(object=path.name, offset=offset, bit=bit):
                self.flip(path, offset, bit)
                self.verify("stored", 4)
                self.verify("full", 4)
                self.restore_fails()
                path.write_bytes(self.originals[path])

    def test_verify_as_json_names_the_object(self):
        self.flip(self.volume, self.record["size"] // 2)
        document = self.json("verify", "latest", "--level", "stored", code=4)
        self.assertIn(self.volume.name, json.dumps(document))

    def test_a_storage_without_its_marker_is_not_empty(self):
        marker = self.store / MARKER
        if not marker.exists():
            self.skipTest("the storage has no marker")
        content = marker.read_bytes()
        marker.unlink()
        hidden = self.home / "hidden"
        self.store.rename(hidden)
        self.store.mkdir()  # as an unmounted folder looks
        self.restore_fails(str(self.store))
        self.assertEqual(len(self.rows()), 1)
        self.store.rmdir()
        hidden.rename(self.store)
        marker.write_bytes(content)


if __name__ == "__main__":
    main()
