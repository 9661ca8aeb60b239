/* The registry of connection types, and a type of the program's own. */
#include "test.h"
#include "conn_test.h"

#include <ae.h>
#include <libae.h>
#include <limits.h>
#include <pthread.h>
#include <strings.h>

/* ---- A type of our own: a connection with a buffer instead of a descriptor ---- */

struct memory_connection {
    connection base; /* first, so that a pointer to it is one to the whole */
    char stored[64];
    size_t length;
};

static ConnectionType memory_type;
static int inits, cleanups, configured, pending;

static const char *memory_get_type(connection *conn) {
    (void)conn;
    return "memory";
}

static void memory_init(void) { inits++; }

static void memory_cleanup(void) { cleanups++; }

static int memory_configure(void *config, int reconfigure) {
    configured = *(int *)config * (reconfigure ? -1 : 1);
    return C_OK;
}

/* What a type's functions are told in redis-8.0. */
#ifdef TEST_CONN_LOOP
#define TOLD_LOOP aeEventLoop *loop __attribute__((unused))
#define TOLD_LOOP_AND TOLD_LOOP,
#else
#define TOLD_LOOP void
#define TOLD_LOOP_AND
#endif

static connection *new_memory(void) {
    struct memory_connection *memory = calloc(1, sizeof(*memory));

    CHECK(memory != NULL);
    memory->base.type = &memory_type;
    memory->base.fd = -1;
    memory->base.state = CONN_STATE_CONNECTED;
    return &memory->base;
}

static connection *memory_create(TOLD_LOOP) { return new_memory(); }

static connection *memory_create_accepted(TOLD_LOOP_AND int fd, void *priv) {
    connection *conn = new_memory();

    conn->fd = fd;
    conn->private_data = priv;
    conn->state = CONN_STATE_ACCEPTING;
    return conn;
}

static void memory_close(connection *conn) { free(conn); }

static int memory_write(connection *conn, const void *data, size_t length) {
    struct memory_connection *memory = (struct memory_connection *)conn;

    if (length > sizeof(memory->stored)) length = sizeof(memory->stored);
    memcpy(memory->stored, data, length);
    memory->length = length;
    return (int)length;
}

static int memory_read(connection *conn, void *buffer, size_t length) {
    struct memory_connection *memory = (struct memory_connection *)conn;

    if (length > memory->length) length = memory->length;
    memcpy(buffer, memory->stored, length);
    return (int)length;
}

static int memory_has_pending(TOLD_LOOP) { return pending; }

static int memory_process_pending(TOLD_LOOP) {
    int processed = pending;

    pending = 0;
    return processed;
}

static ConnectionType memory_type = {
    .get_type = memory_get_type,
    .init = memory_init,
    .cleanup = memory_cleanup,
    .configure = memory_configure,
    .conn_create = memory_create,
    .conn_create_accepted = memory_create_accepted,
    .close = memory_close,
    .write = memory_write,
    .read = memory_read,
    .has_pending_data = memory_has_pending,
    .process_pending_data = memory_process_pending,
};

/* ---- Finding ---- */

/* Departs from upstream, which asserts that there is a tcp type. */
static void nothing_is_there_before_initialize(void) {
    CHECK_NULL(connectionTypeTcp());
    CHECK_NULL(connectionTypeUnix());
    CHECK_NULL(connectionTypeTls());
    CHECK_FAILS_NULL(connectionByType("tcp"), ENOENT);
    CHECK_FAILS(connectionIndexByType("tcp"), -1, ENOENT);
    connTypeCleanupAll();
    CHECK_INT(test_has_pending_data(NULL), 0);
    CHECK_INT(test_process_pending_data(NULL), 0);
    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK(connectionTypeTcp() != NULL); /* the answer from before was not kept */
}

static void builtin_types_have_names_and_places(void) {
    CHECK_KEEPS_ERRNO(connTypeInitialize(), C_OK);
    CHECK(connectionTypeTcp() != NULL);
    CHECK(connectionTypeUnix() != NULL);
    CHECK(connectionTypeTcp() != connectionTypeUnix());
    CHECK(connectionByType(CONN_TYPE_SOCKET) == connectionTypeTcp());
    CHECK(connectionByType("TCP") == connectionTypeTcp());
    CHECK(connectionByType("uNiX") == connectionTypeUnix());
    CHECK_TEXT(connectionTypeTcp()->get_type(NULL), CONN_TYPE_SOCKET);
    CHECK_TEXT(connectionTypeUnix()->get_type(NULL), CONN_TYPE_UNIX);
    CHECK_KEEPS_ERRNO(connectionIndexByType("Tcp"), 0);
    CHECK_INT(connectionIndexByType("unix"), 1);
    /* Departs from upstream in errno, which it leaves alone. */
    CHECK_FAILS_NULL(connectionByType("tcp "), ENOENT);
    CHECK_FAILS_NULL(connectionByType(""), ENOENT);
    CHECK_FAILS(connectionIndexByType("rdma"), -1, ENOENT);
}

