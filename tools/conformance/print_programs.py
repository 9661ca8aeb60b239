#!/usr/bin/env python3
"""Prints random programs for tests that send them somewhere by themselves: steps, each of which is a line in the form of
a request, and as many requests behind it as that says.

  program NAME               a new program begins
  run CONNECTION COUNT       the requests are sent, and there are replies
  post CONNECTION COUNT      the request waits for something
  free CONNECTION 0          the client of this connection no longer waits
  wait MILLISECONDS          time passes

What RESTORE gets are the payloads on standard input, in hexadecimal, one a line."""

import argparse
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

from hand import KEYS, Hand  # noqa: E402
from programs import FAMILIES, MAIN, SETTINGS, Program, Table  # noqa: E402
from testkit.resp import request  # noqa: E402

# These change no data.
WITHOUT = ("acl", "connection", "tracking")
# How often a key is given so short a life that it is over before the next request.
SHORT_LIVED = 0.04


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--first", type=int, default=0, help="the number of the first program")
    parser.add_argument("--programs", type=int, default=1)
    parser.add_argument("--steps", type=int, default=200, help="at least, in each program")
    parser.add_argument("--time", action="store_true", help="time passes, and keys expire")
    parser.add_argument("--without", default="", help="commands that are left out, with commas: SORT,OBJECT ENCODING")
    options = parser.parse_args()
    Hand.payloads = [bytes.fromhex(line) for line in sys.stdin.read().split()]
    table = Table(tuple(name for name in FAMILIES if name not in WITHOUT))
    for text in filter(None, options.without.split(",")):
        table.leave_out(tuple(text.upper().split()))
    out = sys.stdout.buffer
    for number in range(options.first, options.first + options.programs):
        name = f"{options.seed}/{number}"
        out.write(request("program", name))
        program = Program(table, name, 2, SETTINGS)
        for step in program.prelude() + program.steps(options.steps):
            kind = "post" if step.posted else "free" if step.freed else "run"
            requests = [] if step.freed else step.requests
            out.write(request(kind, str(step.connection), str(len(requests))))
            out.write(b"".join(request(*words) for words in requests))
            if options.time and program.hand.chance(SHORT_LIVED):
                out.write(request("run", str(MAIN), "1"))
                out.write(request("PEXPIRE", program.hand.pick(KEYS), "20"))
                out.write(request("wait", "30"))


if __name__ == "__main__":
    main()
