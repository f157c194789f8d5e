"""The README's sessions are run as they stand, and print what it says (ids, times and sizes apart)."""
import os
import re
import sqlite3
import subprocess

import bkhost_e2e as e2e

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")

VARYING = [
    (r"\d{8}T\d{6}Z-[a-z0-9]{6}", "ID"),
    (r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", "TIME"),
    (r"age1[a-z0-9]+", "RECIPIENT"),
    (r"\d+(\.\d+)? ([KMG]iB|B)\b", "SIZE"),
    (r"\b\d+(\.\d+)?(ms|s)\b", "DURATION"),
    (r"(local|sqlite):/\S*/", r"\1:/"),
    (r"[ \t]+", " "),
]


def normal(text):
    for pattern, replacement in VARYING:
        text = re.sub(pattern, replacement, text)
    return text.strip()


def sessions():
    with open(README, encoding="utf-8") as file:
        return re.findall(r"```console\n(.*?)```", file.read(), re.S)


def steps(session):
    """Pairs of a command and what it prints."""
    parts = re.split(r"^\$ (.*)\n", session, flags=re.M)
    return list(zip(parts[1::2], parts[2::2]))


class Readme(e2e.Case):
    def test_sessions_print_what_the_page_says(self):
        connection = sqlite3.connect(self.home / "shop.db")
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)")
        connection.executemany("INSERT INTO users VALUES (?, ?)",
                               ((i, f"user{i}@example.com") for i in range(200_000)))
        connection.commit()
        connection.close()
        (self.home / "bin").mkdir()
        (self.home / "bin" / "bkhost").symlink_to(e2e.BKHOST)
        environment = {**self.environment, "BKHOST_PLUGIN_PATH": e2e.PLUGINS,
                       "PATH": f"{self.home}/bin:{self.environment['PATH']}"}
        all_steps = [step for session in sessions() for step in steps(session)]
        self.assertGreater(len(all_steps), 8)
        directory, where = self.home, self.home / "where"
        for command, expected in all_steps:
            with self.subTest(command=command):
                script = f"{command}\nstatus=$?\npwd >{where}\nexit $status"
                done = subprocess.run(["bash", "-c", script], cwd=directory, env=environment,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      timeout=self.timeout, check=False)
                directory = where.read_text().strip()
                self.assertEqual(done.returncode, 0, done.stdout.decode())
                self.assertEqual(normal(done.stdout.decode()), normal(expected))


if __name__ == "__main__":
    e2e.main()
