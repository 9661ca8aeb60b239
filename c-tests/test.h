/* What every test program here starts from; included before anything else.
 *
 * A program is a list of cases. `prog` runs each in a process of its own, `prog NAME` runs one in this
 * process (for valgrind, sanitizers and debuggers), `prog --list` names them. Exit status: 0 passed, 77
 * skipped, anything else failed, with what was expected on stderr. A case leaves no memory and no
 * descriptor behind; the latter is checked here.
 *
 * The helpers use system calls alone, never the library that is being tested. */
#ifndef LIBAE_TEST_H
#define LIBAE_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEST_SKIPPED 77

/* No case is slow, except with valgrind on a busy machine; one that hangs ends here, whatever runs it. */
#define TEST_WATCHDOG_SECONDS 600

/* For calls with a time limit that must not come into effect. */
#define TEST_PATIENCE_MS (TEST_WATCHDOG_SECONDS * 500)

struct test_case {
    const char *name;
    void (*run)(void);
};

static const char *test_name = "";

/* ---- Failing ---- */

__attribute__((noreturn, format(printf, 3, 4))) static inline void test_fail(const char *file, int line,
                                                                             const char *format, ...) {
    va_list args;

    fprintf(stderr, "%s:%d: %s: ", file, line, test_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static inline void test_check_int(const char *file, int line, const char *what, long long actual,
                                  long long expected) {
    int saved = errno;

    if (actual != expected)
        test_fail(file, line, "%s is %lld, expected %lld (errno %d, %s)", what, actual, expected, saved,
                  strerror(saved));
    errno = saved;
}

static inline void test_check_text(const char *file, int line, const char *what, const char *actual,
                                   const char *expected) {
    if (actual == NULL || strcmp(actual, expected) != 0)
        test_fail(file, line, "%s is \"%s\", expected \"%s\"", what, actual ? actual : "(NULL)", expected);
}

static inline void test_check_part(const char *file, int line, const char *what, const char *actual,
                                   const char *part) {
    if (actual == NULL || strstr(actual, part) == NULL)
        test_fail(file, line, "%s is \"%s\", expected something with \"%s\"", what,
                  actual ? actual : "(NULL)", part);
}

static inline void test_check_failure(const char *file, int line, const char *what, long long actual,
                                      long long failure, int actual_errno, int expected_errno) {
    if (actual != failure || actual_errno != expected_errno)
        test_fail(file, line, "%s gave %lld with errno %d (%s), expected %lld with errno %d (%s)", what, actual,
                  actual_errno, strerror(actual_errno), failure, expected_errno, strerror(expected_errno));
}

#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(condition) ((condition) ? (void)0 : FAIL("%s does not hold (errno %d)", #condition, errno))
#define CHECK_INT(actual, expected) test_check_int(__FILE__, __LINE__, #actual, (actual), (expected))
#define CHECK_TEXT(actual, expected) test_check_text(__FILE__, __LINE__, #actual, (actual), (expected))
#define CHECK_CONTAINS(actual, part) test_check_part(__FILE__, __LINE__, #actual, (actual), (part))
#define CHECK_NULL(pointer) CHECK((pointer) == NULL)

/* The call returns `failure` and leaves `number` in errno. */
#define CHECK_FAILS(call, failure, number)                                                        \
    do {                                                                                          \
        long long test_actual_;                                                                   \
        errno = 0;                                                                                \
        test_actual_ = (long long)(call);                                                         \
        test_check_failure(__FILE__, __LINE__, #call, test_actual_, (failure), errno, (number)); \
    } while (0)

#define CHECK_FAILS_NULL(call, number) CHECK_FAILS((intptr_t)(void *)(call), 0, number)

/* The call returns `expected` and leaves errno as it was. */
#define CHECK_KEEPS_ERRNO(call, expected)          \
    do {                                           \
        errno = 4242;                              \
        CHECK_INT((long long)(call), (expected)); \
        CHECK_INT(errno, 4242);                    \
    } while (0)

#define SKIP(...)                                 \
    do {                                          \
        printf("%s: skipped: ", test_name);       \
        printf(__VA_ARGS__);                      \
        putchar('\n');                            \
        exit(TEST_SKIPPED);                       \
    } while (0)

/* ---- What happened, in order ---- */

static char test_log[256];

static inline void test_note(char event) {
    size_t length = strlen(test_log);

    if (length + 1 < sizeof(test_log)) test_log[length] = event;
}

/* Everything noted since the last look. */
static inline const char *test_noted(void) {
    static char noted[sizeof(test_log)];

    memcpy(noted, test_log, sizeof(noted));
    memset(test_log, 0, sizeof(test_log));
    return noted;
}

/* ---- Time, descriptors, the machine ---- */

static inline long long test_now_us(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline void test_sleep_us(long long us) {
    struct timespec rest = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};

    while (nanosleep(&rest, &rest) == -1 && errno == EINTR) continue;
}

static inline int test_open_fds(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");

    if (folder == NULL) return -1;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

static inline int test_is_open(int fd) { return fcntl(fd, F_GETFD) != -1; }

/* A descriptor number that nothing uses now. */
static inline int test_unused_fd(void) {
    int fd = fcntl(0, F_DUPFD_CLOEXEC, 0);

    CHECK(fd != -1);
    close(fd);
    return fd;
}

static inline void test_set_nonblocking(int fd) {
    CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
}

/* Two connected, non-blocking stream sockets. */
static inline void test_pair(int fds[2]) {
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
}

static inline void test_pipe(int fds[2]) { CHECK(pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0); }

static inline void test_close_pair(const int fds[2]) {
    close(fds[0]);
    close(fds[1]);
}

static inline void test_send(int fd, const char *text) {
    CHECK_INT(write(fd, text, strlen(text)), (long long)strlen(text));
}

/* Over TCP, loopback or not, what one end does reaches the other in the kernel's own time. */
static inline void test_await(int fd, short events) {
    struct pollfd entry = {fd, events, 0};

    CHECK_INT(poll(&entry, 1, TEST_PATIENCE_MS), 1);
}

/* Reads what is there; returns how many bytes. */
static inline int test_drain(int fd) {
    char buffer[4096];
    ssize_t count;
    int total = 0;

    while ((count = read(fd, buffer, sizeof(buffer))) > 0) total += (int)count;
    return total;
}

/* Fills a socket's buffers, so that it is not writable. */
static inline void test_fill(int fd) {
    static const char block[4096] = {0};

    while (write(fd, block, sizeof(block)) > 0) continue;
    CHECK_INT(errno, EAGAIN);
}

static inline socklen_t test_loopback(int family, int port, struct sockaddr_storage *storage) {
    memset(storage, 0, sizeof(*storage));
    storage->ss_family = (sa_family_t)family;
    if (family == AF_INET6) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;

        six->sin6_addr = in6addr_loopback;
        six->sin6_port = htons((uint16_t)port);
        return sizeof(*six);
    }
    ((struct sockaddr_in *)storage)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ((struct sockaddr_in *)storage)->sin_port = htons((uint16_t)port);
    return sizeof(struct sockaddr_in);
}

/* A socket's option that is a number. */
static inline int test_option(int fd, int level, int name) {
    int value = -1;
    socklen_t length = sizeof(value);

    CHECK(getsockopt(fd, level, name, &value, &length) == 0);
    return value;
}

/* The port of a socket's own end. */
static inline int test_port(int fd) {
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);

    CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

/* A non-blocking socket that listens on a loopback port of the kernel's choice. */
static inline int test_listen(int family, int backlog, int *port) {
    struct sockaddr_storage address;
    socklen_t length = test_loopback(family, 0, &address);
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    CHECK(fd != -1);
    CHECK(bind(fd, (struct sockaddr *)&address, length) == 0);
    CHECK(listen(fd, backlog) == 0);
    *port = test_port(fd);
    return fd;
}

/* A blocking connect to a loopback port. */
static inline int test_connect(int family, int port) {
    struct sockaddr_storage address;
    socklen_t length = test_loopback(family, port, &address);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd != -1);
    CHECK(connect(fd, (struct sockaddr *)&address, length) == 0);
    return fd;
}

/* The next connection of those that listen. */
static inline int test_accept(int listening, int flags) {
    int fd;

    test_await(listening, POLLIN);
    fd = accept4(listening, NULL, NULL, flags);
    CHECK(fd != -1);
    return fd;
}

/* A loopback port on which nobody listens. The system gives none below 32768 to a socket that asks for any, and the servers
 * of other tests and of forks' suites use none of these, so that no other process is on it a moment later. */
static inline int test_closed_port(void) {
    static int calls;
    int bound = 0, port = 0;

    while (!bound) {
        struct sockaddr_storage address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK(fd != -1);
        CHECK(calls < 1000);
        port = 25000 + (getpid() * 7 + calls++) % 1000;
        bound = bind(fd, (struct sockaddr *)&address, test_loopback(AF_INET, port, &address)) == 0;
        close(fd);
    }
    return port;
}

static inline void test_needs_ipv6(void) {
    struct sockaddr_storage address;
    socklen_t length = test_loopback(AF_INET6, 0, &address);
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int usable = fd != -1 && bind(fd, (struct sockaddr *)&address, length) == 0;

    if (fd != -1) close(fd);
    if (!usable) SKIP("no ::1 here");
}

/* A new folder for unix sockets; remove what is in it, then it, with rmdir. */
static inline void test_folder(char path[64]) {
    strcpy(path, "/tmp/libae-test-XXXXXX");
    CHECK(mkdtemp(path) != NULL);
}

/* A group that a file of ours can be given: for root one that it would not have anyway. */
/* The backend that is the kernel's own poller, which tells one file from another. */
static inline const char *test_poller(void) {
    const char *wanted = getenv("LIBAE_BACKEND");

    return wanted != NULL && strcmp(wanted, "kqueue") == 0 ? wanted : "epoll";
}

static inline gid_t test_other_group(void) { return geteuid() == 0 ? getegid() + 1 : getegid(); }

static inline int test_slow_tool(void) {
    const char *preloaded = getenv("LD_PRELOAD");

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 1;
#endif
    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

/* ---- Signals, from a process of our own ---- */

static inline void test_on_signal(int number) { (void)number; }

/* SIGUSR1 comes every few milliseconds, without SA_RESTART, until test_stop_signals. */
static inline pid_t test_start_signals(void) {
    struct sigaction action;
    pid_t parent = getpid(), child;

    memset(&action, 0, sizeof(action));
    action.sa_handler = test_on_signal;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        while (getppid() == parent) {
            test_sleep_us(20000);
            kill(parent, SIGUSR1);
        }
        _exit(0);
    }
    return child;
}

static inline void test_reap(pid_t child) {
    while (waitpid(child, NULL, 0) == -1) CHECK_INT(errno, EINTR);
}

static inline void test_stop_signals(pid_t child) {
    kill(child, SIGKILL);
    test_reap(child);
}

/* ---- Running ---- */

static inline void test_on_watchdog(int number) {
    static const char text[] = ": the case hangs\n";

    (void)number;
    if (write(2, test_name, strlen(test_name)) == -1 || write(2, text, sizeof(text) - 1) == -1) _exit(3);
    _exit(2);
}

static inline int test_run_here(const struct test_case *one) {
    int before;

    test_name = one->name;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, test_on_watchdog);
    alarm(TEST_WATCHDOG_SECONDS);
    before = test_open_fds();
    one->run();
    if (test_open_fds() != before)
        FAIL("the case began with %d descriptors and ended with %d", before, test_open_fds());
    alarm(0);
    return 0;
}

static inline int test_run_apart(const struct test_case *one) {
    int status;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) exit(test_run_here(one));
    if (child == -1 || waitpid(child, &status, 0) != child) return 1;
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    fprintf(stderr, "%s: killed by signal %d\n", one->name, WTERMSIG(status));
    return 1;
}

