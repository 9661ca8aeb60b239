/* The `openssl` command as the other side. */
#ifndef LIBAE_TLS_OPENSSL_H
#define LIBAE_TLS_OPENSSL_H

#include "tls_test.h"

#include <sys/ioctl.h>

/* The running command: its pid, what it reads, and what it has written to stdout and stderr. */
static pid_t tool;
static int tool_in = -1, tool_out = -1, tool_status;
static char tool_text[256 * 1024];
static size_t tool_length;

enum { MOST_ARGUMENTS = 48 };

/* Starts `openssl` with these arguments, up to NULL. */
static inline void tool_start(const char *first, ...) {
    char *arguments[MOST_ARGUMENTS] = {"openssl", (char *)first};
    int in[2], out[2], count = 2;
    va_list more;

    va_start(more, first);
    while ((arguments[count] = va_arg(more, char *)) != NULL) CHECK(++count < MOST_ARGUMENTS);
    va_end(more);
    CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    tool = fork();
    CHECK(tool != -1);
    if (tool == 0) {
        signal(SIGPIPE, SIG_DFL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        unsetenv("LD_PRELOAD");
        execvp("openssl", arguments);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    tool_in = in[1];
    tool_out = out[0];
    test_set_nonblocking(tool_out);
    tool_length = 0;
    tool_text[0] = '\0';
}

/* Reads what it has written; 0 when it has ended. */
static inline int tool_look(void) {
    ssize_t count;

    while ((count = read(tool_out, tool_text + tool_length, sizeof(tool_text) - 1 - tool_length)) > 0) {
        tool_length += (size_t)count;
        tool_text[tool_length] = '\0';
    }
    return count != 0;
}

/* Runs the loop and the command side by side until the condition holds. */
#define TOOL_UNTIL(condition)                                                                             \
    do {                                                                                                  \
        long long end_ = test_now_us() + TEST_PATIENCE_MS * 1000LL;                                       \
        while (tool_look(), !(condition)) {                                                               \
            if (test_now_us() > end_) FAIL("%s does not come; openssl says: %s", #condition, tool_text); \
            if (aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT) == 0) test_sleep_us(1000);              \
        }                                                                                                 \
    } while (0)

#define TOOL_SAYS(text) TOOL_UNTIL(strstr(tool_text, (text)) != NULL)

/* Whether it has taken all that was sent to it. */
static inline int tool_has_read(void) {
    int unread;

    CHECK_INT(ioctl(tool_in, FIONREAD, &unread), 0);
    return unread == 0;
}

static inline void tool_close_in(void) {
    if (tool_in != -1) close(tool_in);
    tool_in = -1;
}

/* Ends the command, if need be by force; its status is in `tool_status`. */
static inline void tool_end(void) {
    tool_close_in();
    kill(tool, SIGTERM);
    while (waitpid(tool, &tool_status, 0) == -1) CHECK_INT(errno, EINTR);
    close(tool_out);
    tool_out = -1;
}

/* It ends by itself. */
static inline void tool_wait(void) {
    tool_close_in();
    TOOL_UNTIL(waitpid(tool, &tool_status, WNOHANG) == tool);
    tool_look();
    close(tool_out);
    tool_out = -1;
}

static inline int tool_count(const char *text) {
    const char *at = tool_text;
    int count = 0;

    while ((at = strstr(at, text)) != NULL) at++, count++;
    return count;
}

#endif
