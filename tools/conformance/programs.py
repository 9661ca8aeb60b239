"""Random programs: steps, each of which is a request or several that belong together, on one of a few connections."""

from dataclasses import dataclass, field
from pathlib import Path

import grammar
import values
from hand import LEXICAL, POOLS, Hand

REQUESTS = Path(__file__).resolve().parent / "requests"
# Not chosen by name: they are parts of others.
PARTS = ("mix", "listener", "waker")
FAMILIES = tuple(sorted(path.stem for path in REQUESTS.glob("*.txt") if path.stem not in PARTS))
MAIN, LISTENER, OTHER, *WAITERS = range(5)
MIXED = 0.1
DAMAGED = 0.04
TRANSACTION = 0.3
ON_ANOTHER = 0.05
# A damaged request must not become one that waits forever, ends the server, or has a result that Redis leaves open.
WAITING = (
    b"BLPOP",
    b"BRPOP",
    b"BRPOPLPUSH",
    b"BLMOVE",
    b"BLMPOP",
    b"BZPOPMIN",
    b"BZPOPMAX",
    b"BZMPOP",
    b"BLOCK",
    b"WAIT",
)
OPEN = (b"SORT", b"SORT_RO", b"SPOP")
UNDAMAGED = ("connection", "acl", "tracking", "blocking", "waker", "scripts")
# Where values leave their packed form: mostly Redis's defaults, now and then so low that a few elements do it.
SETTINGS = {
    "hash-max-listpack-entries": ["512", "4"],
    "hash-max-listpack-value": ["64", "5"],
    "zset-max-listpack-entries": ["128", "4"],
    "zset-max-listpack-value": ["64", "5"],
    "set-max-intset-entries": ["512", "4"],
    "list-max-listpack-size": ["-2", "3", "-1"],
    "stream-node-max-entries": ["100", "3"],
    "hll-sparse-max-bytes": ["3000", "100"],
    # So often does redis-server look whether a client has waited long enough.
    "hz": ["200"],
    # What programs change.
    **{name: choices[-1:] for name, choices in values.SETTINGS.items() if len(choices) > 1},
}

UNBLOCK = ("CLIENT", "UNBLOCK")
SERVED = [b"list:1", b"list:2", b"zset:1", b"zset:2", b"stream:1"]


@dataclass
class Step:
    requests: list
    comparisons: list  # one a request
    connection: int = MAIN
    # Of subscribers: there is not one reply a request, so that what comes is compared as a whole, in any order.
    whole: bool = False
    # Of clients that wait: the request is only sent; and later on the client is freed, and what it got is compared.
    posted: bool = False
    freed: bool = False
    note: str = ""


@dataclass
class Table:
    """The rows that are drawn from. `without` are commands as ("CONFIG", "GET")."""

    families: tuple
    without: set = field(default_factory=set)

    def __post_init__(self):
        self.all = {
            name: grammar.rows((REQUESTS / f"{name}.txt").read_text(), name) for name in (*self.families, *PARTS)
        }
        self.refresh()

    def refresh(self):
        self.rows = {
            name: [row for row in rows if not {row.command, row.command[:1]} & self.without]
            for name, rows in self.all.items()
        }
        self.choosable = [name for name in self.families if self.rows[name]]
        if "blocking" in self.choosable and (UNBLOCK in self.without or not self.rows["waker"]):
            self.choosable.remove("blocking")

    def commands(self):
        return sorted({row.command for rows in self.all.values() for row in rows} | {UNBLOCK})

    def leave_out(self, names):
        self.without.add(names)
        self.refresh()


class Program:
    """The steps of one program, the same for the same seed and table."""

    def __init__(self, table, seed, resp, settings):
        self.table, self.hand, self.resp = table, Hand(seed), resp
        self.settings = {
            name: self.hand.pick(SETTINGS[name][:1] * 2 + SETTINGS[name]) for name in SETTINGS if name in settings
        }

    def prelude(self):
        requests = [["CONFIG", "SET", name, value] for name, value in self.settings.items()] + [
            ["FLUSHALL"],
            ["ACL", "DELUSER", "alice", "bob"],
        ]
        return [Step([[word.encode() for word in request]], ["exact"]) for request in requests]

    def steps(self, count):
        found = []
        while len(found) < count:
            found += self._drawn()
        return found

    def _drawn(self):
        hand = self.hand
        if hand.chance(MIXED) and self.table.rows["mix"]:
            return [self._single(self._row("mix"))]
        family = hand.pick(self.table.choosable)
        if family == "transactions" and hand.chance(TRANSACTION):
            return [self._transaction()]
        if family == "pubsub":
            return self._published()
        if family == "blocking":
            return self._served()
        step = self._single(self._row(family))
        if "transactions" in self.table.choosable and hand.chance(ON_ANOTHER):
            step.connection = OTHER
        return [step]

    def _row(self, family):
        rows = self.table.rows[family]
        return self.hand.random.choices(rows, [row.weight for row in rows])[0]

    def _request(self, row):
        self.hand.kind = row.family if row.family in POOLS else None
        request = grammar.words(row.parts, self.hand)
        sound = row.family in UNDAMAGED or any(word in LEXICAL or word.upper() in (*WAITING, *OPEN) for word in request)
        if not sound and self.hand.chance(DAMAGED):
            request = self.hand.damage(request)
        return request

    def _single(self, row):
        return Step([self._request(row)], [row.comparison])

    def _transaction(self):
        families = [
            name
            for name in self.table.choosable
            if name not in ("connection", "transactions", "pubsub", "tracking", "blocking")
        ]
        requests, comparisons = [[b"MULTI"]], ["exact"]
        for _ in range(self.hand.random.randint(0, 5) if families else 0):
            row = self._row(self.hand.pick(families))
            requests.append(self._request(row))
            comparisons.append(row.comparison)
        requests.append([b"EXEC"] if self.hand.chance(0.9) else [b"DISCARD"])
        return Step(requests, [*comparisons, "exact"])

    def _published(self):
        """what the subscriber sends; or a request, and what the subscriber gets because of it"""
        if self.hand.chance(0.4) and self.table.rows["listener"]:
            return [Step([self._request(self._row("listener"))], ["unordered"], LISTENER, whole=True)]
        return [self._single(self._row("pubsub")), Step([[b"PING", b"got?"]], ["unordered"], LISTENER, whole=True)]

    def _served(self):
        """clients that wait for something, one after the other; requests that may serve them; what they got"""
        waiting = [
            Step([self._request(self._row("blocking"))], ["exact"], number, posted=True)
            for number in WAITERS[: self.hand.random.randint(1, len(WAITERS))]
        ]
        serving = [self._request(self._row("waker")) for _ in range(self.hand.random.randint(1, 3))]
        if "transactions" in self.table.choosable and self.hand.chance(0.3):
            steps = [Step([[b"MULTI"], *serving, [b"EXEC"]], ["exact"] * (len(serving) + 2))]
        else:
            steps = [Step([request], ["exact"]) for request in serving]
        first = [Step([[b"SELECT", b"0"]], ["exact"]), Step([[b"DEL", *self.hand.random.sample(SERVED, 4)]], ["exact"])]
        if ("XGROUP", "CREATE") in {row.command for row in self.table.rows["waker"]} and self.hand.chance(0.5):
            first.append(Step([[b"XGROUP", b"CREATE", b"stream:1", b"g", b"$", b"MKSTREAM"]], ["exact"]))
        freed = [
            Step(step.requests, ["exact"], step.connection, whole=True, freed=True, note="what the waiting client gets")
            for step in waiting
        ]
        return first + waiting + steps + freed
