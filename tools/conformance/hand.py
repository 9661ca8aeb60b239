"""What the rows of requests/ draw their arguments from. `<key>` of a row is the method `key`; most draw something valid
most of the time. Nothing that is drawn makes a reply depend on how fast a server is, or a value huge."""

import random
import re

from values import (
    CATEGORIES,
    CHANNELS,
    COMMANDS,
    CURSORS,
    ENTRIES,
    FILTERS,
    FLOATS,
    LARGE,
    NO_NUMBERS,
    PATTERNS,
    RULES,
    SETTINGS,
    STRINGS,
)

# Keys of one kind are mostly used by the commands of that kind; now and then by another's.
POOLS = {
    kind: [f"{kind}:{number}".encode() for number in range(1, 5)]
    for kind in ("string", "list", "hash", "set", "zset", "stream", "hyperloglog", "geo", "bits")
}
ODD_KEYS = [b"", b"\x00\xff\r\n", b"\x80", b"k\xfe", b"a", b"{t}b"]
KEYS = [key for pool in POOLS.values() for key in pool] + ODD_KEYS
# Keys of sorted sets whose members have the same score; no other command uses them.
LEXICAL = [b"lexical:1", b"lexical:2", b"lexical:3"]
DATABASES = ["0", "0", "1", "9"]


# Commands that make a string as long as they are told.
PLACING = (b"SETBIT", b"SETRANGE", b"BITFIELD")


def is_far(word):
    """whether it is a place so far away that the string there becomes huge"""
    return re.fullmatch(rb"#?[0-9]{6,10}", word) is not None