/* Departs from upstream, which aborts. */
static void initialize_again_is_harmless(void) {
    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK_INT(connectionIndexByType("tcp"), 0);
    CHECK_INT(connectionIndexByType("unix"), 1);
}

static void *on_thread(void *barrier) {
    pthread_barrier_wait(barrier);
    return connTypeInitialize() == C_OK ? NULL : barrier;
}

static void initialize_from_several_threads(void) {
    int round, i, status;

    for (round = 0; round < 50; round++) {
        pid_t child = fork();

        CHECK(child != -1);
        if (child == 0) {
            pthread_t threads[4];
            pthread_barrier_t barrier;
            void *result, *failed = NULL;

            pthread_barrier_init(&barrier, NULL, 4);
            for (i = 0; i < 4; i++) pthread_create(&threads[i], NULL, on_thread, &barrier);
            for (i = 0; i < 4; i++) {
                pthread_join(threads[i], &result);
                if (result != NULL) failed = result;
            }
            pthread_barrier_destroy(&barrier);
            _exit(failed != NULL);
        }
        CHECK_INT(waitpid(child, &status, 0), child);
        if (status != 0) FAIL("round %d: a thread failed to initialize", round);
    }
}

static void on_log_register(int level, const char *message) {
    static int calls;

    (void)level;
    (void)message;
    if (calls++ == 0) CHECK_FAILS(RedisRegisterConnectionTypeUnix(), C_ERR, EEXIST);
}

static void log_hook_may_call_the_registry(void) {
    libaeHost host = {.size = sizeof(host), .log = on_log_register};

    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_FAILS(RedisRegisterConnectionTypeSocket(), C_ERR, EEXIST);
    CHECK_INT(libaeSetHost(NULL), AE_OK);
}

static int warnings;

static void on_warning(int level, const char *message) {
    if (level != LIBAE_LOG_WARNING) return;
    CHECK_TEXT(message, "Connection types unix already registered");
    warnings++;
}

static void a_name_that_is_taken_is_logged(void) {
    libaeHost host = {.size = sizeof(host), .log = on_warning};

    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK_INT(warnings, 0);
    CHECK_FAILS(RedisRegisterConnectionTypeUnix(), C_ERR, EEXIST);
    CHECK_INT(warnings, 1);
    CHECK_INT(libaeSetHost(NULL), AE_OK);
}

/* Departs from upstream in errno, which it leaves alone. */
static void builtin_types_can_be_registered_one_by_one(void) {
    CHECK_INT(RedisRegisterConnectionTypeUnix(), C_OK);
    CHECK_NULL(connectionByType("tcp"));
    CHECK_INT(connectionIndexByType("unix"), 0);
    CHECK_INT(RedisRegisterConnectionTypeSocket(), C_OK);
    CHECK_INT(connectionIndexByType("tcp"), 1);
    CHECK_FAILS(RedisRegisterConnectionTypeUnix(), C_ERR, EEXIST);
    CHECK_FAILS(RedisRegisterConnectionTypeSocket(), C_ERR, EEXIST);
    CHECK_INT(connTypeInitialize(), C_OK);
}

static const char *get_tls(connection *conn) {
    (void)conn;
    return "tls";
}

static void tls_is_built_in(void) {
    connection *conn;

    CHECK_NULL(connectionTypeTls());
    CHECK_INT(connTypeInitialize(), C_OK);
    if (connectionTypeTls() == NULL) {
        CHECK_FAILS(RedisRegisterConnectionTypeTLS(), C_ERR, EOPNOTSUPP);
        SKIP("a library without TLS");
    }
    CHECK(connectionByType("TLS") == connectionTypeTls());
    CHECK_INT(connectionIndexByType("tls"), 2); /* after tcp and unix */
    CHECK_INT(RedisRegisterConnectionTypeTLS(), C_OK); /* again is harmless */
    conn = test_conn_create(NULL, connectionTypeTls());
    CHECK(conn != NULL);
    CHECK_INT(connIsTLS(conn), 1);
    CHECK_TEXT(connGetType(conn), "tls");
    CHECK_NULL(connGetPeerCert(conn));
    connClose(conn);
    conn = test_conn_create(NULL, TCP_TYPE);
    CHECK_INT(connIsTLS(conn), 0);
    CHECK_NULL(connGetPeerCert(conn));
    connClose(conn);
    CHECK_INT(connIsTLS(NULL), 0);
}

