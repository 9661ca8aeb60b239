/* What a fork's own tls.o and rdma.o define, libae.a has as weak symbols: the program's own win, also where the library
 * calls them itself. Linked with libae.a alone; were they not weak, this would not link. */
#include "test.h"
#include "conn_test.h"

static int calls;

#ifdef TEST_CONN_V1

static connection own;

connection *connCreateTLS(void) {
    calls++;
    return &own;
}

connection *connCreateAcceptedTLS(int fd, int require_auth) {
    calls += fd + require_auth;
    return &own;
}

char *connTLSGetPeerCert(connection *conn) {
    static char certificate[] = "certificate";

    CHECK(conn == &own);
    return certificate;
}

int tlsHasPendingData(void) { return 1; }
int tlsProcessPendingData(void) { return 5; }

static void functions_are_the_programs(void) {
    connection *conn;

    CHECK(connCreateTLS() == &own);
    CHECK_INT(calls, 1);
    CHECK(connCreateAcceptedTLS(40, 1) == &own);
    CHECK_INT(calls, 42);
    CHECK_TEXT(connTLSGetPeerCert(&own), "certificate");
    CHECK_INT(tlsHasPendingData(), 1);
    CHECK_INT(tlsProcessPendingData(), 5);
    conn = connCreateSocket(); /* the rest is the library's */
    CHECK_INT(connGetType(conn), CONN_TYPE_SOCKET);
    connClose(conn);
}

TEST_MAIN(CASE(functions_are_the_programs))

#else

TEST_GET_TYPE(own_get_type, "tls", 2)

static int own_inits;

static void own_init(void) { own_inits++; }

static ConnectionType own_tls = {.get_type = own_get_type, .init = own_init};

int RedisRegisterConnectionTypeTLS(void) {
    calls++;
    return connTypeRegister(&own_tls);
}

static void initialize_registers_the_programs_tls(void) {
    connection conn = {.type = &own_tls};

    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK_INT(calls, 1);
    CHECK_INT(own_inits, 1);
    CHECK(connectionTypeTls() == &own_tls);
#ifdef TEST_VALKEY_9
    CHECK(connectionByType(CONN_TYPE_TLS) == &own_tls);
#else
    CHECK(connectionByType("TLS") == &own_tls);
    CHECK_INT(connectionIndexByType("tls"), 2); /* after tcp and unix */
#endif
    CHECK_INT(connIsTLS(&conn), 1);
    CHECK(connectionTypeTcp() != NULL && connectionTypeUnix() != NULL);
}

#ifdef TEST_VALKEY_8_1

TEST_GET_TYPE(own_rdma_get_type, "rdma", 3)

static ConnectionType own_rdma = {.get_type = own_rdma_get_type};

int RegisterConnectionTypeRdma(void) { return connTypeRegister(&own_rdma); }

static void initialize_registers_the_programs_rdma(void) {
    CHECK_INT(connTypeInitialize(), C_OK);
#ifdef TEST_VALKEY_9
    CHECK(connectionByType(CONN_TYPE_RDMA) == &own_rdma);
#else
    CHECK(connectionByType("rdma") == &own_rdma);
    CHECK_INT(connectionIndexByType("rdma"), 3);
#endif
}

#ifdef TEST_VALKEY_9_1

static int reloads;

void tlsReconfigureIfNeeded(void) { reloads += 1; }
void tlsConfigureAsync(void) { reloads += 10; }
void tlsApplyPendingReload(void) { reloads += 100; }
void tlsResetCertInfo(void) { reloads += 1000; }

static void reloading_is_the_programs(void) {
    tlsReconfigureIfNeeded();
    tlsConfigureAsync();
    tlsApplyPendingReload();
    tlsResetCertInfo();
    CHECK_INT(reloads, 1111);
}

#define CASES_OF_9_1 , CASE(reloading_is_the_programs)
#else
#define CASES_OF_9_1
#endif

TEST_MAIN(CASE(initialize_registers_the_programs_tls), CASE(initialize_registers_the_programs_rdma) CASES_OF_9_1)

#else

TEST_MAIN(CASE(initialize_registers_the_programs_tls))

#endif
#endif
