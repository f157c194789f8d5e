"""A storage that fails at any call, loses data or damages them: failed and clean, or whole."""

import itertools

from bkhost_e2e import main, make_big
from faults_e2e import FaultCase, folder

# Called by a run that goes well; the rest comes with cleaning up.
OF_A_RUN = ("create", "probe", "upload_begin", "upload_part", "upload_commit", "put", "remove_many",
            "read_open", "read", "stat")
MOST_CALLS = 100


class EveryCall(FaultCase):

    def setUp(self):
        super().setUp()
        self.numbers = itertools.count(1)

    def fail_each(self, function, fault):
        """The n-th call fails, for n = 1 until a run no longer reaches it."""
        for n in range(1, MOST_CALLS):
            with self.subTest(function=function, call=n, fault=fault):
                self.log.unlink(missing_ok=True)
                self.store = self.home / f"store-{next(self.numbers)}"
                self.configure(storage=[f"{function}:{n}:{fault}"])
                result = self.bkhost("run", "shop", code=None)
                reached = f"{function}:{n}:" in self.log.read_text()
                self.configure()
                if result.code == 0:
                    self.assert_row("completed")
                    self.assert_clean()
                    self.assert_good()
                else:
                    self.assertEqual(result.code, 1, str(result))
                    self.assert_fails(result, "storage 'here'")
                    self.assert_row("failed")
                    self.assert_nothing_left()
                if not reached:
                    self.assertEqual(result.code, 0, str(result))
                    self.assertGreater(n, 1, f"{function} is not called at all")
                    return
        self.fail(f"{function} is called more than {MOST_CALLS} times")

    def test_each_call_fails_once(self):
        for function in OF_A_RUN:
            self.fail_each(function, "error=unavailable")

    def test_each_answer_is_lost(self):
        """It was done, and the answer says that it was not."""
        for function in ("upload_begin", "upload_part", "upload_commit", "put"):
            self.fail_each(function, "error=timeout,after")

    def test_no_space(self):
        for function in ("upload_part", "upload_commit", "put"):
            self.configure(storage=[f"{function}:1:error=no_space"])
            self.run_fails("storage 'here'", "no space")

    def test_full_from_some_part_on_cleaning_up_included(self):
        """What could not be removed is named, and gone after the next start."""
        # The first remove_many is the preflight's.
        for function in ("create:2", "remove_many:2", "abort_stale:1", "list:1"):
            with self.subTest(function=function):
                fault = f"{function}:error=unavailable"
                self.configure(storage=["put@manifest.json:1:error=no_space", fault])
                result = self.bkhost("run", "shop", code=1)
                self.assert_fails(result, "no space")
                self.assertRegex(result.err, "leftovers were not removed", str(result))
                self.configure()
                self.bkhost("list")  # the next start
                self.assert_row("failed")
                self.assert_nothing_left()


class LostAndDamaged(FaultCase):

    def test_a_part_that_is_cut_short_in_silence(self):
        for fault in ("upload_part@shop.db:1:short", "upload_part@shop.db:1:drop",
                      "upload_part@index:1:short", "put@manifest.json:1:short"):
            with self.subTest(fault=fault):
                self.configure(storage=[fault])
                self.run_fails("storage 'here'", "bytes after the upload")

    def test_an_object_that_is_not_there_after_its_commit(self):
        for fault in ("upload_commit@shop.db:1:drop", "upload_commit@index:1:drop",
                      "put@manifest.json:1:drop"):
            with self.subTest(fault=fault):
                self.configure(storage=[fault])
                self.run_fails("storage 'here'", "has no bytes after the upload")

    def test_an_end_that_reads_back_wrong(self):
        for fault in ("read:1:flip", "read:2:flip", "read:1:truncate",
                      "upload_part@index:1:flip", "put@manifest.json:1:flip"):
            with self.subTest(fault=fault):
                self.configure(storage=[fault])
                self.run_fails("storage 'here'", "read back differs")

    def test_a_bit_that_flips_in_the_middle_is_found_by_verify(self):
        """Beyond the ends that are read back only a verification can see it."""
        self.database.unlink()
        make_big(self.database, 16)
        self.configure(storage=["upload_part@shop.db:2:flip"])
        self.bkhost("run", "shop")
        self.configure()
        self.bkhost("verify", "latest", "--level", "stored", code=4)
        target = folder(self.home / "target") / "shop.db"
        result = self.bkhost("restore", "latest", "--to", f"sqlite:{target}", code=1)
        self.assert_fails(result, "damaged")
        self.assertEqual(list(target.parent.iterdir()), [])

    def test_a_store_that_reads_wrong_fails_the_restore(self):
        self.configure()
        self.bkhost("run", "shop")
        target = folder(self.home / "target") / "shop.db"
        for fault in ("read@shop.db:1:flip", "read@shop.db:1:truncate", "read@index:1:flip",
                      "read@manifest:1:flip", "read@manifest:1:truncate",
                      "read_open@shop.db:1:error=unavailable", "stat@manifest:1:error=denied"):
            with self.subTest(fault=fault):
                self.configure(storage=[fault])
                result = self.bkhost("restore", "latest", "--to", f"sqlite:{target}", code=1)
                self.assert_fails(result, "storage 'here'|damaged")
                self.assertEqual(list(target.parent.iterdir()), [])
        self.configure()
        self.assert_good()


