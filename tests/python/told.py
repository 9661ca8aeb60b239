"""A server that has been told what to answer."""

import socketserver
import threading


class Requests(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            words = line.split()
            if line.startswith(b"*"):
                words = [self.rfile.read(int(self.rfile.readline()[1:]) + 2)[:-2] for _ in range(int(line[1:]))]
            self.server.seen.append(words)
            reply = self.server.replies.get(words[0], b"+OK\r\n") if words else b""
            self.wfile.write(reply(words) if callable(reply) else reply)


class Told(socketserver.ThreadingTCPServer):
    """A server that remembers what it is asked; the replies are by command."""
    daemon_threads = True

    def __init__(self, **replies):
        super().__init__(("127.0.0.1", 0), Requests)
        self.replies = {name.encode(): reply for name, reply in replies.items()}
        self.seen = []
        # Its end waits for as long as that, half a second by default.
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
