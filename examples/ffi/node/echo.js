// A libae loop beside Node's own: libuv watches one descriptor, which tells of everything that the ae loop has to do.
// There is no thread, and no timer that polls.
//
//   npm install                       koffi, which calls C
//   node echo.js                      a timer and an echo server of libae's, a timer and a client of Node's
//   node echo.js --serve 7000         the server alone, until Ctrl-C
'use strict';

const fs = require('node:fs');
const net = require('node:net');
const koffi = require('koffi');

const AE_READABLE = 1, AE_NOMORE = -1, AE_ALL_EVENTS = 3, AE_DONT_WAIT = 4, AE_ERR = -1;
const ANET_ERR_LEN = 256;
const UV_POLL = 8, UV_READABLE = 1; // of uv.h

koffi.opaque('aeEventLoop');
const FileProc = koffi.proto('void aeFileProc(aeEventLoop *loop, int fd, void *data, int mask)');
const TimeProc = koffi.proto('int aeTimeProc(aeEventLoop *loop, int64_t id, void *data)');
const PollProc = koffi.proto('void uv_poll_cb(void *handle, int status, int events)');
const CloseProc = koffi.proto('void uv_close_cb(void *handle)');

const libae = koffi.load('libae.so.1');
const aeCreateEventLoop = libae.func('aeEventLoop *aeCreateEventLoop(int setsize)');
const aeDeleteEventLoop = libae.func('void aeDeleteEventLoop(aeEventLoop *loop)');
const aeProcessEvents = libae.func('int aeProcessEvents(aeEventLoop *loop, int flags)');
const aeGetBackendFd = libae.func('int aeGetBackendFd(aeEventLoop *loop)');
const aeCreateFileEvent =
    libae.func('int aeCreateFileEvent(aeEventLoop *loop, int fd, int mask, aeFileProc *proc, void *data)');
const aeDeleteFileEvent = libae.func('void aeDeleteFileEvent(aeEventLoop *loop, int fd, int mask)');
const aeCreateTimeEvent = libae.func(
    'int64_t aeCreateTimeEvent(aeEventLoop *loop, int64_t ms, aeTimeProc *proc, void *data, void *finalizer)');
const anetTcpServer = libae.func('int anetTcpServer(char *err, int port, const char *address, int backlog)');
const anetTcpAccept = libae.func('int anetTcpAccept(char *err, int server, char *ip, size_t size, int *port)');
const anetNonBlock = libae.func('int anetNonBlock(char *err, int fd)');
const anetSockName = libae.func('int anetSockName(int fd, char *ip, size_t size, _Out_ int *port)');

// The program itself has libuv's functions.
const node = koffi.load(null);
const uv_default_loop = node.func('void *uv_default_loop()');
const uv_handle_size = node.func('size_t uv_handle_size(int type)');
const uv_poll_init = node.func('int uv_poll_init(void *loop, void *handle, int fd)');
const uv_poll_start = node.func('int uv_poll_start(void *handle, int events, uv_poll_cb *callback)');
const uv_close = node.func('void uv_close(void *handle, uv_close_cb *callback)');

function check(result, what) {
    if (result === null || result < 0) {
        // Read it right after the call.
        const number = koffi.errno();
        const code = Object.keys(koffi.os.errno).find((name) => koffi.os.errno[name] === number);
        throw Object.assign(new Error(`${what}: ${code ?? number}`), {code});
    }
    return result;
}

// A loop that calls any function. C has one callback for all events of a kind, which finds the function by the event.
// (One for each function would do, but koffi 3.3 cannot call those that were registered inside another callback.)
class AeLoop {
    constructor(setsize) {
        this.pointer = check(aeCreateEventLoop(setsize), 'aeCreateEventLoop');
        this.files = new Map();
        this.timers = new Map();
        this.failures = [];
        this.callbacks = {
            file: koffi.register((loop, fd) => this.guarded(this.files.get(fd)), koffi.pointer(FileProc)),
            time: koffi.register((loop, id) => this.guarded(this.timers.get(Number(id))) ?? AE_NOMORE,
                koffi.pointer(TimeProc)),
            ready: koffi.register(() => this.run(), koffi.pointer(PollProc)),
            closed: koffi.register(() => setImmediate(() => this.free()), koffi.pointer(CloseProc)),
        };
        this.handle = koffi.alloc('uint8_t', Number(uv_handle_size(UV_POLL)));
        uv_poll_init(uv_default_loop(), this.handle, check(aeGetBackendFd(this.pointer), 'aeGetBackendFd'));
        uv_poll_start(this.handle, UV_READABLE, this.callbacks.ready);
    }

