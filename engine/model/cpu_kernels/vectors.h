/* Vectors of floats as wide as the processor has them, under names that tell what they do.
 *
 * Compiled once for AVX-512 and once for AVX2; `LANES` floats make a `Vec`.
 */

#ifndef VECTORS_H
#define VECTORS_H

#include <immintrin.h>

/* What Python calls; all else is hidden, so that nobody else's function of the same name takes its place. */
#define EXPORTED __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))

/* Before loops over registers: left as loops, compilers keep what they run over in memory. */
#define UNROLLED _Pragma("GCC unroll 16")

#if defined(__AVX512F__)

#define LANES 16
typedef __m512 Vec;

INLINE Vec load(const float *from) { return _mm512_loadu_ps(from); }
INLINE Vec load_some(const float *from, long count) {
    return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
}
INLINE void store(float *to, Vec x) { _mm512_storeu_ps(to, x); }
INLINE void store_some(float *to, Vec x, long count) {
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), x);
}
INLINE Vec all(float x) { return _mm512_set1_ps(x); }
INLINE Vec multiply_add(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
INLINE Vec larger(Vec a, Vec b) { return _mm512_max_ps(a, b); }
INLINE Vec smaller(Vec a, Vec b) { return _mm512_min_ps(a, b); }
/* 1 / x, but for the last bit or two */
INLINE Vec inverse(Vec x) {
    Vec guess = _mm512_rcp14_ps(x);
    return guess * _mm512_fnmadd_ps(x, guess, _mm512_set1_ps(2.0f));
}
/* x · 2^n where the last bits of `n_and_more` are the whole number n */
INLINE Vec scale_by_power(Vec x, Vec n_and_more) {
    __m512i n = _mm512_slli_epi32(_mm512_castps_si512(n_and_more), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x), n));
}
INLINE float sum_of(Vec x) { return _mm512_reduce_add_ps(x); }
INLINE Vec only_some(Vec x, long count) { return _mm512_maskz_mov_ps((__mmask16)((1u << count) - 1), x); }

/* `from` + index, where the index counts up by one within runs of `run` lanes (a constant: 1, 4, 8 or 16) */
INLINE Vec load_runs(const float *from, const int *index, const int run) {
    if (run == 16) return load(from + index[0]);
    if (run == 8) {
        __m512 low = _mm512_castps256_ps512(_mm256_loadu_ps(from + index[0]));
        return _mm512_insertf32x8(low, _mm256_loadu_ps(from + index[8]), 1);
    }
    if (run == 4) {
        __m512 x = _mm512_castps128_ps512(_mm_loadu_ps(from + index[0]));
        x = _mm512_insertf32x4(x, _mm_loadu_ps(from + index[4]), 1);
        x = _mm512_insertf32x4(x, _mm_loadu_ps(from + index[8]), 2);
        return _mm512_insertf32x4(x, _mm_loadu_ps(from + index[12]), 3);
    }
    return _mm512_i32gather_ps(_mm512_loadu_si512(index), from, sizeof(float));
}

INLINE void transpose(Vec r[LANES]) {
    Vec t[LANES];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        __m512d a = _mm512_castps_pd(t[i]), b = _mm512_castps_pd(t[i + 1]);
        __m512d c = _mm512_castps_pd(t[i + 2]), d = _mm512_castps_pd(t[i + 3]);
        r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
        r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
        r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
        r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
    }
    for (int i = 0; i < 4; i++) {
        Vec a = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88), b = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
        Vec c = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
        Vec d = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
        t[i] = _mm512_shuffle_f32x4(a, c, 0x88);
        t[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
        t[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
        t[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
    for (int i = 0; i < 16; i++) r[i] = t[i];
}

#else

#define LANES 8
typedef __m256 Vec;

INLINE __m256i first(long count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE Vec load(const float *from) { return _mm256_loadu_ps(from); }
INLINE Vec load_some(const float *from, long count) { return _mm256_maskload_ps(from, first(count)); }
INLINE void store(float *to, Vec x) { _mm256_storeu_ps(to, x); }
INLINE void store_some(float *to, Vec x, long count) { _mm256_maskstore_ps(to, first(count), x); }
INLINE Vec all(float x) { return _mm256_set1_ps(x); }
INLINE Vec multiply_add(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
INLINE Vec larger(Vec a, Vec b) { return _mm256_max_ps(a, b); }
INLINE Vec smaller(Vec a, Vec b) { return _mm256_min_ps(a, b); }
INLINE Vec inverse(Vec x) {
    Vec guess = _mm256_rcp_ps(x);
    return guess * _mm256_fnmadd_ps(x, guess, _mm256_set1_ps(2.0f));
}
INLINE Vec scale_by_power(Vec x, Vec n_and_more) {
    __m256i n = _mm256_slli_epi32(_mm256_castps_si256(n_and_more), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), n));
}
INLINE float sum_of(Vec x) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
INLINE Vec only_some(Vec x, long count) { return _mm256_and_ps(x, _mm256_castsi256_ps(first(count))); }

INLINE Vec load_runs(const float *from, const int *index, const int run) {
    if (run >= 8) return load(from + index[0]);
    if (run == 4) {
        __m256 low = _mm256_castps128_ps256(_mm_loadu_ps(from + index[0]));
        return _mm256_insertf128_ps(low, _mm_loadu_ps(from + index[4]), 1);
    }
    return _mm256_i32gather_ps(from, _mm256_loadu_si256((const __m256i *)index), sizeof(float));
}

INLINE void transpose(Vec r[LANES]) {
    Vec t[LANES], u[LANES];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
        r[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
    }
}

#endif

/* 2^x for x below 127, to 2e-7 of itself; 2^-126 for everything below that.
 *
 * x is cut into a whole number n and a rest within ±1/2: the sum with 1.5 · 2^23 has n in its last bits. The
 * polynomial has the smallest largest relative error on the rest (9.2e-8) of those of degree 5 that are 1 at 0. */
INLINE Vec power_of_two(Vec x) {
    x = larger(all(-126.0f), x); /* in this order what is not a number stays so */
    Vec rounder = all(12582912.0f);
    Vec n_and_more = x + rounder;
    Vec rest = x - (n_and_more - rounder);
    Vec p = multiply_add(all(1.326472693426304e-3f), rest, all(9.671512701697421e-3f));
    p = multiply_add(p, rest, all(5.550733744534499e-2f));
    p = multiply_add(p, rest, all(2.402224208429172e-1f));
    p = multiply_add(p, rest, all(6.931469775980853e-1f));
    p = multiply_add(p, rest, all(1.0f));
    return scale_by_power(p, n_and_more);
}

#endif