class Hand:
    """Draws from a random.Random of its own; `kind` says whose keys are preferred."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.kind = None
        self.counted = 1

    def pick(self, choices):
        return self.random.choice(choices)

    def chance(self, share):
        return self.random.random() < share

    def _mostly(self, share, usual, other):
        found = self.pick(usual if self.chance(share) else other)
        return found if isinstance(found, bytes) else str(found).encode()

    # --- keys

    def key(self):
        pool = POOLS.get(self.kind)
        return self._mostly(0.85 if pool else 0, pool or KEYS, KEYS)

    def lexical(self):
        return self.pick(LEXICAL)

    def keys(self):
        """how many, and as many"""
        found = [self.key() for _ in range(self.random.randint(1, 3))]
        self.counted = len(found)
        count = str(len(found)) if self.chance(0.93) else self.pick(["0", "-1", "9", "x", "", LARGE[0]])
        return [count.encode(), *found]

    def weights(self):
        """as many as keys() has drawn last"""
        count = self.counted if self.chance(0.93) else self.random.randint(0, 4)
        return [self._mostly(0.8, ["1", "2", "-1", "0", "0.5", "1e3", "inf"], FLOATS) for _ in range(count)]

    def streams(self):
        """keys, and as many places to read them from"""
        count = self.random.randint(1, 3)
        places = count if self.chance(0.95) else self.random.randint(0, 4)
        return [self.key() for _ in range(count)] + [
            self._mostly(0.9, ["0", "0-0", "$", *ENTRIES], ["+", "-", ">", "x"]) for _ in range(places)
        ]

    def news(self):
        """the same for a group's consumer"""
        count = self.random.randint(1, 2)
        return [self.key() for _ in range(count)] + [
            self._mostly(0.95, [">", ">", ">", "0", "1-1"], ["$", "x"]) for _ in range(count)
        ]

    # --- numbers

    def number(self):
        return self._mostly(0.8, range(-20, 200), LARGE + NO_NUMBERS)

    def index(self):
        return self._mostly(0.9, range(-6, 7), ["100", "-100", *LARGE, *NO_NUMBERS])

    def count(self):
        return self._mostly(0.9, range(0, 8), ["-1", "1000", *LARGE, *NO_NUMBERS])

    def few(self):
        """How many random members: these may repeat, and so must not be billions."""
        return self._mostly(
            0.9, range(-6, 7), ["100", "-100", *NO_NUMBERS, "99999999999999999999", "-9223372036854775808"]
        )

    def all(self):
        """as many as there are, or none: which members are random does not show"""
        return self._mostly(0.95, ["100000", "100000", "0"], ["x", ""])

    def float(self):
        return self._mostly(0.3, range(-20, 20), FLOATS)

    def score(self):
        return self._mostly(0.6, range(-3, 8), FLOATS)

    def bound(self):
        """of a range of scores"""
        found = self._mostly(0.5, ["-inf", "+inf", "0", "1", "3", "5"], FLOATS)
        return b"(" + found if self.chance(0.25) else found

    def lex(self):
        """of a range of members"""
        if self.chance(0.4):
            return self.pick([b"-", b"+"])
        return self.pick([b"[", b"[", b"(", b"(", b""]) + self.member()

    def time(self):
        """Either so long that nothing expires during the test or no good at all."""
        return self._mostly(0.75, range(1_000_000, 2_000_000, 1000), ["0", "-1", "-100", *LARGE, *NO_NUMBERS])

    def seconds(self):
        """since 1970"""
        return self._mostly(0.8, ["99999999999", "99999999998"], ["1", "0", "-1", *LARGE, *NO_NUMBERS])

    def milliseconds(self):
        return self._mostly(0.8, ["9999999999999", "9999999999998"], ["1", "0", "-1", *LARGE, *NO_NUMBERS])

    def timeout(self):
        """of a command that waits, in seconds: short, since nobody will serve it"""
        return self._mostly(
            0.8, ["0.001", "0.002", ".001"], ["-1", "x", "", "1e400", "99999999999999999999", "-0.1", "nan", "inf"]
        )

    def wait(self):
        """the same in milliseconds"""
        return self._mostly(0.8, ["1", "2"], ["-1", "x", "", "99999999999999999999", "0.5"])

    # --- contents

    def value(self):
        choice = self.random.random()
        if choice < 0.3:
            return str(self.random.randint(-1000, 1000)).encode()
        if choice < 0.45:
            return str(self.pick(LARGE + FLOATS)).encode()
        return self.pick(STRINGS)

    def member(self):
        choice = self.random.random()
        if choice < 0.45:
            return self.pick([b"a", b"b", b"c", b"d", b"e", b"f", b"aa", b"ab"])
        if choice < 0.75:
            return str(self.random.randint(-5, 30)).encode()
        return self.value()

    field = member

    def members(self):
        """many, in order to leave the packed form"""
        first = self.random.randint(0, 50)
        return [f"m{number}".encode() for number in range(first, first + self.pick([20, 140]))]

    def integers(self):
        first = self.pick([-5, 100, 40000, 3_000_000_000])
        return [str(number).encode() for number in range(first, first + self.pick([20, 140]))]

    def many_fields(self):
        return [word for member in self.members() for word in (member, b"v" + member)]

    def many_scores(self):
        return [word for number, member in enumerate(self.members()) for word in (str(number % 17).encode(), member)]

    def pattern(self):
        return self.pick(PATTERNS)

    def cursor(self):
        return self._mostly(1, CURSORS, CURSORS)

    def type(self):
        return self._mostly(
            0.9, ["string", "list", "hash", "set", "zset", "stream", "STRING"], ["", "x", "hyperloglog"]
        )

    def by(self):
        """of SORT: where the weights are"""
        return self.pick([b"string:*", b"*", b"hash:*->f", b"hash:1->*", b"w*", b"hash:*->", b"->*", b"*->a"])

    def get(self):
        return self.pick([b"#", b"string:*", b"hash:*->f", b"hash:1->*", b"nostar", b"*->", b"*"])

    def junk(self):
        return self._mostly(
            0.5, ["NX", "XX", "GET", "COUNT", "LIMIT", "WITHSCORES", "JUNK", "MATCH", "*", "-1"], STRINGS
        )

    # --- bits

    def bit(self):
        return self._mostly(0.9, ["0", "1"], ["2", "-1", "x", "", "01"])

    def offset(self):
        """No large ones that are valid: they make strings of half a gigabyte."""
        return self._mostly(
            0.9,
            [*range(0, 64), 100, 1000, 4095],
            ["-1", "4294967296", "9223372036854775807", "x", "", "1.0", "18446744073709551615"],
        )

    def place(self):
        """of BITFIELD"""
        return self._mostly(
            0.75,
            [*range(0, 40), "#0", "#1", "#3", "#10"],
            ["-1", "#-1", "#x", "#", "x", "", "4294967296", "#4294967296"],
        )

    def width(self):
        usual = "u1 u2 u4 u7 u8 u16 u32 u63 i1 i5 i8 i16 i32 i64".split()
        return self._mostly(0.9, usual, ["u64", "i65", "u0", "i0", "x8", "u", "", "U8", "u08", "8", "i-1"])

    # --- geography

    def longitude(self):
        return self._mostly(
            0.93,
            ["13.361389", "15.087269", "2.34", "-0.12", "139.69", "-74.0", "180", "-180", "0"],
            ["181", "x", "", "nan", "1e400"],
        )

    def latitude(self):
        return self._mostly(
            0.93,
            ["38.115556", "37.502669", "48.85", "51.5", "35.68", "40.7", "85.05", "-85.05", "0"],
            ["86", "x", "", "-90", "inf"],
        )

    def unit(self):
        return self._mostly(0.93, ["m", "km", "ft", "mi", "KM"], ["", "x", "cm"])

    def radius(self):
        return self._mostly(0.93, ["0", "1", "200", "500", "5000", "20000", "300000.5", "1e7"], ["-1", "x", "", "nan"])

    def place_name(self):
        return self._mostly(0.9, ["Palermo", "Catania", "Paris", "London", "Tokyo"], STRINGS)

    # --- streams

    def entry(self):
        """an entry's ID as XADD takes it; none depends on the clock"""
        if self.chance(0.6):
            return f"{self.random.randint(0, 40)}-{self.random.randint(0, 5)}".encode()
        return self._mostly(
            0.8,
            [*(f"{number}-*" for number in range(1, 40, 5)), *range(1, 40)],
            [
                "0-0",
                "x",
                "",
                "1-",
                "-1",
                "-",
                "+",
                "1-1-1",
                "18446744073709551615-18446744073709551615",
                "18446744073709551616-1",
                "1-18446744073709551616",
                "*-1",
                "1-x",
            ],
        )

    def id(self):
        return self._mostly(
            0.92, [*ENTRIES, "0", "5", "0-0"], ["x", "", "$", "-", "+", ">", "1-", "18446744073709551616-1"]
        )

    def edge(self):
        """of a range of entries"""
        found = self._mostly(
            0.92,
            ["-", "+", "-", "+", *ENTRIES, "3", "10"],
            ["x", "", "$", "1-", "18446744073709551615-18446744073709551615", "0-0"],
        )
        return b"(" + found if self.chance(0.15) else found

    def group(self):
        return self._mostly(0.9, ["g", "g", "h"], ["", "nosuch", b"\x00"])

    def consumer(self):
        return self._mostly(0.95, ["alice", "bob"], ["", b"\xff"])

    def idle(self):
        return self._mostly(0.8, ["0", "0", "99999999"], ["-1", "x", ""])

    # --- everything else

    def channel(self):
        return self.pick(CHANNELS)

    def channel_pattern(self):
        return self.pick([b"*", b"n*", b"[ns]*", b"h?llo", b"", b"a"])

    def database(self):
        return self._mostly(0.9, DATABASES, ["16", "-1", "x", "", *LARGE])

    def command(self):
        return self._mostly(
            0.9, COMMANDS, ["nosuch", "config|get", "CONFIG|SET", "acl|nosuch", "get|x", "", "GET", "xgroup|create"]
        )

    def category(self):
        return self._mostly(0.95, CATEGORIES, ["all", "x", "", "READ"])

    def listed_category(self):
        """of which both servers have the same commands: CLIENT SETINFO and NO-TOUCH are of Redis 7.2"""
        return self._mostly(0.95, [name for name in CATEGORIES if name not in ("connection", "slow")], ["all", "x"])

    def user(self):
        return self._mostly(0.97, ["alice", "bob"], ["nosuch", "a b", b"x\x00", ""])

    def rule(self):
        """of a user"""
        choice = self.random.random()
        if choice < 0.35:
            return self.pick([b"+", b"-"]) + self.pick([b"@" + self.category(), self.command().lower()])
        return self.pick(RULES)

    def filter(self):
        """Of CLIENT KILL and CLIENT LIST; what they are for is not there, or they are wrong."""
        return [word.encode("latin-1") for word in self.pick(FILTERS)]

    def not_number(self):
        return self.pick(
            ["", "x", " 1", "01", "+1", "0x1", "1 ", "-0", "-2", "99999999999999999999", "1\x002"]
        ).encode()

    def setting(self):
        """a parameter's name and a value"""
        name = self.pick(list(SETTINGS))
        values = SETTINGS[name]
        numeric = values[0][-1:].isdigit() and len(values) > 1
        value = self.pick(values + NO_NUMBERS if numeric else values)
        return [self.pick([name, name, name.upper(), name.capitalize()]).encode(), value.encode()]

    def setting_name(self):
        """Of parameters, and patterns that only those match which both servers have."""
        return self._mostly(
            0.6,
            list(SETTINGS),
            [
                "TIMEOU[T]",
                "tcp-keep*",
                "proto-max-bulk-le*",
                "[s]AVE",
                "[\\S]AVE",
                "[T-m]imeout",
                "[t-M]imeout",
                "nosuch*",
                b"\xff",
                "",
            ],
        )

    def payload(self):
        return self.pick(self.payloads + [b"", b"x" * 12, self.pick(self.payloads)[:-1]])

    # What DUMP gives; the test sets it.
    payloads = [b"\x00\x01x"]

    def damage(self, request):
        """the request with something wrong, mostly"""
        damaged = self._damage(list(request))
        name = request[0].upper()
        is_far_away = name in PLACING and any(map(is_far, damaged))
        needs_the_clock = name == b"XADD" and b"*" in damaged
        return request if is_far_away or needs_the_clock else damaged

    def _damage(self, request):
        at = self.random.randrange(1, len(request)) if len(request) > 1 else 0
        kind = self.random.randrange(6)
        if kind == 0:
            return request[: self.random.randint(1, len(request))]
        if kind == 1:
            return request + [self.junk()]
        if kind == 2 and at:
            request[at] = self.junk()
        elif kind == 3 and at:
            request.insert(at, self.junk())
        elif kind == 4:
            request[at] = request[at].swapcase()
        elif at:
            request[at] = self.key()
        return request
