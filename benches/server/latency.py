"""How long replies take at a fixed rate."""

from pathlib import Path

from memory import encoded, fill
from testkit.commands import Failure, completed, run
from testkit.paths import BUILD

RATES = (10_000, 40_000)
SECONDS = 5
CLIENTS = 50
SIZE = 100
QUANTILES = ("p50", "p99", "p99.9", "max")
KEYS = 100_000


def program():
    """rate.c, compiled"""
    made = BUILD / "bench" / "rate"
    made.parent.mkdir(parents=True, exist_ok=True)
    run(["cc", "-O2", "-Wall", "-Wextra", "-o", made, Path(__file__).with_name("rate.c")])
    return made


def measured(peer, rate, seconds, generator, on_one, on_others):
    """{quantile: microseconds}"""
    with peer.start(before=on_one) as server:
        fill(server, encoded(("SET", f"key:{number:06d}", "v" * SIZE) for number in range(KEYS)))
        return at_rate(server, rate, seconds, generator, on_others)


def at_rate(server, rate, seconds, generator, on_others):
    """of a server that runs"""
    done = completed([str(word) for word in (generator, server.port, CLIENTS, rate, seconds, SIZE)], preexec_fn=on_others,
                     timeout=60 + 10 * seconds)
    if done.returncode:
        raise Failure(f"{server.process.args[0]} at {rate} requests a second: {done.stderr.strip()}")
    return dict(zip(QUANTILES, map(float, done.stdout.split())))
