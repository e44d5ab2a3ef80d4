/* Programs size their output buffer by compressBound, by deflateBound, or by a formula copied from zlib; the output must fit. */
#include "check.h"

enum { COUNT = 11 };
static const int formats[] = {15, 31, -15}; /* zlib, gzip, raw */

/* zlib's formula for default parameters, as copied into programs. */
static size_t copied_formula(size_t len)
{
    return len + (len >> 12) + (len >> 14) + (len >> 25) + 13;
}

static void fits(const Bytef *plain, size_t len, int level, int strategy, int mem_level, int window_bits)
{
    z_stream strm;
    if (level == 0 && mem_level == 9 && !is_rigz())
        return; /* before 1.3.2, zlib's bound for stored blocks is too small with memLevel 9 */
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

enum { TUNE, HUFFMAN_ONLY, DICTIONARY, PRIME, OPERATIONS };

/* The bound also holds after an operation that changes the stream, both a new stream and one that was reset after some input. */
static void fits_after(int operation, int is_reset, const Bytef *plain, size_t len, int level, int window_bits)
{
    z_stream strm;
    memset(&strm, 0, sizeof strm);
    CHECK_EQ(deflateInit2(&strm, level, Z_DEFLATED, window_bits, 8, 0), Z_OK);
    Bytef first[200];
    if (is_reset) {
        strm.next_in = (Bytef *)plain, strm.avail_in = 50, strm.next_out = first, strm.avail_out = sizeof first;
        CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_OK);
        CHECK_EQ(deflateReset(&strm), Z_OK);
    }
    switch (operation) {
    case TUNE: CHECK_EQ(deflateTune(&strm, 8, 16, 128, 128), Z_OK); break;
    case HUFFMAN_ONLY: CHECK_EQ(deflateParams(&strm, level, Z_HUFFMAN_ONLY), Z_OK); break;
    case DICTIONARY: CHECK_EQ(deflateSetDictionary(&strm, plain, 3000), Z_OK); break;
    default:
        for (int i = 0; i < 6; i++)
            CHECK_EQ(deflatePrime(&strm, 10, 2), Z_OK);
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
    static const size_t sizes[COUNT] = {0, 1, 5, 100, 1000, 16383, 16384, 32768, 65535, 65536, 70001};
    static const size_t near_window[COUNT] = {0, 1, 5, 100, 1000, 16383, 33200, 33400, 33600, 33800, 34000};
    static const int mem_levels[] = {1, 5, 8, 9};
    static const size_t large[] = {131072, 1 << 20, 3 << 20};
    Bytef *plain[3] = {noise(3 << 20, 7), prose(3 << 20, 7), allocate(3 << 20)};
    memset(plain[2], 'a', 3 << 20);

    for (int kind = 0; kind < 3; kind++) {
        int tried_formats = kind == 0 ? 3 : 1; /* only noise comes so near to the bound that the wrapper's size matters */
        for (int level = -1; level <= 9; level++) {
            for (int strategy = Z_DEFAULT_STRATEGY; strategy <= Z_FIXED; strategy++)
                for (int m = 0; m < 4; m++)
                    for (int form = 0; form < tried_formats; form++)
                        for (int i = 0; i < COUNT; i++)
                            fits(plain[kind], sizes[i], level, strategy, mem_levels[m], formats[form]);
            for (int i = 0; i < (level == 1 || level == 9 ? 3 : 2); i++) { /* 3 MiB for two levels only, to save time */
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
    /* The bound also holds for windows smaller than 32 KiB. */
    for (int window_bits = 9; window_bits < 15; window_bits++)
        for (int level = 0; level <= 9; level++)
            fits(plain[0], 200000, level, Z_DEFAULT_STRATEGY, 8, window_bits);
    for (int operation = 0; operation < OPERATIONS; operation++)
        for (int form = 0; form < 3; form++) {
            if (operation == DICTIONARY && formats[form] > 15)
                continue; /* gzip has no dictionaries */
            if (operation == PRIME && (formats[form] > 0 || !is_rigz()))
                continue; /* only raw streams of rigz: zlib's output exceeds its bound then, and the manual promises none */
            for (int is_reset = 0; is_reset <= 1; is_reset++)
                for (int level = 1; level <= 9; level++)
                    for (int kind = 0; kind < 2; kind++)
                        for (int i = 0; i < COUNT; i++)
                            fits_after(operation, is_reset, plain[kind], near_window[i], level, formats[form]);
        }
    for (int kind = 0; kind < 3; kind++)
        free(plain[kind]);
    return 0;
}
