#!/usr/bin/env python3
"""A libae loop inside asyncio: asyncio watches one descriptor, which tells of everything that the loop has to do. There
is no thread, and no timer that polls.

python3 python_asyncio.py                   a timer and an echo server of libae's, tasks and a client of asyncio's
python3 python_asyncio.py --serve 7000      the server alone, until Ctrl-C
"""

import asyncio
import ctypes
import os
import signal
import sys
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_longlong, c_size_t, c_void_p

AE_READABLE, AE_NOMORE = 1, -1
AE_ALL_EVENTS, AE_DONT_WAIT = 3, 4

FileProc = CFUNCTYPE(None, c_void_p, c_int, c_void_p, c_int)
TimeProc = CFUNCTYPE(c_int, c_void_p, c_longlong, c_void_p)

libae = ctypes.CDLL("libae.so.1", use_errno=True)


def check(result, function, arguments):
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
aeProcessEvents = declare("aeProcessEvents", c_int, c_void_p, c_int)
aeGetBackendFd = declare("aeGetBackendFd", c_int, c_void_p)
aeCreateFileEvent = declare("aeCreateFileEvent", c_int, c_void_p, c_int, c_int, FileProc, c_void_p)
aeDeleteFileEvent = declare("aeDeleteFileEvent", None, c_void_p, c_int, c_int)
aeCreateTimeEvent = declare("aeCreateTimeEvent", c_longlong, c_void_p, c_longlong, TimeProc, c_void_p, c_void_p)
anetTcpServer = declare("anetTcpServer", c_int, c_char_p, c_int, c_char_p, c_int)
anetTcpAccept = declare("anetTcpAccept", c_int, c_char_p, c_int, c_char_p, c_size_t, POINTER(c_int))
anetNonBlock = declare("anetNonBlock", c_int, c_char_p, c_int)
anetSockName = declare("anetSockName", c_int, c_int, c_char_p, c_size_t, POINTER(c_int))


class AeLoop:
    """The loop, as a part of the asyncio loop that runs. Its callbacks may use asyncio: create tasks, set futures."""

    def __init__(self, setsize):
        self.pointer = aeCreateEventLoop(setsize)
        self.kept = {}
        self.host = asyncio.get_running_loop()
        self.host.add_reader(aeGetBackendFd(self.pointer), aeProcessEvents, self.pointer, AE_ALL_EVENTS | AE_DONT_WAIT)

    def close(self):
        self.host.remove_reader(aeGetBackendFd(self.pointer))
        aeDeleteEventLoop(self.pointer)

    def guarded(self, function, after_failure=None):
        """An exception cannot pass through C: asyncio's own handler of exceptions gets it."""
        def call(*arguments):
            try:
                return function(*arguments)
            except Exception as failure:
                self.host.call_exception_handler({"message": "in a callback of libae's", "exception": failure})
                return after_failure
        return call

    # The library's pointers to callbacks are unknown to Python's garbage collector: `kept` has them as long as their
    # events.

    def watch(self, fd, function):
        """Calls function(fd) whenever the descriptor is readable."""
        proc = FileProc(self.guarded(lambda loop, fd, data, mask: function(fd)))
        aeCreateFileEvent(self.pointer, fd, AE_READABLE, proc, None)
        self.kept[fd] = proc

    def unwatch(self, fd):
        aeDeleteFileEvent(self.pointer, fd, AE_READABLE)
        self.kept.pop(fd, None)

    def every(self, milliseconds, function):
        """Calls function() again and again, until that returns False."""
        def call(loop, timer, data):
            if function():
                return milliseconds
            self.host.call_soon(self.kept.pop, ("timer", timer))  # not while it runs
            return AE_NOMORE

        proc = TimeProc(self.guarded(call, AE_NOMORE))
        timer = aeCreateTimeEvent(self.pointer, milliseconds, proc, None, None)
        self.kept["timer", timer] = proc


def listen(ae, port):
    """An echo server of libae's; its descriptor and port."""
    def on_accept(server):
        try:
            fd = anetTcpAccept(None, server, None, 0, None)
        except BlockingIOError:
            return  # it has gone again
        ae.watch(fd, on_echo)

    def on_echo(fd):
        try:
            block = os.read(fd, 4096)
            # A client that does not read its answers is closed; examples/c/echo.c waits for it.
            done = not block or os.write(fd, block) < len(block)
        except OSError:
            done = True
        if done:
            ae.unwatch(fd)
            os.close(fd)

    bound = c_int()
    server = anetTcpServer(None, port, b"127.0.0.1", 511)
    anetNonBlock(None, server)
    anetSockName(server, None, 0, ctypes.byref(bound))
    ae.watch(server, on_accept)
    print("listening on port", bound.value, flush=True)
    return server, bound.value


async def tick(ae, count):
    """A timer of libae's, whose end a task of asyncio's waits for."""
    done = asyncio.get_running_loop().create_future()
    ticks = 0

    def on_time():
        nonlocal ticks
        ticks += 1
        print("tick", ticks)
        if ticks == count:
            done.set_result(None)
        return ticks < count

    ae.every(20, on_time)
    await done


async def main():
    serve = sys.argv[1:2] == ["--serve"]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    ae = AeLoop(1024)
    server, port = listen(ae, int(sys.argv[2]) if serve else 0)
    if serve:
        await stop.wait()
    else:
        await tick(ae, 3)
        slept = asyncio.create_task(asyncio.sleep(0.02, "asyncio slept"))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello\n")
        print("echo:", (await reader.readline()).decode().strip())
        print(await slept)
        writer.close()
    ae.unwatch(server)
    os.close(server)
    ae.close()
    print("stopped")


if __name__ == "__main__":
    asyncio.run(main())
