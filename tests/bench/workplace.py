"""Where the benchmarks work: one folder with the data, a home for bkhost, and what is compared.

BKHOST names the program and BKHOST_PLUGINS the folder of its plugins.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


class Workplace:
    """A folder; everything in it belongs to the benchmarks. `quick`: small data, to try the scripts."""

    def __init__(self, folder, quick):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.quick = quick
        self.program = os.environ.get("BKHOST", "")
        self.plugins = os.environ.get("BKHOST_PLUGINS", "")
        if not os.path.exists(self.program) or not os.path.isdir(self.plugins):
            raise SystemExit("BKHOST must name the program and BKHOST_PLUGINS the folder of plugins")
        self.store = self.folder / "store"
        self.config_path = self.folder / "bkhost.yaml"
        self._jobs, self._sources, self._storages = {}, {}, {}

    @property
    def environment(self):
        """No configuration, state or cache of the user's."""
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.folder),
                "LANG": "C.UTF-8", "XDG_STATE_HOME": str(self.folder / "state"),
                "XDG_CACHE_HOME": str(self.folder / "cache"),
                "XDG_CONFIG_HOME": str(self.folder / "config")}

    def bkhost(self, *words):
        """The command line of the program."""
        return [self.program, *words, "--config", self.config_path, "--plugin-dir", self.plugins]

    def run(self, *command):
        """Runs a command that is not measured; gives its output."""
        done = subprocess.run([str(word) for word in command], env=self.environment, check=False,
                              capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stderr.decode('utf-8', 'replace')}")
        return done.stdout

    def has_driver(self, name):
        """Whether a plugin with a driver of this name is there."""
        text = self.run(self.program, "plugin", "list", "--plugin-dir", self.plugins)
        return name in text.decode().replace(",", " ").replace(":", " ").split()

    def job(self, name, source, compress, encrypt="none", store=None):
        """Adds a job to the configuration; the storage is a folder unless one is given."""
        self._sources[name] = source
        self._storages[name] = store or {"driver": "local", "path": str(self.store)}
        self._jobs[name] = {"source": name, "store": [name], "compress": compress,
                            "encrypt": encrypt}
        self.config_path.write_text(json.dumps(
            {"environment": "bench", "storages": self._storages, "sources": self._sources,
             "jobs": self._jobs}, indent=2))
        self.config_path.chmod(0o600)

    def clean_store(self):
        """The archives are gone; the marker of the storage stays."""
        shutil.rmtree(self.store / "bench", ignore_errors=True)

    def remove(self, *paths):
        for path in paths:
            for name in (path, f"{path}-wal", f"{path}-shm"):
                pathlib.Path(name).unlink(missing_ok=True)

    def shop(self):
        """The SQLite database; made once a folder, by a process of its own."""
        mib = 16 if self.quick else 800
        path = self.folder / f"shop-{mib}.db"
        if not path.exists():
            made = path.with_suffix(".making")
            self.remove(made)
            self.run(sys.executable, HERE / "sample_data.py", made, mib)
            made.rename(path)
        return path
