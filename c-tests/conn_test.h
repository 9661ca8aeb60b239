/* What the tests of connections share, under the names of every profile. Also for C++. */
#ifndef LIBAE_CONN_TEST_H
#define LIBAE_CONN_TEST_H

#include "profile.h"

#include <connection.h>

#ifdef TEST_CONN_V1

/* One type for all sockets, and nothing to register. */
#define TCP_TYPE ((ConnectionType *)&CT_Socket)
#define UNIX_TYPE TCP_TYPE

static inline int test_conn_types(void) { return C_OK; }

static inline connection *test_conn_create(aeEventLoop *el, ConnectionType *type) {
    (void)el;
    (void)type;
    return connCreateSocket();
}

static inline connection *test_conn_create_accepted(aeEventLoop *el, ConnectionType *type, int fd) {
    (void)el;
    (void)type;
    return connCreateAcceptedSocket(fd);
}

static inline int test_conn_has_type(connection *conn, const char *name) {
    (void)name;
    return connGetType(conn) == CONN_TYPE_SOCKET;
}

static inline int test_conn_own_name(connection *conn, char *ip, size_t ip_len, int *port) {
    return connSockName(conn, ip, ip_len, port);
}

#else

#define TCP_TYPE connectionTypeTcp()
#define UNIX_TYPE connectionTypeUnix()

static inline int test_conn_types(void) { return connTypeInitialize(); }

static inline connection *test_conn_create(aeEventLoop *el, ConnectionType *type) {
#ifdef TEST_CONN_LOOP
    return connCreate(el, type);
#else
    (void)el;
    return connCreate(type);
#endif
}

static inline connection *test_conn_create_accepted_with(aeEventLoop *el, ConnectionType *type, int fd, void *priv) {
#ifdef TEST_CONN_LOOP
    return connCreateAccepted(el, type, fd, priv);
#else
    (void)el;
    return connCreateAccepted(type, fd, priv);
#endif
}

static inline connection *test_conn_create_accepted(aeEventLoop *el, ConnectionType *type, int fd) {
    return test_conn_create_accepted_with(el, type, fd, NULL);
}

/* A type's name: from valkey-9.0 on types are numbers. And a function that says which type one is. */
#ifdef TEST_VALKEY_9
#define test_type_name(conn) getConnectionTypeName(connGetType(conn))
#define TEST_GET_TYPE(function, name, number) \
    static int function(void) { return number; }
#else
#define test_type_name(conn) connGetType(conn)
#define TEST_GET_TYPE(function, name, number)       \
    static const char *function(connection *conn) { \
        (void)conn;                                 \
        return name;                                \
    }
#endif

static inline int test_conn_has_type(connection *conn, const char *name) {
    const char *type = test_type_name(conn);

    while (*name != '\0' && *name == *type) name++, type++;
    return *name == *type;
}

static inline int test_conn_own_name(connection *conn, char *ip, size_t ip_len, int *port) {
    return connAddrSockName(conn, ip, ip_len, port);
}

static inline int test_has_pending_data(aeEventLoop *el) {
#ifdef TEST_CONN_LOOP
    return connTypeHasPendingData(el);
#else
    (void)el;
    return connTypeHasPendingData();
#endif
}

static inline int test_process_pending_data(aeEventLoop *el) {
#ifdef TEST_CONN_LOOP
    return connTypeProcessPendingData(el);
#else
    (void)el;
    return connTypeProcessPendingData();
#endif
}

#endif

#endif
