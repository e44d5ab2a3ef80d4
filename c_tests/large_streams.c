/* Streams of 9 MiB whose input and output are divided into pieces of random length. A stream is also copied, ended and reset in
 * the middle, while rigz's workers may have jobs of it. */
#include "check.h"

enum { LEN = 9 << 20 };
/* Output bytes of one call, at most. With less than 32 KiB zlib itself may need another call, so rigz may keep work in flight
 * between the calls. */
enum { LARGE_ROOM = 200000, SMALL_ROOM = 30000 };
static Bytef *plain, *out;
static size_t out_size;

/* Sets avail_out to `room`, or to the rest of `out` if that is shorter. */
static void set_room(z_stream *strm, uInt room)
{
    size_t rest = (size_t)(out + out_size - strm->next_out);
    CHECK(rest > 0);
    strm->avail_out = room < rest ? room : (uInt)rest;
}

/* Compresses the input from `from` to `to`. Both the pieces of input and the room have pseudo-random lengths; each call has at most
 * `most_room`. With a `flush` other than Z_NO_FLUSH, each piece is flushed. */
static void deflate_range(z_stream *strm, size_t from, size_t to, uInt most_room, uint32_t seed, int flush)
{
    while (from < to) {
        uInt piece = random_next(&seed) % 7 ? random_next(&seed) % 300000 + 1 : random_next(&seed) % 3000000 + 1;
        piece = piece < to - from ? piece : (uInt)(to - from);
        strm->next_in = plain + from, strm->avail_in = piece;
        from += piece;
        do {
            set_room(strm, random_next(&seed) % most_room + 1);
            CHECK_EQ(deflate(strm, flush), Z_OK);
        } while (strm->avail_in > 0 || (flush != Z_NO_FLUSH && strm->avail_out == 0));
    }
}

/* Finishes the stream, with `room` for each call. Returns the length of the whole stream. */
static size_t finish(z_stream *strm, uInt room)
{
    int status;
    do {
        set_room(strm, room);
        status = deflate(strm, Z_FINISH);
        CHECK(status == Z_OK || status == Z_STREAM_END);
    } while (status != Z_STREAM_END);
    return strm->total_out;
}

int main(void)
{
    begin();
    plain = prose(LEN, 201);
    memset(plain + LEN / 4, 0, 1 << 19);
    Bytef *incompressible = noise(1 << 20, 5);
    memcpy(plain + LEN / 3, incompressible, 1 << 20);
    free(incompressible);
    memcpy(plain + LEN / 2, plain, 1 << 20); /* a repeat that the window does not reach */
    out_size = compressBound(LEN) + 400000;
    out = allocate(out_size);

    z_stream strm, copy;
    static const int levels[] = {9, 6, 1}, wraps[] = {15, 31, -15};
    for (int i = 0; i < 3; i++) {
        deflate_start(&strm, levels[i], wraps[i]);
        strm.next_out = out;
        deflate_range(&strm, 0, LEN, LARGE_ROOM, 77 + (uint32_t)i, Z_NO_FLUSH);
        CHECK_EQ(strm.total_in, LEN);
        size_t len = finish(&strm, 65536);
        CHECK(len <= compressBound(LEN));
        check_unpacks(out, len, wraps[i], plain, LEN);

        /* A second stream is copied in the middle and ended; only the copy continues. */
        CHECK_EQ(deflateReset(&strm), Z_OK);
        strm.next_out = out;
        deflate_range(&strm, 0, LEN / 2, SMALL_ROOM, 99, Z_NO_FLUSH);
        CHECK_EQ(deflateCopy(&copy, &strm), Z_OK);
        CHECK_EQ(deflateEnd(&strm), Z_DATA_ERROR); /* the stream is incomplete */
        deflate_range(&copy, LEN / 2, LEN, LARGE_ROOM, 98, Z_NO_FLUSH);
        CHECK_EQ(copy.total_in, LEN);
        len = finish(&copy, 1000000);
        check_unpacks(out, len, wraps[i], plain, LEN);

        /* A third stream is reset in the middle; the fourth must not contain anything of it. */
        CHECK_EQ(deflateReset(&copy), Z_OK);
        copy.next_out = out;
        deflate_range(&copy, 0, LEN / 3, SMALL_ROOM, 97, Z_NO_FLUSH);
        CHECK_EQ(deflateReset(&copy), Z_OK);
        copy.next_out = out;
        deflate_range(&copy, 0, 3 << 20, LARGE_ROOM, 96, Z_NO_FLUSH);
        deflate_range(&copy, 3 << 20, 5 << 20, LARGE_ROOM, 95, Z_SYNC_FLUSH);
        deflate_range(&copy, 5 << 20, 6 << 20, LARGE_ROOM, 94, Z_FULL_FLUSH);
        len = finish(&copy, 77777);
        check_unpacks(out, len, wraps[i], plain, 6 << 20);
        CHECK_EQ(deflateEnd(&copy), Z_OK);
    }
    free(plain), free(out);
    return 0;
}
