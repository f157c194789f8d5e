#!/usr/bin/env bash
# From a bare Debian 12 to a backup that was restored and compared: installs what is missing, builds,
# makes a sample database, backs it up, lists, verifies, restores and compares. As root or with sudo.
# Leaves the program in build/quickstart and everything else in a temporary directory, which it removes.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/quickstart
"$root/tests/install_packages.sh" build
cmake -S "$root" --preset release -DBKHOST_TESTS=OFF -B "$build" >/dev/null
cmake --build "$build"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config
cd "$work"

say() { printf '\n$ %s\n' "$*"; "$@"; }
bkhost() { "$build/host/bkhost" "$@"; }

sqlite3 shop.db >/dev/null <<'SQL'
PRAGMA journal_mode = wal;
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);
CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users, total REAL, note TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
  INSERT INTO users SELECT i, 'user' || i || '@example.com' FROM n;
INSERT INTO orders SELECT id, id, id * 1.25, 'order of ' || email FROM users;
SQL

say bkhost key generate --output key.txt
recipient=$(bkhost key show key.txt)
say bkhost run --from sqlite:shop.db --to backups --encrypt "age:$recipient"
say bkhost list
say bkhost verify latest --level full --identity key.txt
say bkhost restore latest --to sqlite:restored.db --identity key.txt

sqlite3 shop.db .dump >before.sql
sqlite3 restored.db .dump >after.sql
cmp before.sql after.sql
echo
echo "restored copy is identical"
