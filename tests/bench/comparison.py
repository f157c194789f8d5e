"""What is compared with what, and the figures that come out: medians, ratios and their spread."""

import os
import statistics
import sys

from measuring import run


class Contender:
    """A way to do the work: `pipelines` as in measuring.run, `before` what is done unmeasured."""

    def __init__(self, name, pipelines, before=None):
        self.name, self.pipelines, self.before = name, pipelines, before
        self.samples = []

    def measure(self, environment):
        if self.before:
            self.before()
        os.sync()  # nobody pays for what the one before left to be written
        self.samples.append(run(self.pipelines, environment))

    def median(self, what):
        return statistics.median(getattr(sample, what) for sample in self.samples)

    def spread(self, what="wall"):
        values = [getattr(sample, what) for sample in self.samples]
        return min(values), max(values)


class Goal:
    """The ratio of two contenders, or the time of one, that is to be kept."""

    def __init__(self, subject, base=None, at_most=None, at_least=None, inverse=False):
        self.subject, self.base = subject, base
        self.at_most, self.at_least, self.inverse = at_most, at_least, inverse

    @property
    def limit(self):
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}" if self.at_most is not None else "-"

    def holds(self, value):
        if self.at_least is not None:
            return value >= self.at_least
        return value <= self.at_most if self.at_most is not None else None


class Benchmark:
    """Contenders that do the same work on `plain` bytes."""

    def __init__(self, name, plain, contenders, goals, notes=(), found=()):
        self.name, self.plain, self.contenders, self.goals = name, plain, contenders, goals
        self.notes, self.found = list(notes), list(found)  # found: goals judged by another program

    def measure(self, rounds, environment, warm_up=True):
        """A B C A B C …, so that what else the machine does meets all of them."""
        if warm_up:
            for contender in self.contenders:
                contender.measure(environment)
                contender.samples.clear()
        for number in range(rounds):
            for contender in self.contenders:
                contender.measure(environment)
            print(f"{self.name}: round {number + 1} of {rounds}", file=sys.stderr)

    def contender(self, name):
        return next(c for c in self.contenders if c.name == name)

    def ratio(self, goal, what):
        """(ratio of the medians, smallest and largest ratio within a round)."""
        subject, base = self.contender(goal.subject), self.contender(goal.base)
        if goal.inverse:
            subject, base = base, subject
        each = [getattr(s, what) / max(getattr(b, what), 1e-9)
                for s, b in zip(subject.samples, base.samples)]
        return subject.median(what) / max(base.median(what), 1e-9), min(each), max(each)

    def figures(self):
        """All of it as JSON."""
        contenders = {
            c.name: {"wall_s": round(c.median("wall"), 4), "cpu_s": round(c.median("cpu"), 4),
                     "peak_mib": round(c.median("peak_kib") / 1024, 1),
                     "mb_per_s": round(self.plain / c.median("wall") / 1e6, 1) if self.plain else None,
                     "samples": [s.as_json() for s in c.samples]} for c in self.contenders}
        return {"name": self.name, "plain_bytes": self.plain, "contenders": contenders,
                "goals": [self._judged(goal) for goal in self.goals] + self.found,
                "notes": self.notes}

    def _judged(self, goal):
        if goal.base is None:
            value = self.contender(goal.subject).median("wall")
            low, high = self.contender(goal.subject).spread()
            return {"what": f"{goal.subject}, seconds", "value": round(value, 4),
                    "spread": [round(low, 4), round(high, 4)], "goal": goal.limit,
                    "met": goal.holds(value)}
        wall, low, high = self.ratio(goal, "wall")
        ends = (goal.base, goal.subject) if goal.inverse else (goal.subject, goal.base)
        return {"what": " / ".join(ends), "value": round(wall, 3),
                "spread": [round(low, 3), round(high, 3)],
                "cpu": round(self.ratio(goal, "cpu")[0], 3), "goal": goal.limit,
                "met": goal.holds(wall)}
