/* The connection layer: one echo service over TCP, a unix socket and, when there is a certificate, TLS. After the
 * listeners are open nothing below knows which of them a client came through.
 *
 *   cc connections.c -o connections $(pkg-config --cflags --libs libae)
 *   ./connections 7000 /tmp/echo.sock                              a port (0: the system picks one), a path
 *   ./connections 7000 /tmp/echo.sock 7001 server.crt server.key   and a port for TLS
 */
#define _POSIX_C_SOURCE 200809L

#include "signals.h"

#include <ae.h>
#include <anet.h>
#include <connection.h>
#include <libae.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLIENTS = 1000 };

struct client {
    int length, sent;
    char buffer[4096];
};

static aeEventLoop *loop;

/* A connection that is closed inside one of its handlers is freed when the handler returns. */
static void end(connection *conn) {
    free(connGetPrivateData(conn));
    connSetPrivateData(conn, NULL);
    connClose(conn);
}

static void on_readable(connection *conn);

/* Sends what there is, and reads again when all of it has left. Over TLS a write that was put off has to be repeated
 * with the same bytes, as this does. */
static void reply(connection *conn) {
    struct client *client = connGetPrivateData(conn);

    while (client->sent < client->length) {
        int count = connWrite(conn, client->buffer + client->sent, (size_t) (client->length - client->sent));

        if (count > 0) {
            client->sent += count;
        } else if (connGetState(conn) != CONN_STATE_CONNECTED) {
            end(conn);
            return;
        } else if (errno == EAGAIN) { /* full for now */
            if (connSetReadHandler(conn, NULL) == C_ERR || connSetWriteHandler(conn, reply) == C_ERR) end(conn);
            return;
        }
    }
    client->length = client->sent = 0;
    if (connSetWriteHandler(conn, NULL) == C_ERR || connSetReadHandler(conn, on_readable) == C_ERR) end(conn);
}

static void on_readable(connection *conn) {
    struct client *client = connGetPrivateData(conn);
    int count = connRead(conn, client->buffer, sizeof client->buffer);

    if (count > 0) {
        client->length = count;
        reply(conn);
    } else if (connGetState(conn) != CONN_STATE_CONNECTED) { /* the client has finished, or it failed */
        end(conn);
    }
}

static void refuse(connection *conn) {
    fprintf(stderr, "%s: %s\n", connGetType(conn), connGetLastError(conn));
    end(conn);
}

/* The connection is ready, over TLS after the handshake, or has failed. */
static void on_ready(connection *conn) {
    struct client *client = connGetPrivateData(conn);

    if (connGetState(conn) != CONN_STATE_CONNECTED) {
        refuse(conn);
        return;
    }
    client->length = snprintf(client->buffer, sizeof client->buffer, "hello over %s\n", connGetType(conn));
    reply(conn);
}

/* A listener has accepted a client. The connection is ours from here on. */
static void on_accepted(connection *conn, int flags, char *ip) {
    struct client *client = calloc(1, sizeof *client);

    (void) flags, (void) ip;
    if (client == NULL) {
        connClose(conn);
        return;
    }
    connSetPrivateData(conn, client);
    if (connAccept(conn, on_ready) == C_OK) return;
    /* on_ready has closed it already, and now it can be freed; or it failed before that, and on_ready does not run. */
    if (connGetPrivateData(conn) == NULL)
        connClose(conn);
    else
        refuse(conn);
}

static aeEventLoop *current_loop(void) { return loop; }

static void log_line(int level, const char *message) {
    if (level >= LIBAE_LOG_WARNING) fprintf(stderr, "%s\n", message);
}

/* Opens a listener's sockets and watches them. Returns 0; -1 with errno. */
static int listen_on(connListener *listener) {
    int i;

    if (listener->ct == NULL || connListen(listener) == C_ERR) return -1;
    for (i = 0; i < listener->count; i++)
        if (aeCreateFileEvent(loop, listener->fd[i], AE_READABLE, connAcceptHandler(listener->ct), listener) == AE_ERR)
            return -1;
    return 0;
}

static int port_of(const connListener *listener) {
    int port = 0;

    anetSockName(listener->fd[0], NULL, 0, &port);
    return port;
}

static void on_signal(aeEventLoop *el, int number) {
    (void) number;
    aeStop(el);
}

int main(int argc, char **argv) {
    const int signals[] = {SIGINT, SIGTERM};
    const libaeHost host = {
        .size = sizeof host, .current_loop = current_loop, .accepted = on_accepted, .log = log_line,
    };
    char localhost[] = "127.0.0.1", *addresses[] = {localhost}, *paths[1];
    mode_t permissions = 0600;
    connListener tcp = {.bindaddr = addresses, .bindaddr_count = 1}, local = {.bindaddr_count = 1}, tls = tcp;

    if (argc != 3 && argc != 6) {
        fprintf(stderr, "usage: %s PORT PATH [TLS-PORT CERTIFICATE KEY]\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (libaeSetHost(&host) == AE_ERR || connTypeInitialize() == C_ERR || (loop = aeCreateEventLoop(CLIENTS)) == NULL ||
        signals_watch(loop, signals, 2, on_signal) == -1) {
        perror(argv[0]);
        return 1;
    }
    tcp.ct = connectionTypeTcp();
    tcp.port = atoi(argv[1]);
    local.ct = connectionTypeUnix();
    paths[0] = argv[2];
    local.bindaddr = paths;
    local.priv = &permissions;
    if (listen_on(&tcp) == -1 || listen_on(&local) == -1) {
        perror(argv[0]);
        return 1;
    }
    printf("listening on port %d and %s\n", port_of(&tcp), argv[2]);
    if (argc == 6) {
        const libaeTlsConfig config = {.size = sizeof config, .cert_file = argv[4], .key_file = argv[5]};
        char err[256];

        if (libaeTlsConfigure(&config, err, sizeof err) == AE_ERR) {
            fprintf(stderr, "%s: %s\n", argv[0], err);
            return 1;
        }
        tls.ct = connectionTypeTls();
        tls.port = atoi(argv[3]);
        if (listen_on(&tls) == -1) {
            perror(argv[0]);
            return 1;
        }
        printf("listening for TLS on port %d\n", port_of(&tls));
    }
    fflush(stdout);
    aeMain(loop);
    aeDeleteEventLoop(loop);
    unlink(argv[2]);
    return 0;
}
