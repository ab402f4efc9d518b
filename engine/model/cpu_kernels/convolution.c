/* Convolutions of 3 × 3, and of 3 × 3 × 3 in time and space, padded by one.
 *
 * Strategy: Winograd's minimal filtering F(4 × 4, 3 × 3) (arXiv 1509.09308). Sixteen outputs next to each other
 * take 36 products a channel instead of 144. Pictures are cut into tiles of 4 × 4 outputs; the 6 × 6 inputs
 * that a tile sees are turned into 36 numbers, values of polynomials at 0, ±1, ±2 and infinity; each of them is
 * multiplied by weights of its own (36 matrix products over many tiles), and the 36 sums are turned back. The
 * frames before and after count as further inputs. A thread takes as many tiles as leave their numbers in its
 * second cache.
 *
 * It costs a digit: 3e-5 of what is of the order of 1. An input that is not finite makes its whole tile so.
 */

#include <stdlib.h>
#include <string.h>

#include "product.h"

#define OUT 4              /* outputs along a side of a tile */
#define SIDE 6             /* inputs along a side of a tile */
#define POINTS (SIDE * SIDE)
#define NEAR_FLOATS 160000 /* of turned inputs that stay in the second cache */
#define MOST_TILES (8 * TILE)

typedef struct {
    const float *packed, *bias; /* (panels, POINTS, inputs, PANEL) and (panels, PANEL), by pack_convolution */
    long inputs, outputs;
} Convolution;

typedef struct {
    const float *input; /* (pictures, height, width, channels) */
    const float *added; /* to the outputs, of their shape; or null */
    float *output;      /* (pictures, height, width, outputs) */
    long pictures, height, width;
    long frames; /* pictures of a sample, each convolved with those before and after it; or 0: each alone */
} Pictures;

/* Turn three weights along a side into six. */
INLINE void turn_weights(Vec to[SIDE], Vec a, Vec b, Vec c) {
    Vec ends = (a + c) * all(-1.0f / 6), half = b * all(1.0f / 6);
    Vec far_ends = multiply_add(c, all(4.0f), a) * all(1.0f / 24), far_half = b * all(1.0f / 12);
    to[0] = a * all(0.25f), to[1] = ends - half, to[2] = ends + half;
    to[3] = far_ends + far_half, to[4] = far_ends - far_half, to[5] = c;
}

/* Turn weights (outputs, inputs, 3, 3) and biases into what `convolve` multiplies by. */
EXPORTED void pack_convolution(const float *weight, const float *bias, long outputs, long inputs, float *packed,
                      float *packed_bias, int threads) {
    long halves = (outputs + PANEL - 1) / PANEL * 2;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (long half = 0; half < halves; half++) {
        long output = half * LANES, used = outputs - output < 0 ? 0 : least(outputs - output, LANES);
        float *to = packed + half / 2 * POINTS * inputs * PANEL + half % 2 * LANES;
        int lanes[LANES]; /* where each output's weights begin; those of none are read, but left out */
        for (int lane = 0; lane < LANES; lane++) lanes[lane] = lane < used ? (int)(lane * inputs * 9) : 0;
        store(packed_bias + output, used ? load_some(bias + output, used) : all(0.0f));
        for (long input = 0; input < inputs; input++) {
            const float *from = weight + (used ? output * inputs + input : input) * 9;
            Vec between[SIDE][3], row[SIDE];
            for (int x = 0; x < 3; x++) {
                Vec g[3];
                for (int y = 0; y < 3; y++)
                    g[y] = only_some(load_runs(from + 3 * y + x, lanes, 1), used);
                turn_weights(row, g[0], g[1], g[2]);
                for (int y = 0; y < SIDE; y++) between[y][x] = row[y];
            }
            for (int y = 0; y < SIDE; y++) {
                turn_weights(row, between[y][0], between[y][1], between[y][2]);
                for (int x = 0; x < SIDE; x++) store(to + ((SIDE * y + x) * inputs + input) * PANEL, row[x]);
            }
        }
    }
}

