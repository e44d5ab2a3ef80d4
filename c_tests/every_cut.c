/* Input and output may be cut anywhere, down to one byte at a time. */
#include "check.h"

/* Deflates with in_step and out_step bytes per call. */
static size_t deflate_cut(const Bytef *plain, size_t len, int level, int window_bits, uInt in_step, uInt out_step, Bytef *out)
{
    z_stream strm;
    deflate_start(&strm, level, window_bits);
    strm.next_in = (Bytef *)plain, strm.next_out = out;
    int status = Z_OK;
    while (status != Z_STREAM_END) {
        size_t left = len - strm.total_in;
        if (strm.avail_in == 0)
            strm.avail_in = left < in_step ? (uInt)left : in_step;
        strm.avail_out = out_step;
        status = deflate(&strm, strm.total_in + strm.avail_in == len ? Z_FINISH : Z_NO_FLUSH);
        CHECK(status == Z_OK || status == Z_STREAM_END);
        CHECK_EQ(strm.next_in - plain, strm.total_in);
        CHECK_EQ(strm.next_out - out, strm.total_out);
    }
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    return strm.total_out;
}

static void inflate_cut(const Bytef *packed, size_t len, int window_bits, uInt in_step, uInt out_step, const Bytef *plain, size_t plain_len)
{
    z_stream strm;
    Bytef *back = allocate(plain_len + out_step);
    inflate_start(&strm, window_bits);
    strm.next_in = (Bytef *)packed, strm.next_out = back;
    int status = Z_OK;
    while (status != Z_STREAM_END) {
        size_t left = len - strm.total_in;
        if (strm.avail_in == 0)
            strm.avail_in = left < in_step ? (uInt)left : in_step;
        strm.avail_out = out_step;
        status = inflate(&strm, Z_NO_FLUSH);
        CHECK(status == Z_OK || status == Z_STREAM_END || (status == Z_BUF_ERROR && strm.total_in < len));
        CHECK(strm.total_out <= plain_len);
    }
    CHECK_EQ(strm.total_in, len);
    CHECK_EQ(strm.total_out, plain_len);
    CHECK(memcmp(back, plain, plain_len) == 0);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    free(back);
}

int main(void)
{
    begin();
    static const int wraps[] = {15, 31, -15};
    static const uInt steps[] = {1, 2, 7, 255, 100000};
    enum { LEN = 12000 };
    Bytef *plain = prose(LEN, 5), out[LEN * 2];
    for (int level = 0; level <= 9; level++)
        for (int w = 0; w < 3; w++)
            for (int i = 0; i < 5; i++) {
                size_t len = deflate_cut(plain, LEN, level, wraps[w], steps[i], steps[4 - i], out);
                inflate_cut(out, len, wraps[w], steps[i], steps[i], plain, LEN);
                inflate_cut(out, len, wraps[w], steps[i], steps[4 - i], plain, LEN);
                inflate_cut(out, len, 47 * (w < 2) - 15 * (w == 2), steps[i], 1, plain, LEN);
            }
    /* One short stream, cut once, at every place, on both sides. */
    size_t len = deflate_cut(plain, 600, 9, 31, 600, sizeof out, out);
    for (uInt cut = 1; cut <= len; cut++)
        for (uInt room = 1; room <= 600; room += 13)
            inflate_cut(out, len, 31, cut, room, plain, 600);
    free(plain);
    return 0;
}
