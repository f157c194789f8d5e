"""The codecs and ciphers beside zstd and age: what was backed up comes back, by bkhost and by tools."""

import json
import os
import pathlib
import sys

from bkhost_e2e import Case, main, make_shop

READER = pathlib.Path(__file__).parents[2] / "examples" / "aes256gcm_decrypt.py"


class Codecs(Case):

    def setUp(self):
        super().setUp()
        self.database = make_shop(self.home / "shop.db", rows=60000)  # several frames

    def aes_key(self, name="aes.txt"):
        """(path of a new key, its fingerprint)"""
        path = self.home / name
        made = self.bkhost("key", "generate", "--driver", "aes256gcm", "--output", str(path))
        return path, made.out.decode().strip()

    def run_line(self, *arguments):
        self.bkhost("run", "--from", f"sqlite:{self.database}", "--to", str(self.store), *arguments)

    def manifest(self):
        return json.loads((self.archives()[-1] / "manifest.json").read_text())

    def volume(self):
        [record] = self.manifest()["components"][0]["volumes"]
        return self.archives()[-1] / record["key"]

    def decrypt(self, key, stored, code=0):
        return self.tool(sys.executable, READER, key, stdin=stored, code=code)

    def whole_way(self, suffix, *identity):
        """list, verify, restore, compare; gives the restored image."""
        self.assertTrue(self.volume().name.endswith(suffix), self.volume())
        self.assertEqual(self.newest()["state"], "completed")
        self.json("verify", "latest", "--level", "full", *identity)
        target = self.restore_and_compare(self.database, *identity)
        self.assert_clean()
        return target.read_bytes()

    def test_gzip(self):
        self.run_line("--compress", "gzip:6", "--encrypt", "none")
        image = self.whole_way(".db.gz")
        self.tool("gzip", "-t", self.volume())
        self.assertTrue(self.tool("gzip", "-dc", self.volume()) == image, "gzip gives other bytes")
        decoded = [self.manifest()[kind]["decode_command"] for kind in ("compressor",)]
        self.assertEqual(decoded, ["gzip -d"])

    def test_gzip_and_aes256gcm(self):
        key, fingerprint = self.aes_key()
        self.run_line("--compress", "gzip", "--encrypt", f"aes256gcm:{key}")
        image = self.whole_way(".db.gz.aes", "--identity", str(key))
        packed = self.decrypt(key, self.volume().read_bytes())
        self.assertTrue(self.tool("gzip", "-dc", stdin=packed) == image, "other bytes by tools")
        encryptor = self.manifest()["encryptor"]
        self.assertEqual(encryptor["key_fingerprints"], [fingerprint])
        self.assertEqual(encryptor["decode_command"], "aes256gcm_decrypt.py KEY_FILE")

    def test_zstd_and_aes256gcm(self):
        key, _ = self.aes_key()
        self.run_line("--encrypt", f"aes256gcm:{key}")
        image = self.whole_way(".db.zst.aes", "--identity", str(key))
        packed = self.decrypt(key, self.volume().read_bytes())
        self.assertTrue(self.tool("zstd", "-dc", stdin=packed) == image, "other bytes by tools")
        self.assertFalse(b"SQLite format 3" in self.volume().read_bytes())

    def test_a_key_of_the_job_is_used_to_restore(self):
        key, _ = self.aes_key()
        text = key.read_text().splitlines()[-1]
        for block in ({"key-file": str(key)}, {"key": {"file": str(self.home / "bare.txt")}}):
            with self.subTest(block=list(block)):
                bare = self.home / "bare.txt"
                bare.touch(mode=0o600)
                bare.write_text(text + "\n")
                config = self.config(self.database)
                config["jobs"]["shop"]["encrypt"] = {"driver": "aes256gcm", **block}
                self.write_config(config)
                self.bkhost("run")
                self.whole_way(".db.zst.aes")
                self.assertNotIn(text, (self.archives()[-1] / "manifest.json").read_text())
        # Another key now: what is older needs the old one, in `decrypt`.
        other, _ = self.aes_key("other.txt")
        config["jobs"]["shop"]["encrypt"] = {"driver": "aes256gcm", "key-file": str(other)}
        self.write_config(config)
        self.bkhost("verify", "latest", "--level", "full", code=1)
        config["decrypt"] = [{"driver": "aes256gcm", "key-file": str(key)}]
        self.write_config(config)
        self.whole_way(".db.zst.aes")

    def test_a_wrong_key_is_no_damage(self):
        key, fingerprint = self.aes_key()
        other, _ = self.aes_key("other.txt")
        self.run_line("--encrypt", f"aes256gcm:{key}")
        target = self.home / "none.db"
        failed = self.bkhost("restore", "latest", "--to", f"sqlite:{target}", "--identity",
                             str(other), code=1)
        self.assert_fails(failed, "wrong key", fingerprint)
        self.assertFalse(target.exists())
        self.bkhost("verify", "latest", "--level", "full", "--identity", str(other), code=1)
        self.decrypt(other, self.volume().read_bytes(), code=1)
        self.whole_way(".db.zst.aes", "--identity", str(other), "--identity", str(key))

    def test_damage_is_found(self):
        key, _ = self.aes_key()
        self.run_line("--encrypt", f"aes256gcm:{key}")
        volume, stored = self.volume(), self.volume().read_bytes()
        for offset in (0, 30, 70, 90, 96, 200000, len(stored) - 1):
            with self.subTest(offset=offset):
                bad = bytearray(stored)
                bad[offset] ^= 1
                volume.write_bytes(bad)
                self.bkhost("verify", "latest", "--level", "full", "--identity", str(key), code=4)
                self.decrypt(key, bytes(bad), code=1)
        for size in (96, 96 + 65552, 96 + 2 * 65552, len(stored) - 1):
            self.decrypt(key, stored[:size], code=1)
        volume.write_bytes(stored)
        self.whole_way(".db.zst.aes", "--identity", str(key))

    def test_keys(self):
        key, fingerprint = self.aes_key()
        self.assertRegex(fingerprint, "^aes256gcm:[0-9a-f]{16}$")
        self.assertEqual(os.stat(key).st_mode & 0o777, 0o600)
        show = self.bkhost("key", "show", "--driver", "aes256gcm", str(key))
        self.assertEqual(show.out.decode().strip(), fingerprint)
        age_key, _ = self.new_key()
        self.run_line("--encrypt", f"aes256gcm:{key}")
        foreign = self.bkhost("restore", "latest", "--to", f"sqlite:{self.home / 'none.db'}",
                              "--identity", str(age_key), code=(1, 2))
        self.assert_fails(foreign, "key")
        key.chmod(0o644)
        opened = self.bkhost("restore", "latest", "--to", f"sqlite:{self.home / 'none.db'}",
                             "--identity", str(key), code=(1, 2))
        self.assert_fails(opened, "open to others")
        key.chmod(0o600)
        self.whole_way(".db.zst.aes", "--identity", str(key))


if __name__ == "__main__":
    main()
