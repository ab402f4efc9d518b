/* A block of the transformer: attention inside windows, then a gated MLP, each on normalised tokens and added.
 *
 * Strategy: with a hundred channels, what costs is not the arithmetic but the traffic between its steps. No
 * box needs another's tokens (and no pair of boxes another pair's), so a thread takes a few boxes through all
 * steps while they are in its own cache: it reads tokens from the volume, and writes them back, through the
 * order of a window layout. Where there are too few boxes for the threads there are, all threads share each
 * step instead.
 */

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "product.h"

#define MOST_VECTORS 15
#define NEAR_TOKENS 384 /* tokens that a thread takes through all steps at a time, if boxes are not larger */

typedef struct {
    const float *weight, *bias;
    float epsilon;
} Norm;

/* Tokens of a volume in the order of windows. */
typedef struct {
    float *volume;        /* (tokens, channels) */
    const int64_t *order; /* which token of the volume each row is */
    const uint8_t *holes; /* rows that are outside the volume and count as zero, or null */
    long rows, channels;
} Tokens;

/* Weights of a block. */
typedef struct {
    Norm attention_norm, mlp_norm;
    Product qkv, mutual_qkv, projection, gated, output; /* mutual_qkv with `packed` null if there is none */
    const float *bias_tables;                           /* (heads, positions) times log2(e) */
    const float *place_table;                           /* (rows · columns of a window, channels) */
    long heads;
} Block;

/* Boxes on their way through a block. */
typedef struct {
    const Tokens *tokens;
    const Boxes *boxes;
    const Block *block;
    long first;              /* row of the first token */
    float *qkv, *mutual_qkv; /* (rows, 3 × channels) */
    float *found;            /* (rows, channels, or twice that if mutual): mutual attention's, then its own */
    Attention own, mutual;
} Work;

static void normalise_any(float *to, const float *from, long channels, const Norm *norm) {
    Vec sum = all(0.0f), squares = all(0.0f);
    for (long c = 0; c < channels; c += LANES) sum += load_some(from + c, least(channels - c, LANES));
    Vec mean = all(sum_of(sum) / (float)channels);
    for (long c = 0; c < channels; c += LANES) {
        long used = least(channels - c, LANES);
        Vec off = only_some(load_some(from + c, used) - mean, used);
        squares = multiply_add(off, off, squares);
    }
    Vec factor = all(1.0f / __builtin_sqrtf(sum_of(squares) / (float)channels + norm->epsilon));
    for (long c = 0; c < channels; c += LANES) {
        long used = least(channels - c, LANES);
        Vec off = (load_some(from + c, used) - mean) * factor;
        Vec weight = load_some(norm->weight + c, used), bias = load_some(norm->bias + c, used);
        store_some(to + c, multiply_add(off, weight, bias), used);
    }
}

/* to = the row's deviation from its mean, over its spread, times weight plus bias; `vectors` is a constant. */
INLINE void normalise_row(const int vectors, float *to, const float *from, long channels, const Norm *norm) {
    Vec x[MOST_VECTORS], sum = all(0.0f), squares = all(0.0f);
    long left = channels - (vectors - 1) * LANES; /* channels in the last vector */
    UNROLLED for (int v = 0; v < vectors - 1; v++) x[v] = load(from + v * LANES), sum += x[v];
    x[vectors - 1] = load_some(from + (vectors - 1) * LANES, left);
    Vec mean = all(sum_of(sum + x[vectors - 1]) / (float)channels);
    UNROLLED for (int v = 0; v < vectors; v++) {
        x[v] -= mean;
        if (v == vectors - 1) x[v] = only_some(x[v], left);
        squares = multiply_add(x[v], x[v], squares);
    }
    Vec factor = all(1.0f / __builtin_sqrtf(sum_of(squares) / (float)channels + norm->epsilon));
    UNROLLED for (int v = 0; v < vectors; v++) {
        long used = v == vectors - 1 ? left : LANES, at = v * LANES;
        Vec weight = load_some(norm->weight + at, used), bias = load_some(norm->bias + at, used);
        store_some(to + at, multiply_add(x[v] * factor, weight, bias), used);
    }
}

