"""SIGTERM and SIGINT at every stage: the program is held there by a driver that does not return.

`stall` ends when the host says that the work is cancelled, `block` only when it interrupts the
driver, and `hang` by neither.
"""

import signal

from bkhost_e2e import main
from faults_e2e import STOP_SECONDS, FaultCase, folder

TIME = "600s"  # nobody waits for it


class Stop(FaultCase):

    def setUp(self):
        super().setUp()
        self.watch_log()

    def stopped(self, fault, *arguments, number=signal.SIGTERM, code=143):
        """Starts the command, waits until the fault holds it, and sends the signal."""
        running = self.start(*arguments)
        self.wait_for(fault, running)
        running.kill(number)
        result = running.wait(STOP_SECONDS)
        self.assertEqual(result.code, code, str(result))
        return result

    def run_stopped(self, fault, number=signal.SIGTERM, code=143, **kind):
        with self.subTest(fault=fault, signal=number.name):
            self.configure(**{name: [fault] for name in kind}, recipient=kind.get("encryptor"))
            self.stopped(fault, "run", "shop", number=number, code=code)
            self.configure()
            row = self.newest()
            self.assertEqual(row["state"], "cancelled", row)
            self.assert_nothing_left()

    def test_a_run_in_its_storage(self):
        for function in ("probe", "put", "remove_many", "upload_begin", "upload_part",
                         "upload_commit", "upload_commit@index", "put@manifest.json", "stat",
                         "stat@manifest.json", "read_open", "read", "read@index"):
            for wait in ("stall", "block"):
                self.run_stopped(f"{function}:1:{wait}={TIME}", storage=True)

    def test_a_run_in_its_dumper(self):
        for function in ("probe", "dump_begin", "plan", "dump", "section", "write", "cut",
                         "dump_end@ok"):
            for wait in ("stall", "block"):
                self.run_stopped(f"{function}:1:{wait}={TIME}", dumper=True)

    def test_a_run_in_its_codecs(self):
        _, recipient = self.new_key()
        for wait in ("stall", "block"):
            self.run_stopped(f"process:1:{wait}={TIME}", compressor=True)
            self.run_stopped(f"process:1:{wait}={TIME}", encryptor=recipient)

    def test_by_sigint(self):
        for fault, kind in ((f"upload_part:1:stall={TIME}", "storage"),
                            (f"write:1:stall={TIME}", "dumper")):
            self.run_stopped(fault, signal.SIGINT, 130, **{kind: True})

    def test_in_cleaning_up_after_a_failure(self):
        """What was not removed then is removed by the next start."""
        for function in ("remove_many:2", "abort_stale:1", "list:1"):  # the first is the preflight's
            fault = f"{function}:stall={TIME}"
            with self.subTest(fault=fault):
                self.configure(storage=["put@manifest.json:1:error=no_space", fault])
                running = self.start("run", "shop")
                self.wait_for(fault, running)
                running.kill(signal.SIGTERM)
                if not running.ended_within(STOP_SECONDS):
                    running.kill(signal.SIGTERM)  # the second one ends it hard
                self.assertIn(running.wait(STOP_SECONDS).code, (1, 143))
                self.configure()
                self.bkhost("list")
                self.assertIn(self.newest()["state"], ("failed", "interrupted"))
                self.assert_nothing_left()

    def test_a_second_signal_ends_what_does_not_listen(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            fault = f"upload_part:1:hang={TIME}"
            self.configure(storage=[fault])
            running = self.start("run", "shop")
            self.wait_for(fault, running)
            running.kill(number)
            self.assertFalse(running.ended_within(0.5), "one signal ended what hangs")
            running.kill(number)
            self.assertTrue(running.ended_within(STOP_SECONDS))
            self.assertEqual(running.wait(1).code, code)
            self.configure()
            self.bkhost("list")  # the next start looks after it
            self.assert_row("interrupted")
            self.assert_nothing_left()

    def test_the_other_commands_in_a_storage(self):
        self.configure()
        self.bkhost("run", "shop")
        target = folder(self.home / "target")
        restore = ("restore", "latest", "--to", f"sqlite:{target / 'shop.db'}")
        full = ("verify", "latest", "--level", "full")
        for arguments, functions in (
                (restore, ("create", "stat", "read_open@manifest", "read@manifest",
                           "read_open@index", "read@index", "read_open@shop.db", "read@shop.db")),
                (full, ("stat", "read@manifest", "read@index", "read@shop.db", "put@verify")),
                (("verify", "latest", "--level", "stored"), ("read_open@shop.db", "read@shop.db")),
                (("cat", "latest"), ("stat", "read@shop.db")),
                (("catalog", "rebuild", "--from-storage", "here"), ("list", "read@manifest"))):
            for function in functions:
                for wait in ("stall", "block"):
                    if function == "create" and wait == "block":
                        continue  # there is no instance yet to be interrupted
                    fault = f"{function}:1:{wait}={TIME}"
                    with self.subTest(command=arguments[:2], fault=fault):
                        self.configure(storage=[fault])
                        self.stopped(fault, *arguments)
                        self.assertEqual(list(target.iterdir()), [])
        self.configure()
        self.assert_row("completed")
        self.assert_good()

    def test_a_restore_in_its_target(self):
        self.configure(dumper=[])  # made by `faulty`, so it goes back to `faulty`
        self.bkhost("run", "shop")
        target = folder(self.home / "target")
        for function in ("load_begin", "load", "source_read", "load_end@ok"):
            for wait in ("stall", "block"):
                fault = f"{function}:1:{wait}={TIME}"
                with self.subTest(fault=fault):
                    config = self.configure()
                    config["sources"]["target"] = self.wrapped("sqlite", [fault],
                                                               path=str(target / "shop.db"))
                    self.write_config(config)
                    self.stopped(fault, "restore", "latest", "--to", "target", "--force")
                    self.assertEqual(list(target.iterdir()), [])
        self.configure()
        self.assert_clean()


if __name__ == "__main__":
    main()
