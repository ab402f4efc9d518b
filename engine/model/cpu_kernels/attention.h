/* Softmax attention inside boxes of tokens. */

#ifndef ATTENTION_H
#define ATTENTION_H

#include <stdint.h>

/* Boxes of one shape, one after another. */
typedef struct {
    long count, tokens;         /* boxes, and tokens of each */
    long shape[3];              /* frames, rows, columns of a box */
    long window[3];             /* what no box exceeds, and the bias table is for */
    const int64_t *place_index; /* rows of the place table, (1 or pairs, rows · columns); null if not mutual */
    long place_pairs;           /* 1, or pairs of frames */
} Boxes;

/* result = softmax(scale · query keyᵀ + bias) value, in each box and head by itself. */
typedef struct {
    const float *qkv;    /* (boxes · tokens) rows of 3 × heads × channels */
    const float *tables; /* (heads, positions) of biases times log2(e), or null */
    const int *place;    /* by set_places */
    float *result;       /* as many rows of heads × channels, `result_stride` floats apart */
    long result_stride;
    long positions;      /* of a query to a key in a window: frames, then rows, then columns, each from
                            −(length − 1) to length − 1 */
    long run;            /* tokens in a line of a box */
    long tokens, heads, channels;
    float scale;
    int mutual;          /* boxes are pairs: where one lies is written what its neighbour's queries find in it */
} Attention;

/* Tokens of a box and those of none that are computed with them. */
long padded_tokens(const Boxes *boxes);

/* Say where in a table of positions each token lies: a query's place less a key's is where their bias is,
 * counted from the middle. place: (padded tokens); those of none are as if at the first. */
void set_places(int *place, const Boxes *boxes);

/* Floats that `attend_head` needs to work in. */
long attention_floats(long tokens, long channels);

void attend_head(const Attention *attention, long box, long head, float *room);

#endif
