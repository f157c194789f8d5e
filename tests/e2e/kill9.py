"""A run that is killed, or told to stop, at any moment leaves nothing half behind.

The moments come from BKHOST_SEED (default 1) and are printed by a failure.
"""

import os
import random
import signal

from bkhost_e2e import SANITIZED, Case, main, make_big, make_shop

SEED = int(os.environ.get("BKHOST_SEED", "1"))
MIB = 48
KILLS, STOPS = 10, 6
STOP_SECONDS = 5 if not SANITIZED else 30


class Killed(Case):

    def setUp(self):
        super().setUp()
        self.big = make_big(self.home / "big.db", MIB)
        self.small = make_shop(self.home / "small.db", rows=50)
        self.key, recipient = self.new_key()
        config = self.config(self.big, recipient)
        config["sources"]["small"] = {"driver": "sqlite", "path": str(self.small)}
        config["jobs"]["shop"]["compress"]["level"] = 12  # so that the run lasts
        config["jobs"]["small"] = {"source": "small", "store": "here"}
        self.write_config(config)
        self.seconds = self.bkhost("run", "shop").seconds
        self.chance = random.Random(SEED)

    def begin_and_end(self, part, number):
        """Starts a backup and sends the signal after that part of its usual time."""
        running = self.start("run", "shop")
        finished = running.ended_within(self.seconds * part)
        running.kill(number)
        return running, finished

    def moments(self, count):
        """Spread over the whole run, and a little past where its end is expected."""
        return [(i + self.chance.random()) / count * 1.05 for i in range(count)]

    def shop_rows(self):
        return {row["id"]: row["state"] for row in self.rows("--all", "--source", "shop")}

    def shop_works(self):
        self.bkhost("run", "shop")
        target = self.restore_and_compare(self.big, "--source", "shop", "--identity", str(self.key))
        target.unlink()

    def test_kill_at_any_moment(self):
        hits = 0
        for part in self.moments(KILLS):
            with self.subTest(part=part, seed=SEED):
                before = self.shop_rows()
                running, _ = self.begin_and_end(part, signal.SIGKILL)
                code = running.wait(30).code
                self.assertIn(code, (-signal.SIGKILL, 0))
                self.bkhost("run", "small")  # the next start
                self.assert_clean()
                after = {i: state for i, state in self.shop_rows().items() if i not in before}
                self.assertLessEqual(len(after), 1)
                for identity, state in after.items():
                    self.assertIn(state, ("completed", "interrupted"))
                    there = identity in [a.name for a in self.archives()]
                    self.assertEqual(there, state == "completed")
                if code == 0:
                    self.assertEqual(list(after.values()), ["completed"])
                hits += "interrupted" in after.values()
        self.assertGreaterEqual(hits, KILLS // 3, "the run is too short to be hit")
        for row in self.rows("--all"):
            if row["state"] == "completed":
                self.bkhost("verify", row["id"], "--level", "stored")
        self.shop_works()

    def test_each_backup_after_a_kill_restores(self):
        for part in (0.3, 0.9):
            with self.subTest(part=part):
                self.begin_and_end(part, signal.SIGKILL)[0].wait(30)
                self.shop_works()
                self.assert_clean()

    def test_a_storage_that_is_away_at_the_next_start(self):
        """Unreachable is not empty: what lies there is looked after when it is back."""
        self.begin_and_end(0.5, signal.SIGKILL)[0].wait(30)
        away = self.home / "away"
        self.store.rename(away)
        self.bkhost("list", code=None)
        away.rename(self.store)
        self.bkhost("run", "small")
        self.assert_clean()
        self.shop_works()

    def test_stop_at_any_moment(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            for part in self.moments(STOPS):
                with self.subTest(signal=number.name, part=part, seed=SEED):
                    self.stop_once(number, code, part)
        self.shop_works()

    def stop_once(self, number, code, part):
        before = self.shop_rows()
        running, _ = self.begin_and_end(part, number)
        self.assertTrue(running.ended_within(STOP_SECONDS), f"still runs {STOP_SECONDS} s after")
        result = running.wait(30)
        after = {i: state for i, state in self.shop_rows().items() if i not in before}
        self.assert_clean()
        if result.code == 0:
            self.assertEqual(list(after.values()), ["completed"])
        elif result.code == -number:  # before the program had asked for the signal
            self.assertEqual(after, {})
        else:
            self.assertEqual(result.code, code, str(result))
            self.assertIn(list(after.values()), ([], ["cancelled"]))
            self.assertFalse([a for a in self.archives() if a.name in after])

    def test_restore_that_is_ended_leaves_the_target_alone(self):
        target = self.home / "target"
        target.mkdir()
        arguments = ("restore", "latest", "--to", f"sqlite:{target / 'shop.db'}",
                     "--identity", str(self.key), "--source", "shop")
        seconds = self.bkhost(*arguments).seconds
        (target / "shop.db").unlink()
        for number in (signal.SIGTERM, signal.SIGKILL):
            for part in (0.2, 0.5, 0.8):
                with self.subTest(signal=number.name, part=part):
                    running = self.start(*arguments)
                    running.ended_within(seconds * part)
                    running.kill(number)
                    code = running.wait(30).code
                    names = [p.name for p in target.iterdir()]
                    if code == 0:
                        self.assertEqual(names, ["shop.db"])
                        (target / "shop.db").unlink()
                    else:
                        self.assertIn(code, (143, -number))
                        self.assertNotIn("shop.db", names)
                        if number == signal.SIGTERM:
                            self.assertEqual(names, [])
        self.bkhost(*arguments)
        names = [p.name for p in target.iterdir()]
        self.assertEqual(names, ["shop.db"], "an old try was not swept")
        self.assert_same_database(self.big, target / "shop.db")
        self.assert_clean()


if __name__ == "__main__":
    main()
