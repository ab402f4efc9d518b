/* Products of matrices with narrow weights, which hold TILE rows × PANEL outputs in registers. */

#ifndef PRODUCT_H
#define PRODUCT_H

#include "vectors.h"

#define PANEL (2 * LANES)
#if LANES == 16
#define TILE 12 /* 24 of 32 registers sum up */
#else
#define TILE 6 /* 12 of 16 */
#endif
#define ROWS (8 * TILE) /* that a thread takes through all its steps at a time */

INLINE long least(long a, long b) { return a < b ? a : b; }

typedef struct {
    const float *packed, *bias; /* packed: (panels, inputs, PANEL); bias: (panels, PANEL) */
    long inputs, outputs;
} Product;

/* Add to `rows` × `halves` sums, which are constants, the products of numbers and a panel (inputs, PANEL). The
 * number of a row and an input lies `down` rows and `along` inputs from `a`. */
INLINE void accumulate(const int rows, const int halves, Vec (*sum)[2], const float *a, long down, long along,
                       const float *panel, long inputs) {
    for (long input = 0; input < inputs; input++) {
        Vec left = load(panel + input * PANEL), right = load(panel + input * PANEL + LANES);
        UNROLLED for (int row = 0; row < rows; row++) {
            Vec each = all(a[row * down + input * along]);
            sum[row][0] = multiply_add(each, left, sum[row][0]);
            if (halves == 2) sum[row][1] = multiply_add(each, right, sum[row][1]);
        }
    }
}

/* Sum up `rows` rows of a (rows, inputs) times the first `halves` of a panel. */
INLINE void multiply(const int rows, const int halves, Vec (*sum)[2], const float *a, const float *panel,
                     const float *bias, long inputs) {
    UNROLLED for (int row = 0; row < rows; row++) {
        sum[row][0] = load(bias);
        if (halves == 2) sum[row][1] = load(bias + LANES);
    }
    accumulate(rows, halves, sum, a, inputs, 1, panel, inputs);
}

/* Pack a weight (outputs, inputs) and a bias (outputs); a panel holds consecutive outputs. */
void pack_product(const float *weight, const float *bias, long outputs, long inputs, float *packed,
                  float *packed_bias);

/* to (rows, outputs) = a (rows, inputs) · weightᵀ + bias, or added to what is there. */
void product(float *to, const float *a, long rows, const Product *weights, int add);

/* to (rows, outputs) = GELU(gate) · value, where `weights` is a packed pair. */
void gated_product(float *to, const float *a, long rows, const Product *weights);

#endif
