"""A small client of the Redis protocol, and servers started for a while."""

import socket
import subprocess
import time

from common import Failure, environment

# Neither those of the suites nor, with the cluster bus 10000 above, what the system gives to outgoing connections.
PORTS = range(20100, 20900)


class ReplyError(Exception):
    """An error reply of the server."""


class Connection:
    """With a `context` of the module ssl, over TLS."""

    def __init__(self, port, timeout=5, context=None):
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            self.socket = context.wrap_socket(self.socket)
        self.reader = self.socket.makefile("rb")

    def close(self):
        self.reader.close()
        self.socket.close()

    def send(self, *arguments):
        parts = [b"*%d\r\n" % len(arguments)]
        for argument in arguments:
            data = argument if isinstance(argument, bytes) else str(argument).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self.socket.sendall(b"".join(parts))

    def receive(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return ReplyError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if int(rest) < 0 else self.reader.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.receive() for _ in range(int(rest))]
        raise ConnectionError(f"not RESP: {line!r}")

    def call(self, *arguments):
        self.send(*arguments)
        reply = self.receive()
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    def info(self, section):
        text = self.call("INFO", section).decode() if section != "cluster" else self.call("CLUSTER", "INFO").decode()
        return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)


class Server:
    """A server with a folder of its own, ended by its process id."""

    def __init__(self, program, folder, port, *options, before=None):
        self.port = port
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "log"
        command = self.command(program, folder, port, options)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=log, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, preexec_fn=before)
        self.wait()

    @staticmethod
    def command(program, folder, port, options):
        return [str(program), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", *options]

    def connect(self):
        return Connection(self.port)

    @property
    def pid(self):
        return self.process.pid

    def wait(self):
        for _ in range(200):
            try:
                connection = self.connect()
                connection.call("PING")
                connection.close()
                return
            except (OSError, ReplyError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.kill()
        raise Failure(f"{self.process.args[0]} does not start: {self.log.read_text(errors='replace')[-1000:]}")

    def kill(self):
        self.process.kill()
        self.process.wait()


def free_ports(count, above=0):
    """ports on which nobody listens; `above`: nor on those that many above"""
    found = []
    for port in PORTS:
        if all(_free(port + extra) for extra in {0, above}):
            found.append(port)
            if len(found) == count:
                return found
    raise Failure("no free ports")


def _free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False
