#!/usr/bin/env python3
"""Decrypts an object that bkhost encrypted with aes256gcm, from standard input to standard output:

    aes256gcm_decrypt.py KEY_FILE < shop.db.zst.aes | zstd -d > shop.db

Written from section 9 of core/FORMAT.md; needs python3-cryptography.
"""

import base64
import hashlib
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK = 65536 + 16  # with the tag


def read_key(path):
    with open(path, "rb") as file:
        content = file.read()
    if len(content) == 32:
        return content
    lines = [line.strip() for line in content.decode().splitlines()]
    [text] = [line for line in lines if line and not line.startswith("#")]
    return bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text.rstrip("=") + "=")


def derive(key, salt, info, length):
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(key)


def open_header(header, key):
    """The cipher of the chunks."""
    if len(header) < 96 or not header.startswith(b"bkhost/aes256gcm"):
        sys.exit("not an aes256gcm file")
    if hashlib.sha256(header[:80]).digest()[:16] != header[80:]:
        sys.exit("the header is damaged")
    if header[16:24] != bytes([1, 16, 0, 0, 0, 0, 0, 0]):
        sys.exit("an unknown version or size of chunks")
    if derive(key, None, b"bkhost/aes256gcm key id", 8) != header[24:32]:
        sys.exit("wrong key: the file wants aes256gcm:" + header[24:32].hex())
    derived = derive(key, header[32:64], header[:64], 48)
    if derived[32:] != header[64:80]:
        sys.exit("the header was not made with this key")
    return AESGCM(derived[:32])


def main():
    source, target = sys.stdin.buffer, sys.stdout.buffer
    cipher = open_header(source.read(96), read_key(sys.argv[1]))
    number, chunk = 0, source.read(CHUNK)
    while True:
        following = source.read(CHUNK)
        nonce = bytes(7) + number.to_bytes(4, "big") + (b"\0" if following else b"\1")
        try:
            plain = cipher.decrypt(nonce, chunk, None)
        except (InvalidTag, ValueError):
            sys.exit(f"chunk {number} is damaged, or the file is truncated")
        if not plain and number:
            sys.exit(f"chunk {number} is without content")
        target.write(plain)
        if not following:
            return
        number, chunk = number + 1, following


if __name__ == "__main__":
    main()