    run() {
        aeProcessEvents(this.pointer, AE_ALL_EVENTS | AE_DONT_WAIT);
        for (const failure of this.failures.splice(0)) process.nextTick(() => { throw failure; });
    }

    // An exception cannot pass through C: it is kept, and raised from Node's own loop.
    guarded(call) {
        try {
            return call();
        } catch (failure) {
            this.failures.push(failure);
        }
    }

    watch(fd, call) {
        check(aeCreateFileEvent(this.pointer, fd, AE_READABLE, this.callbacks.file, null), 'aeCreateFileEvent');
        this.files.set(fd, call);
    }

    unwatch(fd) {
        aeDeleteFileEvent(this.pointer, fd, AE_READABLE);
        this.files.delete(fd);
    }

    // Calls it again and again until it returns false.
    every(milliseconds, call) {
        const created = aeCreateTimeEvent(this.pointer, milliseconds, this.callbacks.time, null, null);
        const id = Number(check(created, 'aeCreateTimeEvent'));
        this.timers.set(id, () => {
            if (call()) return milliseconds;
            this.timers.delete(id);
            return AE_NOMORE;
        });
    }

    // libuv uses the handle until it calls `closed`; a callback is not unregistered while it runs.
    close() {
        uv_close(this.handle, this.callbacks.closed);
        aeDeleteEventLoop(this.pointer);
    }

    free() {
        koffi.free(this.handle);
        Object.values(this.callbacks).forEach(koffi.unregister);
    }
}

function listen(ae, port) {
    const err = Buffer.alloc(ANET_ERR_LEN), bound = [0];
    const server = anetTcpServer(err, port, '127.0.0.1', 511);
    if (server === AE_ERR) throw new Error(err.toString('utf8', 0, err.indexOf(0)));
    check(anetNonBlock(null, server), 'anetNonBlock');
    check(anetSockName(server, null, 0, bound), 'anetSockName');
    ae.watch(server, () => {
        const fd = anetTcpAccept(null, server, null, 0, null);
        if (fd === AE_ERR && koffi.errno() === koffi.os.errno.EAGAIN) return; // it has gone again
        ae.watch(check(fd, 'anetTcpAccept'), () => echo(ae, fd));
    });
    console.log(`listening on port ${bound[0]}`);
    return {fd: server, port: bound[0]};
}

const buffer = Buffer.alloc(4096);

function echo(ae, fd) {
    let done;
    try {
        const count = fs.readSync(fd, buffer);
        // A client that does not read its answers is closed; examples/c/echo.c waits for it.
        done = count === 0 || fs.writeSync(fd, buffer, 0, count) < count;
    } catch {
        done = true;
    }
    if (done) {
        ae.unwatch(fd);
        fs.closeSync(fd);
    }
}

function main(serve) {
    const ae = new AeLoop(1024);
    const server = listen(ae, serve ? Number(process.argv[3]) : 0);
    const stop = () => {
        process.off('SIGINT', stop);
        ae.unwatch(server.fd);
        fs.closeSync(server.fd);
        ae.close(); // now nothing keeps Node's loop
        console.log('stopped');
    };
    process.on('SIGINT', stop);
    if (serve) return;

    let ticks = 0;
    ae.every(20, () => {
        console.log(`tick ${++ticks}`);
        if (ticks === 3) setTimeout(talk, 20); // a timer of Node's
        return ticks < 3;
    });

    const talk = () => {
        const client = net.connect(server.port, '127.0.0.1', () => client.write('hello\n'));
        let answer = '';
        client.on('data', (block) => {
            answer += block;
            if (!answer.endsWith('\n')) return;
            console.log(`echo: ${answer.trim()}`);
            client.destroy();
            stop();
        });
    };
}

main(process.argv[2] === '--serve');