static void normalise(float *to, const float *from, long channels, const Norm *norm) {
    switch ((channels + LANES - 1) / LANES) {
    case 1: return normalise_row(1, to, from, channels, norm);
    case 2: return normalise_row(2, to, from, channels, norm);
    case 3: return normalise_row(3, to, from, channels, norm);
    case 4: return normalise_row(4, to, from, channels, norm);
    case 5: return normalise_row(5, to, from, channels, norm);
    case 6: return normalise_row(6, to, from, channels, norm);
    case 7: return normalise_row(7, to, from, channels, norm);
    case 8: return normalise_row(8, to, from, channels, norm);
    case 12: return normalise_row(12, to, from, channels, norm);
    case 15: return normalise_row(15, to, from, channels, norm);
    default: normalise_any(to, from, channels, norm);
    }
}

/* Add to normalised tokens where in their window they lie. */
static void add_places(const Work *w, float *normed, long start, long rows) {
    long channels = w->tokens->channels, frame_rows = w->boxes->shape[1] * w->boxes->shape[2];
    for (long row = 0; row < rows; row++) {
        long at = w->first + start + row, pair = w->boxes->place_pairs > 1 ? at / (2 * frame_rows) : 0;
        long index = w->boxes->place_index[pair * frame_rows + at % frame_rows];
        const float *place = w->block->place_table + index * channels;
        for (long c = 0; c < channels; c++) normed[row * channels + c] += place[c];
    }
}

/* Queries, keys and values of at most ROWS tokens: normalised, and once more with their places if mutual. */
static void project_rows(const Work *w, long start, long rows, float *normed) {
    const Tokens *tokens = w->tokens;
    long channels = tokens->channels;
    for (long row = 0; row < rows; row++) {
        long at = w->first + start + row;
        float *to = normed + row * channels;
        if (tokens->holes && tokens->holes[at])
            memset(to, 0, (size_t)channels * sizeof(float));
        else
            normalise(to, tokens->volume + tokens->order[at] * channels, channels, &w->block->attention_norm);
    }
    product(w->qkv + start * 3 * channels, normed, rows, &w->block->qkv, 0);
    if (!w->mutual_qkv) return;
    add_places(w, normed, start, rows);
    product(w->mutual_qkv + start * 3 * channels, normed, rows, &w->block->mutual_qkv, 0);
}

/* Add to at most ROWS tokens the projection of what they found, then their gated MLP. */
static void finish_rows(const Work *w, long start, long rows, float *room) {
    const Block *block = w->block;
    long channels = w->tokens->channels;
    size_t row_bytes = (size_t)channels * sizeof(float);
    float *sums = room, *normed = sums + ROWS * channels, *between = normed + ROWS * channels;
    const int64_t *order = w->tokens->order + w->first + start;
    const uint8_t *holes = w->tokens->holes ? w->tokens->holes + w->first + start : NULL;
    for (long row = 0; row < rows; row++)
        if (holes && holes[row])
            memset(sums + row * channels, 0, row_bytes);
        else
            memcpy(sums + row * channels, w->tokens->volume + order[row] * channels, row_bytes);
    product(sums, w->found + start * block->projection.inputs, rows, &block->projection, 1);
    for (long row = 0; row < rows; row++)
        normalise(normed + row * channels, sums + row * channels, channels, &block->mlp_norm);
    gated_product(between, normed, rows, &block->gated);
    product(sums, between, rows, &block->output, 1);
    for (long row = 0; row < rows; row++)
        if (!holes || !holes[row])
            memcpy(w->tokens->volume + order[row] * channels, sums + row * channels, row_bytes);
}

/* Attention number `index` of `boxes` boxes: each box's heads, then those of mutual attention, frame by frame. */
static void attend_one(const Work *w, long boxes, long index, float *room) {
    long heads = w->block->heads;
    if (index < boxes * heads)
        attend_head(&w->own, index / heads, index % heads, room);
    else
        attend_head(&w->mutual, index / heads - boxes, index % heads, room);
}

