"""What a key costs in resident memory, by what it holds."""

from dataclasses import dataclass
from typing import Callable

from testkit.commands import Failure, completed


def text(number, size):
    """`size` characters that differ from number to number"""
    return f"{number:0{size}d}"[-size:]


@dataclass(frozen=True)
class Content:
    """What a server is filled with: `keys` requests of `request(number)`."""

    title: str
    keys: int
    request: Callable


def several(command, count, parts):
    """requests with `count` elements, each of which is what `parts` makes of two numbers"""
    return lambda number: (command, text(number, 16), *(part for i in range(count) for part in parts(number, i)))


def element(number, i):
    return (text(number * 1000 + i, 16),)


def pair(number, i):
    return (text(i, 8), text(number * 1000 + i, 16))


def scored(number, i):
    return (str(i), text(number * 1000 + i, 16))


CONTENTS = {
    "string": Content("string of 16 bytes", 1_000_000, lambda number: ("SET", text(number, 16), "v" + text(number, 15))),
    "volatile": Content("string of 16 bytes, with a time to live", 1_000_000,
                        lambda number: ("SET", text(number, 16), "v" + text(number, 15), "EX", str(100_000 + number % 1000))),
    "integer": Content("integer", 1_000_000, lambda number: ("SET", text(number, 16), str(number))),
    "string100": Content("string of 100 bytes", 500_000, lambda number: ("SET", text(number, 16), "v" + text(number, 99))),
    "string1k": Content("string of 1 KiB", 100_000, lambda number: ("SET", text(number, 16), "v" + text(number, 1023))),
    "hash": Content("hash of 10 fields", 100_000, several("HSET", 10, pair)),
    "list": Content("list of 10 elements", 100_000, several("RPUSH", 10, element)),
    "set": Content("set of 10 strings", 100_000, several("SADD", 10, element)),
    "integers": Content("set of 10 integers", 100_000, several("SADD", 10, lambda number, i: (str(number + i),))),
    "zset": Content("sorted set of 10 members", 100_000, several("ZADD", 10, scored)),
    "stream": Content("stream of 10 entries", 50_000, lambda number: ("XADD", text(number // 10, 16), "*", "field", text(number, 16))),
    "hash1000": Content("hash of 1000 fields", 1_000, several("HSET", 1000, pair)),
    "list1000": Content("list of 1000 elements", 1_000, several("RPUSH", 1000, element)),
    "set1000": Content("set of 1000 strings", 1_000, several("SADD", 1000, element)),
    "zset1000": Content("sorted set of 1000 members", 1_000, several("ZADD", 1000, scored)),
}


def measured(peer, content, share):
    """bytes a key"""
    count = max(int(content.keys * share), 1000)
    with peer.start() as server, server.connect() as client:
        before = server.resident()
        fill(server, encoded(content.request(number) for number in range(count)))
        keys = client.call("DBSIZE")
        return (server.resident() - before) / keys


def encoded(requests):
    """as redis-cli --pipe sends them"""
    parts = []
    for request in requests:
        parts.append(f"*{len(request)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in request))
    return "".join(parts)


def fill(server, requests):
    done = completed(["redis-cli", "-p", str(server.port), "--pipe"], input=requests, timeout=600)
    if done.returncode or "errors: 0" not in done.stdout:
        raise Failure(f"redis-cli --pipe: {done.stdout[-300:]} {done.stderr[-300:]}")
