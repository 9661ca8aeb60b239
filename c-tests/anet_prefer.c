/* anetResolve's preferences, with a resolver of the test's own: what a machine's has is nobody's promise. */
#include "test.h"

#include <anet.h>
#include <arpa/inet.h>
#include <netdb.h>

static char err[ANET_ERR_LEN];

/* ---- The resolver: "both", "v4" and "v6" have the addresses that their names say; "both" has IPv6 first ---- */

static int asked;

static struct addrinfo *entry(int family, const char *ip, int socktype, struct addrinfo *next) {
    struct {
        struct addrinfo info;
        struct sockaddr_storage address;
    } *whole = calloc(1, sizeof(*whole));

    CHECK(whole != NULL);
    whole->info = (struct addrinfo){.ai_family = family, .ai_socktype = socktype, .ai_next = next};
    whole->info.ai_addr = (struct sockaddr *)&whole->address;
    whole->info.ai_addrlen = test_loopback(family, 0, &whole->address);
    CHECK_INT(inet_pton(family, ip,
                        family == AF_INET ? (void *)&((struct sockaddr_in *)&whole->address)->sin_addr
                                          : (void *)&((struct sockaddr_in6 *)&whole->address)->sin6_addr),
              1);
    return &whole->info;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    int family = hints != NULL ? hints->ai_family : AF_UNSPEC, type = hints != NULL ? hints->ai_socktype : 0;

    (void)service;
    asked++;
    *result = NULL;
    if (strcmp(name, "v6") != 0 && family != AF_INET6) *result = entry(AF_INET, "192.0.2.1", type, NULL);
    if (strcmp(name, "v4") != 0 && family != AF_INET) *result = entry(AF_INET6, "2001:db8::1", type, *result);
    return *result != NULL ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list) {
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;

        free(list);
        list = next;
    }
}

/* ---- The cases ---- */

static void expect(const char *name, int flags, const char *expected) {
    char copy[16], ip[64];

    snprintf(copy, sizeof(copy), "%s", name);
    asked = 0;
    if (anetResolve(err, copy, ip, sizeof(ip), flags) != ANET_OK) FAIL("%s with %d: %s", name, flags, err);
    if (asked == 0) FAIL("the library does not use the program's resolver");
    if (strcmp(ip, expected) != 0) FAIL("%s with %d is %s, expected %s", name, flags, ip, expected);
}

static void preferred_family_comes_first(void) {
    expect("both", ANET_NONE, "2001:db8::1");
    expect("both", ANET_PREFER_IPV4, "192.0.2.1");
    expect("both", ANET_PREFER_IPV6, "2001:db8::1");
}

static void other_family_is_better_than_none(void) {
    expect("v4", ANET_PREFER_IPV6, "192.0.2.1");
    expect("v6", ANET_PREFER_IPV4, "2001:db8::1");
    expect("v4", ANET_PREFER_IPV4, "192.0.2.1");
    expect("v6", ANET_PREFER_IPV6, "2001:db8::1");
}

static void both_preferences_are_none(void) {
    expect("both", ANET_PREFER_IPV4 | ANET_PREFER_IPV6, "2001:db8::1");
    expect("v4", ANET_PREFER_IPV4 | ANET_PREFER_IPV6, "192.0.2.1");
}

TEST_MAIN(CASE(preferred_family_comes_first), CASE(other_family_is_better_than_none),
          CASE(both_preferences_are_none))
