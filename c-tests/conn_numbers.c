/* From valkey-9.0 on connection types are numbers: a type's place in the registry is its number, and there may be
 * holes. */
#include "test.h"
#include "conn_test.h"

static char warned[256];

static void on_log(int level, const char *message) {
    if (level == LIBAE_LOG_WARNING) snprintf(warned, sizeof(warned), "%s", message);
}

static int inits, cleanups, pending;

static int rdma_get_type(void) { return CONN_TYPE_RDMA; }
static int socket_get_type(void) { return CONN_TYPE_SOCKET; }
static int negative_get_type(void) { return CONN_TYPE_INVALID; }
static int large_get_type(void) { return CONN_TYPE_MAX; }
static void own_init(void) { inits++; }
static void own_cleanup(void) { cleanups++; }
static int own_pending(void) { return pending; }

static ConnectionType own = {
    .get_type = rdma_get_type,
    .init = own_init,
    .cleanup = own_cleanup,
    .has_pending_data = own_pending,
    .process_pending_data = own_pending,
};

static void numbers_and_names(void) {
    CHECK_INT(CONN_TYPE_INVALID, -1);
    CHECK_INT(CONN_TYPE_SOCKET, 0);
    CHECK_INT(CONN_TYPE_UNIX, 1);
    CHECK_INT(CONN_TYPE_TLS, 2);
    CHECK_INT(CONN_TYPE_RDMA, 3);
    CHECK_INT(CONN_TYPE_MAX, 4);
    CHECK_TEXT(getConnectionTypeName(CONN_TYPE_SOCKET), "tcp");
    CHECK_TEXT(getConnectionTypeName(CONN_TYPE_UNIX), "unix");
    CHECK_TEXT(getConnectionTypeName(CONN_TYPE_TLS), "tls");
    CHECK_TEXT(getConnectionTypeName(CONN_TYPE_RDMA), "rdma");
    CHECK_TEXT(getConnectionTypeName(CONN_TYPE_MAX), "invalid type");
    CHECK_TEXT(getConnectionTypeName(CONN_TYPE_INVALID), "invalid type");
}

static void built_in_types_have_their_numbers(void) {
    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK(connectionByType(CONN_TYPE_SOCKET) == connectionTypeTcp());
    CHECK(connectionByType(CONN_TYPE_UNIX) == connectionTypeUnix());
    CHECK_INT(connectionTypeTcp()->get_type(), CONN_TYPE_SOCKET);
    CHECK_INT(connectionTypeUnix()->get_type(), CONN_TYPE_UNIX);
    if (connectionTypeTls() != NULL) {
        CHECK(connectionByType(CONN_TYPE_TLS) == connectionTypeTls());
        CHECK_INT(connectionTypeTls()->get_type(), CONN_TYPE_TLS);
    }
    CHECK_INT(connTypeInitialize(), C_OK); /* again is harmless */
}

static void connections_say_their_number(void) {
    connection none = {.type = NULL}, *conn;
    ConnectionType mute = {.get_type = NULL};

    CHECK_INT(connTypeInitialize(), C_OK);
    conn = connCreate(connectionTypeUnix());
    CHECK_KEEPS_ERRNO(connGetType(conn), CONN_TYPE_UNIX);
    connClose(conn);
    CHECK_INT(connGetType(NULL), CONN_TYPE_INVALID);
    CHECK_INT(connGetType(&none), CONN_TYPE_INVALID);
    none.type = &mute;
    CHECK_INT(connGetType(&none), CONN_TYPE_INVALID);
}

static void missing_type_is_logged(void) {
    libaeHost host = {.size = sizeof(host), .log = on_log};

    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_FAILS_NULL(connectionByType(CONN_TYPE_RDMA), ENOENT);
    CHECK_CONTAINS(warned, "Missing implement of connection type rdma");
    CHECK_FAILS_NULL(connectionByType(CONN_TYPE_INVALID), EINVAL);
    CHECK_FAILS_NULL(connectionByType(CONN_TYPE_MAX), EINVAL);
    CHECK_NULL(connectionTypeTcp());
}

static void place_is_the_number(void) {
    ConnectionType second = {.get_type = rdma_get_type}, tcp = {.get_type = socket_get_type};

    CHECK_INT(connTypeRegister(&own), C_OK); /* the last place, before all others */
    CHECK_INT(inits, 1);
    CHECK(connectionByType(CONN_TYPE_RDMA) == &own);
    CHECK_FAILS(connTypeRegister(&second), C_ERR, EEXIST);
    CHECK_FAILS(connTypeRegister(&own), C_ERR, EEXIST);
    CHECK_INT(inits, 1);
    CHECK_INT(RedisRegisterConnectionTypeUnix(), C_OK);
    CHECK(connectionByType(CONN_TYPE_UNIX) == connectionTypeUnix());
    CHECK_NULL(connectionTypeTcp());
    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK_FAILS(connTypeRegister(&tcp), C_ERR, EEXIST);
    CHECK(connectionByType(CONN_TYPE_RDMA) == &own);
}

static void numbers_out_of_range_are_refused(void) {
    static ConnectionType negative = {.get_type = negative_get_type}, large = {.get_type = large_get_type}, mute;

    CHECK_FAILS(connTypeRegister(&negative), C_ERR, EINVAL);
    CHECK_FAILS(connTypeRegister(&large), C_ERR, EINVAL);
    CHECK_FAILS(connTypeRegister(&mute), C_ERR, EINVAL);
    CHECK_FAILS(connTypeRegister(NULL), C_ERR, EINVAL);
}

/* Upstream's earlier registry ended at the first hole. */
static void holes_are_skipped(void) {
    CHECK_INT(connTypeRegister(&own), C_OK);
    CHECK_INT(connTypeHasPendingData(), 0);
    pending = 5;
    CHECK_INT(connTypeHasPendingData(), 1);
    CHECK_INT(connTypeProcessPendingData(), 5);
    connTypeCleanupAll();
    CHECK_INT(cleanups, 1);
}

TEST_MAIN(CASE(numbers_and_names), CASE(built_in_types_have_their_numbers), CASE(connections_say_their_number),
          CASE(missing_type_is_logged), CASE(place_is_the_number), CASE(numbers_out_of_range_are_refused),
          CASE(holes_are_skipped))
