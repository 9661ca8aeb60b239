#include "moves.h"

#include <string.h>

#include "play.h"

static const struct kind kinds[KINDS] = {
    [ACCEPT] = {"accept", {"slot"}},
    [CONNECT] = {"connect", {"slot", "is_refused"}},
    [CLOSE] = {"close", {"slot"}},
    [FEED] = {"feed", {"slot"}},
    [FILL] = {"fill", {"slot"}},
    [EMPTY] = {"empty", {"slot"}},
    [HANG_UP] = {"hang_up", {"slot"}},
    [SHUT] = {"shut", {"slot"}},
    [SET_READ] = {"set_read", {"slot", "handler"}},
    [SET_WRITE] = {"set_write", {"slot", "handler", "barrier"}},
    [READ] = {"read", {"slot", "length"}},
    [WRITE] = {"write", {"slot", "length"}},
    [WRITEV] = {"writev", {"slot", "length"}},
    [LOOK] = {"look", {"slot"}},
    [OPTION] = {"option", {"slot", "which"}},
    [PROCESS] = {"process", {"flags"}},
    [RETURN] = {"return", {NULL}},
};

static const int weights[KINDS] = {
    [ACCEPT] = 14, [CONNECT] = 3, [CLOSE] = 10, [FEED] = 14, [FILL] = 3, [EMPTY] = 3, [HANG_UP] = 4, [SHUT] = 2,
    [SET_READ] = 22, [SET_WRITE] = 16, [READ] = 12, [WRITE] = 6, [WRITEV] = 2, [LOOK] = 5, [OPTION] = 2, [PROCESS] = 26,
    [RETURN] = 26,
};

static void generate(struct program *program, uint64_t seed) {
    struct source source = {seed * 0x2545f4914f6cdd1du + 1};
    int length = ONE_OF(&source, 10, 20, 40, 80), slots = ONE_OF(&source, 1, 2, SLOTS), sum = 0, kind, choice;

    memset(program, 0, sizeof(*program));
    program->settings[KEY] = random_below(&source, 1000);
    program->settings[MOST_READY] = ONE_OF(&source, 0, 0, 1);
    for (kind = 0; kind < KINDS; kind++) sum += weights[kind];
    while (program->count < length) {
        struct move *move = &program->moves[program->count++];
        int *arguments = move->arguments;

        choice = random_below(&source, sum);
        for (kind = 0; choice >= weights[kind]; kind++) choice -= weights[kind];
        move->kind = kind;
        arguments[0] = random_below(&source, slots);
        switch (kind) {
        case CONNECT: arguments[1] = one_in(&source, 3); break;
        case SET_READ:
        case SET_WRITE:
            arguments[1] = random_below(&source, HANDLERS + 1);
            arguments[2] = kind == SET_WRITE && one_in(&source, 3);
            break;
        case READ:
        case WRITE:
        case WRITEV: arguments[1] = ONE_OF(&source, 1, 2, 100); break;
        case OPTION: arguments[1] = random_below(&source, 5); break;
        case PROCESS: arguments[0] = ONE_OF(&source, 5, 7, 7, 31); break;
        default: break;
        }
    }
}

const struct language language = {
    .kinds = kinds,
    .kind_count = KINDS,
    .settings = {[KEY] = "key", [MOST_READY] = "most_ready"},
    .generate = generate,
};