static inline int test_main(int argc, char **argv, const struct test_case *cases, size_t count) {
    int failed = 0, skipped = 0;
    size_t i;

    for (i = 0; argc > 1 && i < count; i++) {
        if (strcmp(argv[1], "--list") == 0)
            puts(cases[i].name);
        else if (strcmp(argv[1], cases[i].name) == 0)
            return test_run_here(&cases[i]);
    }
    if (argc > 1) {
        if (strcmp(argv[1], "--list") == 0) return 0;
        fprintf(stderr, "%s: no case of that name: %s\n", argv[0], argv[1]);
        return 1;
    }
    for (i = 0; i < count; i++) {
        int status = test_run_apart(&cases[i]);

        if (status == TEST_SKIPPED) skipped++;
        if (status != 0 && status != TEST_SKIPPED) {
            printf("FAIL %s\n", cases[i].name);
            failed++;
        }
    }
    printf("%s: %zu cases, %d failed, %d skipped\n", argv[0], count, failed, skipped);
    if (failed) return 1;
    return (size_t)skipped == count ? TEST_SKIPPED : 0;
}

#define CASE(function) {#function, function}

#define TEST_MAIN(...)                                                               \
    int main(int argc, char **argv) {                                                \
        static const struct test_case cases[] = {__VA_ARGS__};                       \
        return test_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));       \
    }

#endif
