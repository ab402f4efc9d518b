#include "product.h"

#define KERNELS_VERSION 2 /* raised whenever what a kernel takes or gives changes; structures.py says the same */

EXPORTED int kernels_version(void) { return KERNELS_VERSION; }

/* Set `LANES` outputs of a weight (outputs, inputs) into half a panel, zero where there are no more. */
INLINE void pack_half(float *to, const float *weight, long outputs, long inputs) {
    for (long input = 0; input < inputs; input += LANES) {
        long used = least(inputs - input, LANES);
        Vec rows[LANES];
        for (long lane = 0; lane < LANES; lane++)
            if (lane < outputs)
                rows[lane] = load_some(weight + lane * inputs + input, used);
            else
                rows[lane] = all(0.0f);
        transpose(rows);
        for (long row = 0; row < used; row++) store(to + (input + row) * PANEL, rows[row]);
    }
}

INLINE void pack_bias(float *to, const float *bias, long outputs) {
    store(to, outputs > 0 ? load_some(bias, least(outputs, LANES)) : all(0.0f));
}

EXPORTED void pack_product(const float *weight, const float *bias, long outputs, long inputs, float *packed,
                  float *packed_bias) {
    for (long output = 0; output < outputs; output += PANEL) {
        float *panel = packed + output * inputs;
        for (long half = output; half < output + PANEL; half += LANES) {
            pack_half(panel + half - output, weight + half * inputs, outputs - half, inputs);
            pack_bias(packed_bias + half, bias + half, outputs - half);
        }
    }
}

/* Pack two weights of one size, so that a panel holds the same outputs of both. */
EXPORTED void pack_pair(const float *gate, const float *gate_bias, const float *value, const float *value_bias,
               long outputs, long inputs, float *packed, float *packed_bias) {
    for (long output = 0; output < outputs; output += LANES) {
        float *panel = packed + 2 * output * inputs, *panel_bias = packed_bias + 2 * output;
        pack_half(panel, gate + output * inputs, outputs - output, inputs);
        pack_half(panel + LANES, value + output * inputs, outputs - output, inputs);
        pack_bias(panel_bias, gate_bias + output, outputs - output);
        pack_bias(panel_bias + LANES, value_bias + output, outputs - output);
    }
}

/* Store as many of `x` as there are outputs left, or add them to what is there. */
INLINE void put(float *to, Vec x, long left, int add) {
    if (left >= LANES) {
        if (add) x += load(to);
        store(to, x);
    } else if (left > 0) {
        if (add) x += load_some(to, left);
        store_some(to, x, left);
    }
}

typedef struct {
    float *to;
    const float *a, *panel, *bias;
    long inputs, outputs, left; /* outputs of all panels, and from this panel on */
} Panel;

INLINE void product_tile(const int rows, const int halves, const Panel *p, long row, int add) {
    Vec sum[TILE][2];
    multiply(rows, halves, sum, p->a + row * p->inputs, p->panel, p->bias, p->inputs);
    UNROLLED for (int i = 0; i < rows; i++) {
        put(p->to + (row + i) * p->outputs, sum[i][0], p->left, add);
        if (halves == 2) put(p->to + (row + i) * p->outputs + LANES, sum[i][1], p->left - LANES, add);
    }
}

INLINE void product_panel(const int halves, const Panel *p, long rows, int add) {
    long row = 0;
    for (; row + TILE <= rows; row += TILE) product_tile(TILE, halves, p, row, add);
    for (; row + TILE / 3 <= rows; row += TILE / 3) product_tile(TILE / 3, halves, p, row, add);
    for (; row < rows; row++) product_tile(1, halves, p, row, add);
}

void product(float *to, const float *a, long rows, const Product *weights, int add) {
    long inputs = weights->inputs, outputs = weights->outputs;
    for (long output = 0; output < outputs; output += PANEL) {
        Panel panel = {to + output, a,       weights->packed + output * inputs, weights->bias + output,
                       inputs,      outputs, outputs - output};
        if (panel.left > LANES)
            product_panel(2, &panel, rows, add);
        else
            product_panel(1, &panel, rows, add);
    }
}

/* GELU(x) = x · (1 + erf(x / √2)) / 2, with the error function of Abramowitz and Stegun, 7.1.26: its absolute
 * error is below 1.5e-7. */
INLINE Vec gelu(Vec x) {
    Vec size = larger(x, all(0.0f) - x) * all(0.70710678118654752f);
    Vec t = inverse(multiply_add(all(0.3275911f), size, all(1.0f)));
    Vec p = multiply_add(all(1.061405429f), t, all(-1.453152027f));
    p = multiply_add(p, t, all(1.421413741f));
    p = multiply_add(p, t, all(-0.284496736f));
    p = multiply_add(p, t, all(0.254829592f));
    Vec tail = p * t * power_of_two(size * size * all(-1.44269504088896341f)); /* 1 − erf(size) */
    /* x ≥ 0: x − x · tail / 2; x < 0: x · tail / 2; both are max(x, 0) − |x| · tail / 2 */
    return larger(x, all(0.0f)) - size * all(0.70710678118654752f) * tail;
}

INLINE void gated_tile(const int rows, const Panel *p, long row) {
    Vec sum[TILE][2];
    multiply(rows, 2, sum, p->a + row * p->inputs, p->panel, p->bias, p->inputs);
    UNROLLED for (int i = 0; i < rows; i++)
        put(p->to + (row + i) * p->outputs, gelu(sum[i][0]) * sum[i][1], p->left, 0);
}

void gated_product(float *to, const float *a, long rows, const Product *weights) {
    long inputs = weights->inputs, outputs = weights->outputs;
    for (long output = 0; output < outputs; output += LANES) {
        Panel panel = {to + output, a,       weights->packed + 2 * output * inputs, weights->bias + 2 * output,
                       inputs,      outputs, outputs - output};
        long row = 0;
        for (; row + TILE <= rows; row += TILE) gated_tile(TILE, &panel, row);
        for (; row < rows; row++) gated_tile(1, &panel, row);
    }
}
