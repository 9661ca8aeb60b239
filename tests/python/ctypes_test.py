#!/usr/bin/env python3
"""libae from Python, by ctypes alone: nothing here needs a C header or a compiler.

LIBAE_SO names the library (default: build/libae.so beside this tree).
"""

import ctypes
import errno
import os
import pathlib
import socket
import sys
import tempfile
import unittest
from ctypes import POINTER, CFUNCTYPE, c_char_p, c_int, c_longlong, c_size_t, c_ssize_t, c_void_p

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBAE = ctypes.CDLL(os.environ.get("LIBAE_SO", str(ROOT / "build" / "libae.so")), use_errno=True)

AE_OK, AE_ERR = 0, -1
AE_READABLE, AE_WRITABLE = 1, 2
AE_ALL_EVENTS, AE_DONT_WAIT = 3, 4
AE_NOMORE = -1
ANET_ERR = -1
C_OK = 0
CONN_STATE_CONNECTED = 3

FileProc = CFUNCTYPE(None, c_void_p, c_int, c_void_p, c_int)
TimeProc = CFUNCTYPE(c_int, c_void_p, c_longlong, c_void_p)
FinalizerProc = CFUNCTYPE(None, c_void_p, c_void_p)
ConnectionFunc = CFUNCTYPE(None, c_void_p)
NO_FINALIZER = FinalizerProc()
NO_CONNECTION_FUNC = ConnectionFunc()


def declare(name, result, *arguments):
    function = getattr(LIBAE, name)
    function.restype = result
    function.argtypes = arguments
    return function


aeCreateEventLoop = declare("aeCreateEventLoop", c_void_p, c_int)
aeDeleteEventLoop = declare("aeDeleteEventLoop", None, c_void_p)
aeMain = declare("aeMain", None, c_void_p)
aeStop = declare("aeStop", None, c_void_p)
aeProcessEvents = declare("aeProcessEvents", c_int, c_void_p, c_int)
aeCreateFileEvent = declare("aeCreateFileEvent", c_int, c_void_p, c_int, c_int, FileProc, c_void_p)
aeDeleteFileEvent = declare("aeDeleteFileEvent", None, c_void_p, c_int, c_int)
aeGetFileEvents = declare("aeGetFileEvents", c_int, c_void_p, c_int)
aeCreateTimeEvent = declare("aeCreateTimeEvent", c_longlong, c_void_p, c_longlong, TimeProc, c_void_p, FinalizerProc)
aeDeleteTimeEvent = declare("aeDeleteTimeEvent", c_int, c_void_p, c_longlong)
aeGetApiName = declare("aeGetApiName", c_char_p)
anetTcpServer = declare("anetTcpServer", c_int, c_char_p, c_int, c_char_p, c_int)
anetTcpAccept = declare("anetTcpAccept", c_int, c_char_p, c_int, c_char_p, c_size_t, POINTER(c_int))
anetUnixServer = declare("anetUnixServer", c_int, c_char_p, c_char_p, c_int, c_int)
anetNonBlock = declare("anetNonBlock", c_int, c_char_p, c_int)
connTypeInitialize = declare("connTypeInitialize", c_int)
connectionTypeTcp = declare("connectionTypeTcp", c_void_p)
connCreateAccepted = declare("connCreateAccepted", c_void_p, c_void_p, c_int, c_void_p)
connCreate = declare("connCreate", c_void_p, c_void_p)
connConnect = declare("connConnect", c_int, c_void_p, c_char_p, c_int, c_char_p, ConnectionFunc)
connAccept = declare("connAccept", c_int, c_void_p, ConnectionFunc)
connRead = declare("connRead", c_int, c_void_p, c_char_p, c_size_t)
connWrite = declare("connWrite", c_int, c_void_p, c_char_p, c_size_t)
connSyncReadLine = declare("connSyncReadLine", c_ssize_t, c_void_p, c_char_p, c_ssize_t, c_longlong)
connBlockingConnect = declare("connBlockingConnect", c_int, c_void_p, c_char_p, c_int, c_longlong)
connSetReadHandler = declare("connSetReadHandler", c_int, c_void_p, ConnectionFunc)
connGetState = declare("connGetState", c_int, c_void_p)
connGetType = declare("connGetType", c_char_p, c_void_p)
connFormatAddr = declare("connFormatAddr", c_int, c_void_p, c_char_p, c_size_t, c_int)
connClose = declare("connClose", None, c_void_p)
libaeVersion = declare("libaeVersion", c_char_p)
libaeAbiProfile = declare("libaeAbiProfile", c_char_p)


