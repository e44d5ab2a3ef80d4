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

enum { LEN = 5000, DICTIONARY = 3000 };

/* `packed` is a raw stream of the first LEN bytes of `plain` after `bits` primed bits. Its dictionary are the last bytes of these. */
static void check_raw(const Bytef *packed, size_t packed_len, unsigned bits, int has_dictionary, const Bytef *plain)
{
    static Bytef back[LEN + 1];
    z_stream strm;
    inflate_start(&strm, -15);
    if (bits % 8 != 0)
        CHECK_EQ(inflatePrime(&strm, 8 - (int)bits % 8, packed[bits / 8] >> bits % 8), Z_OK);
    if (has_dictionary)
        CHECK_EQ(inflateSetDictionary(&strm, plain + LEN - DICTIONARY, DICTIONARY), Z_OK);
    strm.next_in = (Bytef *)packed + (bits + 7) / 8, strm.avail_in = (uInt)(packed_len - (bits + 7) / 8);
    strm.next_out = back, strm.avail_out = sizeof back;
    CHECK_EQ(inflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(strm.total_out, LEN);
    CHECK(memcmp(back, plain, LEN) == 0);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
}

/* Memory is refused during deflateParams: it may fail, and then the stream is as it was. */
static void refused(const Bytef *plain, int from, int to)
{
    static Bytef out[2 * LEN];
    for (int allowed = 0; allowed < 8; allowed++) {
        z_stream strm = {0};
        strm.zalloc = limited_alloc, strm.zfree = limited_free;
        allocations_left = 1000;
        CHECK_EQ(deflateInit2(&strm, 6, Z_DEFLATED, -15, 8, from), Z_OK);
        CHECK_EQ(deflateSetDictionary(&strm, plain + LEN - DICTIONARY, DICTIONARY), Z_OK);
        allocations_left = allowed;
        strm.next_out = out, strm.avail_out = sizeof out;
        int status = deflateParams(&strm, 9, to);
        CHECK(status == Z_OK || status == Z_MEM_ERROR);
        allocations_left = 1000;
        if (status != Z_OK)
            CHECK_EQ(deflateParams(&strm, 9, to), Z_OK);
        strm.next_in = (Bytef *)plain, strm.avail_in = LEN;
        CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
        uLong packed = strm.total_out;
        CHECK_EQ(deflateEnd(&strm), Z_OK);
        check_raw(out, packed, 0, 1, plain);
    }
}

enum order { NO_DICTIONARY, DICTIONARY_FIRST, DICTIONARY_LAST };

/* Dictionary and primed bits, set before the first byte, survive changes of level and strategy, at any place among them. */
static void what_precedes_the_first_byte(const Bytef *plain, int from, int to, int primes, enum order order, int place)
{
    static const int counts[] = {3, 16, 13, 16}, values[] = {5, 0xabcd, 0x1234, 0x5a5a};
    static Bytef out[2 * LEN], dictionary[DICTIONARY];
    z_stream strm = {0};
    CHECK_EQ(deflateInit2(&strm, 6, Z_DEFLATED, -15, 8, from), Z_OK);
    strm.next_out = out, strm.avail_out = sizeof out;
    if (place == 0)
        CHECK_EQ(deflateParams(&strm, 3, to), Z_OK);
    if (order == DICTIONARY_FIRST)
        CHECK_EQ(deflateSetDictionary(&strm, plain + LEN - DICTIONARY, DICTIONARY), Z_OK);
    if (place == 1)
        CHECK_EQ(deflateParams(&strm, 9, to), Z_OK);
    unsigned bits = 0;
    for (int i = 0; i < primes; i++) {
        CHECK_EQ(deflatePrime(&strm, counts[i], values[i]), Z_OK);
        bits += (unsigned)counts[i];
        if (place == 2 + i)
            CHECK_EQ(deflateParams(&strm, 5, to), Z_OK);
    }
    if (order == DICTIONARY_LAST)
        CHECK_EQ(deflateSetDictionary(&strm, plain + LEN - DICTIONARY, DICTIONARY), Z_OK);
    uInt len = DICTIONARY;
    CHECK_EQ(deflateGetDictionary(&strm, dictionary, &len), Z_OK);
    CHECK_EQ(len, order ? DICTIONARY : 0);
    CHECK(memcmp(dictionary, plain + LEN - DICTIONARY, len) == 0);
    strm.next_in = (Bytef *)plain, strm.avail_in = LEN;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    size_t packed = strm.total_out;
    CHECK_EQ(deflateEnd(&strm), Z_OK);

    unsigned at = 0;
    for (int i = 0; i < primes; i++)
        for (int bit = 0; bit < counts[i]; bit++, at++)
            CHECK_EQ(out[at / 8] >> at % 8 & 1, values[i] >> bit & 1);
    check_raw(out, packed, bits, order != NO_DICTIONARY, plain);
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
    for (int change = 0; change < 25; change++)
        refused(plain, change / 5, change % 5);
    for (int change = 0; change < 25; change++)
        for (int primes = 0; primes <= 4; primes++)
            for (int place = 0; place < 2 + primes; place++) {
                what_precedes_the_first_byte(plain, change / 5, change % 5, primes, NO_DICTIONARY, place);
                what_precedes_the_first_byte(plain, change / 5, change % 5, primes, DICTIONARY_FIRST, place);
                what_precedes_the_first_byte(plain, change / 5, change % 5, primes, DICTIONARY_LAST, place);
            }
    free(plain);
    return 0;
}
