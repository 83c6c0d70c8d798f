// The contract between the tensor library (NN) and the kernels.
//
// The kernels are compiled once per CPU level from one set of sources; each level hands out one
// `kernel_table`. A kernel gets pointers and sizes, checks nothing, allocates nothing and touches
// nothing but what it is given: arguments are checked where the operation is called.
//
// Rules that make results the same bits on every level and at any thread count:
// - a reduction's order depends on its sizes alone: float sums run in sixteen lanes (eight for
//   double) over blocks of KERNEL_BLOCK elements, combined in a fixed tree;
// - products of a matrix multiplication are accumulated over k in ascending order within blocks of
//   a fixed depth, with fused multiply-add (emulated exactly where the CPU has none);
// - transcendental functions are our own, never libm's.
#ifndef KERNEL_ABI_H
#define KERNEL_ABI_H
#include <stdbool.h>
#include <stdint.h>
#include "KernelVector.h"

#pragma clang assume_nonnull begin

// Element types, in the order of NN's DType.
enum { KERNEL_F32 = 0, KERNEL_F64 = 1, KERNEL_I64 = 2, KERNEL_I32 = 3, KERNEL_U8 = 4, KERNEL_BOOL = 5 };

#define KERNEL_BLOCK 4096

// How a kernel that shares out its own work reaches the thread pool. `run` calls task(context, i)
// for every i in 0..<count, on any thread, and returns when all are done. `scratch` gives the
// calling thread a 64-byte-aligned buffer that lasts until the outermost kernel call on that
// thread returns; buffers with different slots (0..7) do not overlap.
typedef void (*kernel_task)(void *_Nullable context, long index);
typedef struct {
    long threads;
    void (*run)(long count, kernel_task task, void *_Nullable context);
    void *_Nonnull (*_Nonnull scratch)(long slot, long bytes);
} kernel_exec;

// y[i] = f(x[i]); a and b are the function's parameters (slope, bounds, ...).
typedef void (*kernel_unary)(long n, const void *x, void *y, double a, double b);
// y[i] = f(x[i * xs], z[i * zs]) with strides 0 or 1 elements.
typedef void (*kernel_binary)(long n, const void *x, long xs, const void *z, long zs, void *y);
// y[i] = (Y)x[i].
typedef void (*kernel_convert)(long n, const void *x, void *y);
// x is [outer, n, inner] contiguous, y is [outer, inner].
typedef void (*kernel_reduce)(long outer, long n, long inner, const void *x, void *y);
// x and y are [outer, n, inner] contiguous (scans and softmax along n).
typedef void (*kernel_scan)(long outer, long n, long inner, const void *x, void *y);
// As kernel_scan, for a backward: y is the forward's output, g its gradient, gx the result.
typedef void (*kernel_scan_backward)(long outer, long n, long inner, const void *y, const void *g, void *gx);

enum {  // kernel_table.unary: same dtype in and out. Integer types have neg abs sign square bitnot only.
    UNARY_NEG, UNARY_ABS, UNARY_SIGN, UNARY_SQUARE, UNARY_RECIPROCAL, UNARY_SQRT, UNARY_RSQRT,
    UNARY_EXP, UNARY_EXP2, UNARY_EXPM1, UNARY_LOG, UNARY_LOG2, UNARY_LOG10, UNARY_LOG1P,
    UNARY_SIN, UNARY_COS, UNARY_TAN, UNARY_ASIN, UNARY_ACOS, UNARY_ATAN,
    UNARY_SINH, UNARY_COSH, UNARY_TANH, UNARY_ERF, UNARY_ERFC,
    UNARY_SIGMOID, UNARY_RELU,
    UNARY_LEAKY_RELU,   // a = negative slope
    UNARY_ELU,          // a = alpha
    UNARY_GELU, UNARY_GELU_TANH, UNARY_SILU,
    UNARY_SOFTPLUS,     // a = beta, b = threshold
    UNARY_CLAMP,        // a = min, b = max; also for integer types; NaN stays NaN
    UNARY_FLOOR, UNARY_CEIL, UNARY_ROUND /* half to even */, UNARY_TRUNC, UNARY_FRAC,
    UNARY_ADD_SCALAR,   // x + a; also for integer types (a is exact up to 2^53)
    UNARY_MUL_SCALAR,   // x * a
    UNARY_COUNT
};

