"""A cluster of six nodes under load, one of whose primaries is killed: which acknowledged writes survive?

A primary acknowledges a write before its replica has it, so those of the last moment before the kill may be lost: that
is the cluster protocol's own gap. A write that WAIT has confirmed to be on the replica must not be, nor one that
another node acknowledged, nor an old one."""

import threading
import time
from dataclasses import dataclass

from servers import ForkServer
from testkit.commands import Failure, run, say
from testkit.ports import free_ports
from testkit.resp import Client, ReplyError
from testkit.tcl import remove, scratch

NODES = 6
NODE_TIMEOUT_MS = 2000
WRITERS = 4
WRITES_BEFORE = 20000
WRITES_AFTER = 5000
LOAD_LIMIT = 30
WRITES_PER_WRITER = 60000
FAILOVER_LIMIT = 40
# How old a write may be at the kill and be lost. Replication over loopback lags by far less.
GAP_SECONDS = 1.0


@dataclass
class Write:
    key: str
    port: int
    time: float  # when it was sent: it was acknowledged later
    confirmed: bool


class Writer(threading.Thread):
    """Writes keys of its own one after the other and keeps a record of those acknowledged. Every second writer waits
    for the replica after each."""

    def __init__(self, index, ports, stop):
        super().__init__()
        self.index = index
        self.ports = ports
        self.stop = stop
        self.connections = {}
        self.owners = {}
        self.writes = []
        self.refused = 0
        self.error = None

    def run(self):
        try:
            for number in range(WRITES_PER_WRITER):
                if self.stop.is_set():
                    break
                self._write(f"key:{self.index}:{number}", str(number))
        except Exception as error:  # shown by the main thread
            self.error = error
        for connection in self.connections.values():
            connection.close()

    def _write(self, key, value):
        """until it is acknowledged or the load ends; each attempt may go to another node"""
        slot = key_slot(key.encode())
        while not self.stop.is_set():
            port = self.owners.get(slot) or self.ports[slot % len(self.ports)]
            try:
                connection = self._connection(port)
                start = time.monotonic()
                connection.call("SET", key, value)
            except ReplyError as error:
                words = str(error).split()
                if words[0] == "MOVED":
                    self.owners[slot] = int(words[2].rpartition(":")[2])
                    continue
                if words[0] not in ("CLUSTERDOWN", "LOADING", "READONLY"):
                    raise
                self._refused(slot)
                continue
            except OSError:
                self._drop(port)
                self.owners = {known: owner for known, owner in self.owners.items() if owner != port}
                self._refused(slot)
                continue
            write = Write(key, port, start, False)
            self.writes.append(write)
            if self.index % 2:
                write.confirmed = self._confirmed(connection, port)
            return

    def _confirmed(self, connection, port):
        try:
            return connection.call("WAIT", "1", "1000") >= 1
        except (OSError, ReplyError):
            self._drop(port)
            return False

    def _refused(self, slot):
        self.refused += 1
        self.owners.pop(slot, None)
        # Any node may know more by now.
        self.ports = self.ports[1:] + self.ports[:1]
        time.sleep(0.02)

    def _connection(self, port):
        if port not in self.connections:
            self.connections[port] = Client(port, timeout=5)
        return self.connections[port]

    def _drop(self, port):
        if port in self.connections:
            self.connections.pop(port).close()


def key_slot(key):
    """CRC16 (XMODEM) modulo 16384, for keys without a hash tag"""
    crc = 0
    for byte in key:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc % 16384


def check(tree):
    """Figures of the run; a Failure when something was lost that must not be."""
    folder = scratch("forks-cluster-")
    nodes = {}
    try:
        ports = free_ports(NODES, above=10000)
        for port in ports:
            nodes[port] = start(tree, folder, port)
        addresses = [f"127.0.0.1:{port}" for port in ports]
        run([tree.program(tree.fork.cli), "--cluster", "create", *addresses, "--cluster-replicas", "1", "--cluster-yes"],
            timeout=120)
        wait_for("the cluster to be up", lambda: all(settled(port) for port in ports))
        return kill_under_load(tree, folder, nodes, ports)
    finally:
        for node in nodes.values():
            node.kill()
        remove(folder)


