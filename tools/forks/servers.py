"""A fork's servers."""

from testkit.commands import environment
from testkit.resp import Client
from testkit.server import Server


class ForkServer(Server):
    """One with a folder of its own, which can be used at once. `before` is called in its process before it starts."""

    def __init__(self, program, folder, port, *options, before=None):
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "log", "a+b") as log:
            super().__init__(self.command(program, folder, port, options), port, log, cwd=folder, env=environment(),
                             preexec_fn=before)
            self.wait()

    @staticmethod
    def command(program, folder, port, options):
        return [program, "--port", port, "--bind", "127.0.0.1", "--dir", folder, "--save", "", *options]

    def connect(self):
        return Client(self.port, timeout=5)

    def reach(self):
        with self.connect() as client:
            client.call("PING")
