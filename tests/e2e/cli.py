"""The verbs as a user meets them: help, init, plugins, keys, catalog, lists, questions."""

import json
import os
import pathlib
import pty
import select
import shutil
import stat
import time

from bkhost_e2e import Case, Running, main, make_shop, BKHOST, PLUGINS

VERBS = ["init", "check", "doctor", "run", "list", "show", "restore", "verify", "cat", "delete",
         "key", "plugin", "catalog"]


class Help(Case):

    def test_help_of_every_verb(self):
        top = self.bkhost("--help").out.decode()
        for verb in VERBS:
            with self.subTest(verb=verb):
                self.assertRegex(top, rf"(?m)^\s+{verb}\b")
                text = self.bkhost(verb, "--help").out.decode()
                self.assertGreater(len(text.splitlines()), 2)
                self.assertIn(verb, text)
        for verb, sub in (("key", "generate"), ("key", "show"), ("plugin", "list"),
                          ("plugin", "show"), ("catalog", "rebuild"), ("catalog", "check")):
            with self.subTest(verb=f"{verb} {sub}"):
                self.assertIn(sub, self.bkhost(verb, sub, "--help").out.decode())

    def test_version(self):
        self.assertRegex(self.bkhost("--version").out.decode(), r"bkhost \d+\.\d+\.\d+")

    def test_wrong_use(self):
        for arguments in (["nosuch"], [], ["list", "--nosuch"], ["show"], ["plugin"],
                          ["verify", "latest", "--level", "thorough"],
                          ["list", "--progress", "loud"], ["run", "--memory", "lots"]):
            with self.subTest(arguments=arguments):
                result = self.bkhost(*arguments, code=2)
                self.assertEqual(result.out, b"")
                self.assertNotEqual(result.err, "")


class Init(Case):

    def test_writes_a_file_that_works_and_never_overwrites(self):
        path = self.home / "bkhost.yaml"
        self.bkhost("init", str(path))
        content = path.read_text()
        self.assertIn("jobs:", content)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0)
        self.bkhost("check", "--config", str(path))
        result = self.bkhost("init", str(path), code=(1, 2))
        self.assert_fails(result, str(path))
        self.assertEqual(path.read_text(), content)


class Plugins(Case):

    def test_list_and_show(self):
        text = self.bkhost("plugin", "list").out.decode()
        document = json.dumps(self.json("plugin", "list"))
        for driver in ("sqlite", "local", "zstd", "age"):
            with self.subTest(driver=driver):
                self.assertRegex(text, rf"\b{driver}\b")
                self.assertIn(f'"{driver}"', document)
                shown = self.bkhost("plugin", "show", driver).out.decode()
                self.assertRegex(shown, rf"\b{driver}\b")
        self.assertIn("busy-timeout", self.bkhost("plugin", "show", "sqlite").out.decode())
        self.assert_fails(self.bkhost("plugin", "show", "sqlit", code=2), "sqlite")

    def test_a_broken_plugin_does_not_break_the_others(self):
        folder = self.home / "plugins"
        folder.mkdir()
        (folder / "broken.so").write_bytes(b"\x7fELF" + bytes(100))
        (folder / "text.so").write_text("hello")
        for plugin in pathlib.Path(PLUGINS).glob("*.so"):
            shutil.copy(plugin, folder)
        listed = Running([BKHOST, "plugin", "list", "--plugin-dir", folder],
                         self.environment).wait(60)
        self.assertEqual(listed.code, 0, str(listed))
        self.assertIn("broken.so", listed.out.decode() + listed.err)
        database = make_shop(self.home / "shop.db")
        run = Running([BKHOST, "run", "--from", f"sqlite:{database}", "--to", self.store,
                       "--plugin-dir", folder], self.environment).wait(60)
        self.assertEqual(run.code, 0, str(run))
        self.restore_and_compare(database)

    def test_a_plugin_folder_that_is_absent(self):
        result = self.bkhost("plugin", "list", "--plugin-dir", str(self.home / "absent"), code=2)
        self.assert_fails(result, "absent")


class Keys(Case):

    def test_generate_show_and_use(self):
        path = self.home / "key.txt"
        result = self.bkhost("key", "generate", "--output", str(path))
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        secret = path.read_text()
        self.assertIn("AGE-SECRET-KEY-", secret)
        self.assertNotIn("AGE-SECRET-KEY-", result.out.decode() + result.err)
        shown = self.bkhost("key", "show", str(path)).out.decode()
        self.assertEqual(self.json("key", "show", str(path))["public_keys"], shown.split())
        [recipient] = shown.split()
        self.assertEqual(self.tool("age-keygen", "-y", path).decode().strip(), recipient)
        again = self.bkhost("key", "generate", "--output", str(path), code=(1, 2))
        self.assert_fails(again, str(path))
        self.assertEqual(path.read_text(), secret)
        absent = self.bkhost("key", "show", str(self.home / "absent"), code=(1, 2))
        self.assert_fails(absent, "absent")

        database = make_shop(self.home / "shop.db")
        self.bkhost("run", "--from", f"sqlite:{database}", "--to", str(self.store),
                    "--encrypt", f"age:{recipient}")
        self.restore_and_compare(database, "--identity", str(path))


