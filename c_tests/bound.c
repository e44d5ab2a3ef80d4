/* Programs size their output buffer by compressBound, by deflateBound, or by a formula copied from zlib; the output must fit. */
#include "check.h"

/* zlib's formula for default parameters, as copied into programs. */
static size_t copied_formula(size_t len)
{
    return len + (len >> 12) + (len >> 14) + (len >> 25) + 13;
}

static void fits(const Bytef *plain, size_t len, int level, int strategy, int mem_level, int window_bits)
{
    z_stream strm;
    if (level == 0 && mem_level == 9 && !is_rigz())
        return; /* zlib's own bound is too small there before 1.3.2 */
    memset(&strm, 0, sizeof strm);
    CHECK_EQ(deflateInit2(&strm, level, Z_DEFLATED, window_bits, mem_level, strategy), Z_OK);
    gz_header header;
    memset(&header, 0, sizeof header);
    header.name = (Bytef *)"a file name", header.comment = (Bytef *)"and a comment";
    header.extra = (Bytef *)"extra", header.extra_len = 5, header.hcrc = 1;
    if (window_bits > 15)
        CHECK_EQ(deflateSetHeader(&strm, &header), Z_OK);
    uLong bound = deflateBound(&strm, len);
    Bytef *out = allocate(bound);
    strm.next_in = (Bytef *)plain, strm.avail_in = (uInt)len;
    strm.next_out = out, strm.avail_out = (uInt)bound;
    int status = deflate(&strm, Z_FINISH);
    if (status != Z_STREAM_END)
        fprintf(stderr, "len %zu level %d strategy %d memLevel %d windowBits %d bound %lu: ", len, level, strategy, mem_level, window_bits, bound);
    CHECK_EQ(status, Z_STREAM_END);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(out);
}

/* With deflateTune, deflatePrime, a dictionary, or another strategy after some messages: the same bound, for noise too. */
static void fits_still(const Bytef *plain, size_t len, int what, int level, int window_bits)
{
    z_stream strm;
    memset(&strm, 0, sizeof strm);
    CHECK_EQ(deflateInit2(&strm, level, Z_DEFLATED, window_bits, 8, 0), Z_OK);
    Bytef first[200];
    if (what >= 4) {
        strm.next_in = (Bytef *)plain, strm.avail_in = 50, strm.next_out = first, strm.avail_out = sizeof first;
        CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_OK);
        CHECK_EQ(deflateReset(&strm), Z_OK);
    }
    switch (what % 4) {
    case 0:
        CHECK_EQ(deflateTune(&strm, 8, 16, 128, 128), Z_OK);
        break;
    case 1:
        CHECK_EQ(deflateParams(&strm, level, Z_HUFFMAN_ONLY), Z_OK);
        break;
    case 2:
        if (window_bits < 16)
            CHECK_EQ(deflateSetDictionary(&strm, plain, 3000), Z_OK);
        break;
    case 3: /* the manual does not promise the bound here, and zlib exceeds it */
        for (int i = 0; is_rigz() && window_bits < 0 && i < 6; i++)
            CHECK_EQ(deflatePrime(&strm, 10, 2), Z_OK);
        break;
    }
    uLong bound = deflateBound(&strm, len);
    Bytef *out = allocate(bound);
    strm.next_in = (Bytef *)plain + 3000, strm.avail_in = (uInt)len;
    strm.next_out = out, strm.avail_out = (uInt)bound;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(out);
}

int main(void)
{
    begin();
    static const size_t sizes[] = {0, 1, 5, 100, 1000, 16383, 16384, 32768, 65535, 65536, 70001};
    static const size_t large[] = {131072, 1 << 20, 3 << 20};
    Bytef *plain[3] = {noise(3 << 20, 7), prose(3 << 20, 7), allocate(3 << 20)};
    memset(plain[2], 'a', 3 << 20);

    for (int kind = 0; kind < 3; kind++) {
        for (int level = -1; level <= 9; level++) {
            for (int strategy = Z_DEFAULT_STRATEGY; strategy <= Z_FIXED; strategy++)
                for (int mem_level = 1; mem_level <= 9; mem_level += 4)
                    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
                        fits(plain[kind], sizes[i], level, strategy, mem_level, i % 3 == 0 ? 15 : i % 3 == 1 ? 31 : -15);
            for (size_t i = 0; i < sizeof large / sizeof *large - (level != 1 && level != 9); i++) {
                size_t len = large[i], room = copied_formula(len);
                CHECK_EQ(compressBound(len), room);
                Bytef *out = allocate(room);
                uLongf out_len = room;
                CHECK_EQ(compress2(out, &out_len, plain[kind], len, level), Z_OK);
                CHECK(out_len <= room);
                free(out);
            }
        }
    }
    for (size_t len = 0; len < 3000; len++) {
        Bytef out[4000];
        uLongf out_len = copied_formula(len);
        CHECK_EQ(compressBound(len), out_len);
        CHECK_EQ(compress2(out, &out_len, plain[0], len, (int)(len % 11) - 1), Z_OK);
    }
    /* Small windows need their own bound. */
    for (int window_bits = 9; window_bits < 15; window_bits++)
        for (int level = 0; level <= 9; level++)
            fits(plain[0], 200000, level, Z_DEFAULT_STRATEGY, 8, window_bits);
    for (int what = 0; what < 8; what++)
        for (int level = 1; level <= 9; level++)
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
                for (int form = 0; form < 3; form++)
                    fits_still(plain[i % 2 * (what % 2)], i < 6 ? sizes[i] : 32000 + 200 * i, what, level, form == 0 ? 15 : form == 1 ? 31 : -15);
    for (int kind = 0; kind < 3; kind++)
        free(plain[kind]);
    return 0;
}