/* Another type has the name first: the library's own has to go without. */
static void tls_may_be_the_programs(void) {
    static ConnectionType own = {.get_type = get_tls};

    CHECK_INT(connTypeRegister(&own), C_OK);
    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK(connectionTypeTls() == &own);
    CHECK_INT(RedisRegisterConnectionTypeTLS(), C_ERR);
}

/* ---- Registering ---- */

/* How many types there are beside the program's own: a library without TLS has one less. */
static int builtin(void) { return connectionTypeTls() == NULL ? 2 : 3; }

static void own_type_is_found_and_initialized_once(void) {
    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK_INT(connTypeRegister(&memory_type), C_OK);
    CHECK_INT(inits, 1);
    CHECK(connectionByType("Memory") == &memory_type);
    CHECK_INT(connectionIndexByType("memory"), builtin());
    CHECK_INT(connTypeRegister(&memory_type), C_ERR);
    CHECK_INT(inits, 1);
    connTypeCleanupAll();
    CHECK_INT(cleanups, 1);
}

static const char *loud_get_type(connection *conn) {
    (void)conn;
    return "MEMORY";
}

static const char *tcp_get_type(connection *conn) {
    (void)conn;
    return "TcP";
}

static void name_is_taken_whatever_its_case(void) {
    static ConnectionType loud = {.get_type = loud_get_type}, tcp = {.get_type = tcp_get_type};

    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK_INT(connTypeRegister(&memory_type), C_OK);
    /* Departs from upstream in errno, which it leaves alone. */
    CHECK_FAILS(connTypeRegister(&loud), C_ERR, EEXIST);
    CHECK_FAILS(connTypeRegister(&tcp), C_ERR, EEXIST);
    CHECK(connectionByType("MEMORY") == &memory_type);
}

static const char *null_get_type(connection *conn) {
    (void)conn;
    return NULL;
}

/* Departs from upstream, which trusts its callers. */
static void type_without_a_name_is_einval(void) {
    static ConnectionType nameless, null = {.get_type = null_get_type};

    CHECK_FAILS(connTypeRegister(&nameless), C_ERR, EINVAL);
    CHECK_FAILS(connTypeRegister(&null), C_ERR, EINVAL);
    CHECK_FAILS(connTypeRegister(NULL), C_ERR, EINVAL);
    CHECK_INT(connTypeInitialize(), C_OK);
}

#define NAMED(number)                                          \
    static const char *get_type_##number(connection *conn) {   \
        (void)conn;                                            \
        return "own" #number;                                  \
    }

NAMED(0)
NAMED(1)
NAMED(2)
NAMED(3)
NAMED(4)
NAMED(5)
NAMED(6)

/* Departs from upstream, which writes behind its table. */
static void full_table_is_enospc(void) {
    static ConnectionType types[] = {
        {.get_type = get_type_0}, {.get_type = get_type_1}, {.get_type = get_type_2}, {.get_type = get_type_3},
        {.get_type = get_type_4}, {.get_type = get_type_5}, {.get_type = get_type_6},
    };
    char last[] = "own?";
    int i, room;

    CHECK_INT(CONN_TYPE_MAX, 8);
    CHECK_INT(connTypeInitialize(), C_OK);
    room = CONN_TYPE_MAX - builtin();
    for (i = 0; i < room; i++) CHECK_INT(connTypeRegister(&types[i]), C_OK);
    CHECK_FAILS(connTypeRegister(&types[room]), C_ERR, ENOSPC);
    last[3] = (char)('0' + room);
    CHECK_NULL(connectionByType(last));
    last[3]--;
    CHECK_INT(connectionIndexByType(last), CONN_TYPE_MAX - 1);
    CHECK(connectionByType("own0") == &types[0]);
}

/* ---- Using one's own type ---- */

