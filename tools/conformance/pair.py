"""Two servers that get the same steps, and where their replies differ."""

import itertools
import re
import socket
import tempfile
from dataclasses import dataclass

import replies
from comparison import same
from grammar import CONTAINERS
from programs import MAIN, Step
from testkit.commands import Failure
from testkit.ports import free_port
from testkit.resp import request
from testkit.server import Server

BATCH = 64
# Seconds.
PATIENCE = 10
# How often it is looked whether a client waits.
LOOKS = 40
CONTROL = -1
PACKED = (b"listpack", b"intset", b"quicklist", b"ziplist")


@dataclass
class Difference:
    """Between the replies to a step, or in what is stored when there is no step for it."""

    at: int
    step: Step
    ours: str
    theirs: str
    which: int = 0
    silent: bool = False

    @property
    def command(self):
        """("CONFIG", "GET") of a container"""
        if not self.step:
            return ("state",)
        words = [word.decode("latin-1").upper() for word in self.step.requests[self.which][:2]]
        return tuple(words if words[0] in CONTAINERS else words[:1])


class Silence(Exception):
    """A server does not answer, or closes the connection."""


class Connection:
    nonces = itertools.count(1)

    def __init__(self, port, resp):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if resp == 3:
            self.send([[b"HELLO", b"3"]])
            self.receive()

    def close(self):
        self.socket.close()

    def send(self, requests):
        """and something whose reply tells where theirs end"""
        self.end = b"~end-%09d~\r\n" % next(self.nonces)
        data = b"".join(request(*words) for words in requests) + request(b"PING", self.end[:-2])
        try:
            self.socket.sendall(data)
        except OSError as reason:
            raise Silence(f"nothing can be sent: {reason}") from reason

    def post(self, requests):
        """only sends"""
        self.socket.sendall(b"".join(request(*words) for words in requests))

    def receive(self):
        data = bytearray()
        try:
            while not data.endswith(self.end):
                more = self.socket.recv(1 << 20)
                if not more:
                    raise Silence(f"closes the connection after {bytes(data[-100:])!r}")
                data += more
        except TimeoutError as reason:
            raise Silence(f"does not answer; the last that came is {bytes(data[-100:])!r}") from reason
        except OSError as reason:
            raise Silence(f"is gone: {reason}") from reason
        # Which request the mark answers is no server's merit. (It stays as long as it is: the slow log has it as well.)
        return re.sub(rb"~end-\d{9}~", b"~end-000000000~", bytes(data))


class OneServer:
    """A server, started again when it has ended."""

    def __init__(self, command, folder):
        self.command, self.folder = command, folder
        self.server = None
        self.connections = {}
        self.ensure()

    def ensure(self):
        if self.server is None or self.server.process.poll() is not None:
            port = free_port()
            self.server = Server([*self.command, "--bind", "127.0.0.1", "--port", port], port, cwd=self.folder)
            self.server.wait()

    def begin(self, resp):
        self.disconnect()
        self.resp = resp
        self.ensure()

    def disconnect(self):
        for connection in self.connections.values():
            connection.close()
        self.connections, self.ids, self.waiting = {}, {}, 0

    def connection(self, number):
        if number not in self.connections:
            self.connections[number] = Connection(self.server.port, self.resp)
        return self.connections[number]

    def ask(self, *requests, on=MAIN):
        """the parsed replies"""
        connection = self.connection(on)
        connection.send(
            [[word if isinstance(word, bytes) else str(word).encode() for word in words] for words in requests]
        )
        return replies.parsed(connection.receive())[:-1]

    def post(self, step):
        """sends a request that is going to wait, and looks until it does: the order of two matters"""
        if step.connection in self.ids:
            self.free(step)
        self.ids[step.connection] = self.ask(["CLIENT", "ID"], on=step.connection)[0][1]
        self.connection(step.connection).post(step.requests)
        self.waiting += 1
        for _ in range(LOOKS):
            info = self.ask(["INFO", "clients"], on=CONTROL)[0][1] or b""
            if b"blocked_clients:%d\r" % self.waiting in info:
                return
        self.waiting -= 1

    def free(self, step):
        if step.connection in self.ids:
            self.ask(["CLIENT", "UNBLOCK", self.ids.pop(step.connection)], on=CONTROL)
        self.waiting = 0

    def stop(self):
        self.disconnect()
        self.server.kill()
        self.server.output.close()