class LoopTest(unittest.TestCase):
    def setUp(self):
        self.loop = aeCreateEventLoop(1024)
        self.assertTrue(self.loop)
        self.addCleanup(lambda: aeDeleteEventLoop(self.loop))

    def run_until(self, done):
        while not done():
            self.assertNotEqual(aeProcessEvents(self.loop, AE_ALL_EVENTS), AE_ERR)


class EventLoop(LoopTest):
    def test_names(self):
        self.assertIn(aeGetApiName(), (b"epoll", b"kqueue", b"poll", b"select"))
        self.assertRegex(libaeVersion(), rb"^1\.\d+\.\d+$")
        self.assertEqual(libaeAbiProfile(), b"redis-7.2")

    def test_timer_repeats_and_ends(self):
        ticks = []

        @TimeProc
        def on_time(loop, event, data):
            ticks.append(event)
            return 1 if len(ticks) < 3 else AE_NOMORE

        event = aeCreateTimeEvent(self.loop, 1, on_time, None, NO_FINALIZER)
        self.assertEqual(event, 0)
        self.run_until(lambda: len(ticks) == 3)
        self.assertEqual(ticks, [0, 0, 0])
        self.assertEqual(aeDeleteTimeEvent(self.loop, event), AE_ERR)
        self.assertEqual(ctypes.get_errno(), errno.ENOENT)

    def test_finalizer_runs_once(self):
        finalized = []
        on_final = FinalizerProc(lambda loop, data: finalized.append(data))
        on_time = TimeProc(lambda loop, event, data: AE_NOMORE)
        aeCreateTimeEvent(self.loop, 0, on_time, 77, on_final)
        for _ in range(3):
            aeProcessEvents(self.loop, AE_ALL_EVENTS | AE_DONT_WAIT)
        self.assertEqual(finalized, [77])

    def test_main_and_stop(self):
        here, there = socket.socketpair()
        self.addCleanup(here.close)
        self.addCleanup(there.close)
        received = []

        @FileProc
        def on_readable(loop, fd, data, mask):
            received.append((here.recv(16), mask))
            aeStop(loop)

        self.assertEqual(aeCreateFileEvent(self.loop, here.fileno(), AE_READABLE, on_readable, None), AE_OK)
        there.send(b"hello")
        aeMain(self.loop)
        self.assertEqual(received, [(b"hello", AE_READABLE)])
        aeDeleteFileEvent(self.loop, here.fileno(), AE_READABLE)

    def test_errors_have_an_errno(self):
        on_readable = FileProc(lambda loop, fd, data, mask: None)
        self.assertEqual(aeCreateFileEvent(self.loop, 5000, AE_READABLE, on_readable, None), AE_ERR)
        self.assertEqual(ctypes.get_errno(), errno.ERANGE)


