"""Rows such as `ZADD <key> [(NX|XX)] (<score> <member>)+` and the requests that they stand for.

`<key>` is a value that the hand (hand.py) draws; every other word stands for itself, and so does one in quotes, as
Python writes them.
`[x]` is there or not, `(x|y)` one of several, `x*` none to three, `x+` one to three, in any nesting. A row may begin
with a number, its weight. Behind `=>` stands how its replies are compared (comparison.py), `exact` if nothing does."""

import ast
import re
from dataclasses import dataclass

TOKEN = re.compile(r"""\s*("[^"]*"|[][()|+*]|[^][()|+*\s]+)""")
# Commands whose first argument names a command of its own.
CONTAINERS = {
    "ACL",
    "CLIENT",
    "CLUSTER",
    "COMMAND",
    "CONFIG",
    "DEBUG",
    "FUNCTION",
    "LATENCY",
    "MEMORY",
    "MODULE",
    "OBJECT",
    "PUBSUB",
    "SCRIPT",
    "SLOWLOG",
    "XGROUP",
    "XINFO",
}


@dataclass(frozen=True)
class Row:
    text: str
    family: str
    weight: float
    comparison: str
    parts: tuple

    @property
    def command(self):
        """("GET",), or ("CONFIG", "GET") of a container"""
        words = [part[1] for part in self.parts[:2] if part[0] == "word"]
        return tuple(words[:2] if words[0] in CONTAINERS else words[:1])


def rows(text, family):
    found = []
    for line in text.splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            found += _rows(line, family)
    return found


def _rows(line, family):
    """one for each command that the line may begin with"""
    pattern, _, comparison = line.partition(" => ")
    weight = re.match(r"(\d+) ", pattern)
    tokens = TOKEN.findall(pattern[weight.end() if weight else 0 :])
    parts, rest = _sequence(tokens)
    if rest:
        raise ValueError(f"{line}: {rest[0]} is not expected")
    found = [parts]
    for place in range(2):
        found = [way for parts in found for way in _ways(parts, place)]
    return [
        Row(line, family, (int(weight[1]) if weight else 1) / len(found), comparison.strip() or "exact", parts)
        for parts in found
    ]


def _ways(parts, place):
    if place and parts[0][1] not in CONTAINERS or len(parts) <= place or parts[place][0] != "choice":
        return [parts]
    return [(*parts[:place], *choice, *parts[place + 1 :]) for choice in parts[place][1]]


def _sequence(tokens):
    """(the parts up to a bracket or bar, the tokens from there on)"""
    parts = []
    while tokens and tokens[0] not in ")]|":
        token, tokens = tokens[0], tokens[1:]
        if token in "([":
            choices, tokens = _choices(tokens, ")" if token == "(" else "]")
            part = ("choice" if token == "(" else "option", choices)
        elif token in "*+":
            part = ("repeat", 0 if token == "*" else 1, parts.pop())
        elif token.startswith('"'):
            part = ("word", ast.literal_eval(token))
        elif token.startswith("<"):
            part = ("value", token[1:-1].replace("-", "_"))
        else:
            part = ("word", token)
        parts.append(part)
    return tuple(parts), tokens


def _choices(tokens, close):
    choices = []
    while True:
        parts, tokens = _sequence(tokens)
        choices.append(parts)
        if not tokens or tokens[0] not in ("|", close):
            raise ValueError(f"{close} is missing")
        token, tokens = tokens[0], tokens[1:]
        if token == close:
            return tuple(choices), tokens


def words(parts, hand):
    """A request: its words as bytes."""
    found = []
    for part in parts:
        kind = part[0]
        if kind == "word":
            found.append(part[1].encode("latin-1"))
        elif kind == "value":
            drawn = getattr(hand, part[1])()
            found += drawn if isinstance(drawn, list) else [drawn]
        elif kind == "choice":
            found += words(hand.pick(part[1]), hand)
        elif kind == "option":
            if hand.chance(0.4):
                found += words(hand.pick(part[1]), hand)
        else:
            for _ in range(hand.random.choice((part[1], 1, 1, 2, 3))):
                found += words((part[2],), hand)
    return found
