/* Arguments and calls that zlib accepts and few programs use: garbage in fields that a call does not read, ending a stream
 * whose init failed, setting parameters to their current values, ending a stream with undelivered output, a late header. */
#include "check.h"

enum { LEN = 1000 };
static Bytef *plain, out[5000], somewhere[64];

/* After inflateInit2 rejects windowBits, inflateEnd may be called and returns an error: inflateInit2 has replaced strm.state,
 * even if it was garbage. */
static void end_after_rejected_window_bits(void)
{
    static const int wrong[] = {-16, -7, -1, 1, 7, 17, 23, 33, 39, 48, 64, 1 << 30, -1 - 0x7fffffff};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        z_stream strm;
        memset(&strm, 0, sizeof strm);
        strm.state = (struct internal_state *)somewhere;
        CHECK_EQ(inflateInit2(&strm, wrong[i]), Z_STREAM_ERROR);
        CHECK(strm.state == NULL && strm.msg == NULL);
        CHECK_EQ(inflateEnd(&strm), Z_STREAM_ERROR);
    }
}

/* The same after a deflateInit2 whose second or a later allocation fails. If the first one fails, zlib leaves strm.state as it
 * was, so deflateEnd must not be called. */
static void end_after_refused_memory(void)
{
    for (int count = 1; count < 10; count++) {
        z_stream strm;
        memset(&strm, 0, sizeof strm);
        strm.zalloc = limited_alloc, strm.zfree = limited_free;
        strm.state = (struct internal_state *)somewhere;
        allocations_left = count;
        int status = deflateInit2(&strm, 6, Z_DEFLATED, -9, 8, Z_HUFFMAN_ONLY);
        if (status == Z_OK) {
            CHECK(count > 1); /* at least one allocation was refused */
            CHECK_EQ(deflateEnd(&strm), Z_OK);
            return;
        }
        CHECK_EQ(status, Z_MEM_ERROR);
        CHECK_STR(strm.msg, "insufficient memory");
        CHECK(strm.state == NULL);
        CHECK_EQ(deflateEnd(&strm), Z_STREAM_ERROR);
    }
    CHECK(!"deflateInit2 succeeds with nine allocations");
}

/* deflateParams checks the buffers only if a parameter changes after the first call of deflate: then it may have to flush. */
static void buffers_of_params(int window_bits)
{
    z_stream strm;
    deflate_start(&strm, 6, window_bits);
    strm.next_in = NULL, strm.avail_in = 10, strm.next_out = NULL, strm.avail_out = 20;
    CHECK_EQ(deflateParams(&strm, 1, Z_FILTERED), Z_OK);
    CHECK_EQ(deflateParams(&strm, 6, Z_DEFAULT_STRATEGY), Z_OK);
    CHECK(strm.avail_in == 10 && strm.avail_out == 20 && strm.total_out == 0);

    /* After the header's first byte: setting the current values needs no room. */
    strm.avail_in = 0, strm.next_out = out, strm.avail_out = 1;
    CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
    uLong before = strm.total_out;
    strm.avail_out = 0;
    CHECK_EQ(deflateParams(&strm, Z_DEFAULT_COMPRESSION, Z_DEFAULT_STRATEGY), Z_OK);
    strm.avail_out = 100;
    CHECK_EQ(deflateParams(&strm, 6, Z_DEFAULT_STRATEGY), Z_OK);
    CHECK_EQ(strm.total_out, before);

    /* With data that is not flushed: setting the current values needs no buffers, a change needs them. */
    strm.next_in = plain, strm.avail_in = LEN, strm.next_out = out + before, strm.avail_out = sizeof out - 100;
    CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
    Bytef *next = strm.next_out;
    uInt room = strm.avail_out;
    strm.next_out = NULL, strm.msg = NULL;
    CHECK_EQ(deflateParams(&strm, 6, Z_DEFAULT_STRATEGY), Z_OK);
    CHECK(strm.msg == NULL);
    CHECK_EQ(deflateParams(&strm, 6, Z_HUFFMAN_ONLY), Z_STREAM_ERROR);
    CHECK_STR(strm.msg, "stream error");
    strm.next_out = next, strm.avail_out = room;
    CHECK_EQ(deflateParams(&strm, 6, Z_HUFFMAN_ONLY), Z_OK);
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    check_unpacks(out, strm.total_out, window_bits, plain, LEN);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
}

/* inflateSync writes no output, so it does not check next_out. */
static void sync_without_output(void)
{
    static const Bytef marker[] = {1, 2, 3, 0, 0, 0xff, 0xff, 4};
    z_stream strm;
    inflate_start(&strm, -15);
    strm.next_in = (Bytef *)marker, strm.avail_in = sizeof marker, strm.next_out = NULL, strm.avail_out = 20;
    CHECK_EQ(inflateSync(&strm), Z_OK);
    CHECK_EQ(strm.avail_in, 1);
    CHECK(strm.next_out == NULL && strm.avail_out == 20);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
}

/* The part of a dictionary that fits the window is counted in total_in, also if a dictionary is set twice. A null pointer is an
 * error, even with length 0. */
