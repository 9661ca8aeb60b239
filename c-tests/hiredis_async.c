/* hiredis's own ae adapter, as Debian ships it, over this library: an asynchronous client of ae-server.
 *
 * The server's port is in AE_SERVER_PORT. */
#include "test.h"

#include <hiredis/hiredis.h>
#include <hiredis/async.h>
#include <hiredis/adapters/ae.h>

enum { MANY = 1000 };

static aeEventLoop *loop;
static int connects, connect_errors, disconnects, replies, failures;
static char last_reply[64];

static int server_port(void) {
    const char *port = getenv("AE_SERVER_PORT");

    if (port == NULL) SKIP("no AE_SERVER_PORT");
    return atoi(port);
}

static void on_connect(const redisAsyncContext *context, int status) {
    (void)context;
    if (status == REDIS_OK)
        connects++;
    else
        connect_errors++;
}

static void on_disconnect(const redisAsyncContext *context, int status) {
    CHECK_INT(status, REDIS_OK);
    (void)context;
    disconnects++;
    aeStop(loop);
}

static redisAsyncContext *open_context(int port) {
    redisAsyncContext *context = redisAsyncConnect("127.0.0.1", port);

    CHECK(context != NULL);
    if (context->err) FAIL("redisAsyncConnect: %s", context->errstr);
    CHECK_INT(redisAeAttach(loop, context), REDIS_OK);
    CHECK_INT(redisAsyncSetConnectCallback(context, on_connect), REDIS_OK);
    CHECK_INT(redisAsyncSetDisconnectCallback(context, on_disconnect), REDIS_OK);
    return context;
}

static void begin(void) {
    loop = aeCreateEventLoop(64);
    CHECK(loop != NULL);
}

static void keep(redisReply *reply) {
    snprintf(last_reply, sizeof(last_reply), "%s", reply != NULL && reply->str != NULL ? reply->str : "(none)");
}

/* ---- One command after the other ---- */

static void on_last(redisAsyncContext *context, void *reply, void *data) {
    (void)data;
    keep(reply);
    replies++;
    redisAsyncDisconnect(context);
}

static void on_set(redisAsyncContext *context, void *reply, void *data) {
    (void)data;
    keep(reply);
    CHECK_TEXT(last_reply, "OK");
    replies++;
    CHECK_INT(redisAsyncCommand(context, on_last, NULL, "GET libae:test:hiredis"), REDIS_OK);
}

static void set_and_get(void) {
    redisAsyncContext *context;
    int port = server_port();

    begin();
    context = open_context(port);
    CHECK_INT(redisAsyncCommand(context, on_set, NULL, "SET libae:test:hiredis %s", "a value"), REDIS_OK);
    aeMain(loop);
    CHECK_INT(connects, 1);
    CHECK_INT(replies, 2);
    CHECK_TEXT(last_reply, "a value");
    CHECK_INT(disconnects, 1);
    CHECK_INT(loop->maxfd, -1); /* the adapter took its events away */
    aeDeleteEventLoop(loop);
}

/* ---- Many at once ---- */

static void on_echo(redisAsyncContext *context, void *reply, void *data) {
    char expected[32];

    snprintf(expected, sizeof(expected), "message %d", (int)(intptr_t)data);
    keep(reply);
    CHECK_TEXT(last_reply, expected);
    CHECK_INT((intptr_t)data, replies); /* in order */
    if (++replies == MANY) redisAsyncDisconnect(context);
}

static void many_commands_in_one_pipeline(void) {
    redisAsyncContext *context;
    int port = server_port(), i;

    begin();
    context = open_context(port);
    for (i = 0; i < MANY; i++)
        CHECK_INT(redisAsyncCommand(context, on_echo, (void *)(intptr_t)i, "ECHO %s%d", "message ", i), REDIS_OK);
    aeMain(loop);
    CHECK_INT(replies, MANY);
    CHECK_INT(disconnects, 1);
    aeDeleteEventLoop(loop);
}

/* ---- Large values, and several clients ---- */

enum { CLIENTS = 10, LARGE = 1 << 20 };

static void on_large(redisAsyncContext *context, void *reply, void *data) {
    redisReply *answer = reply;

    CHECK(answer != NULL);
    if ((size_t)answer->len != LARGE || answer->str[LARGE - 1] != *(char *)data) failures++;
    replies++;
    redisAsyncDisconnect(context);
}

static void on_client_gone(const redisAsyncContext *context, int status) {
    (void)context;
    CHECK_INT(status, REDIS_OK);
    if (++disconnects == CLIENTS) aeStop(loop);
}

static void large_values_for_several_clients(void) {
    static char letters[CLIENTS];
    char *value = malloc(LARGE);
    int port = server_port(), i;

    CHECK(value != NULL);
    begin();
    for (i = 0; i < CLIENTS; i++) {
        redisAsyncContext *context = redisAsyncConnect("127.0.0.1", port);
        char key[32];

        CHECK(context != NULL && context->err == 0);
        CHECK_INT(redisAeAttach(loop, context), REDIS_OK);
        redisAsyncSetDisconnectCallback(context, on_client_gone);
        letters[i] = (char)('a' + i);
        memset(value, letters[i], LARGE);
        snprintf(key, sizeof(key), "libae:test:large:%d", i);
        CHECK_INT(redisAsyncCommand(context, NULL, NULL, "SET %s %b", key, value, (size_t)LARGE), REDIS_OK);
        CHECK_INT(redisAsyncCommand(context, on_large, &letters[i], "GET %s", key), REDIS_OK);
        CHECK_INT(redisAsyncCommand(context, NULL, NULL, "DEL %s", key), REDIS_OK);
    }
    aeMain(loop);
    CHECK_INT(replies, CLIENTS);
    CHECK_INT(failures, 0);
    free(value);
    aeDeleteEventLoop(loop);
}

/* ---- Nobody there at first ---- */

static void connect_again_after_a_refusal(void) {
    redisAsyncContext *context;
    int port = server_port();

    begin();
    context = open_context(test_closed_port());
    CHECK(context != NULL);
    while (connect_errors == 0) CHECK(aeProcessEvents(loop, AE_ALL_EVENTS) >= 0);
    CHECK_INT(connects, 0);
    CHECK_INT(disconnects, 0);
    CHECK_INT(loop->maxfd, -1);

    context = open_context(port);
    CHECK_INT(redisAsyncCommand(context, on_last, NULL, "PING"), REDIS_OK);
    aeMain(loop);
    CHECK_INT(connects, 1);
    CHECK_TEXT(last_reply, "PONG");
    CHECK_INT(disconnects, 1);
    aeDeleteEventLoop(loop);
}

TEST_MAIN(CASE(set_and_get), CASE(many_commands_in_one_pipeline), CASE(large_values_for_several_clients),
          CASE(connect_again_after_a_refusal))