enum {  // kernel_table.binary: same dtype in and out; integer arithmetic wraps.
    BINARY_ADD, BINARY_SUB, BINARY_MUL, BINARY_DIV /* floats only */, BINARY_POW,
    BINARY_REMAINDER /* sign of divisor; integer divisor must not be 0 */,
    BINARY_FLOOR_DIVIDE /* integer divisor must not be 0 */,
    BINARY_ATAN2, BINARY_MAXIMUM, BINARY_MINIMUM /* NaN wins */,
    // Backward passes of unary functions that want one loop: x = saved tensor, z = gradient of y.
    BINARY_RELU_GRAD,        // x > 0 ? z : 0        (x = input or output)
    BINARY_SIGMOID_GRAD,     // z * y * (1 - y)      (x = output)
    BINARY_TANH_GRAD,        // z * (1 - y * y)      (x = output)
    BINARY_GELU_GRAD, BINARY_GELU_TANH_GRAD, BINARY_SILU_GRAD,  // (x = input)
    BINARY_COUNT
};

enum {  // kernel_table.compare: result uint8 0 or 1. Any dtype; logical ones test for != 0.
    COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE,
    COMPARE_AND, COMPARE_OR, COMPARE_XOR, COMPARE_COUNT
};

enum {  // kernel_table.reduce. Result dtype in the comment; "same" is the input's.
    REDUCE_SUM,      // same (floats, i64, i32 wraps)
    REDUCE_PROD,     // same (floats, i64, i32)
    REDUCE_MAX, REDUCE_MIN,         // same; NaN wins; n >= 1
    REDUCE_ARGMAX, REDUCE_ARGMIN,   // i64: first of equals; first NaN wins; n >= 1
    REDUCE_ANY, REDUCE_ALL,         // bool
    REDUCE_COUNT_NONZERO,           // i64
    REDUCE_LOGSUMEXP,               // floats
    REDUCE_SUM_SQUARES,             // floats
    REDUCE_SUM_ABS,                 // floats
    REDUCE_M2,                      // floats: sum of squared deviations from the mean (two passes)
    REDUCE_COUNT
};

enum { SCAN_CUMSUM, SCAN_CUMPROD, SCAN_SOFTMAX, SCAN_LOG_SOFTMAX, SCAN_COUNT };

// C[M, N] = alpha * op(A)[M, K] * op(B)[K, N] + beta * C (+ bias) (then activation), `batch` times.
// Row strides are in elements; a transposed operand is stored [K, M] or [N, K]. Batch strides may
// be 0. beta is 0 or 1; with beta 0 C is not read (it may hold NaN).
typedef struct {
    long m, n, k, batch;
    const void *a; long lda, a_batch; bool a_transposed;
    const void *b; long ldb, b_batch; bool b_transposed;
    void *c; long ldc, c_batch;
    double alpha; int beta;
    const void *_Nullable bias; int bias_along; // 0: bias[N] added to every row, 1: bias[M] to every column
    int activation;                             // 0 none, 1 relu
} kernel_gemm;

// x [N, C, H, W], weight [O, C / groups, KH, KW], y [N, O, OH, OW], all contiguous.
typedef struct {
    long n, c, h, w, o, kh, kw, oh, ow, groups;
    long stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
} kernel_conv;

// The gradient of a convolution's result: gy [N, O, OH, OW]; with relu [N, O, OH, OW], what lies behind a relu that gave it: gy
// where it is above 0. With index, gy is that of the largest of each 2x2 window, [N, O, OH / 2, OW / 2], and index tells which
// these are, as max_pool's.
typedef struct {
    const void *gy;
    const void *_Nullable relu;
    const int32_t *_Nullable index;
} kernel_slope;

// Pooling over [N * C] planes of [H, W].
typedef struct {
    long planes, h, w, oh, ow, kh, kw;
    long stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
} kernel_pool;

// A gated recurrent layer in one direction: x [steps, batch, input] (x_step, x_row: elements from step to step and from row
// to row), weights [gates * h, input or h]; states and cells [steps + 1, batch, h] hold what the first step begins with in
// their first slot (reverse: their last). gates [steps, batch, 4 h] (and squashed [steps, batch, h]) are kept for the way back.
// Long short-term memory: a step turns sums x_t weight_ih' + state weight_hh' + bias [4 h] for i, f, g and o into their values;
// cell = f old + i g, squashed = tanh(cell), state = o squashed.
// Gated recurrent units: r and z of such sums, n = tanh(m + r k) with m = x_t weight_ih' + bias and k = state weight_hh' + bias,
// state = n + z (old - n); of bias and gates [4 h] the third and fourth part are those of m and k, or n and k. No cells.
// Back: dout [steps, batch, h] (dout_step, dout_row) is the gradient of all states, dc [batch, h] that of the last cell and
// becomes that of the first, dh [batch, h] is that of the first state; dx [steps, batch, input], dweight_ih, dweight_hh and
// dbias [4 h] are written; each but dc may be NULL. bias may be.
typedef struct {
    long steps, batch, input, h, x_step, x_row, dout_step, dout_row; bool reverse;
    const void *x, *weight_ih, *weight_hh, *_Nullable bias;
    void *states, *_Nullable cells, *gates, *_Nullable squashed;
    const void *_Nullable dout;
    void *_Nullable dc, *_Nullable dh, *_Nullable dx, *_Nullable dweight_ih, *_Nullable dweight_hh, *_Nullable dbias;
} kernel_gated;

