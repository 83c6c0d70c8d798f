#define _GNU_SOURCE
#include "KernelABI.h"
#ifdef __linux__
#include <sched.h>
#endif

int kernel_cpu_level(void) {
#if defined(__x86_64__)
    // The builtin asks the operating system too (XCR0), so a level it names can be used.
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) return 4;
    if (__builtin_cpu_supports("x86-64-v3")) return 3;
#endif
    return 1;
}

int kernel_affinity_count(void) {
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    return 0;
}
