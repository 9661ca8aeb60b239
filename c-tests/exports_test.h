/* What the library exports, and which of it a program has called. Included after test.h. */
#ifndef LIBAE_EXPORTS_TEST_H
#define LIBAE_EXPORTS_TEST_H

enum { MOST_EXPORTED = 200 };

static char exported[MOST_EXPORTED][64];
static int called[MOST_EXPORTED], exported_count;

/* The library's own list, which the build makes: LIBAE_EXPORTS names the file. */
static inline void read_exported(void) {
    FILE *file = fopen(LIBAE_EXPORTS, "r");

    CHECK(file != NULL);
    for (exported_count = 0; exported_count < MOST_EXPORTED; exported_count++)
        if (fscanf(file, "%63s", exported[exported_count]) != 1) break;
    fclose(file);
    CHECK(exported_count > 100 && exported_count < MOST_EXPORTED);
}

static inline void note_call(const char *name) {
    int i;

    if (exported_count == 0) read_exported();
    for (i = 0; i < exported_count; i++)
        if (strcmp(exported[i], name) == 0) {
            called[i] = 1;
            return;
        }
    FAIL("%s is not exported", name);
}

/* Calls a function, and notes that. */
#define TRY(function, arguments) (note_call(#function), errno = 0, function arguments)

/* Whether an export that has not been called is the business of whoever asks. */
static inline void check_all_called(int (*is_meant)(const char *name)) {
    int i;

    for (i = 0; i < exported_count; i++)
        if (!called[i] && (is_meant == NULL || is_meant(exported[i]))) FAIL("%s was not called", exported[i]);
}

#endif
