// What this machine can do at most: fused multiply-adds and memory copies, the best of a few runs.
// usage: peak N; for each line `fma THREADS` (at most N) or `copy THREADS` of standard input prints GFLOP/s or GB/s.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
enum { WIDTH = 16 };
#elif defined(__AVX__)
enum { WIDTH = 8 };
#else
enum { WIDTH = 4 };
#endif
typedef float vector __attribute__((vector_size(WIDTH * 4)));
enum { CHAINS = 12, STEPS = 1 << 22, BYTES = 1 << 28 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void *multiply_add(void *seed) {
    vector a[CHAINS], m, b;
    for (int k = 0; k < WIDTH; k++) m[k] = 0.999f, b[k] = *(float *)seed;
    for (int c = 0; c < CHAINS; c++) a[c] = b * (float)c;
    for (long i = 0; i < STEPS; i++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < CHAINS; c++) a[c] = a[c] * m + b;
        // Keeps the compiler from folding steps together.
        __asm__ volatile("" : "+x"(m));
    }
    vector sum = a[0];
    for (int c = 1; c < CHAINS; c++) sum += a[c];
    *(float *)seed = sum[0];
    return NULL;
}

static void *copy(void *block) {
    memcpy(block, (char *)block + BYTES / 2, BYTES / 2);
    return NULL;
}

// The shortest of several runs of `work` on `threads` threads at once.
static double shortest(void *(*work)(void *), char **arguments, int threads) {
    double best = 1e9;
    pthread_t ids[256];
    for (int round = 0; round < 5; round++) {
        double began = now();
        for (int t = 1; t < threads; t++) pthread_create(&ids[t], NULL, work, arguments[t]);
        work(arguments[0]);
        for (int t = 1; t < threads; t++) pthread_join(ids[t], NULL);
        double spent = now() - began;
        if (spent < best) best = spent;
    }
    return best;
}

int main(int count, char **words) {
    int most = count > 1 ? atoi(words[1]) : 1;
    if (most < 1 || most > 256) return 2;
    char *blocks[256];
    for (int t = 0; t < most; t++) {
        blocks[t] = malloc(BYTES);
        if (!blocks[t]) return 1;
        memset(blocks[t], 0, BYTES);
        *(float *)blocks[t] = 0.5f;
    }
    char kind[8];
    int threads;
    while (scanf("%7s %d", kind, &threads) == 2 && threads >= 1 && threads <= most) {
        if (strcmp(kind, "fma") == 0) {
            printf("%.2f\n", 2.0 * WIDTH * CHAINS * STEPS * threads / shortest(multiply_add, blocks, threads) / 1e9);
        } else {
            // Half a block is read and half is written.
            printf("%.2f\n", (double)BYTES * threads / shortest(copy, blocks, threads) / 1e9);
        }
        fflush(stdout);
    }
    return 0;
}
