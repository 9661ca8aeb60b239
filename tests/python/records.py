"""Records of TLS 1.3 that no TLS library sends: encrypted here, with TLS_CHACHA20_POLY1305_SHA256."""

import hashlib
import hmac
import struct

MASK = 0xFFFFFFFF
PRIME = 2**130 - 5


def chacha20_block(key, counter, nonce):
    start = [*struct.unpack("<4I", b"expand 32-byte k"), *struct.unpack("<8I", key), counter, *struct.unpack("<3I", nonce)]
    state = list(start)

    def quarter(a, b, c, d):
        for left, right, turned, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[left] = (state[left] + state[right]) & MASK
            word = state[turned] ^ state[left]
            state[turned] = (word << by | word >> (32 - by)) & MASK

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for column in range(4):
            quarter(column, (column + 1) % 4 + 4, (column + 2) % 4 + 8, (column + 3) % 4 + 12)
    return struct.pack("<16I", *((a + b) & MASK for a, b in zip(state, start)))


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    sum = 0
    for i in range(0, len(message), 16):
        sum = (sum + int.from_bytes(message[i : i + 16] + b"\1", "little")) * r % PRIME
    return ((sum + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def seal(key, nonce, additional, plain):
    stream = b"".join(chacha20_block(key, 1 + i, nonce) for i in range((len(plain) + 63) // 64))
    cipher = bytes(a ^ b for a, b in zip(plain, stream))
    padded = b"".join(part + bytes(-len(part) % 16) for part in (additional, cipher))
    lengths = struct.pack("<QQ", len(additional), len(cipher))
    return cipher + poly1305(chacha20_block(key, 0, nonce)[:32], padded + lengths)


def expand(secret, label, length):
    label = b"tls13 " + label
    info = struct.pack(">HB", length, len(label)) + label + b"\0"
    return hmac.new(secret, info + b"\1", hashlib.sha256).digest()[:length]


class Writer:
    """One direction of a connection, from its traffic secret on."""

    def __init__(self, secret):
        self.begin(secret)

    def begin(self, secret):
        self.secret, self.count = secret, 0
        self.key, self.iv = expand(secret, b"key", 32), expand(secret, b"iv", 12)

    def update(self):
        """What a KeyUpdate message does to all that follows."""
        self.begin(expand(self.secret, b"traffic upd", 32))

    def record(self, kind, content, padding=0):
        plain = content + bytes([kind]) + bytes(padding)
        header = struct.pack(">BHH", 23, 0x0303, len(plain) + 16)
        nonce = (int.from_bytes(self.iv, "big") ^ self.count).to_bytes(12, "big")
        self.count += 1
        return header + seal(self.key, nonce, header, plain)
