/* Preset dictionaries: zlib with its id, raw without, and raw in mid-stream,
 * between two bytes too. */
#include "check.h"

static Bytef out[100000], back[100000], held[32768];

static void with_id(Bytef *dict, uInt dict_len, Bytef *plain, uInt len, int level)
{
    z_stream strm;
    uInt held_len = 0;
    uLong id = adler32(adler32(0, NULL, 0), dict, dict_len);
    deflate_start(&strm, level, 15);
    CHECK_EQ(deflateSetDictionary(&strm, dict, dict_len), Z_OK);
    CHECK_EQ(strm.adler, id);
    CHECK_EQ(deflateGetDictionary(&strm, held, &held_len), Z_OK);
    CHECK(held_len <= 32768 && held_len >= (dict_len < 32768 - 262 ? dict_len : 32768 - 262));
    CHECK(memcmp(held, dict + dict_len - held_len, held_len) == 0);
    strm.next_in = plain, strm.avail_in = len, strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(strm.adler, adler32(1, plain, len));
    uLong packed_len = strm.total_out;
    CHECK_EQ(deflateEnd(&strm), Z_OK);

    inflate_start(&strm, 15);
    CHECK_EQ(inflateSetDictionary(&strm, dict, dict_len), Z_STREAM_ERROR); /* not requested yet */
    strm.next_in = out, strm.avail_in = (uInt)packed_len, strm.next_out = back, strm.avail_out = sizeof back;
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_NEED_DICT);
    CHECK_EQ(strm.adler, id);
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_NEED_DICT);
    CHECK_EQ(inflateSetDictionary(&strm, plain, 100), Z_DATA_ERROR);
    CHECK_EQ(inflateSetDictionary(&strm, dict, dict_len), Z_OK);
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_STREAM_END);
    CHECK_EQ(strm.total_out, len);
    CHECK(memcmp(back, plain, len) == 0);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
}

/* SSH-like and rsync-like programs add data that both sides know between two flushes. */
static void in_mid_stream(Bytef *dict, uInt dict_len, Bytef *plain, uInt len, int level)
{
    z_stream strm, check;
    deflate_start(&strm, level, -15);
    strm.next_in = plain, strm.avail_in = len, strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_OK);
    uLong first = strm.total_out;
    CHECK_EQ(deflateSetDictionary(&strm, dict, dict_len), Z_OK);
    strm.next_in = dict + dict_len / 2, strm.avail_in = 1000;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    if (level > 0)
        CHECK(strm.total_out - first < (level == 1 ? 100 : 60)); /* the dictionary was used */
    uLong packed_len = strm.total_out;
    CHECK_EQ(deflateEnd(&strm), Z_OK);

    inflate_start(&check, -15);
    check.next_in = out, check.avail_in = (uInt)first, check.next_out = back, check.avail_out = sizeof back;
    CHECK_EQ(inflate(&check, Z_SYNC_FLUSH), Z_OK);
    CHECK_EQ(check.total_out, len);
    CHECK_EQ(inflateSetDictionary(&check, dict, dict_len), Z_OK);
    check.avail_in = (uInt)(packed_len - first);
    CHECK_EQ(inflate(&check, Z_NO_FLUSH), Z_STREAM_END);
    CHECK_EQ(check.total_out, len + 1000);
    CHECK(memcmp(back, plain, len) == 0 && memcmp(back + len, dict + dict_len / 2, 1000) == 0);
    CHECK_EQ(inflateEnd(&check), Z_OK);
}

/* Decodes a raw stream whose dictionary is set after `at` bytes of output; returns the number of bytes of output. */
static uLong read_with(Bytef *dict, uInt dict_len, uLong at, uLong packed_len)
{
    z_stream strm;
    inflate_start(&strm, -15);
    strm.next_in = out, strm.avail_in = (uInt)packed_len, strm.next_out = back, strm.avail_out = (uInt)at;
    int status = at > 0 ? inflate(&strm, Z_NO_FLUSH) : Z_OK;
    CHECK(status == Z_OK && strm.total_out == at);
    CHECK_EQ(inflateSetDictionary(&strm, dict, dict_len), Z_OK);
    strm.avail_out = (uInt)(sizeof back - at);
    status = inflate(&strm, Z_FINISH);
    uLong len = strm.total_out;
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    return status == Z_STREAM_END ? len : (uLong)-1;
}

/* After Z_PARTIAL_FLUSH and Z_BLOCK up to seven bits of an incomplete byte are pending, and bits may be primed; setting a
 * dictionary then must not lose any. The data after it refers to the dictionary, and is short, or long, or follows another
 * flush. */
