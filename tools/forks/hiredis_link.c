/* The asynchronous API of a fork's own hiredis over libae's sessions, as Sentinel has it, against a server with TLS:
 *
 *     hiredis_link PORT FOLDER-OF-THE-CERTIFICATES
 *
 * Exit status 0: all that is checked holds. */
#include "hiredis_tls.c"

#include <stdlib.h>
#include <unistd.h>

#ifdef VALKEY_OK
#include <valkey/adapters/ae.h>
#define NAME(name) valkey##name
typedef valkeyReply Reply;
#else
#include "adapters/ae.h"
#define NAME(name) redis##name
typedef redisReply Reply;
#endif

enum { PINGS = 20000, BIG = 8 * 1024 * 1024 };

#define CHECK(condition) \
    ((condition) ? (void)0 : (fprintf(stderr, "line %d: %s does not hold\n", __LINE__, #condition), exit(1)))

static aeEventLoop *loop;
static const char *certificates;
static int port, pongs, failures, disconnected;
static char *big;

static const char *path(const char *name) {
    static char paths[3][512];
    static int next;
    char *path = paths[next++ % 3];

    snprintf(path, sizeof(paths[0]), "%s/%s", certificates, name);
    return path;
}

static void configure(const char *ca) {
    libaeTlsConfig config = {.size = sizeof(config), .any_server_name = 1};
    char why[256] = "";

    config.cert_file = path("client.crt");
    config.key_file = path("client.key");
    config.ca_cert_file = path(ca);
    if (libaeTlsConfigure(&config, why, sizeof(why)) == AE_OK) return;
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static void on_disconnect(const AsyncContext *ac, int status) {
    CHECK(status == OK);
    (void)ac;
    disconnected = 1;
    aeStop(loop);
}

/* As in sentinel.c: right after a connect that is under way. */
static AsyncContext *connect_with_tls(void) {
    AsyncContext *ac = NAME(AsyncConnect)("127.0.0.1", port);
    struct ssl_st *ssl = SSL_new(redis_tls_client_ctx ? redis_tls_client_ctx : redis_tls_ctx);

    CHECK(ac != NULL && !ac->err && ssl != NULL);
    CHECK(initiate_tls(&ac->c, ssl) == OK);
    CHECK(initiate_tls(&ac->c, ssl) == ERR); /* there is a session */
    ac->c.err = 0;
    CHECK(NAME(AeAttach)(loop, ac) == OK);
    return ac;
}

static void on_get(AsyncContext *ac, void *reply, void *data) {
    Reply *value = reply;

    (void)data;
    CHECK(value != NULL && value->len == BIG && memcmp(value->str, big, BIG) == 0);
    CHECK(pongs == PINGS);
    NAME(AsyncDisconnect)(ac);
}

static void on_set(AsyncContext *ac, void *reply, void *data) {
    (void)data;
    CHECK(reply != NULL && strcmp(((Reply *)reply)->str, "OK") == 0);
    /* Replies of a few bytes, then one that is larger than every buffer. */
    CHECK(NAME(AsyncCommand)(ac, on_get, NULL, "GET big") == OK);
}

static void on_pong(AsyncContext *ac, void *reply, void *data) {
    (void)ac;
    (void)data;
    CHECK(reply != NULL && strcmp(((Reply *)reply)->str, "PONG") == 0);
    pongs++;
}

/* All of them before the connection is there. */
static void much_in_both_directions(void) {
    AsyncContext *ac;
    unsigned state = 1;
    int i;

    configure("ca.crt");
    big = malloc(BIG);
    CHECK(big != NULL);
    for (i = 0; i < BIG; i++) big[i] = (char)((state = state * 1103515245 + 12345) >> 16);
    ac = connect_with_tls();
    CHECK(NAME(AsyncSetDisconnectCallback)(ac, on_disconnect) == OK);
    for (i = 0; i < PINGS; i++) CHECK(NAME(AsyncCommand)(ac, on_pong, NULL, "PING") == OK);
    CHECK(NAME(AsyncCommand)(ac, on_set, NULL, "SET big %b", big, (size_t)BIG) == OK);
    aeMain(loop);
    CHECK(disconnected);
}

static void on_failure(AsyncContext *ac, void *reply, void *data) {
    (void)data;
    CHECK(reply == NULL);
    CHECK(strstr(ac->errstr, "not signed by a known CA") != NULL);
    failures++;
    aeStop(loop);
}

static void refused_server(void) {
    configure("client.crt"); /* it has not signed the server's */
    CHECK(NAME(AsyncCommand)(connect_with_tls(), on_failure, NULL, "PING") == OK);
    aeMain(loop);
    CHECK(failures == 1);
}

/* The server ends the connection behind its reply, which must not be lost. */
static void on_goodbye(AsyncContext *ac, void *reply, void *data) {
    (void)ac;
    (void)data;
    CHECK(reply != NULL && strcmp(((Reply *)reply)->str, "OK") == 0);
    pongs = -1;
}

static void on_end(const AsyncContext *ac, int status) {
    CHECK(status == ERR && ac->err == ERR_EOF && pongs == -1);
    pongs = 0;
    aeStop(loop);
}

static void reply_before_the_end(void) {
    AsyncContext *ac;

    configure("ca.crt");
    ac = connect_with_tls();
    CHECK(NAME(AsyncSetDisconnectCallback)(ac, on_end) == OK);
    CHECK(NAME(AsyncCommand)(ac, on_goodbye, NULL, "QUIT") == OK);
    aeMain(loop);
    CHECK(pongs == 0);
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    alarm(100); /* for what hangs */
    port = atoi(argv[1]);
    certificates = argv[2];
    loop = aeCreateEventLoop(64);
    CHECK(loop != NULL);
    much_in_both_directions();
    refused_server();
    reply_before_the_end();
    aeDeleteEventLoop(loop);
    free(big);
    return 0;
}