// One optimiser step over one parameter of n elements (see Kernels/Optimizer.swift for formulas).
typedef struct {
    double lr, weight_decay, momentum, dampening; bool nesterov, maximize, first;
} kernel_sgd;
typedef struct {
    double lr, beta1, beta2, eps, weight_decay; bool decoupled, amsgrad, maximize; long step;
} kernel_adam;

typedef struct kernel_table {
    const char *name; // "baseline", "v3", "v4", "neon"
    // Each returns NULL where the function does not exist for the dtype.
    kernel_unary _Nullable (*_Nonnull unary)(int op, int dtype);
    kernel_binary _Nullable (*_Nonnull binary)(int op, int dtype);
    kernel_binary _Nullable (*_Nonnull compare)(int op, int dtype);
    kernel_convert _Nullable (*_Nonnull convert)(int from, int to); // float to int truncates, saturating; to bool: != 0
    kernel_reduce _Nullable (*_Nonnull reduce)(int op, int dtype);
    kernel_scan _Nullable (*_Nonnull scan)(int op, int dtype);
    kernel_scan_backward _Nullable (*_Nonnull softmax_backward)(int op, int dtype); // SCAN_SOFTMAX, SCAN_LOG_SOFTMAX

    // y[i] = c[i * cs] ? x[i * xs] : z[i * zs]; size = bytes per element (1, 4, 8); strides 0 or 1.
    void (*where_)(int size, long n, const uint8_t *c, long cs, const void *x, long xs, const void *z, long zs, void *y);
    // General strided copy of elements of 1, 4 or 8 bytes; strides in elements, may be 0 or negative.
    // Fast for contiguous runs and for transpositions (blocked).
    void (*copy)(int size, int rank, const long *shape, const void *x, const long *xs, void *y, const long *ys);
    void (*fill)(int size, long n, const void *value, void *y);

    // Philox4x32-10; element i of the stream (seed, offset) depends on seed and offset + i alone.
    void (*uniform)(int dtype, long n, uint64_t seed, uint64_t offset, double low, double high, void *y); // floats
    void (*normal)(int dtype, long n, uint64_t seed, uint64_t offset, double mean, double std, void *y);  // floats
    void (*random_bits)(long n, uint64_t seed, uint64_t offset, uint64_t *y);
    // mask[i] = keep ? 1 : 0 and y[i] = keep ? x[i] * scale : 0, keep with probability 1 - p.
    void (*dropout)(int dtype, long n, uint64_t seed, uint64_t offset, double p, double scale,
                    const void *x, void *y, uint8_t *mask);
    // y[i] = x[i] * (mask[i] ? scale : 0)
    void (*mask_scale)(int dtype, long n, double scale, const void *x, const uint8_t *mask, void *y);

    // Matrix product; dtype f32 or f64 (also i64, i32 by a plain loop).
    void (*gemm)(int dtype, const kernel_gemm *g, const kernel_exec *exec);

    // Convolution; dtype f32 or f64. bias [O] may be NULL. Gradients are written, not added. False, and nothing done, where the
    // shapes or the dtype have no form for a slope with relu or index; one with gy alone is always taken.
    void (*conv_forward)(int dtype, const kernel_conv *p, const void *x, const void *weight,
                         const void *_Nullable bias, int activation, void *y, const kernel_exec *exec);
    bool (*conv_backward_input)(int dtype, const kernel_conv *p, const kernel_slope *slope, const void *weight,
                                void *gx, const kernel_exec *exec);
    bool (*conv_backward_weight)(int dtype, const kernel_conv *p, const kernel_slope *slope, const void *x,
                                 void *gweight, void *_Nullable gbias, const kernel_exec *exec);

    // relu(convolution), then the largest of each 2x2 window (stride 2): y [N, O, OH / 2, OW / 2]; index (may be NULL) as
    // max_pool's. False, and nothing done, where the shapes or the dtype have no such form.
    bool (*conv_relu_pool)(int dtype, const kernel_conv *p, const void *x, const void *weight, const void *_Nullable bias,
                           void *y, int32_t *_Nullable index, const kernel_exec *exec);

    // Pooling; index holds the flat position within the plane of each maximum (first of equals).
    void (*max_pool)(int dtype, const kernel_pool *p, const void *x, void *y, int32_t *index, const kernel_exec *exec);
    void (*max_pool_backward)(int dtype, const kernel_pool *p, const void *gy, const int32_t *index, void *gx, const kernel_exec *exec);
    void (*avg_pool)(int dtype, const kernel_pool *p, bool count_include_pad, const void *x, void *y, const kernel_exec *exec);
    void (*avg_pool_backward)(int dtype, const kernel_pool *p, bool count_include_pad, const void *gy, void *gx, const kernel_exec *exec);

    // Batch norm over x [N, C, S]. stats: mean[C] and biased var[C] over N and S.
    void (*batch_norm_stats)(int dtype, long n, long c, long s, const void *x, void *mean, void *var, const kernel_exec *exec);
    // y = (x - mean) * rstd * weight + bias; rstd[C] is 1 / sqrt(var + eps).
    void (*batch_norm_apply)(int dtype, long n, long c, long s, const void *x, const void *mean, const void *rstd,
                             const void *_Nullable weight, const void *_Nullable bias, void *y, const kernel_exec *exec);
    // Training: mean and rstd are the batch's and the gradient flows through them; else they are constants.
    void (*batch_norm_backward)(int dtype, long n, long c, long s, bool training, const void *x, const void *mean,
                                const void *rstd, const void *_Nullable weight, const void *gy, void *_Nullable gx,
                                void *_Nullable gweight, void *_Nullable gbias, const kernel_exec *exec);

    // relu(batch norm), then the largest of each 2x2 window: x [N, C, H, W] with even H and W, y [N, C, H / 2, W / 2]; index
    // as max_pool's. Backward is given y, and gy, its gradient.
    void (*batch_norm_relu_pool)(int dtype, long n, long c, long h, long w, const void *x, const void *mean, const void *rstd,
                                 const void *_Nullable weight, const void *_Nullable bias, void *y, int32_t *index,
                                 const kernel_exec *exec);
    void (*batch_norm_relu_pool_backward)(int dtype, long n, long c, long h, long w, bool training, const void *x,
                                          const void *mean, const void *rstd, const void *_Nullable weight, const void *y,
                                          const int32_t *index, const void *gy, void *_Nullable gx, void *_Nullable gweight,
                                          void *_Nullable gbias, const kernel_exec *exec);

    // Layer norm over rows of x [R, S]; mean[R] and rstd[R] are outputs of forward.
    void (*layer_norm)(int dtype, long r, long s, double eps, const void *x, const void *_Nullable weight,
                       const void *_Nullable bias, void *y, void *mean, void *rstd, const kernel_exec *exec);
    void (*layer_norm_backward)(int dtype, long r, long s, const void *x, const void *mean, const void *rstd,
                                const void *_Nullable weight, const void *gy, void *_Nullable gx,
                                void *_Nullable gweight, void *_Nullable gbias, const kernel_exec *exec);

    // Softmax cross-entropy with class indices. logits [R, C], target[R] (checked; ignore_index allowed),
    // weight[C] or NULL. loss[R] = weight[t] * ((1 - ls) * -logp[t] + ...) as in PyTorch; 0 where ignored.
    // lse[R] is saved for backward. row_weight[R] = weight[t] (0 where ignored).
    void (*cross_entropy)(int dtype, long r, long c, const void *logits, const int64_t *target, const void *_Nullable weight,
                          int64_t ignore_index, double label_smoothing, void *loss, void *lse, void *row_weight, const kernel_exec *exec);
    // glogits[r, :] = g[r * g_stride] * d loss[r] / d logits[r, :]
    void (*cross_entropy_backward)(int dtype, long r, long c, const void *logits, const int64_t *target, const void *_Nullable weight,
                                   int64_t ignore_index, double label_smoothing, const void *lse, const void *g, long g_stride,
                                   void *glogits, const kernel_exec *exec);

    // Long short-term memory and gated recurrent units over a whole sequence: states, cells, gates and squashed of all steps.
    void (*lstm)(int dtype, const kernel_gated *p, const kernel_exec *exec);
    void (*gru)(int dtype, const kernel_gated *p, const kernel_exec *exec);
    // Back through all steps: gradients of the first state and cell, of x, weights and bias.
    void (*lstm_backward)(int dtype, const kernel_gated *p, const kernel_exec *exec);
    void (*gru_backward)(int dtype, const kernel_gated *p, const kernel_exec *exec);

    // Optimisers: parameter p, gradient g, state tensors of the same dtype (f32 or f64) and size.
    void (*sgd)(int dtype, long n, const kernel_sgd *o, void *p, const void *g, void *_Nullable momentum);
    void (*adam)(int dtype, long n, const kernel_adam *o, void *p, const void *g, void *m, void *v, void *_Nullable vmax);
} kernel_table;

// The highest x86-64 level (1, 3 or 4) that this CPU and its operating system support.
int kernel_cpu_level(void);
// Tells the CPU that this thread waits in a loop.
static inline void kernel_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
// How many CPUs the affinity mask of this process allows; 0 where that cannot be told.
int kernel_affinity_count(void);

#pragma clang assume_nonnull end
#endif