static void between_bits(Bytef *dict, Bytef *plain, int level, int flush, int primed)
{
    static const uInt lens[] = {0, 1, 2, 3, 5, 8, 13, 21, 100, 255, 1000, 5000, 8191, 8192, 20000};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
        for (uInt then = 40; then <= 20000; then = then * 20 + 40) {
            uInt len = lens[i];
            z_stream strm;
            deflate_start(&strm, level, -15);
            strm.next_in = plain, strm.avail_in = len, strm.next_out = out, strm.avail_out = sizeof out;
            CHECK_EQ(deflate(&strm, flush), Z_OK);
            CHECK_EQ(strm.avail_in, 0);
            if (primed) {
                CHECK_EQ(deflatePrime(&strm, 3, 2), Z_OK); /* an empty block of fixed codes, ... */
                CHECK_EQ(deflatePrime(&strm, 7, 0), Z_OK);
            }
            CHECK_EQ(deflateSetDictionary(&strm, dict, 9000), Z_OK);
            strm.next_in = dict + 4500, strm.avail_in = then;
            if (i % 2) {
                int status = deflate(&strm, i % 4 == 1 ? flush : Z_SYNC_FLUSH);
                CHECK(status == Z_OK || status == Z_BUF_ERROR);
                CHECK_EQ(strm.avail_in, 0);
            }
            CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
            uLong packed_len = strm.total_out;
            CHECK_EQ(deflateEnd(&strm), Z_OK);
            CHECK_EQ(read_with(dict, 9000, len, packed_len), len + then);
            CHECK(memcmp(back, plain, len) == 0 && memcmp(back + len, dict + 4500, then) == 0);
        }
}

/* The window during a stream is its latest output; a wrong dictionary on a raw stream yields wrong bytes, no crash. */
static void windows(Bytef *plain)
{
    z_stream strm;
    uInt held_len = 0;
    deflate_start(&strm, 6, 15);
    strm.next_in = plain, strm.avail_in = 50000, strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_OK);
    CHECK_EQ(deflateGetDictionary(&strm, held, &held_len), Z_OK);
    CHECK(held_len >= 32768 - 262 && held_len <= 32768);
    CHECK(memcmp(held, plain + 50000 - held_len, held_len) == 0);
    CHECK_EQ(deflateGetDictionary(&strm, NULL, NULL), Z_OK);
    CHECK_EQ(deflateSetDictionary(&strm, plain, 100), Z_STREAM_ERROR); /* too late for a zlib stream */
    z_stream reader;
    inflate_start(&reader, 15);
    reader.next_in = out, reader.avail_in = (uInt)strm.total_out, reader.next_out = back, reader.avail_out = sizeof back;
    CHECK_EQ(inflate(&reader, Z_NO_FLUSH), Z_OK);
    CHECK_EQ(inflateGetDictionary(&reader, held, &held_len), Z_OK);
    CHECK_EQ(held_len, 32768);
    CHECK(memcmp(held, plain + 50000 - held_len, held_len) == 0);
    CHECK_EQ(inflateGetDictionary(&reader, NULL, NULL), Z_OK);
    CHECK_EQ(inflateEnd(&reader), Z_OK);
    CHECK_EQ(deflateEnd(&strm), Z_DATA_ERROR);
    deflate_start(&strm, 6, 31);
    CHECK_EQ(deflateSetDictionary(&strm, plain, 100), Z_STREAM_ERROR); /* gzip has no dictionaries */
    CHECK_EQ(deflateSetDictionary(&strm, NULL, 0), Z_STREAM_ERROR);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
}

int main(void)
{
    begin();
    Bytef *dict = prose(40000, 11), *plain = prose(20000, 12);
    for (int level = 0; level <= 9; level++) {
        with_id(dict, 1, plain, 20000, level);
        with_id(dict, 3000, plain, 20000, level);
        with_id(dict, 40000, plain, 20000, level);
        in_mid_stream(dict, 9000, plain, 20000, level);
        for (int primed = 0; primed < 2; primed++) {
            between_bits(dict, plain, level, Z_PARTIAL_FLUSH, primed);
            between_bits(dict, plain, level, Z_BLOCK, primed);
            between_bits(dict, plain, level, Z_SYNC_FLUSH, primed);
        }
    }
    Bytef *longer = prose(50000, 13);
    windows(longer);
    free(dict), free(plain), free(longer);
    return 0;
}