/* Turn six inputs along a side into as many numbers. */
INLINE void turn_six(Vec d[SIDE]) {
    Vec four = all(4.0f), five = all(-5.0f), two = all(2.0f);
    Vec even = d[4] - four * d[2], odd = d[3] - four * d[1];
    Vec far_even = d[4] - d[2], far_odd = two * (d[3] - d[1]);
    Vec first = multiply_add(four, d[0], multiply_add(five, d[2], d[4]));
    Vec last = multiply_add(four, d[1], multiply_add(five, d[3], d[5]));
    d[0] = first, d[1] = even + odd, d[2] = even - odd;
    d[3] = far_even + far_odd, d[4] = far_even - far_odd, d[5] = last;
}

/* Write the POINTS numbers of a tile, `apart` floats from each other, for all inputs. */
INLINE void turn_inputs(float *to, long apart, const float *const seen[POINTS], long inputs) {
    for (long input = 0; input < inputs; input += LANES) {
        long used = least(inputs - input, LANES);
        Vec d[SIDE][SIDE];
        for (int y = 0; y < SIDE; y++) {
            UNROLLED for (int x = 0; x < SIDE; x++) d[y][x] = load_some(seen[SIDE * y + x] + input, used);
            turn_six(d[y]);
        }
        for (int x = 0; x < SIDE; x++) {
            Vec column[SIDE];
            UNROLLED for (int y = 0; y < SIDE; y++) column[y] = d[y][x];
            turn_six(column);
            UNROLLED for (int y = 0; y < SIDE; y++)
                store_some(to + (SIDE * y + x) * apart + input, column[y], used);
        }
    }
}

/* Turn six sums along a side into four outputs. */
INLINE void turn_back(Vec to[OUT], const Vec m[SIDE]) {
    Vec near_sum = m[1] + m[2], near_difference = m[1] - m[2];
    Vec far_sum = m[3] + m[4], far_difference = m[3] - m[4];
    to[0] = m[0] + near_sum + far_sum;
    to[1] = multiply_add(all(2.0f), far_difference, near_difference);
    to[2] = multiply_add(all(4.0f), far_sum, near_sum);
    to[3] = multiply_add(all(8.0f), far_difference, near_difference) + m[5];
}

/* Turn LANES outputs of a tile's sums, `apart` floats from each other, into those of its pixels. */
INLINE void turn_sums(Vec pixel[OUT][OUT], const float *sums, long apart) {
    Vec columns[SIDE][OUT];
    for (int x = 0; x < SIDE; x++) {
        Vec m[SIDE];
        UNROLLED for (int y = 0; y < SIDE; y++) m[y] = load(sums + (SIDE * y + x) * apart);
        turn_back(columns[x], m);
    }
    for (int y = 0; y < OUT; y++) {
        Vec m[SIDE];
        UNROLLED for (int x = 0; x < SIDE; x++) m[x] = columns[x][y];
        turn_back(pixel[y], m);
    }
}

/* Where tile number `tile` lies. */
typedef struct {
    long picture, y, x;
} TilePlace;

INLINE TilePlace place_of(long tile, const Pictures *pictures) {
    long across = (pictures->width + OUT - 1) / OUT;
    long down = (pictures->height + OUT - 1) / OUT;
    return (TilePlace){tile / (across * down), tile / across % down * OUT, tile % across * OUT};
}

/* `inputs`: channels of a picture, or of three where those before and after are seen too. */
static void turn_inputs_of(float *to, long apart, long tile, const Pictures *pictures, long inputs,
                           const float *zeros) {
    TilePlace place = place_of(tile, pictures);
    long frames = pictures->frames, frame = frames ? place.picture % frames : 0;
    long channels = frames ? inputs / 3 : inputs;
    for (long before = frames ? -1 : 0; before <= (frames ? 1 : 0); before++) {
        int shown = !frames || (frame + before >= 0 && frame + before < frames);
        const float *seen[POINTS];
        for (int point = 0; point < POINTS; point++) {
            long y = place.y + point / SIDE - 1, x = place.x + point % SIDE - 1;
            int inside = shown && y >= 0 && y < pictures->height && x >= 0 && x < pictures->width;
            long pixel = ((place.picture + before) * pictures->height + y) * pictures->width + x;
            seen[point] = inside ? pictures->input + pixel * channels : zeros;
        }
        turn_inputs(to, apart, seen, channels);
        to += channels;
    }
}

