"""Three Sentinels, a primary and two replicas, which speak TLS alone: no server has a port without it, and all want
clients' certificates. The primary is killed. Do the Sentinels see it, agree, and make a replica the new one? And before
that, hiredis_link.c: more than Sentinel asks of hiredis over libae's sessions."""

import ssl
import time

from build import library
from cluster import wait_for
from servers import ForkServer
from testkit.commands import Failure, run, say
from testkit.paths import ROOT
from testkit.ports import free_ports
from testkit.resp import Client, ReplyError
from testkit.tcl import remove, scratch

REPLICAS = 2
SENTINELS = 3
QUORUM = 2
DOWN_AFTER_MS = 2000
FAILOVER_TIMEOUT_MS = 5000
KEYS = 1000
NAME = "primary"


class TlsServer(ForkServer):
    """A server of data whose only port is for TLS."""

    certificates = None

    @classmethod
    def settings(cls, port):
        files = {"cert-file": "server.crt", "key-file": "server.key", "client-cert-file": "client.crt",
                 "client-key-file": "client.key", "ca-cert-file": "ca.crt"}
        return {"port": "0", "tls-port": str(port), "tls-replication": "yes", "bind": "127.0.0.1",
                **{f"tls-{name}": str(cls.certificates / file) for name, file in files.items()}}

    @classmethod
    def command(cls, program, folder, port, options):
        words = [word for name, value in cls.settings(port).items() for word in (f"--{name}", value)]
        return [str(program), *words, "--dir", str(folder), "--save", "", "--repl-diskless-sync-delay", "0", *options]

    def connect(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.certificates / "ca.crt")
        context.load_cert_chain(self.certificates / "client.crt", self.certificates / "client.key")
        return Client(self.port, context.wrap_socket, timeout=5)

    def ask(self, *command):
        """the reply; None while there is none"""
        return self.asked(lambda client: client.call(*command))

    def asked(self, what):
        try:
            with self.connect() as client:
                return what(client)
        except (OSError, ReplyError):
            return None

    def replication(self):
        return self.asked(lambda client: client.info("INFO", "replication")) or {}

    def is_primary_of(self, replicas):
        info = self.replication()
        return info.get("role") == "master" and info.get("connected_slaves") == str(replicas)

    def follows(self, port):
        info = self.replication()
        return info.get("master_port") == str(port) and info.get("master_link_status") == "up"


class Sentinel(TlsServer):
    @classmethod
    def command(cls, program, folder, port, options):
        """`options` is the primary's port. A Sentinel keeps what it knows in its configuration file."""
        lines = [f"{name} {value}" for name, value in cls.settings(port).items()]
        lines += [f"dir {folder}", f"sentinel monitor {NAME} 127.0.0.1 {options[0]} {QUORUM}",
                  f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}",
                  f"sentinel failover-timeout {NAME} {FAILOVER_TIMEOUT_MS}"]
        file = folder / "sentinel.conf"
        file.write_text("\n".join(lines) + "\n")
        return [str(program), str(file), "--sentinel"]

    def knows_all(self):
        """the primary is up, and both replicas and the other Sentinels are known"""
        reply = self.ask("SENTINEL", "MASTER", NAME) or []
        state = {name.decode(): value.decode() for name, value in zip(reply[::2], reply[1::2])}
        return (state.get("flags") == "master" and state.get("num-slaves") == str(REPLICAS) and
                state.get("num-other-sentinels") == str(SENTINELS - 1))

    def primary(self):
        """the primary's port, as this Sentinel has it"""
        reply = self.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
        return int(reply[1]) if reply else None


def links(server):
    """how many links of Sentinels the server has: each has one for commands and one for messages"""
    clients = (server.ask("CLIENT", "LIST") or b"").decode().splitlines()
    return sum("name=sentinel-" in client for client in clients)


