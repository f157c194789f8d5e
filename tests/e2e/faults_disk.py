"""Disks that are full: the storage's, the target's and the catalog's own; and a store that stalls for
longer than a lease lasts."""

import os
import resource
import shutil
import signal
import subprocess

from bkhost_e2e import SANITIZED, main, make_big
from faults_e2e import STOP_SECONDS, FaultCase, folder


class FullDisk(FaultCase):

    def small_disk(self, name, size):
        """A file system of that size, or a skipped test."""
        disk = folder(self.home / name)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("needs the right to mount")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=False)
        return disk

    def fill(self, disk, leave=0):
        """Takes all the room but so many bytes."""
        with open(disk / "filler", "wb") as file:
            free = shutil.disk_usage(disk).free
            os.posix_fallocate(file.fileno(), 0, max(4096, free - leave))

    def test_a_storage_with_less_room_than_a_backup_takes(self):
        self.database.unlink()
        make_big(self.database, 16)
        for size in ("4k", "64k", "1m", "8m"):
            with self.subTest(size=size):
                self.store = self.small_disk(f"disk-{size}", size) / "store"
                self.configure()
                result = self.bkhost("run", "shop", code=1)
                self.assert_fails(result, "storage 'here'", "No space|no space")
                self.assert_row("failed")
                self.assert_nothing_left()

    def test_a_limit_on_the_size_of_files(self):
        """RLIMIT_FSIZE, which needs no rights; SIGXFSZ must not kill the program."""
        self.database.unlink()
        make_big(self.database, 16)
        self.configure()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, hard))
        try:
            result = self.bkhost("run", "shop", code=1)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        self.assert_fails(result, "storage 'here'", "too large")
        self.assert_row("failed")
        self.assert_nothing_left()

    def test_a_target_that_is_full(self):
        self.database.unlink()
        make_big(self.database, 16)
        self.configure()
        self.bkhost("run", "shop")
        disk = self.small_disk("target", "8m")
        result = self.bkhost("restore", "latest", "--to", f"sqlite:{disk}/shop.db", code=1)
        self.assert_fails(result, "shop.db")
        self.assertEqual(list(disk.iterdir()), [])

    def test_a_catalog_that_is_full_before_the_run(self):
        self.configure()
        self.state = self.small_disk("state", "2m")
        self.environment["XDG_STATE_HOME"] = str(self.state)
        self.bkhost("list")
        self.fill(self.state)
        result = self.bkhost("run", "shop", code=1)
        self.assert_fails(result, "catalog")
        self.assertEqual(self.stored_files(), [])
        (self.state / "filler").unlink()
        self.bkhost("run", "shop")
        self.assert_clean()
        self.assert_good()

    def test_a_catalog_that_fills_up_during_the_run(self):
        """Whatever the run says, nothing is lost: what it stored is completed by the next start, or gone."""
        self.watch_log()
        self.state = self.small_disk("state", "2m")
        self.environment["XDG_STATE_HOME"] = str(self.state)
        for function in ("probe", "upload_begin", "upload_part", "put@manifest.json"):
            with self.subTest(function=function):
                wait = f"{function}:1:stall=2s"  # long enough to fill the disk
                self.configure(storage=[wait])
                running = self.start("run", "shop")
                self.wait_for(wait, running)
                self.fill(self.state)
                result = running.wait(self.timeout)
                (self.state / "filler").unlink()
                self.assertIn(result.code, (0, 1), str(result))
                if result.code:
                    self.assert_fails(result, "catalog")
                self.configure()
                self.bkhost("list")
                row = self.newest()
                self.assertIn(row["state"], ("completed", "failed", "interrupted"), row)
                self.assert_clean()
                there = [a.name for a in self.archives()]
                self.assertEqual(row["id"] in there, row["state"] == "completed", row)
        self.bkhost("run", "shop")
        self.assert_good()


class Stall(FaultCase):
    """Both cases wait at the same time."""

    SECONDS = 90  # longer than a lease lasts without being renewed

    def test_a_store_that_stalls(self):
        self.watch_log()
        fault = f"upload_part:1:stall={self.SECONDS}s"
        self.configure(storage=[fault])
        waiting = self.start("run", "shop")
        self.wait_for(fault, waiting)
        self.stop_another()
        self.assertFalse(waiting.ended_within(0), "it did not wait")
        result = waiting.wait(self.SECONDS + (30 if not SANITIZED else 120))
        self.assertEqual(result.code, 0, str(result))
        self.assertGreater(result.seconds, self.SECONDS)
        self.configure()
        self.assert_clean()
        self.assert_good()

    def stop_another(self):
        """A run beside it, stopped in the same stall; it does not touch the first one's objects."""
        store, log = self.store, self.log
        self.store, self.log = self.home / "another", self.home / "other-calls"
        self.watch_log()
        fault = f"upload_part:1:stall={self.SECONDS + 1}s"
        self.configure(storage=[fault])
        running = self.start("run", "shop")
        self.wait_for(fault, running)
        running.kill(signal.SIGTERM)
        self.assertEqual(running.wait(STOP_SECONDS).code, 143)
        self.assertEqual(self.stored_files(), [])
        self.assertIn("cancelled", [row["state"] for row in self.rows("--all")])
        self.store, self.log = store, log


if __name__ == "__main__":
    main()
