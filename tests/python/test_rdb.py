#!/usr/bin/env python3
"""RDB files that ae-server writes, as a reader reads them that is neither ours nor Redis's: rdb-py from PyPI. It passes over
streams, which redis-server reads in the tests of replication."""

import random
import unittest
from pathlib import Path

import rdb

from support import main
from testkit.replication import Node, until, write


def file_content(path):
    """By database: its sizes as the file tells them, and its entries by key, as (type, value, deadline)."""
    databases, db = {}, None
    for item in rdb.RdbDecoder(str(path)):
        kind = item.pop("type")
        if kind == "select_db":
            db = databases.setdefault(item["db"], [None, {}])
        elif kind == "resize_db":
            db[0] = item["db_size"], item["expires_size"]
        elif kind not in ("aux_field", "checksum"):
            key, deadline = item.pop("key"), item.pop("expiry")
            (value,) = item.values()
            if kind == "set":
                value = sorted(value)
            elif kind == "sorted_set":
                value = sorted((member, score) for score, member in value)
            if key in db[1]:
                raise AssertionError(f"{key} is there twice")
            db[1][key] = kind, value, deadline
    return databases


def server_content(node):
    """The same as clients see it, with the number of streams of each database."""
    databases, streams = {}, {}
    with node.connect() as client:
        for number in range(16):
            client("SELECT", number)
            keys = client("KEYS", "*")
            entries, volatile = {}, 0
            for key in keys:
                deadline = client("PEXPIRETIME", key)
                deadline = deadline if deadline >= 0 else None
                volatile += deadline is not None
                match client("TYPE", key):
                    case "string":
                        entries[key] = "string", client("GET", key), deadline
                    case "list":
                        entries[key] = "list", client("LRANGE", key, 0, -1), deadline
                    case "set":
                        entries[key] = "set", sorted(client("SMEMBERS", key)), deadline
                    case "hash":
                        words = client("HGETALL", key)
                        entries[key] = "hash", dict(zip(words[::2], words[1::2])), deadline
                    case "zset":
                        words = client("ZRANGE", key, 0, -1, "WITHSCORES")
                        pairs = ((member, float(score)) for member, score in zip(words[::2], words[1::2]))
                        entries[key] = "sorted_set", sorted(pairs), deadline
            if keys:
                databases[number] = [(len(keys), volatile), entries]
                streams[number] = len(keys) - len(entries)
    return databases, streams


class Rdb(unittest.TestCase):
    def fill(self, node, seed):
        """Random values of all types and forms, packed and large."""
        rnd = random.Random(seed)
        write(node, 700, seed)
        numbers = [0, 1, -1, 127, 128, -129, 32_767, -32_769, 2_147_483_647, -2_147_483_649, 2**63 - 1, -2**63]
        scores = [0, -1.5, 1e300, "inf", "-inf", 3, 2**53]
        with node.connect() as client:
            for number, length in enumerate((1, 3, 100, 700, 5000)):
                client("SELECT", number % 3)
                # Random bytes, what can be compressed, and integers of every size.
                words = [rnd.choice([rnd.randbytes(rnd.choice([1, 20, 70])), b"ab" * rnd.randrange(60), rnd.choice(numbers)])
                         for _ in range(length)]
                client("RPUSH", f"list{number}", *words)
                client("SADD", f"set{number}", *words)
                client("SADD", f"integers{number}", *(rnd.randrange(10 ** rnd.choice([2, 4, 9, 18])) for _ in words))
                client("HSET", f"hash{number}", *(part for word in words for part in (word, rnd.choice(words))))
                client("ZADD", f"zset{number}", *(part for word in words for part in (rnd.choice(scores), word)))
                client("SET", f"string{number}", rnd.randbytes(length * 300))
                client("SET", f"compressible{number}", b"0123456789" * length * 50)
                client("PEXPIRE", rnd.choice([f"list{number}", f"hash{number}"]), rnd.randrange(10**9, 10**12))
            client("RPUSH", "plain", rnd.randbytes(100_000), "small", b"x" * 70_000)
            for number in numbers:
                client("SET", f"number{number}", number)

    def test_another_reader_agrees(self):
        for options in [], ["--rdbcompression", "no", "--rdbchecksum", "no", "--list-max-listpack-size", "3"]:
            with self.subTest(options=options), Node("ae", *options) as node:
                self.fill(node, 1)
                node("DEBUG", "SET-ACTIVE-EXPIRE", 0)
                node("DEL", *(f"t{number}" for number in range(60)))
                wanted, streams = server_content(node)
                path = Path(node.folder.name, "dump.rdb")
                for command in "SAVE", "BGSAVE":
                    saves = int(node.info("persistence")["rdb_saves"])
                    node(command)
                    until(lambda: (info := node.info("persistence"))["rdb_bgsave_in_progress"] == "0"
                          and int(info["rdb_saves"]) > saves)
                    self.assertEqual(node.info("persistence")["rdb_last_bgsave_status"], "ok")
                    content = file_content(path)
                    self.assertEqual(content, wanted)
                    path.unlink()
                self.assertGreater(sum(streams.values()), 0)


if __name__ == "__main__":
    main("rdb")
