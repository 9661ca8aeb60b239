/* A resolver that answers when it is told, in place of the C library's. Included after test.h. */
#ifndef LIBAE_NAMES_TEST_H
#define LIBAE_NAMES_TEST_H

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int is_open, lookups, under_way, most_under_way;
static sigset_t blocked_there; /* in the thread of the latest lookup */

static inline int real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list) {
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, service, hints, list);
}

static inline void enter(int waits) {
    pthread_mutex_lock(&mutex);
    lookups++;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked_there);
    under_way++;
    if (under_way > most_under_way) most_under_way = under_way;
    pthread_cond_broadcast(&changed);
    while (waits && !is_open) pthread_cond_wait(&changed, &mutex);
    under_way--;
    pthread_mutex_unlock(&mutex);
}

/* "slow" waits until it is let go; "two" has an address where nobody listens before one where somebody may. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list) {
    struct addrinfo numeric = *hints;
    int result;

    if (name == NULL || hints->ai_flags & AI_NUMERICHOST) return real_getaddrinfo(name, service, hints, list);
    enter(strcmp(name, "slow") == 0);
    if (strcmp(name, "none") == 0) return EAI_NONAME;
    if (strcmp(name, "again") == 0) return EAI_AGAIN;
    numeric.ai_flags |= AI_NUMERICHOST;
    if (strcmp(name, "two") != 0) return real_getaddrinfo("127.0.0.1", service, &numeric, list);
    result = real_getaddrinfo("127.0.0.2", service, &numeric, list);
    return result != 0 ? result : real_getaddrinfo("127.0.0.1", service, &numeric, &(*list)->ai_next);
}

static inline void let_go(void) {
    pthread_mutex_lock(&mutex);
    is_open = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static inline void await_lookups(int count) {
    pthread_mutex_lock(&mutex);
    while (under_way < count) pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

/* ThreadSanitizer has a thread of its own, and no threads after a fork. */
#ifdef __SANITIZE_THREAD__
enum { WITH_TSAN = 1 };
#else
enum { WITH_TSAN = 0 };
#endif

static inline int thread_count(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/task");

    CHECK(folder != NULL);
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count - 2 - WITH_TSAN;
}

/* The library's threads end by themselves when there is nothing to do. */
static inline void await_no_threads(void) {
    while (thread_count() > 1) test_sleep_us(1000);
}

#endif
