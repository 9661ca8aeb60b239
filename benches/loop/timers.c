/* Timers: what it costs to have many, and how late they are. */
#include "bench.h"

#include <stdlib.h>
#include <time.h>

/* Work goes on until it has been done so often and so many times over, or for so long. */
enum { OPERATIONS = 20000, CYCLES = 3, IDLE = 20000 };
static const double ENOUGH_NS = 4e8;

static long fired;
static double clock_cost;

/* What a phase has cost so far. */
struct phase {
    double ns;
    long operations;
};

static int *shuffled(long count) {
    int *order = room(count, sizeof(*order));
    unsigned long long state = 88172645463325252ULL;
    for (long i = 0; i < count; i++) order[i] = (int)i;
    for (long i = count - 1; i > 0; i--) {
        long other;
        int swapped;
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        other = (long)(state % (unsigned long long)(i + 1));
        swapped = order[i], order[i] = order[other], order[other] = swapped;
    }
    return order;
}

static double since(double start) {
    double ns = now_ns() - start - clock_cost;
    return ns > 0 ? ns : 0;
}

static void idle_descriptor(void) {
    int pair[2];
    make_pair(pair);
    engine_watch(pair[0]);
}

static double idle_iteration(void) {
    double start = now_ns();
    long count = 0;
    while (count < IDLE && (count % 16 != 0 || now_ns() - start < ENOUGH_NS)) {
        engine_iterate(0);
        count++;
    }
    return since(start) / count;
}

/* One iteration; what it costs more than an idle one is work that an operation has put off. */
static void settle(struct phase *phase, double idle) {
    double start = now_ns(), ns;
    engine_iterate(0);
    if ((ns = since(start) - idle) > 0) phase->ns += ns;
}

static void add(long index, int milliseconds) { engine_timer_add((int)index, milliseconds); }
static void again(long index, int milliseconds) { engine_timer_again((int)index, milliseconds); }

static void delete(long index, int milliseconds) {
    (void)milliseconds;
    engine_timer_delete((int)index);
}

/* Does it to every timer, in this order if there is one; says whether that was done in time. A timer is due in a thousand
 * seconds or more, a second apart from every other (a millisecond, when there are a million): none ever is. */
static int for_each(struct phase *phase, void (*operation)(long, int), const int *order, const int *delays, long count) {
    int step = count > 1000 ? 1 : 1000;
    double start = now_ns();
    long done = 0;
    while (done < count && (done % 64 != 0 || count <= OPERATIONS || now_ns() - start < ENOUGH_NS)) {
        operation(order ? order[done] : done, 1000000 + delays[done] * step);
        done++;
    }
    phase->ns += since(start);
    phase->operations += done;
    return done == count;
}

static void report(const char *name, const struct phase *phase) {
    if (phase->operations) figure(name, phase->ns / phase->operations);
}

void bench_due(int index);
static void (*due)(int index);
void bench_due(int index) { due(index); }

static void count_fired(int index) {
    (void)index;
    fired++;
}

/* Timers that are all due at once, in memory that has not been used before. */
static void burst(const int *delays, long count) {
    enum { SPREAD_MS = 10 };
    struct timespec pause = {0, 1000000 * (SPREAD_MS + 2)};
    double start = now_ns();
    fired = 0;
    for (long i = 0; i < count; i++) engine_timer_add((int)i, 1 + delays[i] % SPREAD_MS);
    figure("create first ns", since(start) / count);
    nanosleep(&pause, NULL);
    start = now_ns();
    while (fired < count) engine_iterate(0);
    figure("expire ns", since(start) / count);
}

void timers(const long *numbers, int given) {
    struct phase create = {0}, rearm = {0}, remove = {0};
    long count = numbers[0];
    double start = now_ns(), without, with = 0;
    int *delays, *order, in_time = 1;
    must(given == 1, "timers: how many");
    OFFERED(engine_timer_add);
    for (int i = 0; i < 1000; i++) clock_cost = now_ns();
    clock_cost = (clock_cost - start) / 1000;
    delays = shuffled(count);
    order = shuffled(count);
    for (long i = 0; i < count / 2; i++) { /* another order than that of the delays */
        int swapped = order[i];
        order[i] = order[count - 1 - i], order[count - 1 - i] = swapped;
    }
    engine_open(BENCH_MAX_FD);
    if (engine_timer_room) engine_timer_room((int)count);
    due = count_fired;
    idle_descriptor();
    without = idle_iteration();
    burst(delays, count);
    engine_iterate(0);
    start = now_ns();
    for (int cycle = 0; in_time && (cycle < CYCLES || create.operations < OPERATIONS); cycle++) {
        if (cycle > 0 && now_ns() - start > 5 * ENOUGH_NS) break;
        for_each(&create, add, NULL, delays, count);
        settle(&create, with ? with : without);
        if (cycle == 0) with = idle_iteration();
        in_time &= for_each(&rearm, again, order, delays, count);
        settle(&rearm, with);
        in_time &= for_each(&remove, delete, order, delays, count);
        settle(&remove, with);
    }
    report("create ns", &create);
    report("rearm ns", &rearm);
    report("delete ns", &remove);
    figure("idle ns", with);
    figure("idle without timers ns", without);
}

/* Delays of up to half a second, and how late each timer was. */
static double *lateness_us, *expected;

static void note_lateness(int index) {
    lateness_us[fired++] = (now_ns() - expected[index]) / 1000;
}

void lateness(const long *numbers, int given) {
    enum { LONGEST_MS = 500 };
    long count = numbers[0];
    int *order;
    double cpu;
    must(given == 1, "lateness: how many timers");
    OFFERED(engine_timer_add);
    order = shuffled(count);
    lateness_us = room(count, sizeof(*lateness_us));
    expected = room(count, sizeof(*expected));
    engine_open(BENCH_MAX_FD);
    if (engine_timer_room) engine_timer_room((int)count);
    due = note_lateness;
    idle_descriptor();
    engine_iterate(0);
    for (long i = 0; i < count; i++) {
        int delay = 1 + order[i] % LONGEST_MS;
        expected[i] = now_ns() + delay * 1e6;
        engine_timer_add((int)i, delay);
    }
    cpu = cpu_ns();
    while (fired < count) engine_iterate(1);
    cpu = cpu_ns() - cpu;
    sort(lateness_us, count);
    figure("earliest us", lateness_us[0]);
    figure("p50 us", quantile(lateness_us, count, 0.5));
    figure("p99 us", quantile(lateness_us, count, 0.99));
    figure("max us", lateness_us[count - 1]);
    figure("cpu us/timer", cpu / 1000 / count);
}
