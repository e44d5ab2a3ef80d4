/* A reset stream is as good as new, at whatever point it was reset. */
#include "check.h"

enum { LEN = 60000, ROOM = 80000 };
static Bytef *plain, *first, *again;

static void deflate_resets(int level, int window_bits)
{
    z_stream strm;
    size_t len;
    Bytef *want = pack(plain, LEN, level, window_bits, &len);
    deflate_start(&strm, level, window_bits);
    for (int round = 0; round < 4; round++) {
        static const int flush[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH, Z_BLOCK};
        strm.next_in = plain + 100, strm.avail_in = LEN - 100;
        strm.next_out = again, strm.avail_out = round == 3 ? 20 : ROOM; /* the last one leaves output undelivered */
        CHECK(deflate(&strm, flush[round]) >= Z_OK);
        CHECK_EQ(deflateReset(&strm), Z_OK);
        CHECK(strm.total_in == 0 && strm.total_out == 0 && strm.msg == NULL);
        CHECK_EQ(strm.data_type, Z_UNKNOWN);
        strm.next_in = plain, strm.avail_in = LEN, strm.next_out = again, strm.avail_out = ROOM;
        CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
        CHECK_EQ(strm.total_out, len);
        CHECK(memcmp(again, want, len) == 0);
        CHECK_EQ(deflateReset(&strm), Z_OK);
    }
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(want);
}

/* Level and strategy set by deflateParams stay; a dictionary does not. */
static void what_a_reset_keeps(void)
{
    z_stream strm;
    deflate_start(&strm, 0, 15);
    strm.next_out = first, strm.avail_out = ROOM;
    CHECK_EQ(deflateSetDictionary(&strm, plain, 1000), Z_OK);
    CHECK_EQ(deflateParams(&strm, 9, Z_DEFAULT_STRATEGY), Z_OK);
    CHECK_EQ(deflateReset(&strm), Z_OK);
    strm.next_in = plain, strm.avail_in = LEN, strm.next_out = first, strm.avail_out = ROOM;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK(strm.total_out < LEN / 2);
    check_unpacks(first, strm.total_out, 15, plain, LEN);
    CHECK_EQ(deflateResetKeep(&strm), Z_OK);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
}

static void inflate_resets(void)
{
    z_stream strm;
    size_t zlib_len, gzip_len, raw_len;
    Bytef *zlib = pack(plain, LEN, 6, 15, &zlib_len), *gzip = pack(plain, LEN, 6, 31, &gzip_len);
    Bytef *raw = pack(plain, LEN, 6, -15, &raw_len);
    struct {
        Bytef *bytes;
        size_t len;
        int window_bits;
    } turn[] = {{zlib, zlib_len, 15}, {gzip, gzip_len, 31}, {raw, raw_len, -15}, {gzip, gzip_len, 47}, {zlib, zlib_len, 0}};
    inflate_start(&strm, 9);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(inflateReset2(&strm, turn[i].window_bits), Z_OK);
        for (int whole = 0; whole < 3; whole++) {
            strm.next_in = turn[i].bytes, strm.avail_in = (uInt)(whole ? turn[i].len : turn[i].len / 2);
            strm.next_out = again, strm.avail_out = ROOM;
            CHECK_EQ(inflate(&strm, Z_NO_FLUSH), whole ? Z_STREAM_END : Z_OK);
            if (whole) {
                CHECK_EQ(strm.total_out, LEN);
                CHECK(memcmp(again, plain, LEN) == 0);
            }
            CHECK_EQ(whole == 1 ? inflateResetKeep(&strm) : inflateReset(&strm), Z_OK);
            CHECK(strm.total_in == 0 && strm.total_out == 0 && strm.msg == NULL);
        }
    }
    static const int wrong[] = {7, 16 + 7, 48, -7, -16, 100};
    for (int i = 0; i < 6; i++)
        CHECK_EQ(inflateReset2(&strm, wrong[i]), Z_STREAM_ERROR);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    free(zlib), free(gzip), free(raw);
}

int main(void)
{
    begin();
    plain = prose(LEN, 51), first = allocate(ROOM), again = allocate(ROOM);
    for (int level = 0; level <= 9; level++) {
        deflate_resets(level, 15);
        deflate_resets(level, 31);
        deflate_resets(level, -15);
    }
    what_a_reset_keeps();
    inflate_resets();
    free(plain), free(first), free(again);
    return 0;
}
