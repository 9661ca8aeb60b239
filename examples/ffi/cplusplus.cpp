// libae from C++17: a timer, an echo server and a client in one loop, with objects that clean up.
//
//   c++ -std=c++17 cplusplus.cpp -o cplusplus $(pkg-config --cflags --libs libae)
//   ./cplusplus                        all three; ends by itself
//   ./cplusplus --serve 7000           the server alone, until Ctrl-C
#include <ae.h>
#include <anet.h>
#include <libae.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace {

long long check(long long result, const char *what) {
    if (result == -1) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

class Descriptor {
public:
    explicit Descriptor(int fd) : fd(fd) {}
    Descriptor(Descriptor &&other) noexcept : fd(std::exchange(other.fd, -1)) {}
    Descriptor &operator=(Descriptor &&) = delete;
    ~Descriptor() {
        if (fd != -1) close(fd);
    }
    operator int() const { return fd; }

private:
    int fd;
};

class Loop {
public:
    explicit Loop(int setsize) : el(aeCreateEventLoop(setsize)) {
        if (!el) throw std::system_error(errno, std::generic_category(), "aeCreateEventLoop");
        aeSetLoopData(el.get(), this);
    }
    Loop(const Loop &) = delete;
    Loop &operator=(const Loop &) = delete;

    aeEventLoop *get() const { return el.get(); }
    void stop() { aeStop(el.get()); }

    void run() {
        aeMain(el.get());
        if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
    }

    // Calls it when a signal has come.
    void on_signal(int number, std::function<void()> call) {
        signals[number] = std::move(call);
        check(aeCreateSignalEvent(el.get(), number, signalled, nullptr), "aeCreateSignalEvent");
    }

    // An exception that leaves a callback leaves aeMain as well. The library can do with that, but the rest of the
    // iteration is put off, and a program that is built otherwise may not (panic = "unwind", a C caller without unwind
    // tables): so it is kept here, and `run` throws it.
    template <typename Call> void guarded(const Call &call) noexcept {
        try {
            call();
        } catch (...) {
            if (!failure) failure = std::current_exception();
            aeStopNow(el.get());
        }
    }

    static Loop &of(aeEventLoop *el) { return *static_cast<Loop *>(aeGetLoopData(el)); }

private:
    struct Delete {
        void operator()(aeEventLoop *el) const { aeDeleteEventLoop(el); }
    };

    static void signalled(aeEventLoop *el, int number, void *) {
        Loop &loop = of(el);
        loop.guarded([&] { loop.signals[number](); });
    }

    std::unique_ptr<aeEventLoop, Delete> el;
    std::map<int, std::function<void()>> signals;
    std::exception_ptr failure;
};

// A descriptor that is watched as long as the object is there. It does not move: C has its address.
class Watched {
public:
    Watched(Loop &loop, Descriptor fd) : loop(loop), fd(std::move(fd)) {}
    Watched(const Watched &) = delete;
    Watched &operator=(const Watched &) = delete;
    // The body runs before the members are destroyed: first the event, then the descriptor.
    ~Watched() { aeDeleteFileEvent(loop.get(), fd, AE_READABLE | AE_WRITABLE); }

    // Calls it whenever the descriptor is readable or writable, and nothing else for it any more.
    void on(int mask, std::function<void()> to_call) {
        call = std::move(to_call);
        aeDeleteFileEvent(loop.get(), fd, AE_READABLE | AE_WRITABLE);
        check(aeCreateFileEvent(loop.get(), fd, mask, ready, this), "aeCreateFileEvent");
    }

    int descriptor() const { return fd; }

private:
    static void ready(aeEventLoop *el, int, void *data, int) {
        // A copy: the call may end the object.
        auto call = static_cast<Watched *>(data)->call;
        Loop::of(el).guarded(call);
    }

    Loop &loop;
    Descriptor fd;
    std::function<void()> call;
};

class Timer {
public:
    // Calls it then; it returns after how many milliseconds to call it again, or AE_NOMORE.
    Timer(Loop &loop, long long milliseconds, std::function<int()> call)
        : loop(loop), call(std::move(call)),
          id(check(aeCreateTimeEvent(loop.get(), milliseconds, due, this, nullptr), "aeCreateTimeEvent")) {}
    Timer(const Timer &) = delete;
    Timer &operator=(const Timer &) = delete;
    ~Timer() { aeDeleteTimeEvent(loop.get(), id); }

private:
    static int due(aeEventLoop *el, long long, void *data) {
        auto call = static_cast<Timer *>(data)->call;
        int again = AE_NOMORE;
        Loop::of(el).guarded([&] { again = call(); });
        return again;
    }

    Loop &loop;
    std::function<int()> call;
    long long id;
};

class EchoServer {
public:
    EchoServer(Loop &loop, int port) : loop(loop), server(loop, listen(port)) {
        check(anetNonBlock(nullptr, server.descriptor()), "anetNonBlock");
        server.on(AE_READABLE, [this] { accept(); });
    }

    int port() const {
        int port;
        check(anetSockName(server.descriptor(), nullptr, 0, &port), "anetSockName");
        return port;
    }

private:
    static Descriptor listen(int port) {
        char err[ANET_ERR_LEN], address[] = "127.0.0.1";
        int fd = anetTcpServer(err, port, address, 511);
        if (fd == ANET_ERR) throw std::runtime_error(err);
        return Descriptor(fd);
    }

    void accept() {
        int fd = anetTcpAccept(nullptr, server.descriptor(), nullptr, 0, nullptr);
        if (fd == ANET_ERR && errno == EAGAIN) return; // it has gone again
        Descriptor accepted(static_cast<int>(check(fd, "anetTcpAccept")));
        auto client = clients.try_emplace(fd, loop, std::move(accepted)).first;
        client->second.on(AE_READABLE, [this, fd] { echo(fd); });
    }

    void echo(int fd) {
        char block[4096];
        ssize_t count = recv(fd, block, sizeof block, 0);
        // A client that does not read its answers is closed; examples/c/echo.c waits for it.
        if (count <= 0 || send(fd, block, count, MSG_NOSIGNAL) < count) clients.erase(fd);
    }

    Loop &loop;
    Watched server;
    std::map<int, Watched> clients;
};

class Client {
public:
    Client(Loop &loop, int port) : loop(loop), socket(loop, connect(port)) {
        socket.on(AE_WRITABLE, [this] { say(); });
    }

private:
    static Descriptor connect(int port) {
        return Descriptor(static_cast<int>(check(anetTcpNonBlockConnect(nullptr, "127.0.0.1", port), "connect")));
    }

    void say() {
        check(send(socket.descriptor(), "hello\n", 6, MSG_NOSIGNAL), "send");
        socket.on(AE_READABLE, [this] { hear(); });
    }

    void hear() {
        char block[4096];
        ssize_t count = check(recv(socket.descriptor(), block, sizeof block, 0), "recv");
        answer.append(block, count);
        if (count > 0 && answer.back() != '\n') return;
        std::cout << "echo: " << answer << std::flush;
        loop.stop();
    }

    Loop &loop;
    Watched socket;
    std::string answer;
};

void run(bool serve, int port) {
    Loop loop(1024);
    EchoServer server(loop, port);
    loop.on_signal(SIGINT, [&] { loop.stop(); });
    std::cout << "listening on port " << server.port() << std::endl;

    std::unique_ptr<Client> client;
    std::unique_ptr<Timer> timer;
    int ticks = 0;
    if (!serve)
        timer = std::make_unique<Timer>(loop, 20, [&] {
            std::cout << "tick " << ++ticks << std::endl;
            if (ticks < 3) return 20;
            client = std::make_unique<Client>(loop, server.port());
            return AE_NOMORE;
        });
    loop.run();
    std::cout << "stopped\n";
}

} // namespace

int main(int argc, char **argv) {
    try {
        bool serve = argc == 3 && argv[1] == std::string("--serve");
        run(serve, serve ? std::stoi(argv[2]) : 0);
        return 0;
    } catch (const std::exception &failure) {
        std::cerr << argv[0] << ": " << failure.what() << '\n';
        return 1;
    }
}
