/* Calls in the forms that programs from before 6.2 use, which the headers accept with LIBAE_BEFORE_6_2. */
#define LIBAE_BEFORE_6_2 1

#include "test.h"

#include <ae.h>
#include <anet.h>

enum { SET_SIZE = 256 };

static char err[ANET_ERR_LEN];

static void note(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    test_note(mask & AE_WRITABLE ? 'w' : 'r');
}

static int blocks(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

static void loops_without_a_size(void) {
    aeEventLoop *el = aeCreateEventLoop();

    CHECK_INT(aeGetSetSize(el), AE_SETSIZE);
    aeDeleteEventLoop(el);
    el = aeCreateEventLoop(SET_SIZE);
    CHECK_INT(aeGetSetSize(el), SET_SIZE);
    aeDeleteEventLoop(el);
    CHECK_NULL(aeCreateEventLoop(0));
}

static void finalizer(aeEventLoop *el, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(data);
}

static void file_events_with_a_finalizer(void) {
    aeEventLoop *el = aeCreateEventLoop(SET_SIZE);
    int pair[2];

    test_pair(pair);
    test_send(pair[1], "x");
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE | AE_EXCEPTION, note, NULL, NULL), AE_OK);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT), 1);
    CHECK_TEXT(test_noted(), "r");
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, note, NULL), AE_OK);
    CHECK_FAILS(aeCreateFileEvent(el, pair[0], AE_READABLE, note, NULL, finalizer), AE_ERR, EINVAL);
    CHECK_FAILS(aeCreateFileEvent(el, pair[1], AE_EXCEPTION, note, NULL, NULL), AE_ERR, EINVAL);
    aeDeleteFileEvent(el, pair[0], AE_EXCEPTION);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE | AE_WRITABLE);
    aeDeleteEventLoop(el);
    test_close_pair(pair);
}

/* A buffer as programs had it, with a byte behind it that has to stay. */
struct short_text {
    char text[16];
    char behind;
};

static void resolve(void) {
    struct short_text ip = {"", 'x'};
    char long_text[64];

    CHECK_INT(anetResolve(err, "127.0.0.1", ip.text), ANET_OK);
    CHECK_TEXT(ip.text, "127.0.0.1");
    CHECK_INT(anetResolve(err, "255.255.255.255", ip.text), ANET_OK);
    CHECK_TEXT(ip.text, "255.255.255.255");
    CHECK_INT(ip.behind, 'x');
    CHECK_INT(anetResolve(err, "127.0.0.1", long_text, sizeof(long_text)), ANET_OK);
    CHECK_TEXT(long_text, "127.0.0.1");
    CHECK_INT(anetResolve(err, "127.0.0.1", long_text, sizeof(long_text), ANET_IP_ONLY), ANET_OK);
    CHECK_TEXT(long_text, "127.0.0.1");
}

/* One client that has connected, for each way to accept it. */
static void accept_in_every_form(void) {
    struct short_text ip = {"", 'x'};
    int port, server = anetTcpServer(err, 0, "127.0.0.1"), client, fd, form, its_port;

    CHECK(server != ANET_ERR);
    CHECK_INT(anetSockName(server, ip.text, &port), 0);
    CHECK_TEXT(ip.text, "127.0.0.1");
    CHECK_INT(port, test_port(server));
    for (form = 0; form < 3; form++) {
        client = anetTcpConnect(err, "127.0.0.1", port);
        CHECK(client != ANET_ERR);
        its_port = 0;
        if (form == 0) fd = anetAccept(err, server, ip.text, &its_port);
        else if (form == 1) fd = anetTcpAccept(err, server, ip.text, &its_port);
        else fd = anetTcpAccept(err, server, ip.text, sizeof(ip.text), &its_port);
        CHECK(fd != ANET_ERR);
        CHECK(blocks(fd));
        CHECK_TEXT(ip.text, "127.0.0.1");
        CHECK_INT(its_port, test_port(client));
        CHECK_INT(anetPeerToString(fd, ip.text, &its_port), 0);
        CHECK_INT(its_port, test_port(client));
        CHECK_INT(anetPeerToString(fd, ip.text, sizeof(ip.text), &its_port), 0);
        CHECK_INT(anetSockName(fd, ip.text, sizeof(ip.text), &its_port), 0);
        CHECK_INT(its_port, port);
        CHECK_INT(anetTcpNoDelay(err, fd), ANET_OK);
        CHECK_INT(anetSetSendBuffer(err, fd, 65536), ANET_OK);
        close(fd);
        close(client);
    }
    CHECK_INT(ip.behind, 'x');
    CHECK_INT(anetSetSendBuffer(err, -1, 1), ANET_ERR);
    CHECK_CONTAINS(err, "SO_SNDBUF");
    anetNonBlock(NULL, server);
    CHECK_FAILS(anetTcpAccept(err, server, NULL, NULL), ANET_ERR, EAGAIN);
    close(server);
    server = anetTcpServer(err, 0, "127.0.0.1", 16);
    CHECK(server != ANET_ERR);
    close(server);
}

static void ipv6_servers(void) {
    int server;

    test_needs_ipv6();
    server = anetTcp6Server(err, 0, "::1");
    CHECK(server != ANET_ERR);
    close(server);
    server = anetTcp6Server(err, 0, "::1", 16);
    CHECK(server != ANET_ERR);
    close(server);
}

static void connect_from_an_address(void) {
    int port, server = test_listen(AF_INET, 4, &port);
    int fd = anetTcpNonBlockBestEffortBindConnect(err, "127.0.0.1", port, "127.0.0.1");

    CHECK(fd != ANET_ERR);
    close(fd);
    close(server);
}

static void unix_servers(void) {
    char folder[64], path[80];
    int form, server, client, fd;

    test_folder(folder);
    snprintf(path, sizeof(path), "%s/socket", folder);
    for (form = 0; form < 2; form++) {
        server = form == 0 ? anetUnixServer(err, path, 0700) : anetUnixServer(err, path, 0700, 16);
        CHECK(server != ANET_ERR);
        client = anetUnixConnect(err, path);
        CHECK(client != ANET_ERR);
        fd = anetUnixAccept(err, server);
        CHECK(fd != ANET_ERR);
        CHECK(blocks(fd));
        close(fd);
        close(client);
        close(server);
        unlink(path);
    }
    rmdir(folder);
}

TEST_MAIN(CASE(loops_without_a_size), CASE(file_events_with_a_finalizer), CASE(resolve), CASE(accept_in_every_form),
          CASE(ipv6_servers), CASE(connect_from_an_address),
          CASE(unix_servers))
