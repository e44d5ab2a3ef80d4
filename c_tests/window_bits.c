/* Which windowBits, memLevels and strategies are accepted, and which window reads which. */
#include "check.h"

int main(void)
{
    begin();
    z_stream strm;
    Bytef *plain = prose(100000, 121), *back = allocate(100000);
    for (int bits = -20; bits <= 60; bits++) {
        memset(&strm, 0, sizeof strm);
        int wrap_free = bits < 0 ? -bits : bits > 15 ? bits - 16 : bits;
        int wanted = wrap_free >= 8 && wrap_free <= 15 && (wrap_free > 8 || (bits > 0 && bits < 16)) ? Z_OK : Z_STREAM_ERROR;
        CHECK_EQ(deflateInit2(&strm, 6, Z_DEFLATED, bits, 8, 0), wanted);
        if (wanted == Z_OK)
            CHECK_EQ(deflateEnd(&strm), Z_OK);
        memset(&strm, 0, sizeof strm);
        int low = bits & 15;
        wanted = (bits >= -15 && bits <= -8) || (bits >= 0 && bits < 48 && (low == 0 || low >= 8)) ? Z_OK : Z_STREAM_ERROR;
        CHECK_EQ(inflateInit2(&strm, bits), wanted);
        if (wanted == Z_OK)
            CHECK_EQ(inflateEnd(&strm), Z_OK);
    }
    memset(&strm, 0, sizeof strm);
    CHECK_EQ(deflateInit2(&strm, 6, 7, 15, 8, 0), Z_STREAM_ERROR);
    CHECK_EQ(deflateInit2(&strm, 6, Z_DEFLATED, 15, 0, 0), Z_STREAM_ERROR);
    CHECK_EQ(deflateInit2(&strm, 6, Z_DEFLATED, 15, 10, 0), Z_STREAM_ERROR);
    CHECK_EQ(deflateInit2(&strm, 10, Z_DEFLATED, 15, 8, 0), Z_STREAM_ERROR);
    CHECK_EQ(deflateInit2(&strm, -2, Z_DEFLATED, 15, 8, 0), Z_STREAM_ERROR);
    CHECK_EQ(deflateInit2(&strm, 6, Z_DEFLATED, 15, 8, 5), Z_STREAM_ERROR);
    CHECK_EQ(deflateInit2(&strm, 6, Z_DEFLATED, 15, 8, -1), Z_STREAM_ERROR);

    /* A stream can be read with the window it was written with, or a larger one; for a smaller one the header is rejected. */
    for (int written = 8; written <= 15; written++)
        for (int level = 0; level <= 9; level++) {
            size_t len;
            Bytef *packed = pack(plain, 100000, level, written, &len);
            int told = (packed[0] >> 4) + 8;
            CHECK(told == (written == 8 ? 9 : written));
            for (int read = 8; read <= 15; read++) {
                inflate_start(&strm, read);
                strm.next_in = packed, strm.avail_in = (uInt)len, strm.next_out = back, strm.avail_out = 100000;
                if (read >= told) {
                    CHECK_EQ(inflate(&strm, Z_FINISH), Z_STREAM_END);
                    CHECK(memcmp(back, plain, 100000) == 0);
                } else {
                    CHECK_EQ(inflate(&strm, Z_FINISH), Z_DATA_ERROR);
                }
                CHECK_EQ(inflateEnd(&strm), Z_OK);
            }
            /* With small steps the history is only in the window: checks that distances stay within it. */
            inflate_start(&strm, told);
            strm.next_in = packed, strm.avail_in = (uInt)len;
            int status = Z_OK;
            while (status != Z_STREAM_END) {
                Bytef small[100];
                strm.next_out = small, strm.avail_out = sizeof small;
                uLong before = strm.total_out;
                status = inflate(&strm, Z_NO_FLUSH);
                CHECK(status == Z_OK || status == Z_STREAM_END);
                CHECK(memcmp(small, plain + before, strm.total_out - before) == 0);
            }
            CHECK_EQ(inflateEnd(&strm), Z_OK);
            free(packed);
        }
    free(plain), free(back);
    return 0;
}
