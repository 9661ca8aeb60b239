/* A program: settings, and moves that are made one after the other. Whoever is running takes the next move: at first
 * the program itself, and in a callback that callback, until a move says to return. So one list has it all, and what is
 * left when some moves are taken out is a program, too. */
#ifndef DIFFER_PROGRAM_H
#define DIFFER_PROGRAM_H

#include <stdint.h>
#include <stdio.h>

enum { MAX_MOVES = 400, MAX_ARGUMENTS = 4, MAX_SETTINGS = 4 };

struct kind {
    const char *name;
    const char *arguments[MAX_ARGUMENTS];
};

struct move {
    int kind;
    int arguments[MAX_ARGUMENTS];
};

struct program {
    int settings[MAX_SETTINGS];
    int count;
    struct move moves[MAX_MOVES];
};

/* What programs of one tester are made of. */
struct language {
    const struct kind *kinds;
    int kind_count;
    const char *settings[MAX_SETTINGS];
    void (*generate)(struct program *program, uint64_t seed);
};

/* ---- Random numbers, the same everywhere ---- */

struct source {
    uint64_t state;
};

static inline uint64_t random_bits(struct source *source) {
    uint64_t bits = source->state += 0x9e3779b97f4a7c15u;

    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
    return bits ^ bits >> 31;
}

static inline int random_below(struct source *source, int limit) {
    return (int)(random_bits(source) % (uint64_t)limit);
}

static inline int one_in(struct source *source, int many) { return random_below(source, many) == 0; }

#define ONE_OF(source, ...)                                                                 \
    (((const int[]){__VA_ARGS__})[random_below(                                             \
        source, (int)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)))])

/* ---- Text ---- */

void write_program(FILE *file, const struct language *language, const struct program *program);

/* Ends the process with a word when the text is no program. */
void read_program(FILE *file, const struct language *language, struct program *program);

#endif