class TwoStorages(FaultCase):

    def setUp(self):
        super().setUp()
        self.second = self.home / "second"
        self.log.touch()

    def two(self, faults, policy=None):
        config = self.configure()
        config["storages"]["broken"] = self.wrapped("local", faults, path=str(self.second))
        config["jobs"]["shop"]["store"] = ["broken", "here"]
        if policy:
            config["jobs"]["shop"]["store-policy"] = policy
        self.write_config(config)

    FAULTS = ("upload_begin:1:error=denied",
              "upload_part:1:error=no_space", "upload_part@shop.db:1:short",
              "upload_commit:1:error=timeout", "upload_commit:1:error=timeout,after",
              "put@manifest.json:1:error=unavailable", "put@manifest.json:1:error=timeout,after",
              "read:1:flip", "stat:1:error=not_found")

    def test_all_copies_are_wanted(self):
        for fault in self.FAULTS:
            with self.subTest(fault=fault):
                self.two([fault])
                result = self.bkhost("run", "shop", code=1)
                self.assert_fails(result, "storage 'broken'")
                self.two([])
                self.assert_row("failed")
                self.assert_nothing_left(self.store, self.second)

    def test_a_storage_that_is_away(self):
        self.two(["probe:*:error=unavailable"])
        self.bkhost("run", "shop", code=1)
        self.two(["probe:*:error=unavailable", "upload_begin:*:error=unavailable"], policy="any")
        self.bkhost("run", "shop", code=3)
        self.two([], policy="any")
        self.assert_row("completed")
        self.assert_nothing_left(self.second)

    def test_one_copy_is_enough(self):
        for fault in self.FAULTS:
            with self.subTest(fault=fault):
                self.two([fault], policy="any")
                result = self.bkhost("run", "shop", code=3)
                self.assertRegex(result.err, "storage 'broken'", str(result))
                self.two([], policy="any")
                row = self.assert_row("completed")
                states = {copy["storage"]: copy["state"] for copy in row["copies"]}
                self.assertEqual(states, {"here": "stored", "broken": "failed"})
                self.assertEqual(self.stored_files(self.second), [])
                self.assert_clean()
                self.bkhost("verify", row["id"], "--level", "full", "--storage", "here")
        self.restore_and_compare(self.database)

    def test_a_damaged_copy_gives_way_to_the_next(self):
        self.two([])
        self.bkhost("run", "shop")
        self.log.unlink()
        for fault in ("read@shop.db:1:flip", "read@shop.db:1:truncate", "read@manifest:1:flip",
                      "read@index:1:flip", "read_open@shop.db:1:error=unavailable",
                      "stat@manifest:1:error=not_found", "read@shop.db:1:error=timeout"):
            with self.subTest(fault=fault):
                self.two([fault])
                target = self.restore_and_compare(self.database)
                self.assertIn(fault, self.log.read_text(), "the fault was not met")
                target.unlink()
                self.log.unlink()


if __name__ == "__main__":
    main()