static void dictionary_counts_as_input(void)
{
    static const uInt lengths[] = {0, 1, 511, 512, 513, 32768, 32769, 50000};
    Bytef *dictionary = prose(50000, 9);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (int window_bits = -15; window_bits <= 15; window_bits += window_bits == -9 ? 17 : 1) {
            z_stream strm;
            /* A window of 256 bytes is replaced by 512. */
            uInt window = 1u << (window_bits < 0 ? -window_bits : window_bits == 8 ? 9 : window_bits), kept;
            deflate_start(&strm, 6, window_bits);
            for (uLong times = 1; times <= 2; times++) {
                CHECK_EQ(deflateSetDictionary(&strm, dictionary, lengths[i]), Z_OK);
                kept = lengths[i] < window ? lengths[i] : window;
                CHECK_EQ(strm.total_in, times * kept);
            }
            CHECK_EQ(deflateSetDictionary(&strm, NULL, 0), Z_STREAM_ERROR);
            CHECK_EQ(strm.total_in, 2 * kept);
            strm.next_in = plain, strm.avail_in = LEN, strm.next_out = out, strm.avail_out = sizeof out;
            CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
            CHECK_EQ(strm.total_in, 2 * kept + LEN);
            CHECK_EQ(deflateReset(&strm), Z_OK);
            CHECK_EQ(strm.total_in, 0);
            CHECK_EQ(deflateEnd(&strm), Z_OK);
        }
    free(dictionary);
}

/* After Z_FINISH has taken all input, deflateEnd with undelivered output is no error. It is one after another flush, and if
 * there is more output than zlib's buffer holds: then zlib has not taken all input. */
static void end_with_pending_output(int window_bits)
{
    for (int flush = Z_NO_FLUSH; flush <= Z_BLOCK; flush++) {
        z_stream strm, copy;
        deflate_start(&strm, 6, window_bits);
        strm.next_in = plain, strm.avail_in = LEN, strm.next_out = out, strm.avail_out = 20;
        CHECK_EQ(deflate(&strm, flush), Z_OK);
        CHECK_EQ(strm.avail_in, 0);
        CHECK_EQ(deflateCopy(&copy, &strm), Z_OK);
        CHECK_EQ(deflateEnd(&copy), flush == Z_FINISH ? Z_OK : Z_DATA_ERROR);
        CHECK_EQ(deflateEnd(&strm), flush == Z_FINISH ? Z_OK : Z_DATA_ERROR);
    }

    enum { MUCH = 2000000 };
    Bytef *hard = noise(MUCH, 7);
    for (uInt len = 400000; len <= MUCH; len += 800000) {
        z_stream strm;
        deflate_start(&strm, 6, window_bits);
        strm.next_in = hard, strm.avail_in = len, strm.next_out = out, strm.avail_out = sizeof out;
        CHECK_EQ(deflate(&strm, Z_FINISH), Z_OK);
        CHECK_EQ(deflateEnd(&strm), Z_DATA_ERROR);
    }
    free(hard);
}

/* deflateSetHeader succeeds even after the header was written, then without effect; it fails after the stream's end, and succeeds
 * again after a reset. */
static void late_header(void)
{
    z_stream strm;
    gz_header header;
    memset(&header, 0, sizeof header);
    header.name = (Bytef *)"late";
    deflate_start(&strm, 6, 31);
    strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_OK);
    CHECK_EQ(deflateSetHeader(&strm, &header), Z_OK);
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(out[3], 0); /* no name */
    check_unpacks(out, strm.total_out, 31, plain, 0);
    CHECK_EQ(deflateSetHeader(&strm, &header), Z_STREAM_ERROR);
    CHECK_EQ(deflateReset(&strm), Z_OK);
    CHECK_EQ(deflateSetHeader(&strm, &header), Z_OK);
    strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(out[3], 8);
    CHECK_STR((char *)out + 10, "late");
    CHECK_EQ(deflateEnd(&strm), Z_OK);
}

/* An empty stream is binary at its end, whatever its window; at level 0, which only stores, the type stays unknown. */
static void data_type_of_empty_streams(void)
{
    for (int window_bits = 9; window_bits <= 15; window_bits++)
        for (int level = 0; level <= 9; level++)
            for (int raw = 0; raw < 2; raw++) {
                z_stream strm;
                deflate_start(&strm, level, raw ? -window_bits : window_bits);
                CHECK_EQ(strm.data_type, Z_UNKNOWN);
                strm.next_out = out, strm.avail_out = sizeof out;
                CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
                CHECK_EQ(strm.data_type, level == 0 ? Z_UNKNOWN : Z_BINARY);
                CHECK_EQ(deflateEnd(&strm), Z_OK);
            }
}

/* compress2 without output space: a null pointer and a length of 0 are different errors. */
static void compress_without_space(void)
{
    uLongf len = 0;
    CHECK_EQ(compress2(NULL, &len, plain, LEN, 6), Z_STREAM_ERROR);
    CHECK_EQ(len, 0);
    CHECK_EQ(compress2(NULL, &len, NULL, 0, 6), Z_STREAM_ERROR);
    CHECK_EQ(compress2(out, &len, plain, LEN, 6), Z_BUF_ERROR);
    CHECK_EQ(len, 0);
}

int main(void)
{
    begin();
    plain = noise(LEN, 33);
    end_after_rejected_window_bits();
    end_after_refused_memory();
    for (int i = 0; i < 5; i++) {
        static const int bits[] = {15, -15, 31, 9, -9};
        buffers_of_params(bits[i]);
        end_with_pending_output(bits[i]);
    }
    sync_without_output();
    dictionary_counts_as_input();
    late_header();
    data_type_of_empty_streams();
    compress_without_space();
    free(plain);
    return 0;
}
