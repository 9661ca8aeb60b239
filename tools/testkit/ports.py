"""Ports on which nobody listens, and on which nobody will a moment later: the system gives none below 32768 to a socket
that asks for any, the suites of forks use others, and abstract unix sockets, one for each port that a process has
taken, tell the other tests' processes. (crates/testkit does the same.)

`python3 -m testkit.ports` prints one."""

import itertools
import os
import socket

ANY = range(30900, 32700)
# For those who use the ports 10000 above as well, as the nodes of clusters do.
WITH_BUS = range(20100, 20900)

_calls = itertools.count(os.getpid() * 7)


def free_port():
    return free_ports(1)[0]


def free_ports(count, above=0):
    """As many, which stay this process's; `above`: with those that many above."""
    places = WITH_BUS if above else ANY
    found, locks = [], []
    for _ in places:
        port = places[next(_calls) % len(places)]
        both = [_taken_for_us(number) for number in sorted({port, port + above})]
        if None in both:
            _release(both)
            continue
        found.append(port)
        locks += both
        if len(found) == count:
            # Open for as long as this process lives, and no object that Python would miss a close of.
            for lock in locks:
                lock.detach()
            return found
    _release(locks)
    raise OSError(f"no {count} free ports in {places}")


def _release(locks):
    for lock in filter(None, locks):
        lock.close()


def _taken_for_us(port):
    """What tells the others that the port is taken; None when it is."""
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(f"\0libae-test-port-{port}")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
        return lock
    except OSError:
        lock.close()
        return None


if __name__ == "__main__":
    print(free_port())
