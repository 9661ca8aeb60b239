/* A Redis fork's programs have a monotonicInit of their own and leave it to aeCreateEventLoop to call it. */
#include <ae.h>

#include <stdio.h>
#include <string.h>

static int initialised;

const char *monotonicInit(void);
const char *monotonicInit(void) {
    initialised++;
    return "a test's clock";
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--list") == 0) return puts("host_clock_is_initialised") < 0;
    aeEventLoop *el = aeCreateEventLoop(16);
    if (el == NULL || initialised == 0) {
        fprintf(stderr, "aeCreateEventLoop did not call the program's monotonicInit\n");
        return 1;
    }
    aeDeleteEventLoop(el);
    if (argc == 1) printf("%s: 1 cases, 0 failed, 0 skipped\n", argv[0]);
    return 0;
}
