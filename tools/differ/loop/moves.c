#include "moves.h"

#include <string.h>

static const struct kind kinds[KINDS] = {
    [OPEN] = {"open", {"slot", "kind"}},
    [DUPLICATE] = {"duplicate", {"slot", "of"}},
    [KEEP] = {"keep", {"slot"}},
    [CLOSE] = {"close", {"slot"}},
    [CLOSE_FIRST] = {"close_first", {"slot"}},
    [FEED] = {"feed", {"slot"}},
    [DRAIN] = {"drain", {"slot"}},
    [FILL] = {"fill", {"slot"}},
    [EMPTY] = {"empty", {"slot"}},
    [HANG_UP] = {"hang_up", {"slot"}},
    [SHUT] = {"shut", {"slot"}},
    [CREATE] = {"create", {"loop", "slot", "mask", "handler"}},
    [CREATE_BADLY] = {"create_badly", {"loop", "how"}},
    [DELETE] = {"delete", {"loop", "slot", "mask"}},
    [GET] = {"get", {"loop", "slot"}},
    [TIMER] = {"timer", {"loop", "ms", "finalizer"}},
    [UNTIMER] = {"untimer", {"timer"}},
    [UNTIMER_ID] = {"untimer_id", {"loop", "id"}},
    [PROCESS] = {"process", {"loop", "flags"}},
    [MAIN] = {"main", {"loop"}},
    [STOP] = {"stop", {"loop"}},
    [RETURN] = {"return", {"value"}},
    [RESIZE] = {"resize", {"loop", "setsize"}},
    [DONT_WAIT] = {"dont_wait", {"loop", "on"}},
    [BEFORE] = {"before", {"loop", "on"}},
    [AFTER] = {"after", {"loop", "on"}},
    [NEW_LOOP] = {"new_loop", {"loop", "setsize"}},
    [DELETE_LOOP] = {"delete_loop", {"loop"}},
    [LOOK] = {"look", {"loop"}},
    [WAIT] = {"wait", {"slot", "mask", "ms"}},
    [TICK] = {"tick", {"us"}},
    [INTERRUPT] = {"interrupt", {NULL}},
};

/* How often each is chosen, in programs that prefer nothing. */
static const int weights[KINDS] = {
    [OPEN] = 10, [DUPLICATE] = 2, [KEEP] = 1, [CLOSE] = 5, [CLOSE_FIRST] = 4, [FEED] = 12, [DRAIN] = 6, [FILL] = 4,
    [EMPTY] = 3, [HANG_UP] = 3, [SHUT] = 2, [CREATE] = 26, [CREATE_BADLY] = 2, [DELETE] = 12, [GET] = 3, [TIMER] = 12,
    [UNTIMER] = 6, [UNTIMER_ID] = 1, [PROCESS] = 18, [MAIN] = 3, [STOP] = 3, [RETURN] = 26, [RESIZE] = 3,
    [DONT_WAIT] = 2, [BEFORE] = 3, [AFTER] = 3, [NEW_LOOP] = 2, [DELETE_LOOP] = 2, [LOOK] = 2, [WAIT] = 2, [TICK] = 6,
    [INTERRUPT] = 1,
};

/* What a program may be about, and then does more often, or not at all. */
static const struct theme {
    int often[8], never[8];
} themes[] = {
    {{KINDS}, {KINDS}},
    {{CREATE, DELETE, FEED, RETURN, PROCESS, KINDS}, {TIMER, KINDS}},
    {{TIMER, UNTIMER, TICK, PROCESS, RETURN, KINDS}, {OPEN, FILL, KINDS}},
    {{TIMER, UNTIMER, PROCESS, RETURN, CREATE, FEED, KINDS}, {KINDS}},
    {{BEFORE, AFTER, PROCESS, RETURN, TIMER, DONT_WAIT, KINDS}, {KINDS}},
    {{CLOSE, CLOSE_FIRST, OPEN, CREATE, FEED, KINDS}, {TIMER, KINDS}},
    {{DUPLICATE, KEEP, CLOSE, CLOSE_FIRST, CREATE, DELETE, FEED, KINDS}, {KINDS}},
    {{NEW_LOOP, DELETE_LOOP, TIMER, CREATE, PROCESS, KINDS}, {KINDS}},
    {{RESIZE, CREATE, DELETE, LOOK, PROCESS, KINDS}, {KINDS}},
    {{MAIN, STOP, FEED, CREATE, TIMER, KINDS}, {KINDS}},
};

static int is_among(const int *list, int kind) {
    for (; *list != KINDS; list++)
        if (*list == kind) return 1;
    return 0;
}

/* A mask: sensible ones, mostly. */
static int any_mask(struct source *source) {
    return one_in(source, 12) ? ONE_OF(source, 0, 4, 4, 5) : ONE_OF(source, 1, 1, 1, 2, 2, 3, 3, 3, 6, 7, 7);
}

static int any_flags(struct source *source) {
    enum { FILES = 1, TIMES = 2, NO_WAIT = 4, HOOKS = 24 };

    switch (random_below(source, 8)) {
    case 0: return random_below(source, 32);
    case 1: return FILES | NO_WAIT;
    case 2: return TIMES | NO_WAIT;
    case 3: return FILES | TIMES | HOOKS;
    case 4: return FILES | TIMES | HOOKS | NO_WAIT;
    case 5: return FILES | TIMES;
    default: return FILES | TIMES | NO_WAIT;
    }
}

static int any_loop(struct source *source) { return one_in(source, 6) ? random_below(source, LOOPS) : 0; }

