/* A program that gives zlib an arena sized by zconf.h's formula, as nginx does: a compressing stream allocates no more, and
 * nothing after deflateInit2(), whatever its input. */
#include "check.h"

static size_t asked, calls;

static void *lend(void *opaque, uInt items, uInt size)
{
    (void)opaque;
    asked += (size_t)items * size, calls++;
    return malloc((size_t)items * size);
}

static void take_back(void *opaque, void *address)
{
    (void)opaque;
    free(address);
}

int main(void)
{
    begin();
    enum { LEN = 3 << 20 };
    Bytef *plain = prose(LEN, 9), *out = allocate(LEN);
    for (int window_bits = 9; window_bits <= 15; window_bits++)
        for (int mem_level = 1; mem_level <= 9; mem_level++)
            for (int level = 0; level <= 9; level += 3) {
                z_stream strm;
                memset(&strm, 0, sizeof strm);
                strm.zalloc = lend, strm.zfree = take_back;
                asked = calls = 0;
                CHECK_EQ(deflateInit2(&strm, level, Z_DEFLATED, -window_bits, mem_level, Z_DEFAULT_STRATEGY), Z_OK);
                size_t formula = 8192 + ((size_t)1 << (window_bits + 2)) + ((size_t)1 << (mem_level + 9));
                if (asked > formula)
                    fprintf(stderr, "windowBits %d, memLevel %d: %zu of %zu bytes\n", window_bits, mem_level, asked, formula);
                CHECK(asked <= formula);
                size_t at_init = calls;
                uInt len = window_bits == 15 && mem_level >= 8 ? LEN : 100000;
                for (int part = 0; part < 3; part++) {
                    strm.next_in = plain, strm.avail_in = part == 1 ? len : 500;
                    strm.next_out = out, strm.avail_out = LEN;
                    CHECK_EQ(deflate(&strm, part == 2 ? Z_FINISH : Z_SYNC_FLUSH), part == 2 ? Z_STREAM_END : Z_OK);
                }
                CHECK_EQ(calls, at_init);
                CHECK_EQ(deflateEnd(&strm), Z_OK);
            }
    free(plain), free(out);
    return 0;
}
