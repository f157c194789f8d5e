"""bkhost doctor: finds what would stop a backup, says what to do, and leaves nothing behind."""

import os
import pathlib
import re
import shutil
import signal

from bkhost_e2e import BKHOST, PLUGINS, Case, Running, main, make_big, make_shop

SECRET = "hunter2-never-shown"


class Doctor(Case):

    def setUp(self):
        super().setUp()
        self.database = make_shop(self.home / "shop.db", rows=100)
        self.key, self.recipient = self.new_key()
        self.good = self.config(self.database, self.recipient)
        self.good["decrypt"] = [{"driver": "age", "identity-files": str(self.key)}]
        self.write_config(self.good)
        self.store.mkdir()

    def findings(self, *arguments, code=0):
        """(health, object) → finding, of a run with --json."""
        document = self.json("doctor", *arguments, code=code)
        for health in ("ok", "warn", "fail"):
            self.assertEqual(document[health],
                             sum(f["health"] == health for f in document["findings"]))
        self.assertEqual(document["fail"] > 0, code == 1)
        for finding in document["findings"]:
            self.assertEqual(finding["health"] == "ok", finding["next"] is None, finding)
        self.assertEqual(self.stored_files(), [], "a trial leaves nothing")
        return document["findings"]

    def found(self, findings, health, thing, *words):
        """The one finding of that health about that thing."""
        [finding] = [f for f in findings if (f["health"], f["object"]) == (health, thing)]
        for word in words:
            self.assertRegex(finding["text"] + " " + str(finding["next"]), word)
        return finding

    def failures(self, *arguments):
        return [f for f in self.findings(*arguments, code=1) if f["health"] == "fail"]

    # ---- all is well

    def test_a_healthy_host(self):
        findings = self.findings()
        for thing in ("configuration", "plugins", "catalog", "tools", "source 'shop'",
                      "storage 'here'", "keys of job 'shop'", "clock"):
            self.found(findings, "ok", thing)
        self.assertFalse((self.state / "bkhost" / "catalog.db").exists(), "it made a catalog")
        self.found(findings, "ok", "source 'shop'", "sqlite 3")
        self.found(findings, "ok", "storage 'here'", "free")
        self.found(findings, "ok", "keys of job 'shop'", "can be read here")
        text = self.bkhost("doctor").out.decode()
        self.assertRegex(text, r"(?m)^ok    storage 'here': takes objects")
        self.bkhost("run", "shop")
        text = self.bkhost("doctor", "shop").out.decode()
        self.assertRegex(text, r"(?m)^ok    catalog: .*schema \d+, 1 backups")
        self.assert_clean()
        self.restore_and_compare(self.database)

    def test_a_host_that_only_writes(self):
        del self.good["decrypt"]
        self.write_config(self.good)
        self.found(self.findings(), "ok", "keys of job 'shop'", "can write but not read")

    def test_without_a_configuration(self):
        self.config_path.unlink()
        self.found(self.findings(), "warn", "configuration", "bkhost init")

    def test_only_what_a_job_needs(self):
        self.good["sources"]["away"] = {"driver": "sqlite", "path": str(self.home / "absent.db")}
        self.good["storages"]["away"] = {"driver": "local", "path": "/absent/place"}
        self.good["jobs"]["away"] = {**self.good["jobs"]["shop"], "source": "away",
                                     "store": ["away"]}
        self.write_config(self.good)
        self.findings("shop")
        self.assertEqual({f["object"] for f in self.failures()},
                         {"source 'away'", "storage 'away'"})
        self.assert_fails(self.bkhost("doctor", "shp", code=2), "'shp'", "'shop'")

    # ---- what stops a backup

    def test_a_missing_source(self):
        self.database.unlink()
        [failure] = self.failures()
        self.assertEqual(failure["object"], "source 'shop'")
        self.assertIn("shop.db", failure["text"])
        self.assertTrue(failure["next"])

    def test_a_storage_that_is_not_there(self):
        (self.home / "file").write_text("no folder")
        self.good["storages"]["here"]["path"] = str(self.home / "file")
        self.write_config(self.good)
        [failure] = self.failures()
        self.assertEqual(failure["object"], "storage 'here'")

    def test_a_storage_that_cannot_be_written_to(self):
        if os.getuid() == 0:
            # Root may write anywhere but into a file system that takes nothing.
            self.good["storages"]["here"]["path"] = "/proc/sys/kernel"
            self.write_config(self.good)
        else:
            self.store.chmod(0o500)
            self.addCleanup(self.store.chmod, 0o700)
        [failure] = self.failures()
        self.assertEqual(failure["object"], "storage 'here'")
        self.assertTrue(failure["next"], failure)
        result = self.bkhost("run", "shop", code=1)
        self.assertIn("storage 'here'", result.err)

    def test_a_storage_inside_its_source(self):
        self.good["storages"]["here"]["path"] = str(self.database)
        self.write_config(self.good)
        [failure] = self.failures()
        self.assertEqual(failure["object"], "storage 'here'")

    def test_a_wrong_key(self):
        other, _ = self.new_key("other.txt")
        self.good["decrypt"][0]["identity-files"] = str(other)
        self.write_config(self.good)
        [failure] = self.failures()
        self.assertEqual(failure["object"], "keys of job 'shop'")
        self.assertRegex(failure["text"], "cannot read what it encrypts")
        self.good["decrypt"][0]["identity-files"] = [str(other), str(self.key)]
        self.write_config(self.good)
        self.findings()

    def test_an_identity_that_is_not_there(self):
        self.key.unlink()
        [failure] = self.failures()
        self.assertEqual(failure["object"], "keys of job 'shop'")
        self.assertIn("key.txt", failure["text"])

    def test_a_secret_that_others_can_read(self):
        del self.good["decrypt"]
        self.good["jobs"]["shop"]["encrypt"] = {"driver": "age", "passphrase": SECRET}
        self.write_config(self.good)
        self.findings()
        self.config_path.chmod(0o644)
        result = self.bkhost("doctor", code=1)
        self.assertNotIn(SECRET, result.out.decode() + result.err)
        failure = self.found(self.findings(code=1), "fail", "configuration", "'passphrase'",
                             "chmod 600")
        self.assertRegex(failure["text"], r"bkhost\.yaml:\d+: ")

    def test_an_unknown_key(self):
        self.good["jobs"]["shop"]["retension"] = 7
        self.write_config(self.good)
        [failure] = self.failures()
        self.assertEqual(failure["object"], "configuration")
        self.assertIn("retension", failure["text"])

    def test_a_damaged_catalog(self):
        self.bkhost("run", "shop")
        self.store = self.home / "other-store"  # of the next checks
        self.store.mkdir()
        self.good["storages"]["here"]["path"] = str(self.store)
        self.write_config(self.good)
        catalog = self.state / "bkhost" / "catalog.db"
        content = bytearray(catalog.read_bytes())
        content[:100] = bytes(100)
        catalog.write_bytes(content)
        failures = self.failures()
        self.assertEqual({f["object"] for f in failures}, {"catalog"})

    # ---- plugins and tools

    def with_plugins(self, folder, *arguments):
        """Away from the build, whose plugins would take the place of those that are missing."""
        program = self.home / "bin" / "bkhost"
        program.parent.mkdir()
        shutil.copy(BKHOST, program)
        return Running([program, *arguments, "--plugin-dir", folder], self.environment).wait(60)

    def copy_plugins(self):
        folder = self.home / "plugins"
        folder.mkdir()
        for plugin in pathlib.Path(PLUGINS).glob("*.so"):
            shutil.copy(plugin, folder)
        return folder

    def test_a_broken_plugin_in_use(self):
        folder = self.copy_plugins()
        [zstd] = folder.glob("*zstd*.so")
        zstd.write_bytes(zstd.read_bytes()[:20_000])
        result = self.with_plugins(folder, "doctor")
        self.assertEqual(result.code, 1, str(result))
        self.assertRegex(result.out.decode(),
                         rf"(?m)^warn  plugin '{re.escape(str(zstd))}': is broken: ")
        self.assertRegex(result.out.decode(), r"(?m)^fail  configuration: .*'zstd'")

    def test_plugins_that_nobody_needs_are_a_warning(self):
        folder = self.copy_plugins()
        (folder / "broken.so").write_bytes(b"\x7fELF" + bytes(100))
        result = self.with_plugins(folder, "doctor")
        self.assertEqual(result.code, 0, str(result))
        self.assertRegex(result.out.decode(), r"(?m)^warn  plugin '.*/broken\.so': is broken: ")

    def test_a_plugin_that_others_may_write_to(self):
        folder = self.copy_plugins()
        [local] = folder.glob("*local*.so")
        local.chmod(0o666)
        result = self.with_plugins(folder, "doctor")
        self.assertEqual(result.code, 1, str(result))
        self.assertRegex(result.out.decode(), r"(?m)^fail  plugin '.*local.*': is refused: ")

    def test_tools_that_are_missing_are_a_warning(self):
        self.environment["PATH"] = "/nowhere"
        findings = self.findings()
        missing = [f["text"] for f in findings if (f["health"], f["object"]) == ("warn", "tools")]
        self.assertEqual(sorted(missing), ["'age' is not in $PATH", "'zstd' is not in $PATH"])

    # ---- what dead processes left

    def test_what_was_left_behind_is_told_and_left_alone(self):
        self.database.unlink()
        make_big(self.database, 8)
        running = self.start("run", "shop", "--max-rate", "16KiB", "--progress", "none")
        while not any(row["state"] == "running" for row in self.rows("--all")):
            self.assertFalse(running.ended_within(0.05))
        running.kill(signal.SIGKILL)
        running.wait(self.timeout)
        for _ in range(2):  # the first one has changed nothing
            text = self.bkhost("doctor").out.decode()
            self.assertRegex(text, r"(?m)^warn  backup '\S+': is 'running', but the process")
        self.assertEqual([row["state"] for row in self.rows("--all")], ["interrupted"])
        self.findings()


if __name__ == "__main__":
    main()