static Work prepare(const Tokens *tokens, const Boxes *boxes, const Block *block, const int *place,
                    long rows, float *room) {
    long channels = tokens->channels, inputs = block->projection.inputs, mutual = boxes->place_index != NULL;
    Work w = {.tokens = tokens, .boxes = boxes, .block = block, .qkv = room};
    w.found = room + rows * 3 * channels;
    w.mutual_qkv = mutual ? w.found + rows * inputs : NULL;
    const long *window = boxes->window;
    w.own = (Attention){.qkv = w.qkv,
                        .tables = block->bias_tables,
                        .place = place,
                        .result = w.found + inputs - channels,
                        .result_stride = inputs,
                        .positions = (2 * window[0] - 1) * (2 * window[1] - 1) * (2 * window[2] - 1),
                        .run = boxes->shape[2],
                        .tokens = boxes->tokens,
                        .heads = block->heads,
                        .channels = channels / block->heads};
    w.own.scale = 1.0f / __builtin_sqrtf((float)w.own.channels);
    w.mutual = w.own;
    w.mutual.qkv = w.mutual_qkv, w.mutual.result = w.found, w.mutual.tables = NULL, w.mutual.mutual = 1;
    w.mutual.tokens = boxes->shape[1] * boxes->shape[2];
    return w;
}

/* Add the seconds since `since` to `to`, if somebody wants to know, and return the time now. */
INLINE double passed(double *to, double since) {
    if (!to) return 0.0;
    double now = omp_get_wtime();
    *to += now - since;
    return now;
}

/* Take all boxes through a block, in place in the volume. tokens: the rows of these boxes. seconds: null, or
 * two that the first thread adds its time to: in attention up to what it found, and in the rest. Returns 1 if
 * memory is lacking, else 0. */
EXPORTED int update_block(const Tokens *tokens, const Boxes *boxes, const Block *block, double *seconds, int threads) {
    long channels = tokens->channels, heads = block->heads, mutual = boxes->place_index != NULL;
    /* boxes that belong together, boxes that a thread takes at a time, and whether there are enough of them */
    long together = mutual && boxes->shape[0] == 1 ? 2 : 1;
    long step = NEAR_TOKENS / boxes->tokens / together * together;
    if (step < together) step = together;
    int alone = (boxes->count + step - 1) / step >= 2 * threads;
    if (!alone) step = boxes->count;
    long rows = step * boxes->tokens, attentions = (mutual ? 1 + boxes->shape[0] : 1) * heads;

    long room_floats = attention_floats(boxes->tokens, channels / heads);
    long finish_floats = ROWS * (2 * channels + block->gated.outputs);
    if (room_floats < finish_floats) room_floats = finish_floats;
    long work_floats = rows * ((mutual ? 6 : 3) * channels + block->projection.inputs);
    size_t floats = (size_t)(threads * room_floats + (alone ? threads : 1) * work_floats);
    int *place = malloc((size_t)padded_tokens(boxes) * sizeof(int));
    float *memory = malloc(floats * sizeof(float));
    if (!place || !memory) {
        free(place), free(memory);
        return 1;
    }
    set_places(place, boxes);
#pragma omp parallel num_threads(threads)
    {
        long thread = omp_get_thread_num();
        double *attending = thread ? NULL : seconds, *finishing = attending ? seconds + 1 : NULL;
        double since = passed(attending, omp_get_wtime());
        float *room = memory + thread * room_floats;
        float *work_room = memory + threads * room_floats + (alone ? thread * work_floats : 0);
        Work w = prepare(tokens, boxes, block, place, rows, work_room);
        if (alone) {
#pragma omp for schedule(static)
            for (long box = 0; box < boxes->count; box += step) {
                long count = least(step, boxes->count - box), here = count * boxes->tokens;
                w.first = box * boxes->tokens;
                for (long row = 0; row < here; row += ROWS) project_rows(&w, row, least(here - row, ROWS), room);
                for (long index = 0; index < count * attentions; index++) attend_one(&w, count, index, room);
                since = passed(attending, since);
                for (long row = 0; row < here; row += ROWS) finish_rows(&w, row, least(here - row, ROWS), room);
                since = passed(finishing, since);
            }
        } else {
#pragma omp for schedule(static)
            for (long row = 0; row < rows; row += ROWS) project_rows(&w, row, least(rows - row, ROWS), room);
#pragma omp for schedule(static)
            for (long index = 0; index < boxes->count * attentions; index++)
                attend_one(&w, boxes->count, index, room);
            since = passed(attending, since);
#pragma omp for schedule(static)
            for (long row = 0; row < rows; row += ROWS) finish_rows(&w, row, least(rows - row, ROWS), room);
            passed(finishing, since);
        }
    }
    free(place), free(memory);
    return 0;
}