static int any_setsize(struct source *source) {
    return one_in(source, 3) ? 64 : ONE_OF(source, 0, 1, 16, 17, 19, 20, 22, 25, 26, 30, 63, 65, 130);
}

static void fill_in(struct source *source, struct move *move, int slots) {
    int *arguments = move->arguments;

    switch (move->kind) {
    case OPEN:
        arguments[0] = random_below(source, slots);
        arguments[1] = ONE_OF(source, SOCKET, SOCKET, SOCKET, PIPE_READ, PIPE_WRITE, NO_POLL);
        if (arguments[1] == NO_POLL && one_in(source, 2)) arguments[1] = SOCKET;
        break;
    case DUPLICATE:
        arguments[0] = random_below(source, slots);
        arguments[1] = random_below(source, slots);
        break;
    case CREATE:
        arguments[0] = any_loop(source);
        arguments[1] = random_below(source, slots);
        arguments[2] = any_mask(source);
        arguments[3] = random_below(source, HANDLERS);
        break;
    case CREATE_BADLY:
        arguments[0] = any_loop(source);
        arguments[1] = random_below(source, BAD_KINDS);
        break;
    case DELETE:
        arguments[0] = any_loop(source);
        arguments[1] = random_below(source, slots);
        arguments[2] = ONE_OF(source, 1, 1, 2, 2, 3, 3, 3, 7, 4, 0, 5);
        break;
    case GET:
        arguments[0] = any_loop(source);
        arguments[1] = random_below(source, slots + 2) - 2;
        break;
    case TIMER:
        arguments[0] = any_loop(source);
        arguments[1] = ONE_OF(source, 0, 0, 0, 1, 1, 2, 3, 5, 10, 30, 1000, -1);
        arguments[2] = random_below(source, 2);
        break;
    case UNTIMER: arguments[0] = random_below(source, 12); break;
    case UNTIMER_ID:
        arguments[0] = any_loop(source);
        arguments[1] = ONE_OF(source, -1, -1, -1, 99999, -2);
        break;
    case PROCESS:
        arguments[0] = any_loop(source);
        arguments[1] = any_flags(source);
        break;
    case RETURN: arguments[0] = ONE_OF(source, -1, -1, -1, -1, -1, 0, 0, 1, 1, 2, 5, 20, 100, -2); break;
    case RESIZE:
    case NEW_LOOP:
        arguments[0] = any_loop(source);
        arguments[1] = any_setsize(source);
        break;
    case DONT_WAIT:
    case BEFORE:
    case AFTER:
        arguments[0] = any_loop(source);
        arguments[1] = !one_in(source, 3);
        break;
    case WAIT:
        arguments[0] = random_below(source, slots);
        arguments[1] = one_in(source, 6) ? ONE_OF(source, 0, 4, 8, 9) : ONE_OF(source, 1, 2, 3, 3, 7);
        arguments[2] = ONE_OF(source, 0, 0, 3, 10, -1);
        break;
    case TICK: arguments[0] = ONE_OF(source, 1000, 1000, 2000, 5000, 20000, 30000); break;
    case MAIN:
    case STOP:
    case DELETE_LOOP:
    case LOOK: arguments[0] = any_loop(source); break;
    case INTERRUPT: break;
    default: arguments[0] = random_below(source, slots);
    }
}

static int choose(struct source *source, const int *wanted) {
    int sum = 0, kind;

    for (kind = 0; kind < KINDS; kind++) sum += wanted[kind];
    sum = random_below(source, sum);
    for (kind = 0; sum >= wanted[kind]; kind++) sum -= wanted[kind];
    return kind;
}

static void generate(struct program *program, uint64_t seed) {
    struct source source = {seed * 0x2545f4914f6cdd1du + 1};
    const struct theme *theme = &themes[random_below(&source, (int)(sizeof(themes) / sizeof(*themes)))];
    int wanted[KINDS], slots = ONE_OF(&source, 1, 2, 3, 5, SLOTS), is_fine = one_in(&source, 4), kind, i;
    int length = ONE_OF(&source, 10, 20, 40, 40, 80, 80, 150);

    memset(program->settings, 0, sizeof(program->settings));
    program->settings[KEY] = random_below(&source, 1000);
    program->settings[MOST_READY] = ONE_OF(&source, 0, 0, 0, 1, 2);
    program->settings[CLOSES_FIRST] = one_in(&source, 4);
    for (kind = 0; kind < KINDS; kind++) {
        wanted[kind] = weights[kind] * (is_among(theme->often, kind) ? 3 : 1);
        if (is_among(theme->never, kind)) wanted[kind] = 0;
    }
    if (!program->settings[CLOSES_FIRST]) wanted[CLOSE_FIRST] = 0;
    /* Some descriptors there are from the start, and a loop is always (play.c). */
    program->count = 0;
    for (i = 0; i < slots && wanted[OPEN] > 0; i++) {
        struct move *move = &program->moves[program->count++];

        move->kind = OPEN;
        fill_in(&source, move, slots);
        move->arguments[0] = i;
    }
    while (program->count < length) {
        struct move *move = &program->moves[program->count++];

        memset(move, 0, sizeof(*move));
        move->kind = choose(&source, wanted);
        fill_in(&source, move, slots);
        if (move->kind == TICK && is_fine) move->arguments[0] = 1 + random_below(&source, 3000);
    }
}

const struct language language = {
    .kinds = kinds,
    .kind_count = KINDS,
    .settings = {[KEY] = "key", [MOST_READY] = "most_ready", [CLOSES_FIRST] = "closes_first"},
    .generate = generate,
};