class Catalog(Case):

    def setUp(self):
        super().setUp()
        self.database = make_shop(self.home / "shop.db", rows=50)
        self.write_config(self.config(self.database))

    @staticmethod
    def known(rows):
        return sorted((row["id"], row["source"], row["environment"], row["state"]) for row in rows)

    def test_rebuild_gives_the_same_list(self):
        for _ in range(3):
            self.bkhost("run", "shop")
        before = self.known(self.rows("--all"))
        self.assertEqual(len(before), 3)
        self.bkhost("catalog", "check")
        for file in (self.state / "bkhost").glob("catalog.db*"):
            file.unlink()
        self.assertEqual(self.rows("--all"), [])
        self.bkhost("catalog", "rebuild")
        self.assertEqual(self.known(self.rows("--all")), before)
        self.bkhost("catalog", "rebuild")
        self.assertEqual(self.known(self.rows("--all")), before, "the second time adds nothing")
        self.bkhost("catalog", "check")
        self.restore_and_compare(self.database)

    def test_rebuild_from_a_storage_without_a_configuration(self):
        self.bkhost("run", "shop")
        before = self.known(self.rows("--all"))
        shutil.rmtree(self.state)
        self.config_path.unlink()
        self.bkhost("catalog", "rebuild", "--from-storage", str(self.store))
        self.assertEqual(self.known(self.rows("--all", "--environment", "test")), before)
        self.restore_and_compare(self.database, "--environment", "test")

    def test_rebuild_passes_by_a_damaged_manifest(self):
        for _ in range(2):
            self.bkhost("run", "shop")
        kept, damaged = self.archives()
        manifest = damaged / "manifest.json"
        content = manifest.read_bytes()
        manifest.write_bytes(content[:100])
        shutil.rmtree(self.state)
        result = self.bkhost("catalog", "rebuild", code=(1, 3))
        self.assertIn(damaged.name, result.out.decode() + result.err)
        self.assertEqual([row["id"] for row in self.rows("--all")], [kept.name])
        self.restore_and_compare(self.database)

    def test_filters_of_list(self):
        self.bkhost("run", "shop")
        other = make_shop(self.home / "other.db", rows=5)
        self.bkhost("run", "--from", f"sqlite:{other}", "--to", str(self.store),
                    "--environment", "staging")
        def sources(*arguments):
            return sorted(row["source"] for row in self.rows(*arguments))
        self.assertEqual(sources("--all"), ["other", "shop"])
        self.assertEqual(sources(), ["shop"])  # the environment of the configuration
        self.assertEqual(sources("--environment", "staging"), ["other"])
        self.assertEqual(sources("--environment", "nosuch"), [])
        self.assertEqual(sources("--all", "--source", "other"), ["other"])
        self.assertEqual(sources("--source", "other"), [])
        self.restore_and_compare(other, "--environment", "staging", "--source", "other")

    def test_a_name_cannot_steer_the_terminal(self):
        odd = make_shop(self.home / "a\x1b[31mb.db", rows=5)
        result = self.bkhost("run", "--from", f"sqlite:{odd}", "--to", str(self.store),
                             code=(0, 1, 2))
        listed = self.bkhost("list", "--all")
        self.assertNotIn("\x1b", result.out.decode() + result.err)
        self.assertNotIn("\x1b", listed.out.decode())


class Terminal(Case):
    """On a terminal bkhost asks; elsewhere it says what to give."""

    def setUp(self):
        super().setUp()
        self.database = make_shop(self.home / "shop.db")
        self.write_config(self.config(self.database))
        for _ in range(2):
            self.bkhost("run", "shop")

    def on_terminal(self, *arguments, answers):
        """Runs it on a pseudo terminal; `answers`: (text to wait for, what is typed). Gives (exit
        status, all that was shown)."""
        command = [BKHOST, *map(str, arguments), "--plugin-dir", PLUGINS]
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(BKHOST, command, self.environment)
        shown, answers, deadline = b"", list(answers), time.monotonic() + self.timeout
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            if answers and answers[0][0].encode() in shown:
                os.write(terminal, answers.pop(0)[1].encode())
        else:
            os.kill(pid, 9)
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode("utf-8", "replace")

    def test_restore_asks_which_backup(self):
        target = self.home / "restored.db"
        answers = [("1 to 2", "garbage\n"), ("'garbage' is not", "2\n")]
        code, shown = self.on_terminal("restore", "--to", f"sqlite:{target}", answers=answers)
        self.assertEqual(code, 0, shown)
        for row in self.rows():
            self.assertIn(row["id"], shown)
        self.assert_same_database(self.database, target)

    def test_no_answer_restores_nothing(self):
        target = self.home / "restored.db"
        code, shown = self.on_terminal("restore", "--to", f"sqlite:{target}",
                                       answers=[("1 to 2", "\n")])
        self.assertNotEqual(code, 0, shown)
        self.assertFalse(target.exists())
        self.restore_and_compare(self.database)

    def test_without_a_terminal_it_says_what_to_give(self):
        result = self.bkhost("restore", "--to", f"sqlite:{self.home / 'x.db'}", code=(1, 2))
        self.assert_fails(result, "latest")
        self.restore_and_compare(self.database)

    def test_progress_line_is_removed(self):
        code, shown = self.on_terminal("run", "shop", answers=[])
        self.assertEqual(code, 0, shown)
        self.assertNotIn("\x1b[2J", shown)
        self.restore_and_compare(self.database)

    def test_quiet_says_nothing(self):
        result = self.bkhost("run", "shop", "-q")
        self.assertEqual(result.err, "")
        self.restore_and_compare(self.database)


if __name__ == "__main__":
    main()
