"""Makes the databases that are measured: the same rows each time, of words, numbers and bytes.

    sample_data.py PATH MIB

A shop in WAL mode: customers, orders, events with JSON, and articles with text and a thumbnail that does
not compress. zstd -3 makes it about 2.5 times smaller. Run as a program of its own, so that the memory it
takes is not counted for the programs that are measured.
"""

import itertools
import json
import random
import sqlite3
import sys

SCHEMA = """
CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE,
                       city TEXT, balance REAL, created TEXT NOT NULL);
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers(id),
                    status TEXT NOT NULL, total REAL NOT NULL, placed TEXT NOT NULL, note TEXT);
CREATE TABLE events(id INTEGER PRIMARY KEY, customer INTEGER, at INTEGER NOT NULL,
                    payload TEXT NOT NULL);
CREATE TABLE articles(id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL,
                      thumbnail BLOB, price REAL);
CREATE INDEX orders_customer ON orders(customer, placed);
CREATE INDEX events_at ON events(at);
"""
STATES = ("new", "paid", "packed", "shipped", "delivered", "returned")
BATCH = 2000


class Writer:
    """Rows from one random sequence."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        syllables = [c + v for c in "bcdfghklmnprstvw" for v in ("a", "e", "i", "o", "u", "an", "er")]
        self.words = ["".join(self.random.choices(syllables, k=self.random.randint(1, 4)))
                      for _ in range(12000)]
        # The k-th word is 1/k as frequent as the first, as in most texts.
        self.weights = list(itertools.accumulate(1 / (k + 1) for k in range(len(self.words))))

    def text(self, words):
        return " ".join(self.random.choices(self.words, cum_weights=self.weights, k=words))

    def day(self):
        draw = self.random.randint
        return f"20{draw(18, 25)}-{draw(1, 12):02}-{draw(1, 28):02} {draw(0, 23):02}:{draw(0, 59):02}:{draw(0, 59):02}"

    def customer(self, i):
        name = self.text(2).title()
        return (i, name, f"{name.replace(' ', '.').lower()}{i}@example.com", self.text(1).title(),
                round(self.random.uniform(-500, 5000), 2), self.day())

    def order(self, i, customers):
        return (i, self.random.randint(1, customers), self.random.choice(STATES),
                round(self.random.expovariate(1 / 80), 2), self.day(),
                self.text(8) if self.random.random() < 0.2 else None)

    def event(self, i, customers):
        payload = json.dumps({"kind": self.random.choice(("view", "click", "cart", "search")),
                              "path": "/" + self.text(2).replace(" ", "/"),
                              "session": f"{self.random.getrandbits(64):016x}",
                              "ms": self.random.randint(1, 900)})
        return i, self.random.randint(1, customers), 1_600_000_000 + i * 7, payload

    def article(self, i):
        return (i, self.text(5), self.text(self.random.randint(40, 260)),
                self.random.randbytes(self.random.randint(64, 512)), self.random.randint(1, 99999) / 100)


def insert(connection, table, rows):
    for batch in iter(lambda: list(itertools.islice(rows, BATCH)), []):
        marks = ",".join("?" * len(batch[0]))
        connection.executemany(f"INSERT INTO {table} VALUES({marks})", batch)


def make_shop(path, mib, seed=7):
    """A database of about `mib` MiB."""
    writer = Writer(seed)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA journal_mode=wal; PRAGMA synchronous=off;" + SCHEMA)
    unit = max(1, mib * 100)  # rows of the smallest table; found by trying
    connection.execute("BEGIN")
    insert(connection, "customers", (writer.customer(i) for i in range(1, unit * 2)))
    insert(connection, "orders", (writer.order(i, unit * 2) for i in range(1, unit * 10)))
    insert(connection, "events", (writer.event(i, unit * 2) for i in range(1, unit * 10)))
    connection.execute("COMMIT")
    page = connection.execute("PRAGMA page_size").fetchone()[0]
    article = 1
    while connection.execute("PRAGMA page_count").fetchone()[0] * page < mib << 20:
        rows = (writer.article(i) for i in range(article, article + BATCH // 4))
        insert(connection, "articles", rows)
        article += BATCH // 4
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


if __name__ == "__main__":
    make_shop(sys.argv[1], int(sys.argv[2]))
