"""A terminal for a program, and a server for it to ask."""

import os
import pty
import select
import signal
import socket
import struct
import termios
import time
from fcntl import ioctl

from testkit.resp import PATIENCE


class Terminal:
    """A program in a terminal"""

    def __init__(self, *words, **environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Who runs tests in the background may ignore them, and so would the program.
            for keyboard in signal.SIGINT, signal.SIGQUIT:
                signal.signal(keyboard, signal.SIG_DFL)
            os.execve(words[0], words, {**os.environ, "TERM": "xterm", **environment})
        self.resize(24, 100)
        self.seen = b""

    def resize(self, rows, columns):
        ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        """What there is now; nothing at the end"""
        ready, _, _ = select.select([self.fd], [], [], 1)
        if not ready:
            return None
        try:
            return os.read(self.fd, 65536)
        except OSError:
            return b""

    def expect(self, text):
        """Waits until it is shown, and forgets everything up to it; what was before it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            before, found, after = self.seen.partition(text)
            if found:
                self.seen = after
                return before
            more = self.read()
            if more == b"":
                break
            self.seen += more or b""
        raise AssertionError(f"{text} is not shown, but {self.seen[-2000:]}")

    def type(self, keys):
        os.write(self.fd, keys)

    def wait(self):
        """Waits for its end; its status, below 0 after a signal."""
        process = os.pidfd_open(self.pid)
        ready, _, _ = select.select([process], [], [], PATIENCE)
        os.close(process)
        if not ready:
            os.kill(self.pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if not ready:
            raise AssertionError("it does not end")
        return status

    def end(self):
        """The same, of one that may still show something."""
        deadline = time.monotonic() + PATIENCE
        while self.read() != b"" and time.monotonic() < deadline:
            pass
        status = self.wait()
        os.close(self.fd)
        return status


class ScriptedServer:
    """A server whose every word is the test's"""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE)
        self.port = self.socket.getsockname()[1]
        return self

    def accept(self):
        link, _ = self.socket.accept()
        link.settimeout(PATIENCE)
        return link

    def __exit__(self, *_):
        self.socket.close()
