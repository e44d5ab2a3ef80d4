/* deflateParams between levels and strategies, with much data: input before the call keeps the old level, later input has the
 * new. */
#include "check.h"

enum { PIECE = 300000, PIECES = 12 };

/* Switches after each piece; `room` is the most output space of a call. */
static void switching(const Bytef *plain, int window_bits, uInt room)
{
    static const int levels[] = {6, 1, 9, 0, 3, 5, 0, 9, 4, 2, 8, 7};
    z_stream strm;
    size_t out_len = compressBound(PIECE) * PIECES;
    Bytef *out = allocate(out_len);
    deflate_start(&strm, levels[0], window_bits);
    strm.next_out = out;
    for (int i = 0; i < PIECES; i++) {
        strm.next_in = (Bytef *)plain + (size_t)i * PIECE, strm.avail_in = PIECE;
        do {
            strm.avail_out = room;
            CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
        } while (strm.avail_in > 0);
        int status;
        do {
            strm.avail_out = room;
            status = deflateParams(&strm, levels[(i + 1) % PIECES], i % 5);
            CHECK(status == Z_OK || status == Z_BUF_ERROR);
            CHECK(strm.total_out <= out_len);
        } while (status == Z_BUF_ERROR);
    }
    int status;
    do {
        strm.avail_out = room;
        status = deflate(&strm, Z_FINISH);
        CHECK(status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR);
    } while (status != Z_STREAM_END);
    CHECK_EQ(strm.total_in, (size_t)PIECE * PIECES);
    check_unpacks(out, strm.total_out, window_bits, plain, (size_t)PIECE * PIECES);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(out);
}

/* The change takes effect exactly at the call. */
static void takes_effect_at_once(const Bytef *plain)
{
    z_stream strm;
    Bytef *out = allocate(PIECE * 4);
    deflate_start(&strm, 9, 15);
    strm.next_in = (Bytef *)plain, strm.avail_in = PIECE, strm.next_out = out, strm.avail_out = PIECE * 4;
    CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
    CHECK_EQ(deflateParams(&strm, 0, Z_DEFAULT_STRATEGY), Z_OK);
    uLong packed = strm.total_out;
    CHECK(packed > 1000 && packed < PIECE / 2); /* the first piece was compressed, and is out */
    strm.avail_in = PIECE;
    CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
    CHECK_EQ(deflateParams(&strm, 9, Z_DEFAULT_STRATEGY), Z_OK);
    CHECK(strm.total_out - packed >= PIECE); /* the second was stored */
    uLong stored = strm.total_out;
    strm.avail_in = PIECE;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK(strm.total_out - stored < PIECE / 2);
    check_unpacks(out, strm.total_out, 15, plain, PIECE * 3);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(out);
}

static void before_the_first_byte_and_wrong_values(const Bytef *plain)
{
    z_stream strm;
    Bytef out[2000];
    deflate_start(&strm, 0, 15);
    strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflateParams(&strm, 9, Z_DEFAULT_STRATEGY), Z_OK);
    CHECK_EQ(strm.total_out, 0);
    CHECK_EQ(deflateParams(&strm, 10, 0), Z_STREAM_ERROR);
    CHECK_EQ(deflateParams(&strm, -2, 0), Z_STREAM_ERROR);
    CHECK_EQ(deflateParams(&strm, 6, 5), Z_STREAM_ERROR);
    CHECK_EQ(deflateParams(&strm, 6, -1), Z_STREAM_ERROR);
    strm.next_in = (Bytef *)plain, strm.avail_in = 2000;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK(strm.total_out < 1500);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
}

int main(void)
{
    begin();
    Bytef *plain = prose((size_t)PIECE * PIECES, 31);
    switching(plain, 15, 1 << 20);
    switching(plain, 31, 5000);
    switching(plain, -15, 37);
    takes_effect_at_once(plain);
    before_the_first_byte_and_wrong_values(plain);
    free(plain);
    return 0;
}
