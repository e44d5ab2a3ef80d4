/* A copy made in mid-stream is independent of its source: both continue alike, and either may end first. */
#include "check.h"

static Bytef *plain;
enum { LEN = 150000, ROOM = 200000 };

static void deflate_copies(int level, int window_bits, uInt before, int flush)
{
    z_stream one, two;
    Bytef *out = allocate(ROOM), *other = allocate(ROOM);
    deflate_start(&one, level, window_bits);
    one.next_in = plain, one.avail_in = before, one.next_out = out, one.avail_out = ROOM;
    CHECK_EQ(deflate(&one, flush), Z_OK);
    memset(&two, 0xa5, sizeof two); /* need not be initialised */
    CHECK_EQ(deflateCopy(&two, &one), Z_OK);
    memcpy(other, out, one.total_out);
    two.next_out = other + one.total_out;
    /* A third copy is dropped at once. */
    z_stream three;
    CHECK_EQ(deflateCopy(&three, &two), Z_OK);
    CHECK_EQ(deflateEnd(&three), Z_DATA_ERROR);

    one.avail_in = LEN - before;
    CHECK_EQ(deflate(&one, Z_FINISH), Z_STREAM_END);
    uLong len = one.total_out;
    CHECK_EQ(deflateEnd(&one), Z_OK);
    two.avail_in = LEN - before;
    CHECK_EQ(deflate(&two, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(two.total_out, len);
    CHECK(memcmp(out, other, len) == 0);
    CHECK_EQ(deflateEnd(&two), Z_OK);
    check_unpacks(out, len, window_bits, plain, LEN);
    free(out), free(other);
}

static void inflate_copies(int window_bits, uInt in_before, uInt room_before)
{
    size_t len;
    Bytef *packed = pack(plain, LEN, 6, window_bits, &len), *out = allocate(ROOM), *other = allocate(ROOM);
    z_stream one, two;
    inflate_start(&one, window_bits);
    one.next_in = packed, one.avail_in = in_before, one.next_out = out, one.avail_out = room_before;
    CHECK_EQ(inflate(&one, Z_NO_FLUSH), Z_OK);
    CHECK_EQ(inflateCopy(&two, &one), Z_OK);
    size_t done = one.total_out;
    memcpy(other, out, done);
    two.next_out = other + done;
    z_stream *both[2] = {&two, &one};
    for (int i = 0; i < 2; i++) {
        both[i]->avail_in = (uInt)(len - both[i]->total_in);
        both[i]->avail_out = (uInt)(ROOM - done);
        CHECK_EQ(inflate(both[i], Z_NO_FLUSH), Z_STREAM_END);
        CHECK_EQ(both[i]->total_out, LEN);
        CHECK_EQ(inflateEnd(both[i]), Z_OK);
    }
    CHECK(memcmp(out, plain, LEN) == 0 && memcmp(other, plain, LEN) == 0);
    free(packed), free(out), free(other);
}

int main(void)
{
    begin();
    plain = prose(LEN, 21);
    static const int wraps[] = {15, 31, -15};
    for (int w = 0; w < 3; w++) {
        for (int level = 0; level <= 9; level += 3)
            for (uInt before = 1; before < LEN; before = before * 9 + 5) {
                deflate_copies(level, wraps[w], before, Z_NO_FLUSH);
                deflate_copies(level, wraps[w], before, Z_SYNC_FLUSH);
            }
        for (uInt room = 3; room < LEN; room = room * 5 + 1) {
            inflate_copies(wraps[w], 20000, room);
            inflate_copies(wraps[w], 3, room);
        }
    }
    free(plain);
    return 0;
}
