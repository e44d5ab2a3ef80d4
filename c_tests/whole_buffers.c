/* compress and uncompress in edge cases: empty, truncated or damaged input, too little output space, an invalid level, bytes after
 * the stream, a preset dictionary, and input that is large enough for several threads. */
#include "check.h"

/* Input that is large enough for several threads gives the same results as small input, with an output buffer that is empty, too
 * short, or exactly long enough. */
static void large(void)
{
    enum { LEN = 5 << 20 };
    Bytef *plain = noise(LEN, 3), *back = allocate(LEN);
    uLongf len = compressBound(LEN), back_len, used;
    Bytef *packed = allocate(len);
    CHECK_EQ(compress2(packed, &len, plain, LEN, 1), Z_OK);
    const uLongf rooms[] = {0, 1, 1000, LEN - 1, LEN};
    const int expected[] = {Z_DATA_ERROR, Z_BUF_ERROR, Z_BUF_ERROR, Z_BUF_ERROR, Z_OK};
    for (int i = 0; i < 5; i++) {
        back_len = rooms[i], used = len;
        memset(back, 0, LEN);
        CHECK_EQ(uncompress2(back, &back_len, packed, &used), expected[i]);
        CHECK_EQ(back_len, rooms[i]);
        CHECK(memcmp(back, plain, back_len) == 0);
        CHECK(i < 4 || used == len);
    }
    /* Truncated input, but the output buffer is full: not Z_DATA_ERROR. */
    back_len = LEN;
    CHECK_EQ(uncompress(back, &back_len, packed, len - 1), Z_BUF_ERROR);
    free(plain), free(back), free(packed);
}

int main(void)
{
    begin();
    Bytef out[300], back[300], *plain = prose(200, 2);
    uLongf len = sizeof out, back_len, used;

    /* sqlite's archive mode compresses empty files this way. */
    CHECK_EQ(compress(out, &len, NULL, 0), Z_OK);
    CHECK_EQ(len, 8);
    back_len = sizeof back;
    CHECK_EQ(uncompress(back, &back_len, out, len), Z_OK);
    CHECK_EQ(back_len, 0);

    len = sizeof out;
    CHECK_EQ(compress2(out, &len, plain, 200, 10), Z_STREAM_ERROR);
    len = 20;
    CHECK_EQ(compress(out, &len, plain, 200), Z_BUF_ERROR);
    len = 0;
    CHECK_EQ(compress(out, &len, plain, 200), Z_BUF_ERROR);
    for (int level = -1; level <= 9; level++) {
        len = sizeof out;
        CHECK_EQ(compress2(out, &len, plain, 200, level), Z_OK);
        back_len = 200; /* exactly */
        memset(back, 0, sizeof back);
        CHECK_EQ(uncompress(back, &back_len, out, len), Z_OK);
        CHECK_EQ(back_len, 200);
        CHECK(memcmp(back, plain, 200) == 0);
    }
    back_len = 199;
    CHECK_EQ(uncompress(back, &back_len, out, len), Z_BUF_ERROR);
    back_len = 0; /* no output space at all is reported as bad data, a quirk that programs expect */
    CHECK_EQ(uncompress(back, &back_len, out, len), Z_DATA_ERROR);
    for (uLong cut = 0; cut < len; cut++) {
        back_len = sizeof back;
        CHECK_EQ(uncompress(back, &back_len, out, cut), Z_DATA_ERROR);
    }
    out[len / 2] ^= 0x55;
    back_len = sizeof back;
    CHECK_EQ(uncompress(back, &back_len, out, len), Z_DATA_ERROR);
    out[len / 2] ^= 0x55;

    /* Bytes after the stream are not consumed, and uncompress2 stores the number of those that were. */
    memset(out + len, 0xee, 10);
    back_len = sizeof back, used = len + 10;
    memset(back, 0, sizeof back);
    CHECK_EQ(uncompress2(back, &back_len, out, &used), Z_OK);
    CHECK_EQ(used, len);
    CHECK_EQ(back_len, 200);
    CHECK(memcmp(back, plain, 200) == 0);

    /* A stream that needs a dictionary can't be decoded this way. */
    z_stream strm;
    deflate_start(&strm, 6, 15);
    CHECK_EQ(deflateSetDictionary(&strm, plain, 100), Z_OK);
    strm.next_in = plain, strm.avail_in = 200, strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    back_len = sizeof back;
    CHECK_EQ(uncompress(back, &back_len, out, strm.total_out), Z_DATA_ERROR);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(plain);
    large();
    return 0;
}
