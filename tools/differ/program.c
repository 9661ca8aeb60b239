#include "program.h"

#include <stdlib.h>
#include <string.h>

void write_program(FILE *file, const struct language *language, const struct program *program) {
    int i, j;

    for (i = 0; i < MAX_SETTINGS && language->settings[i] != NULL; i++)
        if (program->settings[i] != 0) fprintf(file, "set %s=%d\n", language->settings[i], program->settings[i]);
    for (i = 0; i < program->count; i++) {
        const struct move *move = &program->moves[i];
        const struct kind *kind = &language->kinds[move->kind];

        fputs(kind->name, file);
        for (j = 0; j < MAX_ARGUMENTS && kind->arguments[j] != NULL; j++)
            fprintf(file, " %s=%d", kind->arguments[j], move->arguments[j]);
        fputc('\n', file);
    }
}

static void refuse(const char *why, const char *what) {
    fprintf(stderr, "no program: %s: %s\n", why, what);
    exit(3);
}

static void read_setting(const struct language *language, struct program *program, char *word) {
    char *value = strchr(word, '=');
    int i;

    if (value == NULL) refuse("a setting without a value", word);
    *value++ = '\0';
    for (i = 0; i < MAX_SETTINGS && language->settings[i] != NULL; i++)
        if (strcmp(language->settings[i], word) == 0) {
            program->settings[i] = atoi(value);
            return;
        }
    refuse("an unknown setting", word);
}

static void read_move(const struct language *language, struct program *program, const char *name, char **rest) {
    struct move *move = &program->moves[program->count];
    char *word;
    int i;

    if (program->count == MAX_MOVES) refuse("too many moves", name);
    for (move->kind = 0; move->kind < language->kind_count; move->kind++)
        if (strcmp(language->kinds[move->kind].name, name) == 0) break;
    if (move->kind == language->kind_count) refuse("an unknown move", name);
    for (i = 0; i < MAX_ARGUMENTS && language->kinds[move->kind].arguments[i] != NULL; i++) {
        const char *argument = language->kinds[move->kind].arguments[i];
        size_t length = strlen(argument);

        word = strtok_r(NULL, " \n", rest);
        if (word == NULL || strncmp(word, argument, length) != 0 || word[length] != '=')
            refuse("a move without its arguments", name);
        move->arguments[i] = atoi(word + length + 1);
    }
    program->count++;
}

void read_program(FILE *file, const struct language *language, struct program *program) {
    char line[256], *rest, *word;

    memset(program->settings, 0, sizeof(program->settings));
    program->count = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        word = strtok_r(line, " \n", &rest);
        if (word == NULL || word[0] == '#') continue;
        if (strcmp(word, "set") == 0) {
            word = strtok_r(NULL, " \n", &rest);
            if (word == NULL) refuse("an empty setting", "set");
            read_setting(language, program, word);
        } else {
            read_move(language, program, word, &rest);
        }
    }
}
