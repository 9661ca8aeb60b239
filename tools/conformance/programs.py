"""Random programs: steps, each of which is a request or several that belong together, on one of a few connections."""

from dataclasses import dataclass, field
from pathlib import Path

import grammar
import hand as drawing
from hand import LEXICAL, POOLS, Hand

REQUESTS = Path(__file__).resolve().parent / "requests"
# Not chosen by name: they are parts of others.
PARTS = ("mix", "listener")
FAMILIES = tuple(sorted(path.stem for path in REQUESTS.glob("*.txt") if path.stem not in PARTS))
MAIN, LISTENER, OTHER = range(3)
MIXED = 0.1
DAMAGED = 0.04
TRANSACTION = 0.3
ON_ANOTHER = 0.05
# A damaged request must not become one that waits forever, ends the server, or has a result that Redis leaves open.
WAITING = (b"BLPOP", b"BRPOP", b"BRPOPLPUSH", b"BLMOVE", b"BLMPOP", b"BZPOPMIN", b"BZPOPMAX", b"BZMPOP", b"BLOCK", b"WAIT")
OPEN = (b"SORT", b"SORT_RO", b"SPOP")
UNDAMAGED = ("connection", "acl", "tracking")
# Where values leave their packed form: mostly Redis's defaults, now and then so low that a few elements do it.
SETTINGS = {
    "hash-max-listpack-entries": ["512", "4"], "hash-max-listpack-value": ["64", "5"],
    "zset-max-listpack-entries": ["128", "4"], "zset-max-listpack-value": ["64", "5"],
    "set-max-intset-entries": ["512", "4"], "list-max-listpack-size": ["-2", "3", "-1"],
    "stream-node-max-entries": ["100", "3"], "hll-sparse-max-bytes": ["3000", "100"],
    # So often does redis-server look whether a client has waited long enough.
    "hz": ["200"],
    # What programs change.
    **{name: values[-1:] for name, values in drawing.SETTINGS.items() if len(values) > 1},
}


@dataclass
class Step:
    requests: list
    comparisons: list  # one a request
    connection: int = MAIN
    # Of subscribers: there is not one reply a request, so that what comes is compared as a whole, in any order.
    whole: bool = False
    note: str = ""


@dataclass
class Table:
    """The rows that are drawn from. `without` are commands as ("CONFIG", "GET")."""

    families: tuple
    without: set = field(default_factory=set)

    def __post_init__(self):
        self.all = {name: grammar.rows((REQUESTS / f"{name}.txt").read_text(), name) for name in (*self.families, *PARTS)}
        self.refresh()

    def refresh(self):
        self.rows = {name: [row for row in rows if not {row.command, row.command[:1]} & self.without]
                     for name, rows in self.all.items()}
        self.choosable = [name for name in self.families if self.rows[name]]

    def commands(self):
        return sorted({row.command for rows in self.all.values() for row in rows})

    def leave_out(self, names):
        self.without.add(names)
        self.refresh()


class Program:
    """The steps of one program, the same for the same seed and table."""

    def __init__(self, table, seed, resp, settings):
        self.table, self.hand, self.resp = table, Hand(seed), resp
        self.settings = {name: self.hand.pick(SETTINGS[name][:1] * 2 + SETTINGS[name]) for name in SETTINGS if name in settings}

    def prelude(self):
        requests = [["CONFIG", "SET", name, value] for name, value in self.settings.items()] + [["FLUSHALL"], ["ACL", "DELUSER", "alice", "bob"]]
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
        families = [name for name in self.table.choosable if name not in ("connection", "transactions", "pubsub", "tracking")]
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