static void turn_sums_of(const float *sums, long apart, long tile, const Pictures *pictures,
                         const Convolution *convolution, long output, float slope) {
    TilePlace place = place_of(tile, pictures);
    for (long half = 0; half < PANEL && output + half < convolution->outputs; half += LANES) {
        long used = least(convolution->outputs - output - half, LANES);
        Vec pixel[OUT][OUT], bias = load(convolution->bias + output + half);
        turn_sums(pixel, sums + half, apart);
        for (long y = place.y; y < least(place.y + OUT, pictures->height); y++)
            for (long x = place.x; x < least(place.x + OUT, pictures->width); x++) {
                long at = (place.picture * pictures->height + y) * pictures->width + x;
                at = at * convolution->outputs + output + half;
                Vec sum = pixel[y - place.y][x - place.x] + bias;
                if (pictures->added) sum += load_some(pictures->added + at, used);
                Vec floor = all(0.0f); /* 0 · −∞ would be no number */
                if (slope != 0.0f) floor = sum * all(slope);
                sum = larger(floor, sum);
                store_some(pictures->output + at, sum, used);
            }
    }
}

INLINE void sum_tile(const int rows, float *to, const float *a, const float *panel, const float *zeros,
                     long inputs) {
    Vec sum[TILE][2];
    multiply(rows, 2, sum, a, panel, zeros, inputs);
    UNROLLED for (int row = 0; row < rows; row++) {
        store(to + row * PANEL, sum[row][0]);
        store(to + row * PANEL + LANES, sum[row][1]);
    }
}

/* The convolution and what is added, then x for x ≥ 0 and slope · x below. Returns 1 if memory is lacking, else 0. */
EXPORTED int convolve(const Pictures *pictures, const Convolution *convolution, float slope, int threads) {
    long inputs = convolution->inputs, outputs = convolution->outputs;
    long across = (pictures->width + OUT - 1) / OUT, down = (pictures->height + OUT - 1) / OUT;
    long tiles = pictures->pictures * down * across;
    /* a multiple of TILE, few enough for the cache and for every thread to have some */
    long step = least(MOST_TILES, NEAR_FLOATS / (POINTS * inputs) / TILE * TILE);
    step = least(step, (tiles + TILE * threads - 1) / (TILE * threads) * TILE);
    if (step < TILE) step = TILE;
    int failed = 0;
#pragma omp parallel num_threads(threads)
    {
        long floats = POINTS * step * (inputs + PANEL) + inputs + PANEL;
        float *turned = malloc((size_t)floats * sizeof(float)), *sums = turned + POINTS * step * inputs;
        float *zeros = sums + POINTS * step * PANEL;
        if (turned)
            memset(zeros, 0, (size_t)(inputs + PANEL) * sizeof(float));
        else {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp for schedule(static)
        for (long start = 0; start < tiles; start += step) {
            if (!turned) continue;
            long count = least(step, tiles - start);
            for (long tile = 0; tile < count; tile++)
                turn_inputs_of(turned + tile * inputs, step * inputs, start + tile, pictures, inputs, zeros);
            for (long output = 0; output < outputs; output += PANEL) {
                for (long point = 0; point < POINTS; point++) {
                    const float *panel = convolution->packed + (output * POINTS + point * PANEL) * inputs;
                    const float *from = turned + point * step * inputs;
                    float *to = sums + point * step * PANEL;
                    long row = 0;
                    for (; row + TILE <= count; row += TILE)
                        sum_tile(TILE, to + row * PANEL, from + row * inputs, panel, zeros, inputs);
                    for (; row + TILE / 3 <= count; row += TILE / 3)
                        sum_tile(TILE / 3, to + row * PANEL, from + row * inputs, panel, zeros, inputs);
                    for (; row < count; row++)
                        sum_tile(1, to + row * PANEL, from + row * inputs, panel, zeros, inputs);
                }
                for (long tile = 0; tile < count; tile++)
                    turn_sums_of(sums + tile * PANEL, step * PANEL, start + tile, pictures, convolution, output,
                                 slope);
            }
        }
        free(turned);
    }
    return failed;
}
