/* Many megabytes through one stream, in input and output pieces of odd sizes; and the stream copied, reset or ended in the
 * middle, when work may be in flight. */
#include "check.h"

enum { LEN = 9 << 20 };
static Bytef *plain, *out;
static size_t room;

/* Gives input from `from` to `to` in pieces that look random; returns when all of it was taken. */
static void give(z_stream *strm, size_t from, size_t to, uint32_t seed, int flush)
{
    while (from < to) {
        uInt piece = random_next(&seed) % 7 ? random_next(&seed) % 300000 + 1 : random_next(&seed) % 3000000 + 1;
        piece = piece < to - from ? piece : (uInt)(to - from);
        strm->next_in = plain + from, strm->avail_in = piece;
        from += piece;
        do {
            strm->avail_out = random_next(&seed) % 200000 + 1;
            CHECK_EQ(deflate(strm, flush), Z_OK);
            CHECK(strm->next_out <= out + room);
        } while (strm->avail_in > 0 || (flush != Z_NO_FLUSH && strm->avail_out == 0));
    }
}

static size_t finish(z_stream *strm, uInt step)
{
    int status;
    do {
        strm->avail_out = step;
        status = deflate(strm, Z_FINISH);
        CHECK(status == Z_OK || status == Z_STREAM_END);
    } while (status != Z_STREAM_END);
    return strm->total_out;
}

int main(void)
{
    begin();
    plain = prose(LEN, 201);
    memcpy(plain + LEN / 2, plain, 1 << 20); /* far repeats, */
    Bytef *hard = noise(1 << 20, 5);
    memcpy(plain + LEN / 3, hard, 1 << 20); /* noise, */
    memset(plain + LEN / 4, 0, 1 << 19);    /* and zeros */
    free(hard);
    room = compressBound(LEN) + 400000;
    out = allocate(room);

    z_stream strm, copy;
    static const int levels[] = {9, 6, 1}, wraps[] = {15, 31, -15};
    for (int i = 0; i < 3; i++) {
        deflate_start(&strm, levels[i], wraps[i]);
        strm.next_out = out;
        give(&strm, 0, LEN, 77 + (uint32_t)i, Z_NO_FLUSH);
        CHECK_EQ(strm.total_in, LEN);
        size_t len = finish(&strm, 65536);
        CHECK(len <= compressBound(LEN));
        check_unpacks(out, len, wraps[i], plain, LEN);

        /* Ended, or reset, in the middle of a second stream. */
        CHECK_EQ(deflateReset(&strm), Z_OK);
        strm.next_out = out;
        give(&strm, 0, LEN / 2, 99, Z_NO_FLUSH);
        CHECK_EQ(deflateCopy(&copy, &strm), Z_OK);
        CHECK_EQ(deflateEnd(&strm), Z_DATA_ERROR);
        /* The copy continues after its source has ended. */
        give(&copy, LEN / 2, LEN, 98, Z_NO_FLUSH);
        CHECK_EQ(copy.total_in, LEN);
        len = finish(&copy, 1000000);
        check_unpacks(out, len, wraps[i], plain, LEN);
        CHECK_EQ(deflateReset(&copy), Z_OK);
        copy.next_out = out;
        give(&copy, 0, LEN / 3, 97, Z_NO_FLUSH);
        CHECK_EQ(deflateReset(&copy), Z_OK);
        copy.next_out = out;
        give(&copy, 0, 3 << 20, 96, Z_NO_FLUSH);
        give(&copy, 3 << 20, 5 << 20, 95, Z_SYNC_FLUSH);
        give(&copy, 5 << 20, 6 << 20, 94, Z_FULL_FLUSH);
        len = finish(&copy, 77777);
        check_unpacks(out, len, wraps[i], plain, 6 << 20);
        CHECK_EQ(deflateEnd(&copy), Z_OK);
    }
    free(plain), free(out);
    return 0;
}