class Pair:
    """`ours` and `theirs` are the servers' commands, without a port."""

    def __init__(self, ours, theirs):
        self.folder = tempfile.TemporaryDirectory(prefix="differential-")
        self.ours = OneServer(ours, self.folder.name)
        self.theirs = OneServer(theirs, self.folder.name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ours.stop()
        self.theirs.stop()
        self.folder.cleanup()

    def run(self, prelude, steps, resp):
        """the first difference, or None"""
        found = self._run(prelude, steps, resp, BATCH)
        if found and found.step is None and found.at < len(steps):
            # Something in a batch is out of order: once more, step by step.
            found = self._run(prelude, steps, resp, 1) or found
        return found

    def _run(self, prelude, steps, resp, batch):
        for server in (self.ours, self.theirs):
            server.begin(resp)
        if prelude:
            self._batch(-1, prelude)
        at = 0
        while at < len(steps):
            if steps[at].posted:
                self._post(steps[at])
                at += 1
                continue
            end = at + 1
            while (
                end < len(steps)
                and end - at < batch
                and steps[end].connection == steps[at].connection
                and not (steps[at].whole or steps[end].whole or steps[end].posted)
            ):
                end += 1
            found = self._batch(at, steps[at:end])
            if found:
                return found
            at = end
        return self._state(len(steps))

    def _post(self, step):
        for server in (self.ours, self.theirs):
            try:
                server.post(step)
            except (Silence, OSError):
                pass  # what is compared next tells

    def _batch(self, at, steps):
        """sends steps of one connection and compares"""
        requests = [words for step in steps for words in step.requests if not step.freed]
        got = []
        for server in (self.ours, self.theirs):
            try:
                if steps[0].freed:
                    server.free(steps[0])
                server.connection(steps[0].connection).send(requests)
            except (Silence, OSError):
                pass  # its replies tell
        for server in (self.ours, self.theirs):
            try:
                got.append(server.connection(steps[0].connection).receive())
            except (Silence, OSError) as reason:
                got.append(Silence(self._told(server, reason)))
        if got[0] == got[1]:
            return None
        only = steps[0] if len(steps) == 1 else None
        if isinstance(got[1], Silence):
            shown = "\n".join(" ".join(map(replies.printable, words)) for words in requests)
            raise Failure(f"redis-server does not answer, so these requests are no good: {got[1]}\n{shown}")
        if isinstance(got[0], Silence):
            return Difference(at, only, str(got[0]), "answers", silent=True)
        parsed = [replies.parsed(data, apart=steps[0].whole)[:-1] for data in got]
        if steps[0].whole:
            ours, theirs = (sorted(map(_uncounted, found), key=repr) for found in parsed)
            if ours == theirs:
                return None
            return Difference(at, only, *(", ".join(map(replies.shown, found)) for found in (ours, theirs)))
        if not len(parsed[0]) == len(parsed[1]) == len(requests):
            return Difference(
                at, only, *(f"{len(found)} replies: " + ", ".join(map(replies.shown, found[:4])) for found in parsed)
            )
        numbered = [
            (at + place, which, step) for place, step in enumerate(steps) for which in range(len(step.requests))
        ]
        for (place, which, step), ours, theirs in zip(numbered, *parsed):
            if ours != theirs and not self._same(step, which, ours, theirs):
                return Difference(place, step, replies.shown(ours), replies.shown(theirs), which)
        return None

    @staticmethod
    def _same(step, which, ours, theirs):
        if len(step.requests) == 1 or which + 1 < len(step.requests):
            return same(step.comparisons[which], step.requests[which], ours, theirs)
        # EXEC: what has been queued, each in its own way. A request that was not queued spoils the whole.
        if not (ours[0] == theirs[0] == b"*") or None in (ours[1], theirs[1]) or len(ours[1]) != len(theirs[1]):
            return False
        if len(ours[1]) != len(step.requests) - 2:
            return False
        return all(map(same, step.comparisons[1:-1], step.requests[1:-1], ours[1], theirs[1]))

    @staticmethod
    def _told(server, reason):
        try:
            server.server.process.wait(0.5)
        except Exception:
            return str(reason)
        return f"ended with {server.server.process.returncode}: {server.server.text()[-600:]}"

    def _state(self, at):
        """what both have stored: keys, types, encodings, deadlines, contents; packed values in their order"""
        for database in (0, 1, 9):
            try:
                ours, theirs = (server.ask(["SELECT", database], ["KEYS", "*"]) for server in (self.ours, self.theirs))
            except Silence as reason:
                return Difference(at, None, str(reason), "the state")
            keys = [
                sorted(name for _, name in found[1][1]) if isinstance(found[1][1], list) else []
                for found in (ours, theirs)
            ]
            if keys[0] != keys[1]:
                texts = (
                    [replies.printable(key) for key in one if key not in other] for one, other in (keys, keys[::-1])
                )
                return Difference(at, None, *(f"database {database}: only there: {' '.join(text)}" for text in texts))
            known = keys[1]
            types = self.theirs.ask(*(["TYPE", key] for key in known)) if known else []
            encodings = self.theirs.ask(*(["OBJECT", "ENCODING", key] for key in known)) if known else []
            steps = []
            for key, (_, kind), (_, encoding) in zip(known, types, encodings):
                steps += _reading(key, kind.decode(), encoding, database)
            found = self._batch(at, steps) if steps else None
            if found:
                found.step = found.step or Step([[b"KEYS", b"*"]], ["exact"])
                return found
        return None


def _uncounted(reply):
    """A subscriber's reply without the number of channels that are left: their order is open."""
    if reply[0] in (b"*", b">") and reply[1] and reply[1][0][1] in UNSUBSCRIBED:
        return reply[0], reply[1][:2]
    return reply


UNSUBSCRIBED = (b"unsubscribe", b"punsubscribe", b"sunsubscribe")
READING = {
    "string": [("GET",)],
    "list": [("LRANGE", "0", "-1")],
    "hash": [("HGETALL",)],
    "set": [("SMEMBERS",)],
    "zset": [("ZRANGE", "0", "-1", "WITHSCORES")],
    "stream": [("XRANGE", "-", "+"), ("XINFO", "STREAM", None, "FULL", "COUNT", "0")],
}
UNPACKED = {"hash": "pairs", "set": "unordered"}


def _reading(key, kind, encoding, database):
    """the steps that read all of a key"""
    found = [(["TYPE", key], "exact"), (["OBJECT", "ENCODING", key], "encoding"), (["EXPIRETIME", key], "seconds")]
    for name, *rest in READING[kind]:
        words = [name, *(key if word is None else word for word in rest)] if None in rest else [name, key, *rest]
        packed = encoding in PACKED
        comparison = "ages" if name == "XINFO" else "exact" if packed else UNPACKED.get(kind, "exact")
        found.append((words, comparison))
    return [
        Step(
            [[word if isinstance(word, bytes) else word.encode() for word in words]],
            [comparison],
            note=f"what is stored at the end, database {database}",
        )
        for words, comparison in found
    ]
