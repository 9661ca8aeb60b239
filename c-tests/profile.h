/* What the ABI profiles have different, under one name for the tests. Also for C++. */
#ifndef LIBAE_TEST_PROFILE_H
#define LIBAE_TEST_PROFILE_H

#include <ae.h>
#include <libae.h>

#if defined(LIBAE_ABI_REDIS_6_2) || defined(LIBAE_ABI_REDIS_7_0)
#define TEST_CONN_V1 1 /* connections without registered types and listeners */
#endif
#if defined(LIBAE_ABI_REDIS_8_0) || defined(LIBAE_ABI_REDIS_8_6)
#define TEST_CONN_LOOP 1 /* connections know their loop */
#endif
/* A version and those after it. */
#if defined(LIBAE_ABI_VALKEY_9_1) || defined(LIBAE_ABI_VALKEY_9_1_2)
#define TEST_VALKEY_9_1 1
#endif
#if defined(LIBAE_ABI_VALKEY_9_0) || defined(TEST_VALKEY_9_1)
#define TEST_VALKEY_9 1
#endif
#if defined(LIBAE_ABI_VALKEY_8_1) || defined(TEST_VALKEY_9)
#define TEST_VALKEY_8_1 1
#endif
#if defined(LIBAE_ABI_VALKEY_8_0) || defined(TEST_VALKEY_8_1)
#define TEST_VALKEY 1
#endif

/* ---- ae.h ---- */

/* What a time event's function returns. */
#ifdef TEST_VALKEY_8_1
#define TIME_RESULT long long
#else
#define TIME_RESULT int
#endif

/* An after-sleep hook's heading; its loop is `el`. */
#ifdef TEST_VALKEY
#define AFTER_SLEEP(name) void name(aeEventLoop *el, int fired __attribute__((unused)))
#else
#define AFTER_SLEEP(name) void name(aeEventLoop *el)
#endif

/* Whether deleting a loop runs the finalizers of the time events that are still registered. */
#if defined(TEST_VALKEY) || defined(TEST_CONN_LOOP)
enum { LOOP_DELETION_FINALIZES = 1 };
#else
enum { LOOP_DELETION_FINALIZES = 0 };
#endif

/* The id of a loop's first time event. */
#ifdef TEST_VALKEY
enum { FIRST_TIMER = 1 };
#else
enum { FIRST_TIMER = 0 };
#endif

/* ---- anet.h ---- */

/* The last argument of anetFdToString: which end is meant. */
#ifdef TEST_CONN_V1
enum { REMOTE_END = 0, OWN_END = 1 };
#else
enum { OWN_END = 0, REMOTE_END = 1 };
#endif

/* From valkey-9.0 on some functions are told whether to use MPTCP. The tests call them without, except for those
 * that put the function's name in parentheses. */
#ifdef TEST_VALKEY_9
#include <anet.h>
#include <connection.h>
#define anetTcpServer(err, port, address, backlog) anetTcpServer(err, port, address, backlog, 0)
#define anetTcp6Server(err, port, address, backlog) anetTcp6Server(err, port, address, backlog, 0)
#define anetTcpNonBlockBestEffortBindConnect(err, address, port, source) \
    anetTcpNonBlockBestEffortBindConnect(err, address, port, source, 0)
#define connConnect(conn, address, port, source, handler) connConnect(conn, address, port, source, 0, handler)
#endif

/* anetUnixServer without a group. */
#ifdef TEST_VALKEY
#define test_unix_server(err, path, perm, backlog) anetUnixServer(err, path, perm, backlog, NULL)
#else
#define test_unix_server(err, path, perm, backlog) anetUnixServer(err, path, perm, backlog)
#endif

/* Whether accepted sockets, and those that are connected at once, have TCP_NODELAY. */
#ifdef TEST_VALKEY_8_1
enum { INITIAL_NODELAY = 1 };
#else
enum { INITIAL_NODELAY = 0 };
#endif

/* Whether a blocking connect whose time is over leaves its descriptor to connClose. */
#ifdef TEST_VALKEY_9_1
enum { TIMED_OUT_KEEPS_FD = 1 };
#else
enum { TIMED_OUT_KEEPS_FD = 0 };
#endif

/* Whether accepted sockets are non-blocking and close-on-exec. */
#ifdef LIBAE_ABI_REDIS_6_2
enum { ACCEPT_SAFE = 0 };
#else
enum { ACCEPT_SAFE = 1 };
#endif

/* Whether sockets that connect are close-on-exec. */
#ifdef TEST_VALKEY
enum { CONNECT_CLOEXEC = 1 };
#else
enum { CONNECT_CLOEXEC = 0 };
#endif

/* What anetUnixServer sets of O_NONBLOCK, and of FD_CLOEXEC likewise. */
#ifdef TEST_VALKEY_8_1
#define UNIX_SERVER_NONBLOCK O_NONBLOCK
#else
#define UNIX_SERVER_NONBLOCK 0
#endif

#endif
