/* Softmax attention inside boxes of tokens, for heads of few channels.
 *
 * Strategy: with 16 or 20 channels a head, most of the time of general kernels goes into softmax and into
 * products too narrow for them. Here each lane is a query: scores lie key by key, so that maximum,
 * exponential and sum need no step across lanes. A block of queries meets all keys at once; its scores
 * (keys × QUERIES floats) stay in the processor's second cache and are read once. The bias of a query and a key
 * depends on where they lie to each other, and is read from the small table of that: spread out for all pairs,
 * it would be the largest thing to read by far. Queries next to each other read next to each other.
 *
 * Rows of queries, keys and values are read where a linear layer left them, and results are written where
 * the next layer reads them.
 */

#include "attention.h"

#include "product.h"

#define QUERIES PANEL /* of a block: the panel that keys and values are multiplied by */
#define QUERY_VECTORS 2
#define WIDE (LANES / 2) /* keys or channels that are summed up in registers at a time: half of these */
#define CHUNK 64        /* keys between exponential and product with the values */
#define LOG2_E 1.44269504088896341f

/* One head of one box. */
typedef struct {
    const float *query, *key, *value; /* rows `stride` floats apart */
    long stride;
    const float *bias; /* table of one head, times log2(e), from where query and key are the same; or null */
    long run;          /* tokens in a line of the box: their places count up */
    const int *place;  /* of each token in that table: a query's less a key's is where their bias is */
    float *result;     /* rows `result_stride` floats apart */
    long result_stride;
    long tokens, channels;
    float scale;
} Head;

/* What a thread works in: packed rows of keys and values, queries and results lane by lane, scores. */
typedef struct {
    float *key, *value, *query, *result, *score;
} Desk;

/* Set rows behind each other; up to a vector of floats behind the last is overwritten. */
INLINE void pack_rows(float *to, const float *from, long stride, long rows, long channels) {
    for (long row = 0; row < rows; row++)
        for (long channel = 0; channel < channels; channel += LANES) {
            long used = least(channels - channel, LANES);
            store(to + row * channels + channel, load_some(from + row * stride + channel, used));
        }
}

/* Turn `count` rows into (channels, QUERIES), times `scale`; missing queries become 0. */
INLINE void pack_queries(float *to, const float *from, long stride, long count, long channels, float scale) {
    for (long start = 0; start < QUERIES; start += LANES)
        for (long channel = 0; channel < channels; channel += LANES) {
            long used = least(channels - channel, LANES);
            Vec rows[LANES];
            for (long lane = 0; lane < LANES; lane++)
                if (start + lane < count)
                    rows[lane] = load_some(from + (start + lane) * stride + channel, used);
                else
                    rows[lane] = all(0.0f);
            transpose(rows);
            for (long row = 0; row < used; row++)
                store(to + (channel + row) * QUERIES + start, rows[row] * all(scale));
        }
}

/* The way back, each query times a share of its own. */
INLINE void unpack_results(float *to, const float *from, long stride, long count, long channels,
                           const Vec share[QUERY_VECTORS]) {
    for (int vector = 0; vector < QUERY_VECTORS; vector++)
        for (long channel = 0; channel < channels; channel += LANES) {
            long used = least(channels - channel, LANES), start = vector * LANES;
            Vec rows[LANES];
            for (long row = 0; row < used; row++)
                rows[row] = load(from + (channel + row) * QUERIES + start) * share[vector];
            for (long row = used; row < LANES; row++) rows[row] = all(0.0f);
            transpose(rows);
            for (int lane = 0; lane < LANES && start + lane < count; lane++)
                store_some(to + (start + lane) * stride + channel, rows[lane], used);
        }
}

/* Scores of `keys` keys (WIDE or 1) with a block of queries; keeps the largest of each query. Places count up
 * within runs of `run` queries; both are constants. */
INLINE void score_keys(const int keys, const int run, float *score, const float *query, const float *key,
                       const float *bias, const int *query_place, const int *key_place, long channels,
                       Vec largest[QUERY_VECTORS]) {
    Vec sum[WIDE][QUERY_VECTORS];
    UNROLLED for (int k = 0; k < keys; k++)
        UNROLLED for (int v = 0; v < QUERY_VECTORS; v++)
            if (run)
                sum[k][v] = load_runs(bias - key_place[k], query_place + v * LANES, run);
            else
                sum[k][v] = all(0.0f);
    accumulate(keys, QUERY_VECTORS, sum, key, channels, 1, query, channels);
    UNROLLED for (int k = 0; k < keys; k++)
        UNROLLED for (int v = 0; v < QUERY_VECTORS; v++) {
            largest[v] = larger(largest[v], sum[k][v]);
            store(score + k * QUERIES + v * LANES, sum[k][v]);
        }
}

/* Add share × value over `keys` keys to `width` channels of the results. */
INLINE void add_values(const int width, float *result, const float *share, const float *value, long keys,
                       long channels) {
    Vec sum[WIDE][QUERY_VECTORS];
    UNROLLED for (int c = 0; c < width; c++)
        UNROLLED for (int v = 0; v < QUERY_VECTORS; v++) sum[c][v] = load(result + c * QUERIES + v * LANES);
    accumulate(width, QUERY_VECTORS, sum, value, 1, channels, share, keys);
    UNROLLED for (int c = 0; c < width; c++)
        UNROLLED for (int v = 0; v < QUERY_VECTORS; v++) store(result + c * QUERIES + v * LANES, sum[c][v]);
}

