#!/usr/bin/env python3
"""libae from Python by cffi (pip install cffi): a timer, an echo server and a client in one loop.

python3 python_cffi.py                      all three; ends by itself
python3 python_cffi.py --serve 7000         the server alone, until Ctrl-C
"""

import os
import signal
import sys

from cffi import FFI

ffi = FFI()
# What is used of ae.h, anet.h and libae.h, which hold no more than C's own types.
ffi.cdef("""
    typedef struct aeEventLoop aeEventLoop;
    typedef void aeFileProc(aeEventLoop *loop, int fd, void *data, int mask);
    typedef int aeTimeProc(aeEventLoop *loop, long long id, void *data);
    typedef void aeEventFinalizerProc(aeEventLoop *loop, void *data);
    typedef void aeSignalProc(aeEventLoop *loop, int signum, void *data);

    aeEventLoop *aeCreateEventLoop(int setsize);
    void aeDeleteEventLoop(aeEventLoop *loop);
    void aeMain(aeEventLoop *loop);
    void aeStop(aeEventLoop *loop);
    int aeStopNow(aeEventLoop *loop);
    int aeCreateFileEvent(aeEventLoop *loop, int fd, int mask, aeFileProc *proc, void *data);
    void aeDeleteFileEvent(aeEventLoop *loop, int fd, int mask);
    long long aeCreateTimeEvent(aeEventLoop *loop, long long milliseconds, aeTimeProc *proc, void *data,
                                aeEventFinalizerProc *finalizer);
    int aeCreateSignalEvent(aeEventLoop *loop, int signum, aeSignalProc *proc, void *data);

    int anetTcpServer(char *err, int port, char *address, int backlog);
    int anetTcpAccept(char *err, int server, char *ip, size_t ip_len, int *port);
    int anetTcpNonBlockConnect(char *err, const char *address, int port);
    int anetNonBlock(char *err, int fd);
    int anetSockName(int fd, char *ip, size_t ip_len, int *port);
""")
ae = ffi.dlopen("libae.so.1")
AE_READABLE, AE_WRITABLE, AE_NOMORE = 1, 2, -1
ANET_ERR_LEN = 256


def check(result):
    """Makes an exception of a failure. ffi.errno is what the last call of this thread left."""
    if result in (ffi.NULL, -1):
        raise OSError(ffi.errno, os.strerror(ffi.errno))
    return result


class Loop:
    """A loop that calls any Python function. It has one C callback for all events of a kind, to which `data` says what
    to call. Both, the callback and the handle in `data`, have to be kept by the program as long as C has them: the
    library holds pointers, which Python's garbage collector does not see."""

    def __init__(self, setsize):
        def callback(kind, function, **after_failure):
            return ffi.callback(kind, function, onerror=self.failed, **after_failure)

        def forget(loop, data):
            del self.kept[data]

        self.file_proc = callback("aeFileProc *", lambda loop, fd, data, mask: ffi.from_handle(data)(fd))
        self.time_proc = callback("aeTimeProc *", lambda loop, timer, data: ffi.from_handle(data)(), error=AE_NOMORE)
        self.finalizer_proc = callback("aeEventFinalizerProc *", forget)
        self.signal_proc = callback("aeSignalProc *", lambda loop, number, data: ffi.from_handle(data)())
        self.kept = {}
        self.failures = []
        self.pointer = check(ae.aeCreateEventLoop(setsize))

    def close(self):
        ae.aeDeleteEventLoop(self.pointer)

    def watch(self, fd, mask, function):
        """Calls function(fd) whenever the descriptor is readable or writable, and nothing else for it any more."""
        self.unwatch(fd)
        self.kept[fd] = ffi.new_handle(function)
        check(ae.aeCreateFileEvent(self.pointer, fd, mask, self.file_proc, self.kept[fd]))

    def unwatch(self, fd):
        ae.aeDeleteFileEvent(self.pointer, fd, AE_READABLE | AE_WRITABLE)
        self.kept.pop(fd, None)

    def after(self, milliseconds, function):
        """Calls function() then; that returns after how many milliseconds to call it again, or AE_NOMORE."""
        handle = ffi.new_handle(function)
        self.kept[handle] = handle  # until the finalizer tells that the event is gone
        return check(ae.aeCreateTimeEvent(self.pointer, milliseconds, self.time_proc, handle, self.finalizer_proc))

    def on_signal(self, number, function):
        self.kept["signal", number] = handle = ffi.new_handle(function)
        check(ae.aeCreateSignalEvent(self.pointer, number, self.signal_proc, handle))

    def stop(self):
        ae.aeStop(self.pointer)

    def run(self):
        ae.aeMain(self.pointer)
        if self.failures:
            raise self.failures.pop(0)

    def failed(self, kind, failure, traceback):
        """An exception cannot pass through C: it is kept, the loop stops, and `run` raises it again. What C gets is
        `error`; cffi itself would print the exception and return 0, which to a time event means `again at once`."""
        self.failures.append(failure)
        check(ae.aeStopNow(self.pointer))


class Program:
    def __init__(self, loop):
        self.loop = loop
        self.ticks = 0
        self.answer = b""

    def listen(self, port):
        err, bound = ffi.new("char[]", ANET_ERR_LEN), ffi.new("int *")
        server = ae.anetTcpServer(err, port, b"127.0.0.1", 511)
        if server == -1:
            sys.exit(ffi.string(err).decode())
        check(ae.anetNonBlock(ffi.NULL, server))
        check(ae.anetSockName(server, ffi.NULL, 0, bound))
        self.loop.watch(server, AE_READABLE, self.on_accept)
        self.port = bound[0]
        print("listening on port", self.port, flush=True)

    def on_accept(self, server):
        try:
            fd = check(ae.anetTcpAccept(ffi.NULL, server, ffi.NULL, 0, ffi.NULL))
        except BlockingIOError:
            return  # it has gone again
        self.loop.watch(fd, AE_READABLE, self.on_echo)

    def on_echo(self, fd):
        try:
            block = os.read(fd, 4096)
            # A client that does not read its answers is closed; examples/c/echo.c waits for it.
            done = not block or os.write(fd, block) < len(block)
        except OSError:
            done = True
        if done:
            self.close(fd)

    def close(self, fd):
        self.loop.unwatch(fd)
        os.close(fd)

    def on_time(self):
        self.ticks += 1
        print("tick", self.ticks)
        if self.ticks < 3:
            return 20  # again in 20 milliseconds
        client = check(ae.anetTcpNonBlockConnect(ffi.NULL, b"127.0.0.1", self.port))
        self.loop.watch(client, AE_WRITABLE, self.on_connected)
        return AE_NOMORE

    def on_connected(self, fd):
        os.write(fd, b"hello\n")
        self.loop.watch(fd, AE_READABLE, self.on_answer)

    def on_answer(self, fd):
        block = os.read(fd, 4096)
        self.answer += block
        if block and not self.answer.endswith(b"\n"):
            return
        print("echo:", self.answer.decode().strip())
        self.close(fd)
        self.loop.stop()


def main():
    serve = sys.argv[1:2] == ["--serve"]
    loop = Loop(1024)
    program = Program(loop)
    program.listen(int(sys.argv[2]) if serve else 0)
    # Python's own handler would wait until Python code runs, and could raise KeyboardInterrupt in a callback only.
    loop.on_signal(signal.SIGINT, loop.stop)
    if not serve:
        loop.after(20, program.on_time)
    loop.run()
    loop.close()
    print("stopped")


if __name__ == "__main__":
    main()
