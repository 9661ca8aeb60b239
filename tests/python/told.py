"""A server that has been told what to answer."""

import socketserver
import threading


class Requests(socketserver.StreamRequestHandler):
    def handle(self):
        requests = []
        self.server.connections.append(requests)
        while line := self.rfile.readline():
            words = line.split()
            if line.startswith(b"*"):
                words = [self.rfile.read(int(self.rfile.readline()[1:]) + 2)[:-2] for _ in range(int(line[1:]))]
            self.server.seen.append(words)
            requests.append(b" ".join(words))
            reply = self.server.replies.get(words[0].upper(), b"+OK\r\n") if words else b""
            reply = reply(words) if callable(reply) else reply
            if reply is None:
                return
            self.wfile.write(reply)


class Told(socketserver.ThreadingTCPServer):
    """A server that remembers what it is asked, in all and on each connection; the replies are by command, in capitals. With None it
    ends the connection."""
    daemon_threads = True

    def __init__(self, **replies):
        super().__init__(("127.0.0.1", 0), Requests)
        self.port = self.server_address[1]
        self.replies = {name.upper().encode(): reply for name, reply in replies.items()}
        self.seen, self.connections = [], []
        # Its end waits for as long as that, half a second by default.
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
