/* The resolver: no name server is asked, and localhost is the same everywhere. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stddef.h>
#include <string.h>

typedef int resolver(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found);

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    static resolver *real;
    struct addrinfo numeric = *hints;
    int result;

    if (real == NULL) real = (resolver *)dlsym(RTLD_NEXT, "getaddrinfo");
    if (host != NULL) numeric.ai_flags |= AI_NUMERICHOST;
    if (host == NULL || strcmp(host, "localhost") != 0 || hints->ai_flags & AI_NUMERICHOST)
        return real(host, service, &numeric, found);
    if (hints->ai_family == AF_INET6) return real("::1", service, &numeric, found);
    result = real("127.0.0.1", service, &numeric, found);
    /* Both, if both are wanted. */
    if (result == 0 && hints->ai_family == AF_UNSPEC) result = real("::1", service, &numeric, &(*found)->ai_next);
    return result;
}
