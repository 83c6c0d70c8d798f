// Faults of the system, put between a program and libc by LD_PRELOAD. Variables choose them:
//   SHIM_SHORT=1    write, read, pread and pwrite take only a part, and fail with EINTR in between
//   SHIM_SHRINK=N   files end after N bytes, whatever their size is said to be
//   SHIM_CLOCK=1    the time of day jumps a week forth and back at every question
//   SHIM_WITHOUT=NAME   dlopen finds no library whose name contains NAME
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static unsigned counter;

static int on(const char *name) { return getenv(name) != NULL; }

// Whether the call is to fail now; else the part of it that is to be done.
static int interrupted(size_t *count) {
    unsigned n = __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
    if (n % 3 == 0) {
        errno = EINTR;
        return 1;
    }
    if (*count > 1) *count = *count - *count * (n % 7) / 8;
    if (*count == 0) *count = 1;
    return 0;
}

static int is_file(int fd) {
    struct stat facts;
    return fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
}

void *dlopen(const char *name, int flags) {
    static void *(*real)(const char *, int);
    if (!real) real = dlsym(RTLD_NEXT, "dlopen");
    const char *missing = getenv("SHIM_WITHOUT");
    if (missing && name && strstr(name, missing)) return NULL;
    return real(name, flags);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    if (on("SHIM_SHORT") && count && is_file(fd) && interrupted(&count)) return -1;
    return real(fd, bytes, count);
}

ssize_t read(int fd, void *bytes, size_t count) {
    static ssize_t (*real)(int, void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "read");
    if (on("SHIM_SHORT") && count && is_file(fd) && interrupted(&count)) return -1;
    return real(fd, bytes, count);
}

ssize_t pread(int fd, void *bytes, size_t count, off_t at) {
    static ssize_t (*real)(int, void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pread");
    if (on("SHIM_SHRINK")) {
        off_t end = atol(getenv("SHIM_SHRINK"));
        if (at >= end) return 0;
        if (at + (off_t)count > end) count = end - at;
    }
    if (on("SHIM_SHORT") && count && interrupted(&count)) return -1;
    return real(fd, bytes, count, at);
}
ssize_t pread64(int fd, void *bytes, size_t count, off_t at) { return pread(fd, bytes, count, at); }

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, now);
    if (code == 0 && clock == CLOCK_REALTIME && on("SHIM_CLOCK")) {
        unsigned n = __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
        now->tv_sec += n % 2 ? 7 * 86400 : -7 * 86400;
    }
    return code;
}
