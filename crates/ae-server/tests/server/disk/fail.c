/* Stands between a program and the C library (LD_PRELOAD), and has operations on files fail when the test says so. Only
 * files below FAIL_UNDER count. What is to fail is in the file FAIL_CONTROL, which is mapped into memory. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* faults.rs writes and reads the same numbers. */
struct control {
    uint32_t first, end; /* Operations of these numbers fail. */
    uint32_t error;      /* With this; 0: a write takes half, and then there is no space left. */
    uint32_t begun;      /* So many operations there have been. */
    uint32_t failed;     /* So many of them have failed. */
};

#define FILES 1024
static struct control *control;
static const char *under;
static size_t under_len;
static char counts[FILES]; /* Whether a descriptor is of a file below the folder. */

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAIL_CONTROL");
    under = getenv("FAIL_UNDER");
    if (!path || !under) return;
    under_len = strlen(under);
    int fd = REAL(open)(path, O_RDWR | O_CLOEXEC);
    void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) abort();
    close(fd);
    control = mapped;
}

static int is_below(const char *path) {
    char folder[4096];
    if (!control) return 0;
    if (*path != '/' && !(path = getcwd(folder, sizeof folder))) return 0;
    return strncmp(path, under, under_len) == 0;
}

static int is_file(int fd) {
    return control && fd >= 0 && fd < FILES && __atomic_load_n(&counts[fd], __ATOMIC_RELAXED);
}

/* An operation begins: 0, or the error that it fails with. A write that may take half of its bytes has `half`. */
static int fault(int *half) {
    uint32_t number = __atomic_fetch_add(&control->begun, 1, __ATOMIC_SEQ_CST);
    uint32_t first = __atomic_load_n(&control->first, __ATOMIC_SEQ_CST);
    if (number < first || number >= __atomic_load_n(&control->end, __ATOMIC_SEQ_CST)) return 0;
    __atomic_fetch_add(&control->failed, 1, __ATOMIC_SEQ_CST);
    uint32_t error = __atomic_load_n(&control->error, __ATOMIC_SEQ_CST);
    if (error) return (int)error;
    if (half && number == first) {
        *half = 1;
        return 0;
    }
    return ENOSPC;
}

/* Returns -1 from the caller if the operation on what is at the path, or on the file, is to fail. */
#define MAY_FAIL(concerned)                     \
    do {                                        \
        int error_ = (concerned) ? fault(NULL) : 0; \
        if (error_) {                           \
            errno = error_;                     \
            return -1;                          \
        }                                       \
    } while (0)

static int opened(int fd, int below) {
    if (control && fd >= 0 && fd < FILES) __atomic_store_n(&counts[fd], (char)below, __ATOMIC_RELAXED);
    return fd;
}

#define MODE_OF(flags, mode)                             \
    do {                                                 \
        if ((flags) & (O_CREAT | __O_TMPFILE)) {         \
            va_list list_;                               \
            va_start(list_, flags);                      \
            (mode) = va_arg(list_, mode_t);              \
            va_end(list_);                               \
        }                                                \
    } while (0)

#define OPEN(name)                                                    \
    int name(const char *path, int flags, ...) {                      \
        mode_t mode = 0;                                              \
        MODE_OF(flags, mode);                                         \
        MAY_FAIL(is_below(path));                                     \
        return opened(REAL(name)(path, flags, mode), is_below(path)); \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    opened(fd, 0);
    return REAL(close)(fd);
}

ssize_t write(int fd, const void *bytes, size_t len) {
    int half = 0;
    int error = is_file(fd) ? fault(len > 1 ? &half : NULL) : 0;
    if (error) {
        errno = error;
        return -1;
    }
    return REAL(write)(fd, bytes, half ? len / 2 : len);
}

ssize_t read(int fd, void *bytes, size_t len) {
    MAY_FAIL(is_file(fd));
    return REAL(read)(fd, bytes, len);
}

int statx(int fd, const char *path, int flags, unsigned mask, struct statx *found) {
    /* Without a path, somebody asks whether there is such a call, though the compiler is told that nobody does. */
    const char *volatile given = path;
    MAY_FAIL(given && (*given ? is_below(given) : is_file(fd)));
    return REAL(statx)(fd, path, flags, mask, found);
}

DIR *opendir(const char *path) {
    int error = is_below(path) ? fault(NULL) : 0;
    if (error) {
        errno = error;
        return NULL;
    }
    return REAL(opendir)(path);
}

#define OF_FILE(name)            \
    int name(int fd) {           \
        MAY_FAIL(is_file(fd));   \
        return REAL(name)(fd);   \
    }
OF_FILE(fsync)
OF_FILE(fdatasync)

#define CUT(name, type)              \
    int name(int fd, type len) {     \
        MAY_FAIL(is_file(fd));       \
        return REAL(name)(fd, len);  \
    }
CUT(ftruncate, off_t)
CUT(ftruncate64, off64_t)

int rename(const char *from, const char *to) {
    MAY_FAIL(is_below(from));
    return REAL(rename)(from, to);
}

int unlink(const char *path) {
    MAY_FAIL(is_below(path));
    return REAL(unlink)(path);
}

int mkdir(const char *path, mode_t mode) {
    MAY_FAIL(is_below(path));
    return REAL(mkdir)(path, mode);
}
