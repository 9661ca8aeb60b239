// The headers in a C++17 program: all of them compile, and a loop with a timer and a pair of sockets runs.
#include <ae.h>
#include <anet.h>
#include <connection.h>
#include <libae.h>

#include "conn_test.h"

#include <cstdio>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

namespace {

struct Seen {
    int bytes = 0;
    int ticks = 0;
};

void on_readable(aeEventLoop *loop, int fd, void *data, int) {
    char buffer[16];
    auto *seen = static_cast<Seen *>(data);

    seen->bytes += static_cast<int>(read(fd, buffer, sizeof(buffer)));
    aeDeleteFileEvent(loop, fd, AE_READABLE);
}

TIME_RESULT on_time(aeEventLoop *loop, long long, void *data) {
    auto *seen = static_cast<Seen *>(data);

    if (++seen->ticks < 3) return 1;
    aeStop(loop);
    return AE_NOMORE;
}

int failed(const char *what) {
    std::fprintf(stderr, "cplusplus: %s\n", what);
    return 1;
}

int loop_runs() {
    Seen seen;
    int fds[2];
    aeEventLoop *loop = aeCreateEventLoop(64);

    if (loop == nullptr || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) return failed("no loop or no sockets");
    if (aeCreateFileEvent(loop, fds[0], AE_READABLE, on_readable, &seen) != AE_OK) return failed("no file event");
    if (aeCreateTimeEvent(loop, 1, on_time, &seen, nullptr) == AE_ERR) return failed("no time event");
    if (write(fds[1], "hello", 5) != 5) return failed("no write");
    aeMain(loop);
    aeDeleteEventLoop(loop);
    close(fds[0]);
    close(fds[1]);
    return seen.bytes == 5 && seen.ticks == 3 ? 0 : failed("the loop did not do its work");
}

int connection_runs() {
    int fds[2];
    char text[32];
    connection *conn;
    aeEventLoop *el = aeCreateEventLoop(64);

    if (el == nullptr || test_conn_types() != C_OK) return failed("no types");
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) return failed("no sockets");
    conn = test_conn_create_accepted(el, UNIX_TYPE, fds[0]);
    if (conn == nullptr || connAccept(conn, [](connection *) {}) != C_OK) return failed("no connection");
    if (connWrite(conn, "hi", 2) != 2 || read(fds[1], text, sizeof(text)) != 2) return failed("no data");
    if (!test_conn_has_type(conn, "unix")) return failed("another type");
    connClose(conn);
    aeDeleteEventLoop(el);
    close(fds[1]);
    return 0;
}

}  // namespace

int main(int argc, char **argv) {
    struct {
        const char *name;
        int (*run)();
    } const cases[] = {{"loop_runs", loop_runs}, {"connection_runs", connection_runs}};
    int failed = 0;

    for (const auto &one : cases) {
        if (argc > 1 && std::strcmp(argv[1], "--list") == 0)
            std::puts(one.name);
        else if (argc == 1 || std::strcmp(argv[1], one.name) == 0)
            failed += one.run() != 0;
    }
    if (argc == 1) std::printf("%s: 2 cases, %d failed, 0 skipped\n", argv[0], failed);
    return failed != 0;
}
