// Vector instructions that Swift's SIMD types offer only one lane at a time: square root,
// conversions, shuffles and the test of a mask. Swift sees these vectors as SIMD16<Float>, SIMD8<Double> and so on.
#ifndef KERNEL_VECTOR_H
#define KERNEL_VECTOR_H
#include <stdbool.h>
#include <stdint.h>

typedef float kernel_f32x16 __attribute__((ext_vector_type(16)));
typedef float kernel_f32x8 __attribute__((ext_vector_type(8)));
typedef double kernel_f64x8 __attribute__((ext_vector_type(8)));
typedef int32_t kernel_i32x16 __attribute__((ext_vector_type(16)));
typedef uint8_t kernel_u8x16 __attribute__((ext_vector_type(16)));
typedef uint8_t kernel_u8x8 __attribute__((ext_vector_type(8)));
typedef uint32_t kernel_u32x16 __attribute__((ext_vector_type(16)));
typedef uint64_t kernel_u64x8 __attribute__((ext_vector_type(8)));
typedef int64_t kernel_i64x8 __attribute__((ext_vector_type(8)));

#define KERNEL_INLINE static inline __attribute__((always_inline))

// a * b + c, rounded once. (Swift's own goes lane by lane through the compiler, which then reads and writes the lanes of a loop
// in an order that suits it.)
KERNEL_INLINE kernel_f32x16 kernel_fma_f32(kernel_f32x16 a, kernel_f32x16 b, kernel_f32x16 c) { return __builtin_elementwise_fma(a, b, c); }
KERNEL_INLINE kernel_f64x8 kernel_fma_f64(kernel_f64x8 a, kernel_f64x8 b, kernel_f64x8 c) { return __builtin_elementwise_fma(a, b, c); }
KERNEL_INLINE kernel_f32x16 kernel_sqrt_f32(kernel_f32x16 x) { return __builtin_elementwise_sqrt(x); }
KERNEL_INLINE kernel_f64x8 kernel_sqrt_f64(kernel_f64x8 x) { return __builtin_elementwise_sqrt(x); }
KERNEL_INLINE kernel_f64x8 kernel_widen(kernel_f32x8 x) { return __builtin_convertvector(x, kernel_f64x8); }
KERNEL_INLINE kernel_f32x8 kernel_narrow(kernel_f64x8 x) { return __builtin_convertvector(x, kernel_f32x8); }
KERNEL_INLINE kernel_f32x16 kernel_float_i32(kernel_i32x16 x) { return __builtin_convertvector(x, kernel_f32x16); }
KERNEL_INLINE kernel_i32x16 kernel_int_f32(kernel_f32x16 x) { return __builtin_convertvector(x, kernel_i32x16); }
KERNEL_INLINE kernel_u32x16 kernel_words(kernel_u8x16 x) { return __builtin_convertvector(x, kernel_u32x16); }
KERNEL_INLINE kernel_u64x8 kernel_long_words(kernel_u8x8 x) { return __builtin_convertvector(x, kernel_u64x8); }
// Whether any lane of a mask (0 or -1) is set.
KERNEL_INLINE bool kernel_any_32(kernel_i32x16 m) { return __builtin_reduce_or(m) != 0; }
KERNEL_INLINE bool kernel_any_64(kernel_i64x8 m) { return __builtin_reduce_or(m) != 0; }

#if defined(__AVX512F__)
// The first `count` elements (1 ... 15, or 7) of memory, `pad` in the other lanes; and the way back.
KERNEL_INLINE kernel_f32x16 kernel_load_some_f32(const float *_Nonnull p, long count, kernel_f32x16 pad) {
    typedef float vector __attribute__((vector_size(64)));
    return (kernel_f32x16)__builtin_ia32_loadups512_mask((const float *)p, (vector)pad, (uint16_t)((1u << count) - 1));
}
KERNEL_INLINE void kernel_store_some_f32(float *_Nonnull p, long count, kernel_f32x16 x) {
    typedef float vector __attribute__((vector_size(64)));
    __builtin_ia32_storeups512_mask(p, (vector)x, (uint16_t)((1u << count) - 1));
}
KERNEL_INLINE kernel_f64x8 kernel_load_some_f64(const double *_Nonnull p, long count, kernel_f64x8 pad) {
    typedef double vector __attribute__((vector_size(64)));
    return (kernel_f64x8)__builtin_ia32_loadupd512_mask((const double *)p, (vector)pad, (uint8_t)((1u << count) - 1));
}
KERNEL_INLINE void kernel_store_some_f64(double *_Nonnull p, long count, kernel_f64x8 x) {
    typedef double vector __attribute__((vector_size(64)));
    __builtin_ia32_storeupd512_mask(p, (vector)x, (uint8_t)((1u << count) - 1));
}
#endif

// The lower and upper halves of a and b, element by element in turn. (Spelled out in Swift, a vector
// just loaded is taken apart into scalars.)
KERNEL_INLINE kernel_u32x16 kernel_zip_low_32(kernel_u32x16 a, kernel_u32x16 b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
KERNEL_INLINE kernel_u32x16 kernel_zip_high_32(kernel_u32x16 a, kernel_u32x16 b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
KERNEL_INLINE kernel_u64x8 kernel_zip_low_64(kernel_u64x8 a, kernel_u64x8 b) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
KERNEL_INLINE kernel_u64x8 kernel_zip_high_64(kernel_u64x8 a, kernel_u64x8 b) {
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
// Elements 0, 2, 4, ... and 1, 3, 5, ... of a followed by b.
KERNEL_INLINE kernel_f32x16 kernel_even_f32(kernel_f32x16 a, kernel_f32x16 b) {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
KERNEL_INLINE kernel_f32x16 kernel_odd_f32(kernel_f32x16 a, kernel_f32x16 b) {
    return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

// Of the quarters of a and b: the first and third, the second and fourth. Of their halves: the first, the second.
KERNEL_INLINE kernel_f32x16 kernel_even_quarters_f32(kernel_f32x16 a, kernel_f32x16 b) {
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
}
KERNEL_INLINE kernel_f32x16 kernel_odd_quarters_f32(kernel_f32x16 a, kernel_f32x16 b) {
    return __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}
KERNEL_INLINE kernel_f32x16 kernel_first_halves_f32(kernel_f32x16 a, kernel_f32x16 b) {
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
}
KERNEL_INLINE kernel_f32x16 kernel_second_halves_f32(kernel_f32x16 a, kernel_f32x16 b) {
    return __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
}
KERNEL_INLINE kernel_f64x8 kernel_even_quarters_f64(kernel_f64x8 a, kernel_f64x8 b) {
    return __builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13);
}
KERNEL_INLINE kernel_f64x8 kernel_odd_quarters_f64(kernel_f64x8 a, kernel_f64x8 b) {
    return __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15);
}
KERNEL_INLINE kernel_f64x8 kernel_first_halves_f64(kernel_f64x8 a, kernel_f64x8 b) {
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
}
KERNEL_INLINE kernel_f64x8 kernel_second_halves_f64(kernel_f64x8 a, kernel_f64x8 b) {
    return __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
}

// Fetches the line at p into the second-level cache; p need not exist.
KERNEL_INLINE void kernel_prefetch(const void *_Nonnull p) { __builtin_prefetch(p, 0, 2); }
// p, of which the compiler does not know where it comes from: addresses that it would else count up one from the other,
// each waiting for the one before, stay apart.
KERNEL_INLINE const void *_Nonnull kernel_apart(const void *_Nonnull p) {
    __asm__("" : "+r"(p));
    return p;
}

#endif
