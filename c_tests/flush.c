/* Each flush value does what the manual says, and a call that can't progress returns Z_BUF_ERROR without writing a byte. */
#include "check.h"

static Bytef out[200000];

/* The end of the empty stored block that a sync or full flush writes. */
static const Bytef marker[] = {0, 0, 0xff, 0xff};

/* Everything given so far must be decodable from the output so far. */
static void check_prefix(const z_stream *strm, int window_bits, const Bytef *plain)
{
    z_stream back;
    Bytef *room = allocate(strm->total_in + 1);
    inflate_start(&back, window_bits);
    back.next_in = out, back.avail_in = (uInt)strm->total_out;
    back.next_out = room, back.avail_out = (uInt)strm->total_in + 1;
    int got = inflate(&back, Z_SYNC_FLUSH);
    CHECK(got == Z_OK || got == Z_BUF_ERROR);
    CHECK_EQ(back.total_out, strm->total_in);
    CHECK(memcmp(room, plain, back.total_out) == 0);
    CHECK_EQ(inflateEnd(&back), Z_OK);
    free(room);
}

static void each_flush_value(const Bytef *plain, int level, int window_bits)
{
    z_stream strm;
    deflate_start(&strm, level, window_bits);
    strm.next_in = (Bytef *)plain;
    strm.next_out = out, strm.avail_out = sizeof out;

    for (int round = 0; round < 6; round++) {
        int flush = round % 3 + Z_PARTIAL_FLUSH; /* partial, sync, full, twice */
        strm.avail_in = 1000 + 3000 * round;
        CHECK_EQ(deflate(&strm, flush), Z_OK);
        CHECK_EQ(strm.avail_in, 0);
        CHECK(strm.avail_out > 0);
        check_prefix(&strm, window_bits, plain);
        if (flush != Z_PARTIAL_FLUSH)
            CHECK(memcmp(strm.next_out - sizeof marker, marker, sizeof marker) == 0);
        uLong before = strm.total_out;
        CHECK_EQ(deflate(&strm, flush), Z_BUF_ERROR);
        CHECK_EQ(strm.total_out, before);
    }
    /* A full flush directly after a sync flush writes another empty stored block; a weaker flush after a stronger one writes
     * nothing. */
    strm.avail_in = 10;
    CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_OK);
    uLong before = strm.total_out;
    CHECK_EQ(deflate(&strm, Z_FULL_FLUSH), Z_OK);
    CHECK_EQ(strm.total_out, before + 5);
    CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_BUF_ERROR);
    CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_BUF_ERROR);

    CHECK_EQ(deflate(&strm, Z_TREES), Z_STREAM_ERROR); /* inflate's only */
    CHECK_EQ(deflate(&strm, Z_TREES + 1), Z_STREAM_ERROR);
    CHECK_EQ(deflate(&strm, -1), Z_STREAM_ERROR);

    uInt room = strm.avail_out;
    strm.avail_in = 10, strm.avail_out = 0;
    CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_BUF_ERROR);
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_BUF_ERROR);
    CHECK_EQ(strm.avail_in, 10);
    strm.avail_out = room;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    before = strm.total_out;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(strm.total_out, before);
    CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_STREAM_ERROR);
    CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_STREAM_ERROR);
    strm.avail_in = 1;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_BUF_ERROR); /* input after the end is not taken */
    CHECK_EQ(strm.avail_in, 1);
    strm.avail_in = 0;
    check_unpacks(out, strm.total_out, window_bits, plain, strm.total_in);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
}

/* deflateParams ends a block, but is no flush: the next flush delivers everything and writes its marker, also if it is no stronger
 * than the flush before. `primed`: bits are added first, so that the output is not at a byte's border. */
static void flush_after_params(const Bytef *plain, int flush, int next, size_t len, int primed)
{
    z_stream strm;
    deflate_start(&strm, 6, -15);
    strm.next_in = (Bytef *)plain, strm.next_out = out, strm.avail_out = sizeof out;
    strm.avail_in = 100;
    CHECK_EQ(deflate(&strm, flush), Z_OK);
    if (primed) /* an empty block with fixed codes */
        CHECK_EQ(deflatePrime(&strm, 10, 2), Z_OK);
    strm.avail_in = (uInt)len;
    CHECK_EQ(deflateParams(&strm, 1, Z_DEFAULT_STRATEGY), Z_OK);
    CHECK_EQ(strm.avail_in, 0);
    CHECK_EQ(deflate(&strm, next), next == Z_BLOCK ? Z_BUF_ERROR : Z_OK);
    if (next != Z_BLOCK)
        check_prefix(&strm, -15, plain);
    if (next == Z_SYNC_FLUSH || next == Z_FULL_FLUSH)
        CHECK(memcmp(strm.next_out - sizeof marker, marker, sizeof marker) == 0);
    uLong start = strm.total_out, taken = strm.total_in;
    CHECK_EQ(deflate(&strm, next), Z_BUF_ERROR); /* nothing is new now */
    strm.avail_in = 1000;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    check_unpacks(out, strm.total_out, -15, plain, strm.total_in);
    if (next == Z_FULL_FLUSH)
        check_unpacks(out + start, strm.total_out - start, -15, plain + taken, 1000);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
}

