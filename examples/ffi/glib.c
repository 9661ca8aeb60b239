/* A libae loop inside GLib's: GLib watches one descriptor, which tells of everything that the ae loop has to do. There
 * is no thread, and no timer that polls. GTK programs have the same main loop.
 *
 *   cc glib.c -o glib $(pkg-config --cflags --libs libae glib-2.0)
 *   ./glib                           a timer and an echo server of libae's, a time-out and a client of GLib's
 *   ./glib --serve 7000              the server alone, until Ctrl-C
 */
#define _POSIX_C_SOURCE 200809L

#include <ae.h>
#include <anet.h>
#include <errno.h>
#include <glib-unix.h>
#include <libae.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static GMainLoop *main_loop;
static int port;

/* The flags for the sleep hooks are given as well if the program has any. */
static gboolean ae_has_work(gint fd, GIOCondition condition, gpointer data) {
    (void) fd, (void) condition;
    aeProcessEvents(data, AE_ALL_EVENTS | AE_DONT_WAIT);
    return G_SOURCE_CONTINUE;
}

/* --- on the ae loop --- */

static void on_echo(aeEventLoop *el, int fd, void *data, int mask) {
    char block[4096];
    ssize_t count = recv(fd, block, sizeof block, 0);

    (void) data, (void) mask;
    /* A client that does not read its answers is closed; examples/c/echo.c waits for it. */
    if (count > 0 && send(fd, block, (size_t) count, MSG_NOSIGNAL) == count) return;
    aeDeleteFileEvent(el, fd, AE_READABLE);
    close(fd);
}

static void on_accept(aeEventLoop *el, int fd, void *data, int mask) {
    int client = anetTcpAccept(NULL, fd, NULL, 0, NULL);

    (void) data, (void) mask;
    if (client == ANET_ERR && errno == EAGAIN) return; /* it has gone again */
    if (client == ANET_ERR || aeCreateFileEvent(el, client, AE_READABLE, on_echo, NULL) == AE_ERR) {
        perror("accept");
        exit(1);
    }
}

static gboolean talk(gpointer data);

static int on_time(aeEventLoop *el, long long id, void *data) {
    int *ticks = data;

    (void) el, (void) id;
    printf("tick %d\n", ++*ticks);
    if (*ticks < 3) return 20; /* again in 20 milliseconds */
    g_timeout_add(20, talk, NULL);
    return AE_NOMORE;
}

/* --- on GLib's loop --- */

static gboolean on_answer(gint fd, GIOCondition condition, gpointer data) {
    static char answer[64];
    static size_t length;
    ssize_t count = recv(fd, answer + length, sizeof answer - 1 - length, 0);

    (void) condition, (void) data;
    if (count > 0) length += (size_t) count;
    if (count > 0 && strchr(answer, '\n') == NULL) return G_SOURCE_CONTINUE;
    printf("echo: %s", answer);
    close(fd);
    g_main_loop_quit(main_loop);
    return G_SOURCE_REMOVE;
}

static gboolean talk(gpointer data) {
    int fd = anetTcpConnect(NULL, "127.0.0.1", port);

    (void) data;
    if (fd == ANET_ERR || send(fd, "hello\n", 6, MSG_NOSIGNAL) != 6) {
        perror("connect");
        exit(1);
    }
    g_unix_fd_add(fd, G_IO_IN, on_answer, NULL);
    return G_SOURCE_REMOVE;
}

static gboolean on_interrupt(gpointer data) {
    (void) data;
    g_main_loop_quit(main_loop);
    return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv) {
    int serve = argc == 3 && strcmp(argv[1], "--serve") == 0, ticks = 0, fd, server;
    char err[ANET_ERR_LEN];
    aeEventLoop *el = aeCreateEventLoop(1024);

    setvbuf(stdout, NULL, _IOLBF, 0);
    server = anetTcpServer(err, serve ? atoi(argv[2]) : 0, "127.0.0.1", 511);
    if (server == ANET_ERR || anetNonBlock(err, server) == ANET_ERR) {
        fprintf(stderr, "%s: %s\n", argv[0], err);
        return 1;
    }
    if (el == NULL || (fd = aeGetBackendFd(el)) == AE_ERR || anetSockName(server, NULL, 0, &port) == -1 ||
        aeCreateFileEvent(el, server, AE_READABLE, on_accept, NULL) == AE_ERR ||
        (!serve && aeCreateTimeEvent(el, 20, on_time, &ticks, NULL) == AE_ERR)) {
        perror(argv[0]);
        return 1;
    }
    main_loop = g_main_loop_new(NULL, FALSE);
    g_unix_fd_add(fd, G_IO_IN, ae_has_work, el);
    g_unix_signal_add(SIGINT, on_interrupt, NULL);
    printf("listening on port %d\n", port);
    g_main_loop_run(main_loop);
    g_main_loop_unref(main_loop);
    aeDeleteEventLoop(el);
    close(server);
    puts("stopped");
    return 0; /* the process's end closes what is left */
}
