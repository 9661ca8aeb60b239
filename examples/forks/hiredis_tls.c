/* Sentinel's links over TLS, in a server whose tls.o libae has replaced: hiredis (in Valkey 9 libvalkey) over libae's
 * sessions. Compile it with the server's flags, in src/, and link it with the server; hiredis's own file for TLS and
 * OpenSSL are then left out of the link. sentinel.c stays as it is: what it calls of these two has the same names here,
 * hidden from modules, which may have brought an OpenSSL of their own. */

/* First: it may define feature macros. */
#include "ae.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <libae.h>

#if __has_include("hiredis.h")
#include "hiredis.h"
#include "async.h"
typedef redisContext Context;
typedef redisAsyncContext AsyncContext;
typedef redisContextFuncs ContextFuncs;
enum { OK = REDIS_OK, ERR = REDIS_ERR, ERR_IO = REDIS_ERR_IO, ERR_EOF = REDIS_ERR_EOF, ERR_OTHER = REDIS_ERR_OTHER,
       BLOCK = REDIS_BLOCK };
#define initiate_tls redisInitiateSSL
#define buffer_read redisBufferRead
#define buffer_write redisBufferWrite
#define disconnect __redisAsyncDisconnect
#define process_callbacks redisProcessCallbacks
#define length_of hi_sdslen
#else
#include <valkey/async.h>
#include "sds.h"
typedef valkeyContext Context;
typedef valkeyAsyncContext AsyncContext;
typedef valkeyContextFuncs ContextFuncs;
enum { OK = VALKEY_OK, ERR = VALKEY_ERR, ERR_IO = VALKEY_ERR_IO, ERR_EOF = VALKEY_ERR_EOF, ERR_OTHER = VALKEY_ERR_OTHER,
       BLOCK = VALKEY_BLOCK };
#define initiate_tls valkeyInitiateTLS
#define buffer_read valkeyBufferRead
#define buffer_write valkeyBufferWrite
#define disconnect valkeyAsyncDisconnectInternal
#define process_callbacks valkeyProcessCallbacks
#define length_of sdslen
#endif

/* In none of the installed headers, but there for hiredis's own file. */
void disconnect(AsyncContext *ac);
void process_callbacks(AsyncContext *ac);

#define HIDDEN __attribute__((visibility("hidden")))

/* ---- What sentinel.c calls of OpenSSL: these only stand for "with TLS" ---- */

struct ssl_ctx_st { char unused; };
struct ssl_st { char unused; };

static struct ssl_ctx_st context;
static struct ssl_st connection_of_the_context;

HIDDEN struct ssl_ctx_st *redis_tls_ctx = &context, *redis_tls_client_ctx;
/* Valkey's names. */
HIDDEN struct ssl_ctx_st *valkey_tls_ctx = &context, *valkey_tls_client_ctx;

HIDDEN struct ssl_st *SSL_new(struct ssl_ctx_st *ctx) {
    (void)ctx;
    return &connection_of_the_context;
}

HIDDEN void SSL_free(struct ssl_st *ssl) { (void)ssl; }

/* ---- hiredis's functions over a session, which is the context's `privctx` ---- */

static void set_error(Context *c, int type, const char *text) {
    c->err = type;
    snprintf(c->errstr, sizeof(c->errstr), "%s", text);
}

static void set_session_error(Context *c) {
    int number = errno;
    const char *text = libaeTlsSessionError(c->privctx);

    set_error(c, ERR_IO, text != NULL ? text : strerror(number));
}

static void session_free(void *session) { libaeTlsSessionFree(session); }

/* 0: nothing there yet. */
static ssize_t session_read(Context *c, char *buffer, size_t size) {
    ssize_t count = libaeTlsSessionRead(c->privctx, buffer, size);

    if (count > 0) return count;
    if (count == -1 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (count == 0)
        set_error(c, ERR_EOF, "Server closed the connection");
    else
        set_session_error(c);
    return -1;
}

/* 0: the socket is full. What is in `obuf` stays there, and comes again with what is added. */
static ssize_t session_write(Context *c) {
    ssize_t count = libaeTlsSessionWrite(c->privctx, c->obuf, length_of(c->obuf));

    if (count >= 0) return count;
    if (errno == EAGAIN || errno == EINTR) return 0;
    set_session_error(c);
    return -1;
}

static void watch(AsyncContext *ac, int mask) {
    if (mask & AE_READABLE && ac->ev.addRead) ac->ev.addRead(ac->ev.data);
    if (mask & AE_WRITABLE && ac->ev.addWrite) ac->ev.addWrite(ac->ev.data);
    if (!(mask & AE_WRITABLE) && ac->ev.delWrite) ac->ev.delWrite(ac->ev.data);
}

/* Goes on with the handshake; whether it is over. The context may be gone when it is not. */
static int established(AsyncContext *ac) {
    int waits_for = libaeTlsSessionHandshake(ac->c.privctx);

    if (waits_for == 0) return 1;
    if (waits_for == -1 && errno != EINTR) {
        set_session_error(&ac->c);
        disconnect(ac);
        return 0;
    }
    watch(ac, AE_READABLE | (waits_for == AE_READABLE ? 0 : AE_WRITABLE));
    return 0;
}

static void async_read(AsyncContext *ac) {
    int waits;

    if (!established(ac)) return;
    if (buffer_read(&ac->c) == ERR) {
        disconnect(ac);
        return;
    }
    /* No poll tells of what the session has read ahead, so the socket's being writable has to. The callbacks come
     * first: one may close the connection, and an end that was read ahead must not overtake the replies before it. */
    waits = length_of(ac->c.obuf) > 0 || libaeTlsSessionHasPending(ac->c.privctx);
    watch(ac, AE_READABLE | (waits ? AE_WRITABLE : 0));
    process_callbacks(ac);
}

static void async_write(AsyncContext *ac) {
    int done = 0;

    if (!established(ac)) return;
    if (buffer_write(&ac->c, &done) == ERR) {
        disconnect(ac);
        return;
    }
    watch(ac, AE_READABLE | (done ? 0 : AE_WRITABLE));
    if (libaeTlsSessionHasPending(ac->c.privctx)) async_read(ac);
}

/* For contexts of the asynchronous API, which Sentinel's are, connected or still connecting. */
HIDDEN int initiate_tls(Context *c, struct ssl_st *ssl) {
    static ContextFuncs functions;
    libaeTlsSession *session = NULL;
    char why[sizeof(c->errstr)] = "TLS: this context blocks, or has a session already";

    (void)ssl;
    if (c->privctx == NULL && !(c->flags & BLOCK)) session = libaeTlsSessionNew(c->fd, c->tcp.host, why, sizeof(why));
    if (session == NULL) {
        set_error(c, ERR_OTHER, why);
        return ERR;
    }
    c->privctx = session;
    functions = *c->funcs;
    functions.free_privctx = session_free;
    functions.async_read = async_read;
    functions.async_write = async_write;
    functions.read = session_read;
    functions.write = session_write;
    c->funcs = &functions;
    return OK;
}
