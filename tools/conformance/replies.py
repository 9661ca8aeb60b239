"""Replies as trees that keep what was sent: (kind, content), the content of an aggregate being a list of such."""

import re

AGGREGATES = b"*~>%|"
# Larger than what any request here is answered with.
DEEPEST = 64


def parsed(data, apart=False):
    """All replies in the bytes. A push stays with the reply in front of which it was sent, unless it is to stand
    apart."""
    found, pushes, at = [], [], 0
    while at < len(data):
        reply, at = _reply(data, at)
        if reply[0] == b">" and not apart:
            pushes.append(reply)
        else:
            found.append(("pushes", [*pushes, reply]) if pushes else reply)
            pushes = []
    return found + pushes


def _reply(data, at, depth=0):
    end = data.index(b"\r\n", at)
    kind, rest = data[at : at + 1], data[at + 1 : end]
    if depth > DEEPEST:
        raise ValueError("a reply is nested too deep")
    if kind in (b"$", b"=", b"!"):
        size = int(rest)
        if size < 0:
            return (kind, None), end + 2
        return (kind, data[end + 2 : end + 2 + size]), end + 4 + size
    if kind and kind in AGGREGATES:
        size = int(rest)
        if size < 0:
            return (kind, None), end + 2
        parts, at = [], end + 2
        for _ in range(size * 2 if kind in b"%|" else size):
            part, at = _reply(data, at, depth + 1)
            parts.append(part)
        return (kind, parts), at
    if kind not in (b"+", b"-", b":", b",", b"_", b"#", b"("):
        raise ValueError(f"not a reply: {data[at:at + 60]!r}")
    return (kind, rest), end + 2


def is_error(reply):
    return reply[0] == b"-"


def shown(reply, limit=300):
    """for people"""
    text = _shown(reply)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)})"


def _shown(reply):
    kind, content = reply
    if kind == "pushes":
        return " and ".join(map(_shown, content))
    if content is None:
        return f"{kind.decode()}-1"
    if isinstance(content, list):
        return kind.decode() + "[" + ", ".join(map(_shown, content)) + "]"
    return kind.decode() + printable(content)


def printable(word):
    """bytes as a word of redis-cli"""
    if re.fullmatch(rb"[!#-&(-~]+", word):
        return word.decode()
    text = "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word)
    return f'"{text}"'