static void calls_go_through_the_table(void) {
    char buffer[8];
    connection *conn;
    int config = 7;

    CHECK_INT(connTypeRegister(&memory_type), C_OK);
    conn = test_conn_create(NULL, connectionByType("memory"));
    CHECK(conn != NULL);
    CHECK_TEXT(connGetType(conn), "memory");
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(connWrite(conn, "hello", 5), 5);
    CHECK_INT(connRead(conn, buffer, sizeof(buffer)), 5);
    CHECK(memcmp(buffer, "hello", 5) == 0);
    CHECK_INT(connIsTLS(conn), 0);
    connClose(conn);

    conn = test_conn_create_accepted_with(NULL, &memory_type, 42, &config);
    CHECK(conn != NULL);
    CHECK_INT(conn->fd, 42);
    CHECK(connGetPrivateData(conn) == &config);
    CHECK_INT(connGetState(conn), CONN_STATE_ACCEPTING);
    connClose(conn);

    CHECK_INT(connTypeConfigure(&memory_type, &config, 0), C_OK);
    CHECK_INT(configured, 7);
    CHECK_INT(connTypeConfigure(&memory_type, &config, 1), C_OK);
    CHECK_INT(configured, -7);
}

/* Departs from upstream, which calls NULL (except addr, is_local, get_peer_cert and configure). */
static void what_a_type_lacks_is_einval(void) {
    struct iovec iov = {(char[]){"x"}, 1};
    connListener listener = {.ct = &memory_type};
    connection *conn;
    char buffer[64];
    int port;

    CHECK_INT(connTypeRegister(&memory_type), C_OK);
    conn = test_conn_create(NULL, &memory_type);
    CHECK_INT(connAddr(conn, buffer, sizeof(buffer), &port, 1), -1);
    CHECK_INT(connFormatAddr(conn, buffer, sizeof(buffer), 1), -1);
    CHECK_INT(connIsLocal(conn), -1);
    CHECK_NULL(connGetPeerCert(conn));
    CHECK_NULL(connAcceptHandler(&memory_type));
    CHECK_FAILS(connWritev(conn, &iov, 1), -1, EINVAL);
    CHECK_FAILS(connConnect(conn, "127.0.0.1", 1, NULL, NULL), C_ERR, EINVAL);
    CHECK_FAILS(connBlockingConnect(conn, "127.0.0.1", 1, 1), C_ERR, EINVAL);
    CHECK_FAILS(connAccept(conn, NULL), C_ERR, EINVAL);
    CHECK_FAILS(connSetReadHandler(conn, NULL), C_ERR, EINVAL);
    CHECK_FAILS(connSetWriteHandler(conn, NULL), C_ERR, EINVAL);
    CHECK_FAILS(connSyncRead(conn, buffer, 1, 1), -1, EINVAL);
    CHECK_FAILS(connListen(&listener), C_ERR, EINVAL);
    CHECK_NULL(connGetLastError(conn));
    connShutdown(conn);
    connClose(conn);
}

static int process_two(TOLD_LOOP) { return 2; }

static void pending_data_is_asked_of_every_type(void) {
    static ConnectionType two = {.get_type = get_type_0, .process_pending_data = process_two};

    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK_INT(connTypeRegister(&memory_type), C_OK);
    CHECK_INT(test_has_pending_data(NULL), 0);
    CHECK_INT(test_process_pending_data(NULL), 0);
    pending = 1;
    CHECK_INT(test_has_pending_data(NULL), 1);
    CHECK_INT(test_process_pending_data(NULL), 1);
    CHECK_INT(test_has_pending_data(NULL), 0);
    pending = 3;
    CHECK(test_has_pending_data(NULL) != 0);
    CHECK_INT(connTypeRegister(&two), C_OK);
    CHECK_INT(test_process_pending_data(NULL), 5);
}

TEST_MAIN(CASE(nothing_is_there_before_initialize), CASE(builtin_types_have_names_and_places),
          CASE(initialize_again_is_harmless), CASE(initialize_from_several_threads),
          CASE(log_hook_may_call_the_registry), CASE(a_name_that_is_taken_is_logged),
          CASE(builtin_types_can_be_registered_one_by_one),
          CASE(tls_is_built_in), CASE(tls_may_be_the_programs), CASE(own_type_is_found_and_initialized_once),
          CASE(name_is_taken_whatever_its_case), CASE(type_without_a_name_is_einval),
          CASE(full_table_is_enospc), CASE(calls_go_through_the_table), CASE(what_a_type_lacks_is_einval),
          CASE(pending_data_is_asked_of_every_type))
