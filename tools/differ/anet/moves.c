#include "moves.h"

#include <string.h>

#include "play.h"

static const struct kind kinds[KINDS] = {
    [MAKE] = {"make", {"slot", "kind"}},
    [CLOSE] = {"close", {"slot"}},
    [SET] = {"set_option", {"slot", "what", "value", "err"}},
    [TIME_OUT] = {"time_out", {"slot", "receives", "ms", "err"}},
    [MARK] = {"mark", {"slot", "err"}},
    [PIPE] = {"pipe", {"slot", "read_flags", "write_flags"}},
    [TCP_SERVER] = {"tcp_server", {"slot", "is_ipv6", "port", "host"}},
    [UNIX_SERVER] = {"unix_server", {"slot", "path", "mode", "backlog"}},
    [CONNECT] = {"connect", {"slot", "port", "host", "source"}},
    [CONNECT_UNIX] = {"connect_unix", {"slot", "path", "flags"}},
    [ACCEPT] = {"accept", {"slot", "server", "length"}},
    [ACCEPT_UNIX] = {"accept_unix", {"slot", "server"}},
    [RESOLVE] = {"resolve", {"host", "length", "flags"}},
    [FORMAT] = {"format", {"host", "length", "port"}},
    [ADDRESS] = {"address", {"slot", "is_own", "length", "port"}},
};

static const int weights[KINDS] = {
    [MAKE] = 6, [CLOSE] = 3, [SET] = 16, [TIME_OUT] = 5, [MARK] = 1, [PIPE] = 4, [TCP_SERVER] = 8, [UNIX_SERVER] = 5,
    [CONNECT] = 14, [CONNECT_UNIX] = 5, [ACCEPT] = 10, [ACCEPT_UNIX] = 4, [RESOLVE] = 4, [FORMAT] = 3, [ADDRESS] = 12,
};

static int any_host(struct source *source) { return random_below(source, HOSTS); }

static int any_length(struct source *source) {
    return one_in(source, 2) ? 46 : ONE_OF(source, 0, 1, 2, 5, 9, 10, 11, 12);
}

static int any_port(struct source *source) {
    return one_in(source, 4) ? -1 - random_below(source, PORTS - 1) : random_below(source, SLOTS);
}

static void fill_in(struct source *source, struct move *move) {
    int *arguments = move->arguments;

    arguments[0] = random_below(source, SLOTS);
    switch (move->kind) {
    case MAKE: arguments[1] = random_below(source, MADE_KINDS); break;
    case SET:
        arguments[1] = random_below(source, SET_KINDS);
        arguments[2] = ONE_OF(source, 1, 2, 3, 10, 300, 0, -1, 40000);
        arguments[3] = !one_in(source, 5);
        break;
    case TIME_OUT:
        arguments[1] = random_below(source, 2);
        arguments[2] = ONE_OF(source, 0, 1, 20, 1500, 100000, -1, -1500);
        arguments[3] = !one_in(source, 5);
        break;
    case MARK: arguments[1] = !one_in(source, 5); break;
    case PIPE:
        arguments[1] = random_below(source, 4);
        arguments[2] = random_below(source, 4);
        break;
    case TCP_SERVER:
        arguments[1] = one_in(source, 3);
        arguments[2] = one_in(source, 3) ? any_port(source) : ANY_PORT;
        arguments[3] = one_in(source, 3) ? any_host(source) : random_below(source, 3);
        break;
    case UNIX_SERVER:
        arguments[1] = random_below(source, PATHS);
        arguments[2] = ONE_OF(source, 0, 0, 0700, 0666);
        arguments[3] = ONE_OF(source, 64, 128); /* connects block while the queue is full */
        break;
    case CONNECT:
        arguments[1] = any_port(source);
        arguments[2] = one_in(source, 3) ? any_host(source) : random_below(source, 3);
        arguments[3] = one_in(source, 2) ? NOBODY : any_host(source);
        break;
    case CONNECT_UNIX:
        arguments[1] = random_below(source, PATHS);
        arguments[2] = random_below(source, 2);
        break;
    case ACCEPT:
        arguments[1] = random_below(source, SLOTS);
        arguments[2] = any_length(source);
        break;
    case ACCEPT_UNIX: arguments[1] = random_below(source, SLOTS); break;
    case RESOLVE:
        arguments[0] = any_host(source);
        arguments[1] = any_length(source);
        arguments[2] = random_below(source, 2);
        break;
    case FORMAT:
        arguments[0] = any_host(source);
        arguments[1] = any_length(source);
        arguments[2] = ONE_OF(source, 0, 80, 65535, -1);
        break;
    case ADDRESS:
        arguments[1] = random_below(source, 2);
        arguments[2] = any_length(source);
        arguments[3] = !one_in(source, 5);
        break;
    default: break;
    }
}

static void generate(struct program *program, uint64_t seed) {
    struct source source = {seed * 0x2545f4914f6cdd1du + 1};
    int length = ONE_OF(&source, 5, 10, 20, 40), sum = 0, kind, choice;

    memset(program, 0, sizeof(*program));
    for (kind = 0; kind < KINDS; kind++) sum += weights[kind];
    while (program->count < length) {
        struct move *move = &program->moves[program->count++];

        choice = random_below(&source, sum);
        for (kind = 0; choice >= weights[kind]; kind++) choice -= weights[kind];
        move->kind = kind;
        fill_in(&source, move);
    }
}

const struct language language = {.kinds = kinds, .kind_count = KINDS, .settings = {NULL}, .generate = generate};

void side_begins(enum backend backend, int is_stock) {
    (void)backend;
    (void)is_stock;
}