class Anet(LoopTest):
    def test_echo(self):
        """An echo server of anet functions and file events, and a client of Python's own."""
        err = ctypes.create_string_buffer(256)
        server = anetTcpServer(err, 0, b"127.0.0.1", 16)
        self.assertNotEqual(server, ANET_ERR, err.value)
        self.addCleanup(os.close, server)
        self.assertEqual(anetNonBlock(err, server), 0)
        clients = {}

        @FileProc
        def on_echo(loop, fd, data, mask):
            block = os.read(fd, 4096)
            if block:
                os.write(fd, block)
                return
            aeDeleteFileEvent(loop, fd, AE_READABLE)
            os.close(fd)
            del clients[fd]

        @FileProc
        def on_accept(loop, fd, data, mask):
            ip, port = ctypes.create_string_buffer(64), c_int()
            accepted = anetTcpAccept(err, fd, ip, len(ip), ctypes.byref(port))
            self.assertNotEqual(accepted, ANET_ERR, err.value)
            clients[accepted] = (ip.value, port.value)
            aeCreateFileEvent(loop, accepted, AE_READABLE, on_echo, None)

        self.assertEqual(aeCreateFileEvent(self.loop, server, AE_READABLE, on_accept, None), AE_OK)
        with socket.socket(fileno=os.dup(server)) as listening:
            address = listening.getsockname()
        with socket.create_connection(address) as client:
            client.sendall(b"over and out")
            self.run_until(lambda: clients)
            self.assertEqual(list(clients.values()), [(b"127.0.0.1", client.getsockname()[1])])
            aeProcessEvents(self.loop, AE_ALL_EVENTS)
            client.settimeout(60)
            self.assertEqual(client.recv(64), b"over and out")
        self.run_until(lambda: not clients)

    def test_error_text(self):
        err = ctypes.create_string_buffer(256)
        with socket.create_server(("127.0.0.1", 0)) as used:
            self.assertEqual(anetTcpServer(err, used.getsockname()[1], b"127.0.0.1", 16), ANET_ERR)
        self.assertEqual(ctypes.get_errno(), errno.EADDRINUSE)
        self.assertEqual(err.value, b"bind: Address already in use")
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(anetUnixServer(err, f"{folder}/{'p' * 200}".encode(), 0, 16), ANET_ERR)
            self.assertEqual(ctypes.get_errno(), errno.ENAMETOOLONG)
            self.assertEqual(os.listdir(folder), [])


class Connection(LoopTest):
    def setUp(self):
        super().setUp()
        self.assertEqual(connTypeInitialize(), C_OK)

    def test_echo(self):
        """Connections by the functions that are static inlines upstream: here a library has them."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            client = socket.create_connection(server.getsockname())
            self.addCleanup(client.close)
            accepted, _ = server.accept()
        accepted.setblocking(False)
        conn = connCreateAccepted(connectionTypeTcp(), accepted.detach(), None)
        self.assertTrue(conn)
        received = []

        @ConnectionFunc
        def on_read(c):
            buffer = ctypes.create_string_buffer(64)
            count = connRead(c, buffer, len(buffer))
            received.append(buffer.raw[:max(count, 0)])
            if count > 0:
                self.assertEqual(connWrite(c, buffer, count), count)
            else:
                connClose(c)

        self.assertEqual(connAccept(conn, NO_CONNECTION_FUNC), C_OK)
        self.assertEqual(connGetState(conn), CONN_STATE_CONNECTED)
        self.assertEqual(connGetType(conn), b"tcp")
        address = ctypes.create_string_buffer(64)
        connFormatAddr(conn, address, len(address), 1)
        self.assertEqual(address.value.decode(), "127.0.0.1:%d" % client.getsockname()[1])
        self.assertEqual(connSetReadHandler(conn, on_read), C_OK)
        client.sendall(b"ping")
        self.run_until(lambda: received)
        client.settimeout(60)
        self.assertEqual(client.recv(64), b"ping")
        client.close()
        self.run_until(lambda: len(received) == 2)
        self.assertEqual(received, [b"ping", b""])

    def test_connect(self):
        states = []
        on_connect = ConnectionFunc(lambda c: states.append(connGetState(c)))
        with socket.create_server(("127.0.0.1", 0)) as server:
            conn = connCreate(connectionTypeTcp())
            self.addCleanup(connClose, conn)
            self.assertEqual(connConnect(conn, b"127.0.0.1", server.getsockname()[1], None, on_connect), C_OK)
            self.run_until(lambda: states)
        self.assertEqual(states, [CONN_STATE_CONNECTED])

    def test_blocking(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            conn = connCreate(connectionTypeTcp())
            self.addCleanup(connClose, conn)
            self.assertEqual(connBlockingConnect(conn, b"127.0.0.1", server.getsockname()[1], 10000), C_OK)
            accepted, _ = server.accept()
        with accepted:
            accepted.sendall(b"+PONG\r\n")
            line = ctypes.create_string_buffer(64)
            self.assertGreater(connSyncReadLine(conn, line, len(line), 10000), 0)
            self.assertEqual(line.value, b"+PONG")


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f"ctypes-test: {result.testsRun - failed} passed, {failed} failed")
    sys.exit(bool(failed))
