#!/usr/bin/env python3
"""libae from Python by ctypes: a timer, an echo server and a client in one loop.

python3 python_ctypes.py                    all three; ends by itself
python3 python_ctypes.py --serve 7000       the server alone, until Ctrl-C
"""

import ctypes
import os
import signal
import sys
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_longlong, c_size_t, c_void_p

AE_READABLE, AE_WRITABLE, AE_NOMORE = 1, 2, -1
ANET_ERR_LEN = 256

FileProc = CFUNCTYPE(None, c_void_p, c_int, c_void_p, c_int)
TimeProc = CFUNCTYPE(c_int, c_void_p, c_longlong, c_void_p)
SignalProc = CFUNCTYPE(None, c_void_p, c_int, c_void_p)

# use_errno: each call's errno is kept, for get_errno, before Python's own code can change it.
libae = ctypes.CDLL("libae.so.1", use_errno=True)


def check(result, function, arguments):
    """Has every function that fails raise an exception."""
    if result in (None, -1):
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}: {os.strerror(number)}")
    return result


def declare(name, result, *arguments):
    function = getattr(libae, name)
    function.restype, function.argtypes = result, arguments
    if result is not None:
        function.errcheck = check
    return function


aeCreateEventLoop = declare("aeCreateEventLoop", c_void_p, c_int)
aeDeleteEventLoop = declare("aeDeleteEventLoop", None, c_void_p)
aeMain = declare("aeMain", None, c_void_p)
aeStop = declare("aeStop", None, c_void_p)
aeStopNow = declare("aeStopNow", c_int, c_void_p)
aeCreateFileEvent = declare("aeCreateFileEvent", c_int, c_void_p, c_int, c_int, FileProc, c_void_p)
aeDeleteFileEvent = declare("aeDeleteFileEvent", None, c_void_p, c_int, c_int)
aeCreateTimeEvent = declare("aeCreateTimeEvent", c_longlong, c_void_p, c_longlong, TimeProc, c_void_p, c_void_p)
aeCreateSignalEvent = declare("aeCreateSignalEvent", c_int, c_void_p, c_int, SignalProc, c_void_p)
anetTcpServer = declare("anetTcpServer", c_int, c_char_p, c_int, c_char_p, c_int)
anetTcpAccept = declare("anetTcpAccept", c_int, c_char_p, c_int, c_char_p, c_size_t, POINTER(c_int))
anetTcpNonBlockConnect = declare("anetTcpNonBlockConnect", c_int, c_char_p, c_char_p, c_int)
anetNonBlock = declare("anetNonBlock", c_int, c_char_p, c_int)
anetSockName = declare("anetSockName", c_int, c_int, c_char_p, c_size_t, POINTER(c_int))

failures = []


def callback(kind, after_failure=None):
    """Makes a function one that C can call. An exception cannot pass through C: it is kept, the loop stops, and `run`
    raises it again. ctypes itself would print it and return whatever the memory holds."""
    def decorate(function):
        def guarded(loop, *arguments):
            try:
                return function(loop, *arguments)
            except BaseException as failure:
                failures.append(failure)
                aeStopNow(loop)
                return after_failure
        return kind(guarded)
    return decorate


def run(loop):
    aeMain(loop)
    if failures:
        raise failures.pop(0)


# The callbacks below are the module's, so they live as long as any event. One that is made on the way has to be kept
# by the program until its event is gone: the library holds a pointer, which Python's garbage collector does not see.

@callback(FileProc)
def on_accept(loop, server, data, mask):
    try:
        fd = anetTcpAccept(None, server, None, 0, None)
    except BlockingIOError:
        return  # it has gone again
    aeCreateFileEvent(loop, fd, AE_READABLE, on_echo, None)


@callback(FileProc)
def on_echo(loop, fd, data, mask):
    try:
        block = os.read(fd, 4096)
        # A client that does not read its answers is closed; examples/c/echo.c waits for it.
        done = not block or os.write(fd, block) < len(block)
    except OSError:
        done = True
    if done:
        close(loop, fd)


def close(loop, fd):
    aeDeleteFileEvent(loop, fd, AE_READABLE | AE_WRITABLE)
    os.close(fd)


ticks = 0


@callback(TimeProc, after_failure=AE_NOMORE)
def on_time(loop, timer, port):
    global ticks
    ticks += 1
    print("tick", ticks)
    if ticks < 3:
        return 20  # again in 20 milliseconds
    client = anetTcpNonBlockConnect(None, b"127.0.0.1", port)
    aeCreateFileEvent(loop, client, AE_WRITABLE, on_connected, None)
    return AE_NOMORE


@callback(FileProc)
def on_connected(loop, fd, data, mask):
    os.write(fd, b"hello\n")
    aeDeleteFileEvent(loop, fd, AE_WRITABLE)
    aeCreateFileEvent(loop, fd, AE_READABLE, on_answer, None)


answer = b""


@callback(FileProc)
def on_answer(loop, fd, data, mask):
    global answer
    block = os.read(fd, 4096)
    answer += block
    if block and not answer.endswith(b"\n"):
        return
    print("echo:", answer.decode().strip())
    close(loop, fd)
    aeStop(loop)


@callback(SignalProc)
def on_interrupt(loop, number, data):
    aeStop(loop)


def main():
    serve = sys.argv[1:2] == ["--serve"]
    loop = aeCreateEventLoop(1024)
    err, port = ctypes.create_string_buffer(ANET_ERR_LEN), c_int()
    try:
        server = anetTcpServer(err, int(sys.argv[2]) if serve else 0, b"127.0.0.1", 511)
    except OSError:
        sys.exit(err.value.decode())
    anetNonBlock(None, server)
    anetSockName(server, None, 0, ctypes.byref(port))
    aeCreateFileEvent(loop, server, AE_READABLE, on_accept, None)
    # Python's own handler would wait until Python code runs, and could raise KeyboardInterrupt in a callback only.
    aeCreateSignalEvent(loop, signal.SIGINT, on_interrupt, None)
    print("listening on port", port.value, flush=True)
    if not serve:
        aeCreateTimeEvent(loop, 20, on_time, port.value, None)
    run(loop)
    aeDeleteEventLoop(loop)
    os.close(server)
    print("stopped")


if __name__ == "__main__":
    main()
