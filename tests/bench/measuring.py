"""Runs programs and tells what they cost. Nothing here knows what is compared with what.

A run is a list of pipelines, one after the other; a pipeline is a list of commands, each a list of
words, and may end in a path, which is the file that the last one writes to. No shell. Processor time and
peak memory are those that wait4(2) tells.
"""

import os
import subprocess
import tempfile
import time


class Sample:
    """What one run cost."""

    def __init__(self, wall, user, system, peak_kib):
        self.wall, self.user, self.system, self.peak_kib = wall, user, system, peak_kib

    @property
    def cpu(self):
        return self.user + self.system

    def as_json(self):
        return {"wall_s": round(self.wall, 4), "user_s": round(self.user, 4),
                "system_s": round(self.system, 4), "peak_kib": self.peak_kib}


def _start(commands, output, environment, errors):
    """The processes of one pipeline."""
    processes = []
    source = subprocess.DEVNULL
    for i, command in enumerate(commands):
        process = subprocess.Popen([str(word) for word in command], stdin=source,
                                   stdout=output if i + 1 == len(commands) else subprocess.PIPE,
                                   stderr=errors, env=environment)
        if source is not subprocess.DEVNULL:
            source.close()
        source = process.stdout
        processes.append(process)
    return processes


def _run_pipeline(pipeline, environment):
    """(user s, system s, peak KiB) of all its processes together; fails when one of them does."""
    to_file = not isinstance(pipeline[-1], list)
    commands = pipeline[:-1] if to_file else pipeline
    user = system = 0.0
    peak = 0
    with (tempfile.TemporaryFile() as errors,
          open(pipeline[-1] if to_file else os.devnull, "wb") as output):
        for process in _start(commands, output, environment, errors):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                errors.seek(0)
                said = errors.read().decode("utf-8", "replace")
                raise RuntimeError(f"{process.args} ended with {process.returncode}: {said}")
            user += usage.ru_utime
            system += usage.ru_stime
            peak += usage.ru_maxrss
    return user, system, peak


def run(pipelines, environment=None):
    """Runs them in turn and gives a Sample. The peak is that of the largest pipeline."""
    user = system = 0.0
    peak = 0
    began = time.perf_counter()
    for pipeline in pipelines:
        u, s, p = _run_pipeline(pipeline, environment)
        user += u
        system += s
        peak = max(peak, p)
    return Sample(time.perf_counter() - began, user, system, peak)
