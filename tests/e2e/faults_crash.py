"""A plugin that throws, calls abort(), is killed by SIGSEGV or leaves by exit(), in any stage: the run
ends, and whoever starts next finds the row interrupted and nothing on the storage."""

import signal

from bkhost_e2e import main
from faults_e2e import FaultCase, folder

DEATHS = {"crash": -signal.SIGABRT, "segv": -signal.SIGSEGV, "escape": -signal.SIGABRT}
STAGES = (("dumper", "probe"), ("dumper", "dump_begin"), ("dumper", "write"),
          ("dumper", "dump_end@ok"), ("compressor", "process"), ("encryptor", "process"),
          ("storage", "upload_part"), ("storage", "upload_commit@index"),
          ("storage", "put@manifest.json"))


class Crash(FaultCase):

    def setUp(self):
        super().setUp()
        self.key, self.recipient = self.new_key()

    def configured(self, kind, fault):
        self.configure(**{kind: [fault]}, recipient=self.recipient)

    def test_a_throw_fails_the_run(self):
        for kind, function in STAGES:
            with self.subTest(kind=kind, function=function):
                self.configured(kind, f"{function}:1:throw")
                result = self.bkhost("run", "shop", code=1)
                self.assertRegex(result.err, "^bkhost: .*thrown by the wrapper")
                self.configure()
                self.assert_row("failed")
                self.assert_nothing_left()

    def test_a_death_is_looked_after_by_the_next_start(self):
        for action, code in DEATHS.items():
            for kind, function in STAGES:
                with self.subTest(kind=kind, function=function, action=action):
                    self.configured(kind, f"{function}:1:{action}")
                    self.bkhost("run", "shop", code=code)
                    self.configure()
                    self.bkhost("list")  # any command
                    row = self.assert_row("interrupted")
                    self.assertTrue(row["error"] and row["hint"], row)
                    self.assert_nothing_left()

    def test_exit_of_a_plugin_is_no_success(self):
        for kind, function in STAGES:
            with self.subTest(kind=kind, function=function):
                self.configured(kind, f"{function}:1:exit")
                result = self.bkhost("run", "shop", code=1)
                self.assert_fails(result, "driver|plugin")
                self.configure()
                self.bkhost("list")
                self.assert_row("interrupted")
                self.assert_nothing_left()

    def test_a_death_once_the_manifest_is_there(self):
        """The archive is whole: the next start adopts it."""
        self.configured("storage", "stat@manifest.json:1:crash")
        self.bkhost("run", "shop", code=-signal.SIGABRT)
        self.configure()
        self.bkhost("list")
        self.assert_row("completed")
        self.assert_clean()
        self.assert_good(self.key)

    def test_a_death_in_a_restore_leaves_the_target_alone(self):
        self.configure(dumper=[])
        self.bkhost("run", "shop")
        target = folder(self.home / "target") / "shop.db"
        for function in ("load_begin", "load", "source_read", "load_end@ok"):
            with self.subTest(function=function):
                config = self.configure()
                config["sources"]["target"] = self.wrapped("sqlite", [f"{function}:1:crash"],
                                                           path=str(target))
                self.write_config(config)
                self.bkhost("restore", "latest", "--to", "target", "--force",
                            code=-signal.SIGABRT)
                self.assertFalse(target.exists())
        config["sources"]["target"] = self.wrapped("sqlite", [], path=str(target))
        self.write_config(config)
        self.bkhost("restore", "latest", "--to", "target", "--force")
        self.assert_same_database(self.database, target)
        self.assertEqual([p.name for p in target.parent.iterdir()], ["shop.db"])

    def test_a_death_in_a_verification(self):
        self.configure()
        self.bkhost("run", "shop")
        self.configure(storage=["read@shop.db:1:crash"])
        self.bkhost("verify", "latest", "--level", "full", code=-signal.SIGABRT)
        self.configure()
        self.assert_row("completed")
        self.assert_good()


class Dumper(FaultCase):
    """What a dumper does wrong without dying."""

    def test_units_that_give_nothing(self):
        for fault in ("dump:*:drop", "plan:1:drop"):
            with self.subTest(fault=fault):
                self.configure(dumper=[fault])
                self.run_fails("shop")

    def test_an_error_at_each_function(self):
        for function in ("create", "probe", "dump_begin", "plan", "dump", "section", "write", "cut",
                         "dump_end@ok"):
            with self.subTest(function=function):
                self.configure(dumper=[f"{function}:1:error=unavailable"])
                self.run_fails("source 'shop'|injected")

    def test_bytes_that_a_codec_damages_are_found_by_verify(self):
        self.configure(compressor=["process@forward:1:flip"])
        self.bkhost("run", "shop")
        self.bkhost("verify", "latest", "--level", "full", code=(1, 4))


if __name__ == "__main__":
    main()
