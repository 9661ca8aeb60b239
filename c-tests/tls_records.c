/* TLS: how many records one key protects: as many as there are, unless the settings say otherwise. */
#include "test.h"
#include "tls_wire.h"

#include <stddef.h>

enum { LIMIT = 10, MANY = 300, PIECE = 100 };

static char piece[PIECE], buffer[PIECE * MANY];

static int write_piece(connection *conn, int number) {
    memset(piece, 'a' + number % 26, PIECE);
    return connWrite(conn, piece, PIECE);
}

/* So many records from one to the other. */
static void transfer(connection *from, connection *to, int count) {
    int i, j;

    for (i = 0; i < count; i++) {
        CHECK_INT(write_piece(from, i), PIECE);
        tls_read_all(to, buffer, PIECE);
        for (j = 0; j < PIECE; j++) CHECK_INT(buffer[j], 'a' + i % 26);
    }
}

static void tls_1_2_ends_at_the_limit(void) {
    int count = 0;

    TLS_BEGIN(config.protocols = "TLSv1.2"; config.records_per_key = LIMIT);
    wire_connect_pair();
    while (write_piece(server, count) == PIECE) count++;
    CHECK_INT(errno, EPROTO);
    CHECK_INT(count, LIMIT - 1); /* one was the handshake's */
    CHECK_INT(connGetState(server), CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(server), "as many records as the settings allow");
    CHECK_CONTAINS(connGetLastError(server), "records_per_key");
    wire_run(WIRE_ALL, WIRE_ALL);
    tls_read_all(client, buffer, (size_t)count * PIECE);
    CHECK_INT(tls_read_some(client, buffer, 1), 0); /* close_notify: its socket has no end yet */
    CHECK_INT(connGetState(client), CONN_STATE_CLOSED);
    wire_end();
}

/* Also when one write makes several records. */
static void tls_1_2_ends_before_a_large_write(void) {
    static char large[65536];

    TLS_BEGIN(config.protocols = "TLSv1.2"; config.records_per_key = LIMIT);
    wire_connect_pair();
    CHECK_INT(connWrite(server, large, sizeof(large)), sizeof(large)); /* 4 of them */
    CHECK_INT(connWrite(server, large, sizeof(large)), sizeof(large));
    CHECK_FAILS(connWrite(server, large, sizeof(large)), -1, EPROTO);
    CHECK_CONTAINS(connGetLastError(server), "records_per_key");
    wire_end();
}

static void tls_1_3_changes_keys(void) {
    TLS_BEGIN(config.protocols = "TLSv1.3"; config.records_per_key = LIMIT);
    tls_connect_pair();
    transfer(client, server, MANY);
    transfer(server, client, MANY);
    tls_end();
}

/* One record a key is the handshake's with TLS 1.2, and each record's with 1.3. */
static void the_smallest_limit(void) {
    TLS_BEGIN(config.protocols = "TLSv1.2"; config.records_per_key = 1);
    wire_connect_pair();
    CHECK_FAILS(write_piece(server, 0), -1, EPROTO);
    CHECK_CONTAINS(connGetLastError(server), "records_per_key");
    wire_end();
}

static void without_a_limit(void) {
    static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};
    int i;

    for (i = 0; i < 2; i++) {
        TLS_BEGIN(config.protocols = versions[i]);
        tls_connect_pair();
        transfer(server, client, MANY);
        tls_end();
    }
}

/* A program that was compiled before there was the setting. */
static void an_older_structure_has_no_limit(void) {
    TLS_BEGIN(config.protocols = "TLSv1.2"; config.records_per_key = LIMIT;
              config.size = offsetof(libaeTlsConfig, records_per_key));
    tls_connect_pair();
    transfer(server, client, MANY);
    tls_end();
}

static void below_0_is_refused(void) {
    char err[256];
    libaeTlsConfig bad;

    TLS_BEGIN();
    bad = tls_config();
    bad.records_per_key = -1;
    CHECK_FAILS(libaeTlsConfigure(&bad, err, sizeof(err)), AE_ERR, EINVAL);
    CHECK_TEXT(err, "records_per_key: -1 is below 0");
    tls_end();
}

TEST_MAIN(CASE(tls_1_2_ends_at_the_limit), CASE(tls_1_2_ends_before_a_large_write), CASE(tls_1_3_changes_keys), CASE(the_smallest_limit),
          CASE(without_a_limit), CASE(an_older_structure_has_no_limit), CASE(below_0_is_refused))
