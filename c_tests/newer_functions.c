/* The functions that zlib 1.3.2 added: compress_z, compress2_z, compressBound_z and deflateBound_z give the same results as the
 * functions that take uLong, uncompress_z and uncompress2_z restore the data, and deflateUsed stores the number of bits used in the
 * last byte. If the library lacks one of them, the program prints notes and checks nothing else. */
#include "check.h"

int main(void)
{
    begin();
    int (*pack_z)(Bytef *, z_size_t *, const Bytef *, z_size_t);
    int (*pack2_z)(Bytef *, z_size_t *, const Bytef *, z_size_t, int);
    int (*unpack_z)(Bytef *, z_size_t *, const Bytef *, z_size_t);
    int (*unpack2_z)(Bytef *, z_size_t *, const Bytef *, z_size_t *);
    z_size_t (*bound_z)(z_size_t);
    z_size_t (*stream_bound_z)(z_streamp, z_size_t);
    int (*used_bits)(z_streamp, int *);
    OPTIONAL(pack_z, "compress_z");
    OPTIONAL(pack2_z, "compress2_z");
    OPTIONAL(unpack_z, "uncompress_z");
    OPTIONAL(unpack2_z, "uncompress2_z");
    OPTIONAL(bound_z, "compressBound_z");
    OPTIONAL(stream_bound_z, "deflateBound_z");
    OPTIONAL(used_bits, "deflateUsed");
    if (!pack_z || !pack2_z || !unpack_z || !unpack2_z || !bound_z || !stream_bound_z || !used_bits)
        return 0;

    enum { LEN = 50000, ROOM = 60000 };
    Bytef *plain = prose(LEN, 4), *out = allocate(ROOM), *expected = allocate(ROOM), *back = allocate(ROOM);
    z_size_t len = bound_z(LEN), back_len = ROOM, source_len;
    uLong expected_len = ROOM;
    CHECK_EQ(len, compressBound(LEN));
    CHECK(bound_z((z_size_t)-1) == (z_size_t)-1); /* saturates */
    CHECK_EQ(pack_z(out, &len, plain, LEN), Z_OK);
    CHECK_EQ(compress(expected, &expected_len, plain, LEN), Z_OK);
    CHECK_EQ(len, expected_len);
    CHECK(memcmp(out, expected, len) == 0);
    CHECK_EQ(unpack_z(back, &back_len, out, len), Z_OK);
    CHECK_EQ(back_len, LEN);
    CHECK(memcmp(plain, back, LEN) == 0);

    len = ROOM, expected_len = ROOM, back_len = ROOM;
    CHECK_EQ(pack2_z(out, &len, plain, LEN, 9), Z_OK);
    CHECK_EQ(compress2(expected, &expected_len, plain, LEN, 9), Z_OK);
    CHECK_EQ(len, expected_len);
    CHECK(memcmp(out, expected, len) == 0);
    source_len = len + 100; /* 100 bytes follow the stream */
    memset(back, 0, LEN);
    CHECK_EQ(unpack2_z(back, &back_len, out, &source_len), Z_OK);
    CHECK_EQ(source_len, len);
    CHECK_EQ(back_len, LEN);
    CHECK(memcmp(plain, back, LEN) == 0);
    back_len = 10;
    CHECK_EQ(unpack_z(back, &back_len, out, len), Z_BUF_ERROR);

    z_stream strm;
    int bits = -1;
    deflate_start(&strm, 6, -15);
    CHECK_EQ(stream_bound_z(&strm, LEN), deflateBound(&strm, LEN));
    CHECK_EQ(used_bits(&strm, &bits), Z_OK);
    CHECK_EQ(bits, 0);
    strm.next_in = plain, strm.avail_in = LEN, strm.next_out = out, strm.avail_out = ROOM;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(used_bits(&strm, &bits), Z_OK);
    CHECK(bits >= 1 && bits <= 8);
    /* The other bits of the last byte are padding. At the end of the last block (data_type has 128, end of a block, and 64, last
     * block), inflate reports in the lowest bits of data_type how many bits of that byte it has not used. */
    z_stream decoder;
    inflate_start(&decoder, -15);
    decoder.next_in = out, decoder.avail_in = (uInt)strm.total_out, decoder.next_out = back, decoder.avail_out = ROOM;
    do {
        CHECK_EQ(inflate(&decoder, Z_BLOCK), Z_OK);
    } while ((decoder.data_type & (64 | 128)) != (64 | 128));
    CHECK_EQ(decoder.avail_in, 0);
    CHECK_EQ(decoder.data_type & 7, 8 - bits);
    CHECK_EQ(inflateEnd(&decoder), Z_OK);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(plain), free(out), free(expected), free(back);
    return 0;
}
