-- libae from LuaJIT: a timer, an echo server and a client in one loop.
--
--   luajit luajit.lua                  all three; ends by itself
--   luajit luajit.lua --serve 7000     the server alone, until Ctrl-C
local bit = require("bit")
local ffi = require("ffi")

-- What is used of ae.h, anet.h and libae.h, and of the C library.
ffi.cdef [[
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
int anetTcpServer(char *err, int port, const char *address, int backlog);
int anetTcpAccept(char *err, int server, char *ip, size_t ip_len, int *port);
int anetTcpNonBlockConnect(char *err, const char *address, int port);
int anetNonBlock(char *err, int fd);
int anetSockName(int fd, char *ip, size_t ip_len, int *port);

ssize_t recv(int fd, void *data, size_t count, int flags);
ssize_t send(int fd, const void *data, size_t count, int flags);
int close(int fd);
char *strerror(int number);
]]
local ae = ffi.load("libae.so.1")
local C = ffi.C

local READABLE, WRITABLE, NOMORE = 1, 2, -1
local ANET_ERR_LEN, EAGAIN, SIGINT, MSG_NOSIGNAL = 256, 11, 2, 0x4000 -- of Linux on x86-64

local function check(result, what)
    if result == nil or result == -1 then -- a NULL pointer equals nil
        error(what .. ": " .. ffi.string(C.strerror(ffi.errno())), 2)
    end
    return result
end

-- A loop that calls any function. LuaJIT has room for some hundred C callbacks, which live until `free` and are no
-- matter of the garbage collector's: so there is one for all events of a kind, which finds the function by the event.
local Loop = {}
Loop.__index = Loop

function Loop.new(setsize)
    local self = setmetatable({files = {}, timers = {}, signals = {}}, Loop)
    self.pointer = check(ae.aeCreateEventLoop(setsize), "aeCreateEventLoop")
    -- An error must not leave a callback: it is kept, the loop stops, and `run` raises it again.
    local function guarded(call, ...)
        local ok, result = pcall(call, ...)
        if ok then return result end
        self.failure = self.failure or result
        ae.aeStopNow(self.pointer)
    end
    self.file = ffi.cast("aeFileProc *", function(_, fd) guarded(self.files[fd], fd) end)
    self.time = ffi.cast("aeTimeProc *", function(_, id)
        local again = guarded(self.timers[tonumber(id)])
        if again then return again end
        self.timers[tonumber(id)] = nil
        return NOMORE
    end)
    self.signal = ffi.cast("aeSignalProc *", function(_, number) guarded(self.signals[number]) end)
    return self
end

function Loop:close()
    ae.aeDeleteEventLoop(self.pointer)
    self.file:free()
    self.time:free()
    self.signal:free()
end

-- Calls call(fd) whenever the descriptor is readable or writable, and nothing else for it any more.
function Loop:watch(fd, mask, call)
    self:unwatch(fd)
    check(ae.aeCreateFileEvent(self.pointer, fd, mask, self.file, nil), "aeCreateFileEvent")
    self.files[fd] = call
end

function Loop:unwatch(fd)
    ae.aeDeleteFileEvent(self.pointer, fd, bit.bor(READABLE, WRITABLE))
    self.files[fd] = nil
end

-- Calls it then; it returns after how many milliseconds to call it again, or nothing.
function Loop:after(milliseconds, call)
    local id = check(ae.aeCreateTimeEvent(self.pointer, milliseconds, self.time, nil, nil), "aeCreateTimeEvent")
    self.timers[tonumber(id)] = call
end

function Loop:on_signal(number, call)
    check(ae.aeCreateSignalEvent(self.pointer, number, self.signal, nil), "aeCreateSignalEvent")
    self.signals[number] = call
end

function Loop:stop()
    ae.aeStop(self.pointer)
end

function Loop:run()
    ae.aeMain(self.pointer)
    if self.failure then error(self.failure, 0) end
end
-- A function that calls back must not be compiled: the compiled code could not be entered again.
jit.off(Loop.run)

local buffer = ffi.new("char[4096]")

local function close(loop, fd)
    loop:unwatch(fd)
    C.close(fd)
end

local function listen(loop, port)
    local err, bound = ffi.new("char[?]", ANET_ERR_LEN), ffi.new("int[1]")
    local server = ae.anetTcpServer(err, port, "127.0.0.1", 511)
    if server == -1 then error(ffi.string(err), 0) end
    check(ae.anetNonBlock(nil, server), "anetNonBlock")
    check(ae.anetSockName(server, nil, 0, bound), "anetSockName")
    local function echo(fd)
        local count = C.recv(fd, buffer, ffi.sizeof(buffer), 0)
        -- A client that does not read its answers is closed; examples/c/echo.c waits for it.
        if count <= 0 or C.send(fd, buffer, count, MSG_NOSIGNAL) < count then close(loop, fd) end
    end
    loop:watch(server, READABLE, function()
        local fd = ae.anetTcpAccept(nil, server, nil, 0, nil)
        if fd == -1 and ffi.errno() == EAGAIN then return end -- it has gone again
        loop:watch(check(fd, "anetTcpAccept"), READABLE, echo)
    end)
    print("listening on port " .. bound[0])
    io.stdout:flush()
    return bound[0]
end

local function talk(loop, port)
    local answer = ""
    local fd = check(ae.anetTcpNonBlockConnect(nil, "127.0.0.1", port), "anetTcpNonBlockConnect")
    local function on_answer()
        local count = C.recv(fd, buffer, ffi.sizeof(buffer), 0)
        if count > 0 then answer = answer .. ffi.string(buffer, count) end
        if count > 0 and answer:sub(-1) ~= "\n" then return end
        print("echo: " .. answer:gsub("\n$", ""))
        close(loop, fd)
        loop:stop()
    end
    loop:watch(fd, WRITABLE, function()
        check(C.send(fd, "hello\n", 6, MSG_NOSIGNAL), "send")
        loop:watch(fd, READABLE, on_answer)
    end)
end

local serve = arg[1] == "--serve"
local loop = Loop.new(1024)
local port = listen(loop, serve and tonumber(arg[2]) or 0)
loop:on_signal(SIGINT, function() loop:stop() end)
if not serve then
    local ticks = 0
    loop:after(20, function()
        ticks = ticks + 1
        print("tick " .. ticks)
        if ticks < 3 then return 20 end
        talk(loop, port)
    end)
end
loop:run()
loop:close()
print("stopped")
