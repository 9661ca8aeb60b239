"""A small client of the Redis protocol."""

import socket

# Seconds: more than anything here takes on a busy machine.
PATIENCE = 300


class Error(str):
    """An error reply."""


class ReplyError(Exception):
    """The same, where it is not wanted."""


class Ended(EOFError, ConnectionError):
    """The server has closed the connection."""


class Null:
    """A null of RESP2, which has two; RESP3's is None."""

    def __init__(self, kind):
        self.kind = kind

    def __repr__(self):
        return f"null {self.kind}"


NULL_BULK, NULL_ARRAY = Null("bulk"), Null("array")


class Text(bytes):
    """A RESP3 verbatim string."""


class Map(list):
    """A RESP3 map, as a list of pairs."""


class Set(list):
    """A RESP3 set."""


class Client:
    """A client of the server at a port of 127.0.0.1, at an address, or at the path of a unix socket. `wrap` makes
    something else of its socket, such as one with TLS. Called with a command, it shows the reply as it is. What RESP3
    pushes is in `pushes`, wherever it came."""

    def __init__(self, address, wrap=lambda plain: plain, timeout=PATIENCE):
        address = ("127.0.0.1", address) if isinstance(address, int) else address
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(address)
            if family == socket.AF_INET:
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket = wrap(self.socket)
        except BaseException:
            self.socket.close()
            raise
        self.file = self.socket.makefile("rb")
        self.pushes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, *args):
        self.socket.sendall(request(*args))

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise Ended(f"the connection ended after {line!r}")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Error(rest.decode("latin-1"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            size = int(rest)
            return NULL_BULK if size < 0 else self.file.read(size + 2)[:-2]
        if kind == b"*":
            size = int(rest)
            return NULL_ARRAY if size < 0 else [self.read() for _ in range(size)]
        if kind == b">":
            self.pushes.append([self.read() for _ in range(int(rest))])
            return self.read()
        if kind == b"_":
            return None
        if kind == b"=":
            return Text(self.file.read(int(rest) + 2)[:-2])
        if kind == b"%":
            return Map((self.read(), self.read()) for _ in range(int(rest)))
        if kind == b"~":
            return Set(self.read() for _ in range(int(rest)))
        raise ValueError(f"not a reply: {line!r}")

    def __call__(self, *args):
        self.send(*args)
        return self.read()

    def call(self, *args):
        """The reply, None for each kind of null; raises an error."""
        reply = self(*args)
        if isinstance(reply, Error):
            raise ReplyError(reply)
        return None if isinstance(reply, Null) else reply

    def info(self, *command):
        """The fields of a reply such as INFO's."""
        return dict(line.split(":", 1) for line in self.call(*command).decode().split("\r\n") if ":" in line)


def request(*args):
    parts = [arg if isinstance(arg, bytes) else str(arg).encode() for arg in args]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