/* A full flush clears the history: the data after it decodes alone. */
static void full_flush_resets_history(const Bytef *plain, int level)
{
    z_stream strm;
    deflate_start(&strm, level, -15);
    strm.next_in = (Bytef *)plain, strm.avail_in = 20000;
    strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_FULL_FLUSH), Z_OK);
    size_t start = strm.total_out;
    strm.next_in = (Bytef *)plain, strm.avail_in = 20000;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    check_unpacks(out + start, strm.total_out - start, -15, plain, 20000);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
}

/* With little output space, a flush continues over several calls and writes only one marker. */
static void flush_with_small_output_buffers(const Bytef *plain, int level)
{
    z_stream strm;
    deflate_start(&strm, level, 15);
    strm.next_in = (Bytef *)plain, strm.avail_in = 30000;
    strm.next_out = out;
    int calls = 0;
    do {
        strm.avail_out = 97;
        CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_OK);
        calls++;
    } while (strm.avail_out == 0);
    CHECK(calls > 10);
    check_prefix(&strm, 15, plain);
    int markers = 0;
    for (size_t i = 0; i + sizeof marker <= strm.total_out; i++)
        markers += memcmp(out + i, marker, sizeof marker) == 0;
    CHECK_EQ(markers, 1);
    CHECK(memcmp(strm.next_out - sizeof marker, marker, sizeof marker) == 0);
    CHECK_EQ(deflateEnd(&strm), Z_DATA_ERROR); /* not finished */
}

enum { PARAMS = -1 };

/* A flush, or deflateParams, that runs out of output space, then small writes without a flush: not one of their bytes is lost. */
static void small_writes_after_an_incomplete_flush(const Bytef *plain, uInt len, int level, int flush, uInt room, int copied)
{
    z_stream strm, copy, *next = &strm;
    deflate_start(&strm, level, 15);
    strm.next_in = (Bytef *)plain, strm.avail_in = len;
    strm.next_out = out;
    do {
        strm.avail_out = 100;
        CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
    } while (strm.avail_in > 0);
    strm.avail_out = room;
    int got = flush == PARAMS ? deflateParams(&strm, level == 1 ? 2 : 1, Z_DEFAULT_STRATEGY) : deflate(&strm, flush);
    CHECK(got == Z_OK || got == Z_BUF_ERROR);
    if (room == 1 && flush != PARAMS && flush != Z_NO_FLUSH) { /* certainly incomplete */
        unsigned pending;
        CHECK_EQ(got, Z_OK);
        CHECK_EQ(strm.avail_out, 0);
        CHECK_EQ(deflatePending(&strm, &pending, NULL), Z_OK);
        CHECK(pending > 0);
    }
    if (copied) {
        CHECK_EQ(deflateCopy(&copy, &strm), Z_OK);
        deflateEnd(&strm);
        next = &copy;
    }
    for (uInt more = 4; more > 1; more -= 2) {
        next->avail_in = more, next->avail_out = room;
        got = deflate(next, Z_NO_FLUSH);
        CHECK(got == Z_OK || got == Z_BUF_ERROR);
        next->next_in = (Bytef *)plain + next->total_in; /* what was not taken is given again */
    }
    next->avail_in = 7, next->avail_out = (uInt)(out + sizeof out - next->next_out);
    CHECK_EQ(deflate(next, Z_FINISH), Z_STREAM_END);
    check_unpacks(out, next->total_out, 15, plain, next->total_in);
    CHECK_EQ(deflateEnd(next), Z_OK);
}

int main(void)
{
    begin();
    Bytef *plain = prose(120000, 3);
    for (int level = 0; level <= 9; level++) {
        each_flush_value(plain, level, 15);
        each_flush_value(plain, level, 31);
        each_flush_value(plain, level, -15);
        full_flush_resets_history(plain, level);
        flush_with_small_output_buffers(plain, level);
        for (int flush = PARAMS; flush <= Z_BLOCK; flush++)
            for (uInt room = 1; flush != Z_FINISH && room < 3000; room += 1 + room / 2)
                for (uInt len = 7000; len < 41000; len += 7777)
                    for (int copied = 0; copied <= 1; copied++)
                        small_writes_after_an_incomplete_flush(plain, len, level, flush, room, copied);
    }
    static const int flushes[] = {Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_BLOCK};
    static const size_t lens[] = {0, 1, 5, 100, 5000, 20005};
    for (int i = 0; i < 4 * 4 * 6 * 2; i++)
        flush_after_params(plain, flushes[i % 4], flushes[i / 4 % 4], lens[i / 16 % 6], i / 96);
    free(plain);
    return 0;
}
