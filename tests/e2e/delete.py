"""Deleting backups: what goes, what stays, what is refused, and storages that do not answer."""

import json
import os
import pty
import select
import time

from bkhost_e2e import BKHOST, PLUGINS, Case, main, make_shop


class Delete(Case):

    def setUp(self):
        super().setUp()
        self.database = make_shop(self.home / "shop.db", rows=300)
        config = self.config(self.database)
        self.second = self.home / "second"
        config["storages"]["there"] = {"driver": "local", "path": str(self.second)}
        config["jobs"]["both"] = {"source": "shop", "store": ["here", "there"]}
        self.write_config(config)

    def back_up(self, job="shop"):
        return self.json("run", job)["backups"][0]["id"]

    def state_of(self, identity):
        return {row["id"]: row["state"] for row in self.rows("--all")}[identity]

    def copies(self, identity):
        return {c["storage"]: c["state"] for c in self.json("show", identity)["copies"]}

    def names(self, store=None):
        return [a.name for a in self.archives(store)]

    def test_deletes_those_that_are_named_and_no_other(self):
        first, second, kept = self.back_up(), self.back_up(), self.back_up()
        document = self.json("delete", first, second, first, "--force")
        self.assertEqual([b["id"] for b in document["backups"]], [first, second])
        self.assertEqual({b["state"] for b in document["backups"]}, {"deleted"})
        self.assertEqual(document["errors"], [])
        self.assertEqual(self.names(), [kept])
        self.assert_clean()
        self.assertEqual(sorted(r["id"] for r in self.rows()), [kept])
        self.assertEqual(self.state_of(first), "deleted")
        self.bkhost("delete", first, "--force")  # a second time there is nothing to do
        self.bkhost("catalog", "check")
        self.bkhost("catalog", "rebuild", "--from-storage", "here")
        self.assertEqual(self.state_of(first), "deleted")
        self.restore_and_compare(self.database)

    def test_a_wrong_id_costs_nothing(self):
        identity = self.back_up()
        result = self.bkhost("delete", identity, "20200101T000000Z-aaaaaa", "--force", code=1)
        self.assert_fails(result, "20200101T000000Z-aaaaaa")
        self.assertEqual(self.names(), [identity])
        self.restore_and_compare(self.database)

    def test_asks_on_a_terminal_and_refuses_without(self):
        identity = self.back_up()
        self.assert_fails(self.bkhost("delete", identity, code=2), "--force")
        for answer, code in (("1\n", 130), ("\n", 130), ("2\n", 0)):
            with self.subTest(answer=answer):
                self.assertEqual(self.names(), [identity])
                status, shown = self.on_terminal("delete", identity, answer=answer)
                self.assertEqual(status, code, shown)
                self.assertIn(identity, shown)
        self.assertEqual(self.names(), [])
        self.assertEqual(self.stored_files(), [])

    def on_terminal(self, *arguments, answer):
        command = [BKHOST, *arguments, "--plugin-dir", PLUGINS]
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(BKHOST, command, self.environment)
        shown, deadline = b"", time.monotonic() + self.timeout
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            if answer and b"1 to 2" in shown:
                os.write(terminal, answer.encode())
                answer = None
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode("utf-8", "replace")

    def test_one_copy(self):
        identity = self.back_up("both")
        self.bkhost("delete", identity, "--storage", "here", "--force")
        self.assertEqual(self.names(), [])
        self.assertEqual(self.stored_files(), [])
        self.assertEqual(self.names(self.second), [identity])
        self.assertEqual(self.copies(identity), {"here": "deleted", "there": "stored"})
        self.assertEqual(self.state_of(identity), "completed")
        result = self.bkhost("delete", identity, "--storage", "there", "--force", code=1)
        self.assert_fails(result, "good copy", f"bkhost delete {identity}")
        result = self.bkhost("delete", identity, "--storage", "here", "--force", code=1)
        self.assert_fails(result, "no copy")
        self.restore_and_compare(self.database)
        self.bkhost("delete", identity, "--force")
        self.assertEqual(self.stored_files(self.second), [])

    def test_a_storage_that_is_away_is_gone_on_with(self):
        identity = self.back_up("both")
        away = self.home / "away"
        self.second.rename(away)
        document = self.json("delete", identity, "--force", code=3)
        self.assertEqual(document["backups"][0]["state"], "deleting")
        self.assertEqual(self.stored_files(), [])
        self.assertEqual(self.copies(identity), {"here": "deleted", "there": "deleting"})
        self.assertEqual([r["id"] for r in self.rows()], [identity], "it is still to be seen")
        self.assert_fails(self.bkhost("restore", identity, "--to", f"sqlite:{self.home / 'x.db'}",
                                      code=1), "deleting")
        away.rename(self.second)
        self.assertEqual(self.names(self.second), [identity])
        self.bkhost("list")  # the next start
        self.assertEqual(self.state_of(identity), "deleted")
        self.assertEqual(self.stored_files(self.second), [])
        self.back_up("both")
        self.restore_and_compare(self.database)

    def test_a_mark_of_a_restore_elsewhere_keeps_it(self):
        identity = self.back_up()
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - 3600))
        mark = self.archives()[0] / f"reading-{at}-20260101T000000Z-abcdef"
        mark.touch()
        result = self.bkhost("delete", identity, "--force", code=75)
        self.assert_fails(result, mark.name)
        self.restore_and_compare(self.database)
        self.assertTrue(mark.exists(), "a restore removes its own mark only")
        mark.unlink()
        self.assertEqual([f for f in self.stored_files() if "reading-" in f], [])
        self.bkhost("delete", identity, "--force")
        self.assertEqual(self.stored_files(), [])

    def test_some_of_several_are_refused(self):
        kept, gone = self.back_up(), self.back_up()
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        folder = next(a for a in self.archives() if a.name == kept)
        (folder / f"reading-{at}-20260101T000000Z-abcdef").touch()
        document = self.json("delete", kept, gone, "--force", code=3)
        self.assertEqual([b["id"] for b in document["backups"]], [gone])
        self.assertEqual([e["id"] for e in document["errors"]], [kept])
        self.assertEqual(document["errors"][0]["status"], "busy")
        self.assertEqual(self.names(), [kept])
        self.restore_and_compare(self.database)

    def test_a_storage_that_the_configuration_no_longer_knows(self):
        identity = self.back_up("both")
        config = json.loads(self.config_path.read_text())
        del config["storages"]["there"], config["jobs"]["both"]
        self.write_config(config)
        self.bkhost("delete", identity, "--storage", "there", "--force")
        self.assertEqual(self.stored_files(self.second), [])
        self.restore_and_compare(self.database)


if __name__ == "__main__":
    main()