def check(tree):
    """Figures of the run; a Failure when the Sentinels do not do their work."""
    TlsServer.certificates = tree.certificates
    program = tree.program(tree.fork.server)
    folder = scratch("forks-sentinel-")
    ports = free_ports(1 + REPLICAS + SENTINELS)
    servers, sentinels = {}, []
    try:
        check_link(tree, folder, ports[0])
        primary = ports[0]
        servers[primary] = TlsServer(program, folder / str(primary), primary)
        for port in ports[1:1 + REPLICAS]:
            servers[port] = TlsServer(program, folder / str(port), port, "--replicaof", "127.0.0.1", str(primary))
        wait_for("the replicas to be in step", lambda: servers[primary].is_primary_of(REPLICAS))
        for port in ports[1 + REPLICAS:]:
            sentinels.append(Sentinel(program, folder / str(port), port, str(primary)))
        wait_for("the Sentinels to know all", lambda: all(sentinel.knows_all() for sentinel in sentinels))
        wait_for("the Sentinels' links", lambda: all(links(server) == 2 * SENTINELS for server in servers.values()))
        write(servers[primary])
        return kill(program, folder, servers, sentinels, primary)
    finally:
        for server in [*servers.values(), *sentinels]:
            server.kill()
        remove(folder)


def check_link(tree, folder, port):
    """the fork's own hiredis over libae, against a server of the fork's"""
    program = folder / "hiredis_link"
    deps = tree.root / "deps"
    # Of libvalkey the sources: the server's archive wants the server's own strings.
    client = [path for path in (deps / "libvalkey/src").glob("*.c") if path.stem not in ("cluster", "rdma", "tls")]
    client = client or [deps / "hiredis/libhiredis.a"]
    headers = deps / "libvalkey/include"
    folders = (ROOT / "examples/forks", tree.source, deps / "hiredis", headers, headers / "valkey")
    run(["cc", "-O1", "-Wall", *(f"-I{path}" for path in folders), "-idirafter", ROOT / "include", "-o", program,
         ROOT / "tools/forks/hiredis_link.c", *client, library(tree.fork, tree.fork.programs[0]), "-lpthread", "-lm"])
    server = TlsServer(tree.program(tree.fork.server), folder / "link", port)
    try:
        run([program, port, tree.certificates], timeout=120)
    finally:
        server.kill()


def write(primary):
    connection = primary.connect()
    for number in range(KEYS):
        connection.call("SET", f"key:{number}", number)
    replicas = connection.call("WAIT", REPLICAS, 10000)
    connection.close()
    if replicas != REPLICAS:
        raise Failure(f"{replicas} replicas have the data")


def kill(program, folder, servers, sentinels, primary):
    servers.pop(primary).kill()
    killed = time.monotonic()
    wait_for("the Sentinels to name a new primary",
             lambda: all(sentinel.primary() in servers for sentinel in sentinels))
    chosen = {sentinel.primary() for sentinel in sentinels}
    if len(chosen) != 1:
        raise Failure(f"the Sentinels name {len(chosen)} primaries")
    new = chosen.pop()
    other = next(port for port in servers if port != new)
    wait_for("the other replica to follow", lambda: servers[other].follows(new) and servers[new].is_primary_of(1))
    failover = time.monotonic() - killed
    keys = servers[new].ask("DBSIZE")
    if keys != KEYS:
        raise Failure(f"the new primary has {keys} of {KEYS} keys")
    # It does not know that it is no longer the primary: the Sentinels tell it.
    servers[primary] = TlsServer(program, folder / str(primary), primary)
    wait_for("the killed server to become a replica", lambda: servers[primary].follows(new))
    wait_for("the Sentinels to know all again", lambda: all(sentinel.knows_all() for sentinel in sentinels))
    wait_for("the Sentinels' links", lambda: all(links(server) == 2 * SENTINELS for server in servers.values()))
    result = {"sentinels": len(sentinels), "keys": keys, "failover_s": round(failover, 1)}
    say(f"  sentinel: {result}")
    return result
