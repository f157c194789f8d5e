"""What is wrong is said once, with the object's name and a hint; nothing half is left behind."""

import json
import os
import pathlib
import pwd
import shutil
import sqlite3
import subprocess
import tempfile

from bkhost_e2e import BKHOST, Case, ask, main, make_big, make_shop

SECRET = "hunter2-never-shown"


class BadInput(Case):

    def setUp(self):
        super().setUp()
        self.database = make_shop(self.home / "shop.db", rows=100)
        self.good = self.config(self.database)
        self.write_config(self.good)

    def tearDown(self):
        """Whatever happened, a good job still works."""
        self.store = self.home / "good-store"
        self.write_config(self.config(self.database))
        self.bkhost("run", "shop")
        self.restore_and_compare(self.database, "--source", "shop")

    def refused(self, code, *words, command=("run", "shop")):
        """The command fails, and leaves nothing on the storage."""
        result = self.bkhost(*command, code=code)
        self.assert_fails(result, *words)
        self.assertEqual(result.out, b"", str(result))
        self.assertNotIn(SECRET, result.err)
        return result

    def run_refused(self, code, *words, command=("run", "shop")):
        result = self.refused(code, *words, command=command)
        self.write_config(self.good)
        self.assert_clean()
        self.assertEqual(self.stored_files(), [])
        return result

    def line_of(self, text):
        """'FILE:LINE' of the first line of the configuration with that text."""
        for number, line in enumerate(self.config_path.read_text().splitlines(), 1):
            if text in line:
                return f"{self.config_path.name}:{number}"
        raise AssertionError(f"{text} is not in the configuration")

    def changed(self, *path, **values):
        """The good configuration with something in one of its blocks."""
        config = json.loads(json.dumps(self.good))
        block = config
        for name in path:
            block = block[name]
        block.update({key.replace("_", "-"): value for key, value in values.items()})
        self.write_config(config)

    # ---- configuration

    def test_unknown_driver(self):
        self.changed("sources", "shop", driver="sqlit")
        self.run_refused(2, "sqlit'", "'sqlite'")
        self.changed("storages", "here", driver="locale")
        self.run_refused(2, "locale'", "'local'")
        self.changed("jobs", "shop", compress={"driver": "zst"})
        self.run_refused(2, "'zst'", "'zstd'")

    def test_unknown_option_with_line(self):
        self.changed("sources", "shop", buzy_timeout="5s")
        line = self.line_of("buzy-timeout")
        self.run_refused(2, line, "buzy-timeout", "'busy-timeout'")

    def test_unknown_key_with_line(self):
        self.changed("jobs", "shop", retension={"daily": 7})
        line = self.line_of("retension")
        self.run_refused(2, line, "retension")
        self.changed(storage={})
        line = self.line_of('"storage"')
        self.run_refused(2, line, "'storage'", "'?storages'?")

    def test_a_value_that_does_not_fit(self):
        self.changed("jobs", "shop", compress={"driver": "zstd", "level": 99})
        self.run_refused(2, "level", "99")
        self.changed("jobs", "shop", memory="0")
        self.run_refused(2, "memory")

    def test_a_memory_that_is_no_size(self):
        self.bkhost("run", "shop")
        for verb in (("run", "shop"), ("verify", "latest"), ("cat", "latest"),
                     ("restore", "latest", "--to", f"sqlite:{self.home}/x.db")):
            for size in ("lots", "0", "-1"):
                with self.subTest(verb=verb[0], size=size):
                    self.refused(2, "--memory", command=(*verb, f"--memory={size}"))

    def test_unknown_names(self):
        self.changed("jobs", "shop", store=["hear"])
        self.run_refused(2, "'hear'", "'here'")
        self.changed("jobs", "shop", source="shob")
        self.run_refused(2, "'shob'", "'shop'")
        self.run_refused(2, "'shp'", "'shop'", command=("run", "shp"))

    def test_missing_secret(self):
        for secret, name in (({"env": "NO_SUCH_VARIABLE"}, "NO_SUCH_VARIABLE"),
                             ({"file": str(self.home / "absent.txt")}, "absent.txt"),
                             ({"command": ["/bin/false"]}, "/bin/false")):
            with self.subTest(secret=name):
                self.changed("jobs", "shop", encrypt={"driver": "age", "passphrase": secret})
                line = self.line_of('"passphrase"')
                self.run_refused(2, name, line)

    def test_a_secret_that_everybody_can_read(self):
        secret = self.home / "secret.txt"
        secret.write_text(SECRET)
        secret.chmod(0o644)
        cipher = {"driver": "age", "passphrase": {"file": str(secret)}}
        self.changed("jobs", "shop", encrypt=cipher)
        self.run_refused(2, "secret.txt")

    def encrypted(self):
        """A backup that needs a key; gives (key file, configuration)."""
        key, recipient = self.new_key()
        config = self.config(self.database, recipient)
        self.write_config(config)
        self.bkhost("run", "shop")
        return key, config

    def test_missing_identity_of_the_configuration(self):
        _, config = self.encrypted()
        config["decrypt"] = [{"driver": "age", "identity-files": [str(self.home / "absent.txt")]}]
        self.write_config(config)
        self.bkhost("run", "shop")  # needs no key
        self.refused((1, 2), "absent.txt", command=("verify", "latest", "--level", "full"))

    def test_a_secret_is_never_shown(self):
        self.encrypted()
        key = self.home / "no-key.txt"
        key.write_text(SECRET + "\n")
        key.chmod(0o600)
        more = ["--identity", str(key)]
        self.restore_refused(self.home / "x.db", (1, 2), "no-key.txt", more=more)

    def test_an_identity_that_everybody_can_read(self):
        key, config = self.encrypted()
        key.chmod(0o644)
        config["decrypt"] = [{"driver": "age", "identity-files": [str(key)]}]
        self.write_config(config)
        self.refused((1, 2), "key.txt", command=("verify", "latest", "--level", "full"))
        key.chmod(0o600)
        self.restore_and_compare(self.database)

    def test_configuration_that_is_garbage(self):
        self.config_path.write_text("jobs: [unclosed\n  - {")
        self.run_refused(2, self.config_path.name)
        self.config_path.write_bytes(os.urandom(4096))
        self.run_refused(2, self.config_path.name)
        missing = self.home / "absent.yaml"
        self.run_refused((1, 2), "absent.yaml", command=("run", "shop", "--config", str(missing)))

    def test_unknown_url_schemes_and_half_a_line(self):
        to = ("--to", str(self.store))
        self.run_refused(2, "sqlit", command=("run", "--from", "sqlit:/x.db", *to))
        self.run_refused(2, "--to", command=("run", "--from", f"sqlite:{self.database}"))
        line = ("run", "--from", f"sqlite:{self.database}", *to, "--encrypt", "age:age1nonsense")
        self.run_refused(2, "age1nonsense", command=line)

    # ---- sources

    def test_missing_file(self):
        absent = self.home / "absent.db"
        self.changed("sources", "shop", path=str(absent))
        self.run_refused(1, str(absent))
        self.assertFalse(absent.exists(), "an empty database was made")

    def test_not_a_database(self):
        for content in (b"", b"SQLite", b"hello world\n" * 1000, os.urandom(8192)):
            with self.subTest(size=len(content)):
                other = self.home / "other.db"
                other.write_bytes(content)
                self.changed("sources", "shop", path=str(other))
                self.run_refused(1, str(other))
                self.assertEqual(other.read_bytes(), content)

    def test_a_folder_and_a_device(self):
        for path in (self.home, pathlib.Path("/dev/zero")):
            with self.subTest(path=path):
                self.changed("sources", "shop", path=str(path))
                self.run_refused((1, 2), str(path))

    def test_a_truncated_database(self):
        content = self.database.read_bytes()
        other = self.home / "other.db"
        other.write_bytes(content[:len(content) // 2])
        self.changed("sources", "shop", path=str(other))
        self.run_refused(1, str(other))

    def test_a_database_that_is_damaged_inside(self):
        """A page that is no b-tree page: the row proof reads every table and notices."""
        other = self.home / "other.db"
        page = ask(self.database, "SELECT rootpage FROM sqlite_master WHERE name='orders'") - 1
        content = bytearray(self.database.read_bytes())
        content[4096 * page:4096 * (page + 1)] = b"\xa5" * 4096
        other.write_bytes(content)
        self.changed("sources", "shop", path=str(other))
        self.run_refused(1, str(other))

    def test_a_source_that_may_not_be_read(self):
        self.database.chmod(0)
        try:
            if os.geteuid() != 0:
                self.run_refused(1, str(self.database), "(?i)denied")
            else:
                self.check_as_nobody()
        finally:
            self.database.chmod(0o600)

    def check_as_nobody(self):
        """root reads everything, so that the run has to be another user's, in a home of his."""
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            self.skipTest("there is no other user")
        home = pathlib.Path(tempfile.mkdtemp(prefix="bkhost-e2e-nobody-"))
        self.addCleanup(shutil.rmtree, home, ignore_errors=True)
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        self.home.chmod(0o755)
        mine = dict(self.environment)
        for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR"):
            self.environment[name] = str(home)
        for name in ("CONFIG", "STATE", "DATA", "CACHE"):
            self.environment[f"XDG_{name}_HOME"] = str(home / name.lower())
        try:
            self.run_as_nobody(home)
        finally:
            self.environment = mine

    def run_as_nobody(self, home):
        if subprocess.run([BKHOST, "--version"], user="nobody", capture_output=True,
                          check=False).returncode != 0:
            self.skipTest("the program cannot be run by another user")
        result = self.bkhost("run", "--from", f"sqlite:{self.database}", "--to",
                             str(home / "store"), code=1, user="nobody")
        self.assertEqual(list(home.rglob("manifest.json")), [])
        self.assert_fails(result, str(self.database), "(?i)denied")

    # ---- storages

    def test_a_storage_that_cannot_be_written(self):
        blocked = self.home / "file"
        blocked.write_text("not a folder")
        self.changed("storages", "here", path=str(blocked))
        self.run_refused((1, 2), str(blocked))
        self.changed("storages", "here", path=str(blocked / "below"))
        self.run_refused((1, 2), str(blocked))
        self.changed("storages", "here", path="/proc/bkhost-store")
        self.run_refused((1, 2), "/proc/bkhost-store")

    def test_a_storage_without_parent(self):
        absent = self.home / "absent" / "store"
        self.changed("storages", "here", path=str(absent))
        self.run_refused(1, str(absent))
        self.assertFalse(absent.parent.exists())

    def test_a_storage_around_the_source(self):
        self.changed("storages", "here", path=str(self.home))
        self.refused((1, 2), "here|" + str(self.home))
        self.write_config(self.good)
        self.assertEqual([r for r in self.rows("--all") if r["state"] != "failed"], [])

    def test_full_disk(self):
        if os.geteuid() != 0:
            self.skipTest("only root can mount a small file system")
        disk = self.home / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("cannot mount: " + mounted.stderr.decode())
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=False, capture_output=True)
        big = make_big(self.home / "big.db", 16)
        self.store = disk / "store"
        self.changed("sources", "shop", path=str(big))
        config = json.loads(self.config_path.read_text())
        config["storages"]["here"]["path"] = str(self.store)
        self.write_config(config)
        self.refused(1, "(?i)space", str(self.store) + "|here")
        self.assert_clean()
        self.assertEqual(self.stored_files(), [])
        # A restore to the full disk leaves nothing there either.
        self.write_config(self.good)
        self.bkhost("run", "--from", f"sqlite:{big}", "--to", str(self.home / "store-of-big"))
        target = disk / "restored.db"
        self.restore_refused(target, 1, "(?i)space", more=["--source", "big"])
        self.assertEqual([p.name for p in disk.iterdir() if p != self.store], [])

    # ---- restore

    def backup(self):
        self.bkhost("run", "shop")

    def restore_refused(self, target, code, *words, more=()):
        to = f"sqlite:{target}"
        return self.refused(code, *words, command=("restore", "latest", "--to", to, *more))

    def test_target_exists(self):
        self.backup()
        target = self.home / "target.db"
        target.write_text("precious")
        self.restore_refused(target, 1, str(target), "--replace")
        self.restore_refused(target, 1, str(target), more=["--force"])
        self.assertEqual(target.read_text(), "precious")

    def test_a_stale_log_beside_the_target(self):
        self.backup()
        for ending in ("-wal", "-shm", "-journal"):
            with self.subTest(ending=ending):
                target = self.home / "target.db"
                stale = pathlib.Path(str(target) + ending)
                stale.write_text("old")
                self.restore_refused(target, 1, str(stale))
                self.assertFalse(target.exists())
                self.assertEqual(stale.read_text(), "old")
                stale.unlink()

    def test_a_target_that_is_in_use(self):
        self.backup()
        target = self.home / "target.db"
        shutil.copy(self.database, target)
        user = sqlite3.connect(target, isolation_level=None)
        self.addCleanup(user.close)
        user.execute("BEGIN IMMEDIATE")
        self.restore_refused(target, (1, 75), str(target), more=["--replace", "--force"])
        user.execute("ROLLBACK")
        self.assert_same_database(self.database, target)

    def test_nowhere_to_restore_to(self):
        self.backup()
        target = self.home / "absent" / "target.db"
        self.restore_refused(target, 1, str(target.parent))
        self.assertFalse(target.parent.exists())

    def test_backups_that_are_not_there(self):
        for command in (("show", "20260101T000000Z-aaaaaa"), ("verify", "20260101T000000Z-aaaaaa"),
                        ("cat", "20260101T000000Z-aaaaaa"),
                        ("restore", "20260101T000000Z-aaaaaa", "--to", f"sqlite:{self.home}/x.db")):
            with self.subTest(command=command):
                self.refused((1, 2), "20260101T000000Z-aaaaaa", command=command)
        self.restore_refused(self.home / "x.db", (1, 2))
        self.backup()
        self.restore_refused(self.home / "x.db", (1, 2), "nosuch", more=["--source", "nosuch"])
        self.refused((1, 2), "not-an-id", command=("show", "not-an-id"))

    def test_an_encrypted_backup_without_a_key(self):
        self.encrypted()
        self.restore_refused(self.home / "x.db", (1, 2), "(?i)identity")
        self.bkhost("verify", "latest", "--level", "stored")  # needs none
        self.refused((1, 2), "(?i)identity", command=("verify", "latest", "--level", "full"))
        self.assertFalse((self.home / "x.db").exists())

    # ---- catalog

    def test_a_damaged_catalog(self):
        self.backup()
        catalog = self.state / "bkhost" / "catalog.db"
        for leftover in catalog.parent.glob("catalog.db-*"):
            leftover.unlink()
        good = catalog.read_bytes()
        catalog.write_bytes(os.urandom(len(good)))
        self.refused(1, "catalog", command=("list",))
        catalog.write_bytes(good)
        self.restore_and_compare(self.database)


if __name__ == "__main__":
    main()
