/* Timers: what it costs to have many, and how late they are. */
#include "bench.h"

#include <stdlib.h>
#include <time.h>

/* A phase of work is repeated until it has been done to so many timers and so often, or for so long. */
enum { OPERATIONS = 20000, CYCLES = 5, IDLE = 20000, FEW = 1000 };
static const double ENOUGH_NS = 4e8;

static long fired;
/* The clock for the work, and what reading it costs: with few timers a system call would cost more than the work. */
static double (*clock_ns)(void);
static double clock_cost;

/* What each repetition of a phase has cost, per timer. */
struct phase {
    double *ns;
    long cycles;
};

static int *shuffled(long count, unsigned long long state) {
    int *order = room(count, sizeof(*order));
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

static void choose_clock(long count) {
    double start;
    clock_ns = count < FEW ? now_ns : cpu_ns;
    start = clock_ns();
    for (int i = 0; i < 1000; i++) clock_cost = clock_ns();
    clock_cost = (clock_cost - start) / 1000;
}

static double since(double start) {
    double ns = clock_ns() - start - clock_cost;
    return ns > 0 ? ns : 0;
}

static void idle_descriptor(void) {
    int pair[2];
    make_pair(pair);
    engine_watch(pair[0]);
}

static double idle_iteration(void) {
    double start = clock_ns();
    long count = 0;
    while (count < IDLE && (count % 16 != 0 || clock_ns() - start < ENOUGH_NS)) {
        engine_iterate(0);
        count++;
    }
    return since(start) / count;
}

static void add(long index, int milliseconds) { engine_timer_add((int)index, milliseconds); }
static void again(long index, int milliseconds) { engine_timer_again((int)index, milliseconds); }

static void delete(long index, int milliseconds) {
    (void)milliseconds;
    engine_timer_delete((int)index);
}

/* Does it to every timer, in this order if there is one; says whether that was done in time. What the next iteration costs
 * more than an idle one is work that the operation has put off. A timer is due in a thousand seconds or more, a second
 * apart from every other (a millisecond, when there are many): none ever is. */
static int for_each(struct phase *phase, void (*operation)(long, int), const int *order, const int *delays, long count,
                    double idle) {
    int step = count > FEW ? 1 : 1000;
    double start = clock_ns(), ns, put_off;
    long done = 0;
    while (done < count && (done % 64 != 0 || count <= OPERATIONS || clock_ns() - start < ENOUGH_NS)) {
        operation(order ? order[done] : done, 1000000 + delays[done] * step);
        done++;
    }
    ns = since(start);
    start = clock_ns();
    engine_iterate(0);
    if ((put_off = since(start) - idle) > 0 && count >= FEW) ns += put_off;
    phase->ns[phase->cycles++] = ns / done;
    return done == count;
}

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
    double start = clock_ns();
    fired = 0;
    for (long i = 0; i < count; i++) engine_timer_add((int)i, 1 + delays[i] % SPREAD_MS);
    figure("create first ns", since(start) / count);
    nanosleep(&pause, NULL);
    start = clock_ns();
    while (fired < count) engine_iterate(0);
    figure("expire ns", since(start) / count);
}

void timers(const long *numbers, int given) {
    long count = numbers[0], cycles = OPERATIONS / (count ? count : 1) + CYCLES;
    struct phase create = {room(cycles, sizeof(double)), 0}, rearm = create, remove = create;
    double start, without, with = 0;
    int *delays, *order;
    must(given == 1, "timers: how many");
    OFFERED(engine_timer_add);
    rearm.ns = room(cycles, sizeof(double)), remove.ns = room(cycles, sizeof(double));
    choose_clock(count);
    delays = shuffled(count, 88172645463325252ULL);
    order = shuffled(count, 362436069123456789ULL);
    engine_open(BENCH_MAX_FD);
    if (engine_timer_room) engine_timer_room((int)count);
    due = count_fired;
    idle_descriptor();
    without = idle_iteration();
    burst(delays, count);
    engine_iterate(0);
    start = now_ns();
    for (int in_time = 1; in_time && create.cycles < cycles;) {
        if (create.cycles > 0 && now_ns() - start > 5 * ENOUGH_NS) break;
        for_each(&create, add, NULL, delays, count, with > 0 ? with : without);
        if (with == 0) with = idle_iteration();
        in_time &= for_each(&rearm, again, order, delays, count, with);
        in_time &= for_each(&remove, delete, order, delays, count, with);
    }
    figure("create ns", median(create.ns, create.cycles));
    figure("rearm ns", median(rearm.ns, rearm.cycles));
    figure("delete ns", median(remove.ns, remove.cycles));
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
    order = shuffled(count, 88172645463325252ULL);
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
