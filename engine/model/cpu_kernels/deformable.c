/* Sampling for flow-guided deformable alignment.
 *
 * Strategy: a picture comes with a border of zeros, one pixel before and two behind, and positions are
 * limited to one pixel outside it: all four neighbours of any position exist then, and what lies outside is
 * zero by itself. A further line of zeros below lets loads reach past the last channel. Channels are
 * innermost, so that a sample is one load a neighbour.
 */

#include <stdlib.h>

#include "product.h"

#define BEFORE 1
#define MORE_COLUMNS 3
#define MORE_LINES 4
#define TAPS 9
#define LOG2_E 1.44269504088896341f

/* Eight channels of a sample: the groups of channels that share a position are narrow. */
typedef __m256 Eight;

INLINE Vec sigmoid(Vec x) {
    x = larger(all(-80.0f), smaller(all(80.0f), x));
    return inverse(all(1.0f) + power_of_two(x * all(-LOG2_E)));
}

/* 2 sigmoid(2 x) − 1: within 2e-7 of the hyperbolic tangent */
INLINE Vec hyperbolic_tangent(Vec x) { return multiply_add(all(2.0f), sigmoid(x + x), all(-1.0f)); }

/* Where a position lies: the pixel at its upper left in a picture with border, and the shares of the others. */
typedef struct {
    long pixel;
    float right, below;
} Place;

INLINE Place place_of(float x, float y, long height, long width) {
    /* written so that what is not a number lands on the border */
    x = x > -1.0f ? x : -1.0f, y = y > -1.0f ? y : -1.0f;
    x = x < (float)width ? x : (float)width, y = y < (float)height ? y : (float)height;
    float column = __builtin_floorf(x), row = __builtin_floorf(y);
    return (Place){((long)row + BEFORE) * (width + MORE_COLUMNS) + (long)column + BEFORE, x - column, y - row};
}

INLINE Vec between(Vec a, Vec b, Vec share) { return multiply_add(share, b - a, a); }

/* Set beside each other, for each pixel: `source` at the pixel + flow, `target`, and the flow.
 *
 * source: (pictures, height + 4, width + 3, channels) with its border. target: (pictures, height, width,
 * channels). flow: (pictures, height, width, 2) as (x, y). joined: (…, 2 × channels + 2). */
EXPORTED void join_warped(const float *source, const float *target, const float *flow, float *joined, long pictures,
                 long height, long width, long channels, int threads) {
    long line = (width + MORE_COLUMNS) * channels;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (long row = 0; row < pictures * height; row++) {
        const float *picture = source + row / height * (height + MORE_LINES) * line;
        for (long column = 0; column < width; column++) {
            long at = row * width + column;
            const float *move = flow + 2 * at, *other = target + at * channels;
            float *to = joined + at * (2 * channels + 2);
            Place place = place_of((float)column + move[0], (float)(row % height) + move[1], height, width);
            const float *from = picture + place.pixel * channels;
            Vec right = all(place.right), below = all(place.below);
            for (long channel = 0; channel < channels; channel += LANES) {
                long used = channels - channel < LANES ? channels - channel : LANES;
                const float *here = from + channel;
                Vec upper = between(load_some(here, used), load_some(here + channels, used), right);
                Vec lower =
                    between(load_some(here + line, used), load_some(here + line + channels, used), right);
                store_some(to + channel, between(upper, lower, below), used);
                store_some(to + channels + channel, load_some(other + channel, used), used);
            }
            to[2 * channels] = move[0], to[2 * channels + 1] = move[1];
        }
    }
}

/* One sample of `width` channels into `to`, where up to seven floats behind it are overwritten. */
INLINE void sample(float *to, const float *from, long line, long channels, Place place, float factor,
                   long width) {
    Eight right = _mm256_set1_ps(place.right), below = _mm256_set1_ps(place.below);
    Eight times = _mm256_set1_ps(factor);
    for (long channel = 0; channel < width; channel += 8) {
        const float *here = from + channel;
        Eight a = _mm256_loadu_ps(here), b = _mm256_loadu_ps(here + channels);
        Eight c = _mm256_loadu_ps(here + line), d = _mm256_loadu_ps(here + line + channels);
        Eight upper = _mm256_fmadd_ps(right, b - a, a), lower = _mm256_fmadd_ps(right, d - c, c);
        _mm256_storeu_ps(to + channel, _mm256_fmadd_ps(below, lower - upper, upper) * times);
    }
}

/* What is sampled, and where. */
typedef struct {
    const float *source;  /* (pictures, height + 4, width + 3, channels) with its border */
    const float *learned; /* (pictures, height, width, 27 × groups): (y, x) of each group and tap, then factors */
    const float *flow;    /* (pictures, height, width, 2) as (x, y) */
    long pictures, height, width, channels, groups;
    float reach; /* what the hyperbolic tangent of (y, x) is limited to */
} Samples;

/* Sample the taps of pixel `at`, counted through all pictures: (9, channels). `room` takes 27 × groups floats
 * and two vectors more. */
static void sample_pixel(float *to, const Samples *s, long at, float *room) {
    long line = (s->width + MORE_COLUMNS) * s->channels, points = TAPS * s->groups;
    long each = s->channels / s->groups, in_picture = at % (s->height * s->width);
    const float *learned = s->learned + at * 3 * points;
    float *moves = room, *factors = room + 2 * points + LANES;
    for (long i = 0; i < 2 * points; i += LANES)
        store(moves + i, hyperbolic_tangent(load_some(learned + i, least(2 * points - i, LANES))) * all(s->reach));
    for (long i = 0; i < points; i += LANES)
        store(factors + i, sigmoid(load_some(learned + 2 * points + i, least(points - i, LANES))));
    const float *picture = s->source + at / (s->height * s->width) * (s->height + MORE_LINES) * line;
    for (long tap = 0; tap < TAPS; tap++) {
        float x = (float)(in_picture % s->width + tap % 3 - 1) + s->flow[2 * at];
        float y = (float)(in_picture / s->width + tap / 3 - 1) + s->flow[2 * at + 1];
        for (long group = 0; group < s->groups; group++) {
            long i = group * TAPS + tap;
            Place place = place_of(x + moves[2 * i + 1], y + moves[2 * i], s->height, s->width);
            const float *from = picture + place.pixel * s->channels + group * each;
            sample(to + tap * s->channels + group * each, from, line, s->channels, place, factors[i], each);
        }
    }
}

/* A modulated deformable convolution of 3 × 3: the weights, (outputs, 9, channels) packed, times what each
 * pixel samples. result: (pictures, height, width, outputs). Returns 1 if memory is lacking, else 0. */
EXPORTED int convolve_samples(const Samples *samples, const Product *weights, float *result, int threads) {
    long pixels = samples->pictures * samples->height * samples->width, inputs = TAPS * samples->channels;
    int failed = 0;
#pragma omp parallel num_threads(threads)
    {
        /* samples are written eight floats at a time, into what follows */
        long room = 3 * TAPS * samples->groups + 2 * LANES;
        float *columns = malloc((size_t)(ROWS * inputs + 8 + room) * sizeof(float));
        if (!columns) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp for schedule(static)
        for (long start = 0; start < pixels; start += ROWS) {
            if (!columns) continue;
            long rows = least(pixels - start, ROWS);
            for (long row = 0; row < rows; row++)
                sample_pixel(columns + row * inputs, samples, start + row, columns + ROWS * inputs + 8);
            product(result + start * weights->outputs, columns, rows, weights, 0);
        }
        free(columns);
    }
    return failed;
}