INLINE void score_block(const int run, const Head *head, const Desk *desk, long start,
                        Vec largest[QUERY_VECTORS]) {
    long channels = head->channels, key = 0;
    for (; key + WIDE <= head->tokens; key += WIDE)
        score_keys(WIDE, run, desk->score + key * QUERIES, desk->query, desk->key + key * channels, head->bias,
                   head->place + start, head->place + key, channels, largest);
    for (; key < head->tokens; key++)
        score_keys(1, run, desk->score + key * QUERIES, desk->query, desk->key + key * channels, head->bias,
                   head->place + start, head->place + key, channels, largest);
}

static void attend_block(const Head *head, const Desk *desk, long start) {
    long tokens = head->tokens, channels = head->channels;
    long count = least(tokens - start, QUERIES);
    pack_queries(desk->query, head->query + start * head->stride, head->stride, count, channels,
                 head->scale * LOG2_E);
    Vec largest[QUERY_VECTORS], total[QUERY_VECTORS];
    UNROLLED for (int v = 0; v < QUERY_VECTORS; v++) largest[v] = all(-1e30f), total[v] = all(0.0f);
    if (!head->bias)
        score_block(0, head, desk, start, largest);
    else if (head->run % 16 == 0)
        score_block(16, head, desk, start, largest);
    else if (head->run % 8 == 0)
        score_block(8, head, desk, start, largest);
    else if (head->run % 4 == 0)
        score_block(4, head, desk, start, largest);
    else
        score_block(1, head, desk, start, largest);

    for (long at = 0; at < channels * QUERIES; at += LANES) store(desk->result + at, all(0.0f));
    for (long key = 0; key < tokens; key += CHUNK) {
        long keys = least(tokens - key, CHUNK);
        float *share = desk->score + key * QUERIES;
        for (long row = 0; row < keys; row++)
            UNROLLED for (int v = 0; v < QUERY_VECTORS; v++) {
                float *at = share + row * QUERIES + v * LANES;
                Vec p = power_of_two(load(at) - largest[v]);
                total[v] += p;
                store(at, p);
            }
        const float *value = desk->value + key * channels;
        long channel = 0;
        for (; channel + WIDE <= channels; channel += WIDE)
            add_values(WIDE, desk->result + channel * QUERIES, share, value + channel, keys, channels);
        for (; channel + 4 <= channels; channel += 4)
            add_values(4, desk->result + channel * QUERIES, share, value + channel, keys, channels);
        for (; channel < channels; channel++)
            add_values(1, desk->result + channel * QUERIES, share, value + channel, keys, channels);
    }
    UNROLLED for (int v = 0; v < QUERY_VECTORS; v++) total[v] = all(1.0f) / total[v];
    unpack_results(head->result + start * head->result_stride, desk->result, head->result_stride, count,
                   channels, total);
}

long padded_tokens(const Boxes *boxes) {
    return (boxes->tokens + QUERIES - 1) / QUERIES * QUERIES;
}

void set_places(int *place, const Boxes *boxes) {
    long at = 0, line = 2 * boxes->window[2] - 1, picture = (2 * boxes->window[1] - 1) * line;
    for (long frame = 0; frame < boxes->shape[0]; frame++)
        for (long row = 0; row < boxes->shape[1]; row++)
            for (long column = 0; column < boxes->shape[2]; column++)
                place[at++] = (int)(frame * picture + row * line + column);
    while (at < padded_tokens(boxes)) place[at++] = 0;
}

long attention_floats(long tokens, long channels) {
    return tokens * (2 * channels + QUERIES) + 2 * channels * QUERIES + LANES;
}

void attend_head(const Attention *a, long box, long head, float *room) {
    long tokens = a->tokens, channels = a->channels, width = a->heads * channels, stride = 3 * width;
    long asking = a->mutual ? box ^ 1 : box;
    Desk desk;
    desk.score = room, room += tokens * QUERIES;
    desk.query = room, room += channels * QUERIES;
    desk.result = room, room += channels * QUERIES;
    desk.key = room, room += tokens * channels;
    desk.value = room;
    const float *from = a->qkv + head * channels;
    Head one = {.query = from + asking * tokens * stride,
                .key = from + box * tokens * stride + width,
                .value = from + box * tokens * stride + 2 * width,
                .stride = stride,
                .bias = a->tables ? a->tables + head * a->positions + a->positions / 2 : NULL,
                .place = a->place,
                .run = a->run,
                .result = a->result + box * tokens * a->result_stride + head * channels,
                .result_stride = a->result_stride,
                .tokens = tokens,
                .channels = channels,
                .scale = a->scale};
    pack_rows(desk.key, one.key, stride, tokens, channels);
    pack_rows(desk.value, one.value, stride, tokens, channels);
    for (long start = 0; start < tokens; start += QUERIES) attend_block(&one, &desk, start);
}
