"""What the tests of faults share: drivers wrapped by `faulty` (plugins/faults), and a log to wait on.

BKHOST_FAULTS names the folder of that plugin (ctest sets it).
"""

import os
import pathlib
import select
import time

from bkhost_e2e import BKHOST, PLUGINS, SANITIZED, Case, Running, make_shop

FAULTS = os.environ.get("BKHOST_FAULTS", "")
STOP_SECONDS = 5 if not SANITIZED else 30


class FaultCase(Case):
    """A job `shop` from a SQLite database to the storage `here`, any of whose drivers can fail."""

    rows_of_shop = 300

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.path.exists(FAULTS):
            raise RuntimeError(f"BKHOST_FAULTS must name the folder of faults.so, is '{FAULTS}'")

    def setUp(self):
        super().setUp()
        self.database = make_shop(self.home / "shop.db", rows=self.rows_of_shop)
        self.environment["BKHOST_FAULTY_COMPRESSOR"] = f"{PLUGINS}/zstd.so:zstd"
        self.environment["BKHOST_FAULTY_ENCRYPTOR"] = f"{PLUGINS}/age.so:age"
        self.log = self.home / "calls"
        self._pipe = None

    def start(self, *arguments, **how):
        command = [BKHOST, *arguments, "--plugin-dir", PLUGINS, "--plugin-dir", FAULTS]
        running = Running(command, self.environment, **how)
        self._running.append(running)
        return running

    # ---- configurations

    def wrapped(self, driver, faults, **options):
        """A block: that driver, with these faults and a line in the log for each call."""
        return {"driver": "faulty", "plugin": f"{PLUGINS}/{driver}.so", "driver-name": driver,
                "options": options, "log": str(self.log),
                **({"fault": list(faults)} if faults else {})}

    def configure(self, storage=None, dumper=None, compressor=None, encryptor=None, recipient=None):
        """Writes the configuration; each list of faults wraps the driver of that kind."""
        config = self.config(self.database, recipient)
        job = config["jobs"]["shop"]
        if storage is not None:
            config["storages"]["here"] = self.wrapped("local", storage, path=str(self.store))
        if dumper is not None:
            config["sources"]["shop"] = self.wrapped("sqlite", dumper, path=str(self.database))
        if compressor is not None:
            job["compress"] = self.wrapped("zstd", compressor)
        if encryptor is not None:
            job["encrypt"] = self.wrapped("age", encryptor, recipients=[recipient])
        self.write_config(config)
        return config

    # ---- the log of the calls

    def calls(self):
        """How often each function was called: {function: count}."""
        counts = {}
        for line in self.log.read_text().splitlines():
            function = line.split("\t")[0]
            counts[function] = counts.get(function, 0) + 1
        return counts

    def watch_log(self):
        """From now on the log is a pipe, so that wait_for can sleep on it."""
        self.log.unlink(missing_ok=True)
        os.mkfifo(self.log)
        self._pipe = os.open(self.log, os.O_RDWR | os.O_NONBLOCK)  # never at its end
        self.addCleanup(os.close, self._pipe)
        self._seen = b""

    def wait_for(self, fault, running, timeout=30):
        """Until a call with that fault has begun."""
        end = time.monotonic() + timeout
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        while f"\t{fault}\n".encode() not in self._seen:
            if not poll.poll(max(0, end - time.monotonic()) * 1000):
                self.fail(f"{fault} was not met: {running.wait(1) if running else ''}")
            self._seen += os.read(self._pipe, 65536)
        self._seen = b""

    # ---- what is left

    def assert_nothing_left(self, *stores):
        """No object, no unfinished upload, nothing that runs."""
        for store in stores or (self.store,):
            if store.exists():
                self.assertEqual(self.stored_files(store), [])
        self.assertEqual([r for r in self.rows("--all") if r["state"] in
                          {"pending", "running", "verifying", "deleting"}], [])

    def assert_row(self, state, **fields):
        row = self.newest()
        self.assertEqual(row["state"], state, row)
        for name, value in fields.items():
            self.assertEqual(row[name], value, row)
        return row

    def run_fails(self, *words, code=1, state="failed"):
        """The job fails with one message and a hint, its row says so, and nothing is left."""
        result = self.bkhost("run", "shop", code=code)
        self.assert_fails(result, *words)
        self.configure()
        self.assert_row(state)
        self.assert_nothing_left()
        return result

    def assert_good(self, recipient_key=None):
        """The newest backup is whole: it verifies full and restores."""
        more = ("--identity", str(recipient_key)) if recipient_key else ()
        self.bkhost("verify", "latest", "--level", "full", *more)
        target = self.restore_and_compare(self.database, *more)
        target.unlink()


def folder(path):
    """Makes it; gives it."""
    path = pathlib.Path(path)
    path.mkdir(parents=True, exist_ok=True)
    return path