def start(tree, folder, port):
    return ForkServer(tree.program(tree.fork.server), folder / str(port), port, "--cluster-enabled", "yes",
                      "--cluster-node-timeout", str(NODE_TIMEOUT_MS), "--repl-diskless-sync-delay", "0")


def kill_under_load(tree, folder, nodes, ports):
    stop = threading.Event()
    writers = [Writer(index, list(ports), stop) for index in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        load(writers, WRITES_BEFORE)
        victim = next(port for port in ports if role(port) == "master")
        killed = time.monotonic()
        nodes[victim].kill()
        others = [port for port in ports if port != victim]
        wait_for("the failover", lambda: sum(role(port) == "master" for port in others) == 3 and
                 all(ask(port, "CLUSTER", "INFO").get("cluster_state") == "ok" for port in others))
        failover = time.monotonic() - killed
        load(writers, WRITES_AFTER)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    for writer in writers:
        if writer.error:
            raise writer.error
    nodes[victim] = start(tree, folder, victim)
    wait_for("the killed node to come back as a replica", lambda: role(victim) == "slave" and settled(victim))
    return judge([write for writer in writers for write in writer.writes], stored(others), victim, killed, failover)


def load(writers, count):
    """until there are so many more writes, or for some time on a slow machine"""
    end, wanted = time.monotonic() + LOAD_LIMIT, count + sum(len(writer.writes) for writer in writers)
    while time.monotonic() < end and sum(len(writer.writes) for writer in writers) < wanted:
        time.sleep(0.02)


def judge(writes, keys, victim, killed, failover):
    after = sum(write.time > killed for write in writes)
    lost = [write for write in writes if write.key not in keys]
    problems = []
    for write in lost:
        age = killed - write.time
        if write.confirmed:
            problems.append(f"{write.key}: confirmed by WAIT, {age * 1000:.0f} ms before the kill")
        elif write.port != victim:
            problems.append(f"{write.key}: acknowledged by a node that was not killed")
        elif not 0 <= age <= GAP_SECONDS:
            problems.append(f"{write.key}: acknowledged {age * 1000:.0f} ms before the kill")
    if problems:
        raise Failure(f"{len(problems)} acknowledged writes are lost:\n" + "\n".join(problems[:20]))
    if not after or not any(write.port == victim for write in writes):
        raise Failure("the load did not reach the killed node, or stopped with it")
    result = {"writes": len(writes), "confirmed": sum(write.confirmed for write in writes), "after": after,
              "lost": len(lost), "lost_confirmed": 0,
              "oldest_lost_ms": round(max((killed - write.time for write in lost), default=0) * 1000, 1),
              "failover_s": round(failover, 1)}
    say(f"  cluster: {result}")
    return result


def stored(ports):
    """all keys of the primaries"""
    keys = set()
    for port in ports:
        if role(port) == "master":
            with Client(port, timeout=30) as client:
                keys.update(key.decode() for key in client.call("KEYS", "*"))
    return keys


def ask(port, *command):
    try:
        with Client(port, timeout=5) as client:
            return client.info(*command)
    except (OSError, ReplyError):
        return {}


def role(port):
    return ask(port, "INFO", "replication").get("role")


def settled(port):
    """knows of six nodes and all slots; a replica is also in step with its primary"""
    cluster, replication = ask(port, "CLUSTER", "INFO"), ask(port, "INFO", "replication")
    return (cluster.get("cluster_state") == "ok" and cluster.get("cluster_known_nodes") == str(NODES) and
            (replication.get("master_link_status") == "up" or
             replication.get("role") == "master" and replication.get("connected_slaves") == "1"))


def wait_for(what, condition):
    end = time.monotonic() + FAILOVER_LIMIT
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"waited {FAILOVER_LIMIT} s for {what}")
        time.sleep(0.05)
