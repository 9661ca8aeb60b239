/* What a valkey-9.1 server registers with libae: compile it with the server's flags, in src/, and link it
 * with the server and libae.a in place of ae.o anet.o connection.o socket.o unix.o, and of tls.o where it is built
 * with TLS; rdma.o stays. This one is for 9.1.0 and 9.1.1; from 9.1.2 on it is valkey-9.1.2.c. */

#include "server.h"
#include "bio.h"

#ifndef NEEDED_PROFILE
#define NEEDED_PROFILE "valkey-9.1"
#endif
#include "valkey-9.h"

/* A user that a client's certificate names. */
static void *host_enabled_user(const char *name, size_t len) {
    user *found = ACLGetUserByName(name, len);
    return found && (found->flags & USER_FLAG_ENABLED) ? found : NULL;
}

/* Has the thread of bio.c for it call tlsConfigureAsync. */
static void host_tls_reload(void) { bioCreateTlsReloadJob(); }

/* What INFO shows of the certificates. */
static void host_tls_certificate(int which, long long expires, const char *serial) {
    struct { long long *expires; sds *serial; } shown[] = {
        [LIBAE_TLS_CERTIFICATE_SERVER] = {&server.tls_server_cert_expire_time, &server.tls_server_cert_serial},
        [LIBAE_TLS_CERTIFICATE_CLIENT] = {&server.tls_client_cert_expire_time, &server.tls_client_cert_serial},
        [LIBAE_TLS_CERTIFICATE_CA] = {&server.tls_ca_cert_expire_time, &server.tls_ca_cert_serial},
    };
    int is_on = server.tls_port || server.tls_replication || server.tls_cluster;
    sdsfree(*shown[which].serial);
    *shown[which].expires = is_on ? expires : 0;
    *shown[which].serial = is_on && serial ? sdsnew(serial) : NULL;
}

/* Runs before main. */
__attribute__((constructor)) static void register_host(void) {
    static const libaeHost host = {
        HOST_VALKEY_9,
        .enabled_user = host_enabled_user,
        .tls_reload = host_tls_reload,
        .tls_certificate = host_tls_certificate,
    };
    register_with_libae(NEEDED_PROFILE, &host);
}
