"""A server that has been told what to answer."""

import socketserver
import sys
import threading
import time
import unittest


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text), text.encode())


class Requests(socketserver.StreamRequestHandler):
    def handle(self):
        requests = []
        self.server.connections.append(requests)
        while line := self.rfile.readline():
            words = line.split()
            if line.startswith(b"*"):
                words = [self.rfile.read(int(self.rfile.readline()[1:]) + 2)[:-2] for _ in range(int(line[1:]))]
            self.server.seen.append(words)
            self.server.times.append(time.monotonic())
            requests.append(b" ".join(words))
            reply = self.server.replies.get(words[0].upper(), b"+OK\r\n") if words else b""
            reply = reply(words) if callable(reply) else reply
            if reply is None:
                return
            self.server.times.append(time.monotonic())
            self.wfile.write(reply)


class Told(socketserver.ThreadingTCPServer):
    """A server that remembers what it is asked, in all and on each connection; the replies are by command, in capitals.
    With None it ends the connection. `times` has when each request came and when it was answered."""
    daemon_threads = True

    def __init__(self, **replies):
        super().__init__(("127.0.0.1", 0), Requests)
        self.port = self.server_address[1]
        self.replies = {name.upper().encode(): reply for name, reply in replies.items()}
        self.seen, self.connections, self.times = [], [], []
        # Its end waits for as long as that, half a second by default.
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, request, client_address):
        # A client may be ended by its test.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class ToldCase(unittest.TestCase):
    """A test with such servers"""
    maxDiff = None

    def told(self, **replies):
        server = Told(**replies)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server
