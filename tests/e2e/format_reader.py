#!/usr/bin/python3
"""An independent reader of the archive format: written from core/FORMAT.md alone, without bkhost's
code. Codec and cipher are the tools `zstd` and `age`.

    format_reader.py ARCHIVE_DIR [--identity KEY] [--output FILE]

Checks every rule of the page that can be seen in the objects; prints one line a violation and exits
1, or a summary and exits 0. It holds a whole volume in memory: it is there to prove the page, not
to restore.
"""

import argparse
import ctypes
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

AGE_CHUNK, AGE_TAG, AGE_NONCE = 65536, 16, 16
NAME = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}"
ID = r"\d{8}T\d{6}Z-[a-km-z2-9]{6}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
MARKER = re.compile(rb"-- bkhost section ([0-9a-f]{32}) (\d+) (\{[^\n]*\})\n")
RECORDS = {"index", "component", "section", "frame", "meta", "proof", "warning", "volume", "total",
           "end"}


class Refused(Exception):
    """Nothing further can be read."""


def run(arguments, data):
    """A tool's output."""
    done = subprocess.run(arguments, input=data, capture_output=True, check=False)
    if done.returncode:
        raise Refused(f"{' '.join(arguments)}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout


class Xxh128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


def find_xxh3():
    """A function that gives the XXH3-128 in canonical form; None without library and tool."""
    try:
        call = ctypes.CDLL("libxxhash.so.0").XXH3_128bits
    except (OSError, AttributeError):
        tool = shutil.which("xxhsum")
        return tool and (lambda data: run([tool, "-H2"], data).split()[0].decode())
    call.restype, call.argtypes = Xxh128, [ctypes.c_char_p, ctypes.c_size_t]

    def digest(data):
        value = call(data, len(data))
        return f"{value.high:016x}{value.low:016x}"
    return digest


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Reader:
    def __init__(self, folder, identity=None):
        self.folder = pathlib.Path(folder).resolve()
        self.identity = identity
        self.violations = []
        self.notes = []
        self.xxh3 = find_xxh3()
        self.plain = {}  # of each component: the plain streams of its volumes
        self.packed = {}

    def rule(self, holds, text):
        if not holds:
            self.violations.append(text)

    def read(self):
        self.read_manifest()
        for number, component in enumerate(self.manifest["components"]):
            self.read_volumes(number, component)
        self.read_index()
        self.check_sums()
        self.check_folder()
        if not self.xxh3:
            self.notes.append("frame checksums not checked: neither libxxhash nor xxhsum is here")

    # ---- section 2: the manifest

    def read_manifest(self):
        data = (self.folder / "manifest.json").read_bytes()
        last = data.rfind(b"\n", 0, -1) + 1
        match = re.fullmatch(rb'"manifest_sha256":"([0-9a-f]{64})"\}\n', data[last:])
        if not match or match[1].decode() != sha256(data[:last]):
            raise Refused("manifest.json: its digest does not match")
        self.manifest = m = json.loads(data)
        if m["format"] != "bkhost-archive" or m["version"] > 1 or m["requires"]:
            raise Refused(f"manifest.json: {m['format']} {m['version']} requires {m['requires']}")
        for member in ("job", "host", "created_by", "type", "engine", "parent", "signature"):
            self.rule(member in m, f"manifest.json: no '{member}'")
        place = (m["environment"], m["tenant"] or "_global", m["source"], m["id"])
        self.rule(self.folder.parts[-4:] == place, f"{self.folder} is not the place of {place}")
        for name in (m["environment"], m["source"], *(c["name"] for c in m["components"])):
            self.rule(re.fullmatch(NAME, name), f"'{name}' is no name")
        self.rule(m["tenant"] is None or re.fullmatch(NAME, m["tenant"]), "tenant is no name")
        self.rule(re.fullmatch(ID, m["id"]), f"'{m['id']}' is no id")
        for member in ("started_at", "finished_at"):
            self.rule(re.fullmatch(TIME, m[member]), f"{member}: '{m[member]}' is no time")
        self.rule(m["started_at"] <= m["finished_at"], "finished before it started")
        self.rule(m["frame_checksum"] == "xxh3-128", f"frame_checksum {m['frame_checksum']}")
        self.rule(m["row_digest"] in (None, "rowsum-1"), f"row_digest {m['row_digest']}")
        if self.identity and m["encryptor"]:
            recipient = run(["age-keygen", "-y", str(self.identity)], b"").strip()
            self.rule(f"age-x25519:{sha256(recipient)[:16]}" in m["encryptor"]["key_fingerprints"],
                      "the key's fingerprint is not in key_fingerprints")

    # ---- objects: section 2 (records), 5 (age)

    def read_object(self, record, key):
        """(plain stream, packed stream) of an object."""
        m = self.manifest
        for driver in filter(None, (m["compressor"], m["encryptor"])):
            key += "." + driver["suffix"]
        self.rule(record["key"] == key, f"key is '{record['key']}', not '{key}'")
        key = record["key"]
        stored = (self.folder / key).read_bytes()
        header = record["header_size"]
        self.rule(len(stored) == record["size"], f"{key}: size {len(stored)}")
        self.rule(sha256(stored) == record["sha256"], f"{key}: sha256")
        self.rule(sha256(stored[:header]) == record["header_sha256"], f"{key}: header_sha256")
        packed = self.decrypt(key, stored, header) if m["encryptor"] else stored
        self.rule(m["encryptor"] or header == 0, f"{key}: a header without a cipher")
        plain = self.decode(packed)
        self.rule(len(packed) == record["packed_size"], f"{key}: packed_size is {len(packed)}")
        self.rule(len(plain) == record["plain_size"], f"{key}: plain_size is {len(plain)}")
        return plain, packed

    def decrypt(self, key, stored, header):
        if not self.identity:
            raise Refused("the archive is encrypted: give --identity")
        text = re.match(rb"age-encryption.org/v1\n(?:.*\n)*?---[^\n]*\n", stored)
        self.rule(text and text.end() + AGE_NONCE == header, f"{key}: header_size {header}")
        packed = run(["age", "-d", "-i", str(self.identity)], stored)
        chunks = max(1, -(-len(packed) // AGE_CHUNK))
        self.rule(header + len(packed) + chunks * AGE_TAG == len(stored), f"{key}: chunks")
        return packed

    def decode(self, packed):
        return run(["zstd", "-d", "-q", "-c"], packed) if self.manifest["compressor"] else packed

    def read_volumes(self, number, component):
        name, marker = component["name"], component["marker"]
        self.rule(re.fullmatch("[0-9a-f]{32}", marker or "") if component["format"] == "sql"
                  else marker is None, f"{name}: marker {marker}")
        for v, record in enumerate(component["volumes"]):
            part = f".{v:03}" if v else ""
            plain, packed = self.read_object(record, f"{name}{part}.{component['extension']}")
            self.plain.setdefault(number, []).append(plain)
            self.packed.setdefault(number, []).append(packed)

    # ---- section 4: the index

    def read_index(self):
        rebuild = re.match(rf"index\.({ID})\.", self.manifest["index"]["key"])
        self.rebuilt = bool(rebuild)
        plain, _ = self.read_object(self.manifest["index"],
                                    f"index.{rebuild[1]}.ndjson" if rebuild else "index.ndjson")
        self.rule(plain.endswith(b"\n"), "index: the last line is not ended")
        records = [json.loads(line) for line in plain.split(b"\n")[:-1]]
        self.records = {t: [r for r in records if r["t"] == t] for t in RECORDS}
        first, last = records[0], records[-1]
        self.rule((first["t"], first.get("version"), first.get("id")) ==
                  ("index", 1, self.manifest["id"]), f"index: first line is {first}")
        if last["t"] != "end":
            raise Refused("index: truncated, the last line is no end record")
        self.rule(len(self.records["index"]) == len(self.records["end"]) == 1, "index: two ends")
        self.check_order(records)
        names = [c["name"] for c in self.manifest["components"]]
        self.rule(list(self.components.values()) == names, f"index: components {self.components}")
        for number, component in enumerate(self.manifest["components"]):
            self.check_frames(number, component)
        self.check_totals()

    def check_order(self, records):
        """A record stands after what it refers to; the totals stand at the end."""
        self.sections, self.components, ended, totals = {}, {}, set(), False
        for r in records:
            where = f"index: {r['t']} {r.get('n', r.get('v', ''))}"
            self.rule("c" not in r or r["t"] not in RECORDS or r["c"] in self.components,
                      f"{where}: component unknown")
            self.rule(not totals or r["t"] in ("total", "end"), f"{where}: after a total")
            totals = totals or r["t"] == "total"
            if r["t"] == "component":
                self.rule(r["n"] == len(self.components), f"{where}: number")
                self.components[r["n"]] = r["name"]
            elif r["t"] == "section":
                self.rule(r["n"] not in self.sections, f"{where}: twice")
                self.rule(r["ordered"] in (0, 1) and r["phase"] in range(6), f"{where}: {r}")
                self.sections[r["n"]] = r
            elif r["t"] == "frame":
                self.rule((r["c"], r["v"]) not in ended, f"{where}: after its volume's record")
                for s in r["s"]:
                    self.rule(s[0] in self.sections, f"{where}: section {s[0]} comes later")
            elif r["t"] == "volume":
                ended.add((r["c"], r["v"]))

    # ---- section 3: volumes and frames

    def check_frames(self, c, component):
        frames = [f for f in self.records["frame"] if f["c"] == c]
        self.rule(len(frames) == component["frames"], f"{component['name']}: {len(frames)} frames")
        before = None
        for n, f in enumerate(frames):
            where = f"{component['name']}: frame {f['n']}"
            self.rule(f["n"] == n, f"{where}: number, not {n}")
            same = before and before["v"] == f["v"]
            self.rule(f["v"] == (before["v"] + (not same) if before else 0), f"{where}: volume")
            begin = (before["po"] + before["pl"], before["ko"] + before["kl"]) if same else (0, 0)
            self.rule((f["po"], f["ko"]) == begin, f"{where}: not where {begin} ended")
            self.rule(f.get("more", 1) == 1, f"{where}: more {f.get('more')}")
            self.check_bytes(where, c, f)
            self.check_phase(where, f, before)
            self.check_segments(where, c, component, f, before)
            before = f
        if component["marker"]:
            start = f"-- bkhost section {component['marker']} ".encode()
            found = sum(plain.count(start) for plain in self.plain[c])
            runs = sum(not s[6] & 2 for f in frames for s in f["s"])
            self.rule(found == runs, f"{component['name']}: {found} markers, {runs} runs")
        self.rule(not frames or "more" not in before, f"{component['name']}: the last has 'more'")
        volumes = [r for r in self.records["volume"] if r["c"] == c]
        self.rule([r["v"] for r in volumes] == list(range(len(component["volumes"]))),
                  f"{component['name']}: volume records {volumes}")
        for r, o in zip(volumes, component["volumes"]):
            mine = [f for f in frames if f["v"] == r["v"]]
            sums = (len(mine), sum(f["pl"] for f in mine), sum(f["kl"] for f in mine))
            self.rule((r["frames"], r["plain"], r["packed"]) == sums, f"{r}: frames have {sums}")
            self.rule((r["plain"], r["packed"]) == (o["plain_size"], o["packed_size"]), f"{r}: {o}")

    def check_bytes(self, where, c, f):
        plain = self.plain[c][f["v"]][f["po"]:f["po"] + f["pl"]]
        packed = self.packed[c][f["v"]][f["ko"]:f["ko"] + f["kl"]]
        try:
            self.rule(self.decode(packed) == plain, f"{where}: decoded alone it gives other bytes")
        except Refused as error:
            self.rule(False, f"{where}: {error}")
        self.rule(not self.xxh3 or self.xxh3(plain) == f["x"], f"{where}: checksum")

    def check_phase(self, where, f, before):
        steps = {(self.sections[s[0]]["phase"], self.sections[s[0]]["step"]) for s in f["s"]}
        self.rule(len(steps) == 1, f"{where}: phases and steps {steps}")
        f["phase"] = max(steps, default=(0, 0))
        self.rule(not before or f["phase"] >= before["phase"], f"{where}: phase goes down")
        if before and "more" in before:
            self.rule(before["v"] == f["v"], f"{where}: its group crosses volumes")
            self.rule(f["s"] and f["s"][0][0] == before["s"][-1][0], f"{where}: other section")

    def check_segments(self, where, c, component, f, before):
        continued = bool(before and "more" in before)
        plain = self.plain[c][f["v"]]
        end = 0
        for i, (section, offset, length, _, rows, digest, flags) in enumerate(f["s"]):
            seg = f"{where} segment {i}"
            self.rule(self.sections[section]["c"] == c, f"{seg}: of another component")
            self.rule(end <= offset <= offset + length <= f["pl"], f"{seg}: lies wrongly")
            self.rule(flags in range(4), f"{seg}: flags {flags}")
            self.rule(bool(flags & 2) == (continued and i == 0), f"{seg}: flag 2")
            if "more" in f and continued:
                self.rule(not rows and digest in (None, "0" * 32), f"{seg}: rows within a group")
            at = f["po"] + end
            self.check_marker(seg, plain, at, plain[at:f["po"] + offset], section,
                              None if continued and i == 0 else component["marker"])
            end = offset + length
        self.rule(end == f["pl"], f"{where}: bytes after its last segment")

    def check_marker(self, seg, plain, at, gap, section, wanted):
        """`wanted`: the nonce that the line must have, or nothing where there is no line."""
        match = MARKER.fullmatch(gap)
        self.rule(bool(match) == bool(wanted) and bool(gap) == bool(wanted),
                  f"{seg}: marker {gap[:80]}")
        if not match or not wanted:
            return
        record = self.sections[section]
        says = {k: record[k] for k in
                ("depends", "kind", "name", "namespace", "ordered", "phase", "step")}
        self.rule((match[1].decode(), int(match[2]), json.loads(match[3])) ==
                  (wanted, section, says), f"{seg}: {gap[:200]}")
        self.rule(at == 0 or plain[at - 1:at] == b"\n", f"{seg}: marker within a line")

    # ---- sums

    def check_totals(self):
        segments = {n: [] for n in self.sections}
        holders = {n: [] for n in self.sections}
        for f in self.records["frame"]:
            for s in f["s"]:
                segments[s[0]].append(s)
                holders[s[0]].append(f["n"])
        totals = {r["n"]: r for r in self.records["total"]}
        self.rule(len(totals) == len(self.records["total"]) and totals.keys() == segments.keys(),
                  "totals are not one of each section")
        for n, parts in segments.items():
            self.check_section(n, parts, sorted(set(holders[n])), totals.get(n))
        end = self.records["end"][0]
        found = {"frames": len(self.records["frame"]), "sections": len(self.sections),
                 "plain": sum(f["pl"] for f in self.records["frame"])}
        self.rule({k: end[k] for k in found} == found, f"{end}: found {found}")

    def check_section(self, n, parts, frames, total):
        at = 0
        for i, s in enumerate(parts):
            self.rule(s[3] == at, f"section {n}: segment at {s[3]}, not {at}")
            self.rule((s[6] & 1) == (i == 0), f"section {n}: flag 1 at segment {i}")
            at += s[2]
        self.rule(not self.sections[n]["ordered"] or
                  frames == list(range(frames[0], frames[-1] + 1)), f"section {n}: interleaved")
        if not total:
            return
        counted = all(s[4] is not None for s in parts)
        self.rule(counted or self.rebuilt, f"section {n}: rows are not known")
        rows = sum(s[4] for s in parts) if counted else None
        digest = sum(int(s[5], 16) for s in parts if s[5]) % 2**128
        self.rule(total["bytes"] == at, f"section {n}: total bytes {total['bytes']}, not {at}")
        self.rule(total["rows"] == rows, f"section {n}: total rows {total['rows']}, not {rows}")
        known = all(s[5] for s in parts)
        self.rule(total["digest"] == (f"{digest:032x}" if known else None),
                  f"section {n}: total digest")

    def check_sums(self):
        m = self.manifest
        for c in m["components"]:
            plain = sum(v["plain_size"] for v in c["volumes"])
            self.rule(c["plain_size"] == plain, f"{c['name']}: plain_size, volumes have {plain}")
        volumes = [v for c in m["components"] for v in c["volumes"]]
        rows = [c["rows"] for c in m["components"]]
        sums = {"plain_size": sum(v["plain_size"] for v in volumes),
                "stored_size": sum(v["size"] for v in volumes) + m["index"]["size"],
                "rows": None if None in rows else sum(rows),
                "warnings": len(self.records["warning"])}
        found = {k: m[k] for k in sums}
        self.rule(found == sums, f"manifest.json: {found}, objects sum up to {sums}")

    # ---- sections 1 and 7: what else lies in the folder

    def check_folder(self):
        m = self.manifest
        known = {"manifest.json", m["index"]["key"]}
        known.update(v["key"] for c in m["components"] for v in c["volumes"])
        for path in sorted(p for p in self.folder.rglob("*") if p.is_file()):
            key = path.relative_to(self.folder).as_posix()
            result = re.fullmatch(r"verify/\d{8}T\d{6}Z-(quick|stored|full)\.json", key)
            reading = re.fullmatch(r"reading-[^/]+", key)
            self.rule(key in known or result or reading, f"{key}: unknown object")
            self.rule(not reading or path.stat().st_size == 0, f"{key}: not empty")
            if result and not self.rebuilt:
                told = json.loads(path.read_bytes())
                self.rule((told["format"], told["version"], told["id"], told["level"],
                           told["manifest_sha256"]) ==
                          ("bkhost-verify", 1, m["id"], result[1], m["manifest_sha256"]),
                          f"{key}: {told}")


def main():
    parser = argparse.ArgumentParser(description="checks an archive against core/FORMAT.md")
    parser.add_argument("archive")
    parser.add_argument("--identity", help="age identity file")
    parser.add_argument("--output", help="file for the decoded dump")
    options = parser.parse_args()
    reader = Reader(options.archive, options.identity)
    try:
        reader.read()
        if options.output:
            dump = b"".join(part for c in sorted(reader.plain) for part in reader.plain[c])
            pathlib.Path(options.output).write_bytes(dump)
    except (Refused, OSError, LookupError, TypeError, ValueError) as error:
        reader.violations.append(f"cannot be read further: {type(error).__name__}: {error}")
    for line in reader.notes:
        print("note:", line)
    for line in reader.violations:
        print("violation:", line)
    if reader.violations:
        return 1
    m, r = reader.manifest, reader.records
    print(f"{m['id']}: all rules hold: {sum(len(c['volumes']) for c in m['components'])} volumes, "
          f"{len(r['frame'])} frames, {len(reader.sections)} sections, {m['plain_size']} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
