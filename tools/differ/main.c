/* Plays programs on both sides and compares what they have done.
 *
 *   BACKEND FIRST COUNT    plays the programs with these seeds; ends with the first that differs, says which, and
 *                         writes both traces
 *   BACKEND text SEED     writes a program
 *   BACKEND play          plays the one on standard input and writes both traces
 *
 * Status 0: no difference; 1: a difference; 2: libae alone was against the rules; 4: stock was; others: a crash, or no
 * program. With DIFFER_ALONE in the environment libae plays alone. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "play.h"

enum { SAME, DIFFERENT, BROKEN, STOCK_BROKEN = 4, STATUSES, BATCH = 5000, HANGS_AFTER = 60 };

static struct program program;
static struct trace ours, theirs;
static enum backend backend;
static int is_alone;

static int play(void) {
    struct profile profile = {.is_alone = is_alone};

    side_begins(backend, 0);
    play_libae(&program, &ours, backend, &profile);
    if (ours.is_broken) return BROKEN;
    if (is_alone) return SAME;
    side_begins(backend, 1);
    play_stock(&program, &theirs, backend, &profile);
    if (theirs.is_broken) return STOCK_BROKEN;
    return ours.length != theirs.length || memcmp(ours.text, theirs.text, ours.length) != 0 ? DIFFERENT : SAME;
}

static void write_traces(void) {
    printf("--- libae\n%s", ours.text);
    if (!is_alone) printf("--- stock\n%s", theirs.text);
}

/* In a process of their own, so that one that crashes or hangs can be named. */
static int play_batch(unsigned long long first, unsigned long long count, volatile unsigned long long *seed) {
    int status;
    pid_t child = fork();

    if (child == 0) {
        for (*seed = first; *seed < first + count; ++*seed) {
            alarm(HANGS_AFTER);
            language.generate(&program, *seed);
            status = play();
            if (status == SAME) continue;
            printf("%llu\n", *seed);
            write_traces();
            exit(status);
        }
        exit(SAME);
    }
    if (child == -1 || waitpid(child, &status, 0) != child) abort();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int play_seeds(unsigned long long first, unsigned long long count) {
    volatile unsigned long long *seed =
        mmap(NULL, sizeof(*seed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned long long last = first + count;
    int status = SAME;

    while (status == SAME && first < last) {
        count = last - first < BATCH ? last - first : BATCH;
        status = play_batch(first, count, seed);
        first += count;
    }
    if (status >= STATUSES) printf("%llu\n", *seed);
    return status;
}

int main(int argc, char **argv) {
    static const char *const names[] = {"epoll", "poll", "select"};
    struct rlimit none = {0, 0};
    int status;

    setrlimit(RLIMIT_CORE, &none);
    signal(SIGPIPE, SIG_IGN);
    is_alone = getenv("DIFFER_ALONE") != NULL;
    while (argc > 2 && backend < 3 && strcmp(names[backend], argv[1]) != 0) backend++;
    if (argc < 3 || backend == 3) {
        fprintf(stderr, "usage: %s BACKEND FIRST COUNT, or text SEED, or play\n", argv[0]);
        return 3;
    }
    setenv("LIBAE_BACKEND", argv[1], 1);
    if (strcmp(argv[2], "text") == 0 && argc == 4) {
        language.generate(&program, strtoull(argv[3], NULL, 10));
        write_program(stdout, &language, &program);
        return 0;
    }
    if (strcmp(argv[2], "play") == 0) {
        read_program(stdin, &language, &program);
        alarm(HANGS_AFTER);
        status = play();
        write_traces();
        return status;
    }
    return argc == 4 ? play_seeds(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10)) : 3;
}
