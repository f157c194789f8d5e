"""The limits of a run: rate, time and attempts. Durations are only ever held to a lower bound."""

import signal
import sqlite3

from bkhost_e2e import Case, main, make_big, make_shop


class Limits(Case):

    def setUp(self):
        super().setUp()
        self.database = make_big(self.home / "shop.db", 8)  # does not compress
        self.good = self.config(self.database)
        self.write_config(self.good)

    def job(self, **keys):
        """The configuration's job with more keys."""
        self.good["jobs"]["shop"].update({k.replace("_", "-"): v for k, v in keys.items()})
        self.write_config(self.good)

    def stored_size(self):
        return self.newest()["stored_size"]

    # ---- rate

    def test_the_rate_holds_a_run_up(self):
        result = self.bkhost("run", "shop", "--max-rate", "4MiB")
        self.assertGreaterEqual(result.seconds, self.stored_size() / (4 << 20), str(result))
        self.restore_and_compare(self.database)

    def test_the_rate_is_shared_by_all_storages(self):
        other = self.home / "other"
        self.good["storages"]["there"] = {"driver": "local", "path": str(other)}
        self.job(store=["here", "there"], max_rate="8MiB")
        result = self.bkhost("run", "shop")
        self.assertGreaterEqual(result.seconds, 2 * self.stored_size() / (8 << 20), str(result))
        self.assertEqual(len(self.archives()), len(self.archives(other)))
        self.restore_and_compare(self.database, "--storage", "there")

    def test_the_command_line_lifts_the_limits_of_the_job(self):
        self.job(max_rate="1KiB", timeout="1ms", retries=3)
        self.bkhost("run", "shop", "--max-rate", "unlimited", "--timeout", "unlimited",
                    "--retries", "0")
        self.restore_and_compare(self.database)

    def test_sigterm_ends_a_run_that_waits_for_its_rate(self):
        running = self.start("run", "shop", "--max-rate", "1KiB", "--progress", "none")
        while not any(row["state"] == "running" for row in self.rows("--all")):
            self.assertFalse(running.ended_within(0.05))
        running.kill(signal.SIGTERM)
        self.assertEqual(running.wait(self.timeout).code, 143)
        self.assertEqual(self.newest()["state"], "cancelled")
        self.assert_clean()
        self.assertEqual(self.stored_files(), [])

    # ---- time

    def timed_out(self, result, text):
        self.assert_fails(result, f"timed out after {text}", "timeout")
        row = self.newest()
        self.assertEqual(row["state"], "failed")
        self.assertRegex(row["error"], f"timed out after {text}$")
        self.assert_clean()
        self.assertEqual(self.stored_files(), [])

    def test_a_run_that_takes_too_long_fails_and_leaves_nothing(self):
        result = self.bkhost("run", "shop", "--max-rate", "64KiB", "--timeout", "2s", code=1)
        self.assertGreaterEqual(result.seconds, 2)
        self.timed_out(result, "2s")
        self.job(max_rate="64KiB", timeout="1500ms", retries=9)
        self.timed_out(self.bkhost("run", "shop", code=1), "1s500ms")
        self.assertEqual(len(self.rows("--all")), 2, "a run that is out of time is not tried again")
        self.bkhost("run", "shop", "--max-rate", "unlimited", "--timeout", "10m")
        self.restore_and_compare(self.database)

    def test_other_jobs_go_on(self):
        small = make_shop(self.home / "small.db", rows=10)
        self.good["sources"]["small"] = {"driver": "sqlite", "path": str(small)}
        self.good["jobs"]["small"] = {**self.good["jobs"]["shop"], "source": "small"}
        self.job(max_rate="64KiB", timeout="1s")
        result = self.bkhost("run", code=3)
        self.assertIn("timed out after 1s", result.err)
        self.restore_and_compare(small, "--source", "small")

    # ---- attempts

    def hold_locked(self):
        """Somebody has the database to himself: a backup finds it busy."""
        connection = sqlite3.connect(self.database, isolation_level=None)
        connection.execute("PRAGMA locking_mode=exclusive")
        connection.execute("BEGIN EXCLUSIVE")
        self.addCleanup(connection.close)
        return connection

    def test_a_failure_that_passes_is_tried_again(self):
        self.good["sources"]["shop"]["busy-timeout"] = "100ms"
        self.write_config(self.good)
        lock = self.hold_locked()
        running = self.start("run", "shop", "--retries", "5")
        while not any(row["state"] == "failed" for row in self.rows("--all")):
            self.assertFalse(running.ended_within(0.05), "it gave up")
        lock.close()
        result = running.wait(self.timeout)
        self.assertEqual(result.code, 0, str(result))
        self.assertRegex(result.err, "attempt 2 of 6 in ")
        states = [row["state"] for row in self.rows("--all")]
        self.assertEqual(states[0], "completed")
        self.assertEqual(set(states[1:]), {"failed"})
        self.assert_clean()
        self.restore_and_compare(self.database)

    def test_sigterm_ends_the_wait_for_the_next_attempt(self):
        self.good["sources"]["shop"]["busy-timeout"] = "100ms"
        self.write_config(self.good)
        lock = self.hold_locked()
        running = self.start("run", "shop", "--retries", "100")
        while not any(row["state"] == "failed" for row in self.rows("--all")):
            self.assertFalse(running.ended_within(0.05), "it gave up")
        running.kill(signal.SIGTERM)
        self.assertEqual(running.wait(self.timeout).code, 143)
        lock.close()
        self.bkhost("run", "shop")
        self.restore_and_compare(self.database)

    def test_what_cannot_pass_is_tried_once(self):
        self.good["sources"]["shop"]["path"] = str(self.home / "absent.db")
        self.job(retries=5)
        self.assert_fails(self.bkhost("run", "shop", code=1), "absent.db")
        self.assertEqual(len(self.rows("--all")), 1)

    # ---- wrong values

    def test_wrong_values(self):
        for option, values in (("--max-rate", ("0", "fast", "-1")), ("--timeout", ("0s", "2", "x")),
                               ("--retries", ("-1", "101", "many"))):
            for value in values:
                with self.subTest(option=option, value=value):
                    result = self.bkhost("run", "shop", f"{option}={value}", code=2)
                    self.assertIn(option, result.err)
        self.assertEqual(self.rows("--all"), [])


if __name__ == "__main__":
    main()
