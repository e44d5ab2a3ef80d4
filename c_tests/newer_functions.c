/* The functions that zlib 1.3.2 added, if they exist: the same as the older ones, with size_t. */
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
    int (*used)(z_streamp, int *);
    OPTIONAL(pack_z, "compress_z");
    OPTIONAL(pack2_z, "compress2_z");
    OPTIONAL(unpack_z, "uncompress_z");
    OPTIONAL(unpack2_z, "uncompress2_z");
    OPTIONAL(bound_z, "compressBound_z");
    OPTIONAL(stream_bound_z, "deflateBound_z");
    OPTIONAL(used, "deflateUsed");
    if (!pack_z || !pack2_z || !unpack_z || !unpack2_z || !bound_z || !stream_bound_z || !used)
        return 0;

    Bytef *plain = prose(50000, 4), *out = allocate(60000), *back = allocate(60000);
    z_size_t len = bound_z(50000), back_len = 60000, source_len;
    CHECK_EQ(len, compressBound(50000));
    CHECK(bound_z((z_size_t)-1) >= bound_z(1)); /* saturates */
    CHECK_EQ(pack_z(out, &len, plain, 50000), Z_OK);
    CHECK_EQ(unpack_z(back, &back_len, out, len), Z_OK);
    CHECK_EQ(back_len, 50000);
    CHECK(memcmp(plain, back, 50000) == 0);
    len = 60000, back_len = 60000;
    CHECK_EQ(pack2_z(out, &len, plain, 50000, 9), Z_OK);
    source_len = len + 100;
    CHECK_EQ(unpack2_z(back, &back_len, out, &source_len), Z_OK);
    CHECK_EQ(source_len, len);
    CHECK_EQ(back_len, 50000);
    back_len = 10;
    CHECK_EQ(unpack_z(back, &back_len, out, len), Z_BUF_ERROR);

    z_stream strm;
    int bits = -1;
    deflate_start(&strm, 6, -15);
    CHECK_EQ(stream_bound_z(&strm, 50000), deflateBound(&strm, 50000));
    CHECK_EQ(used(&strm, &bits), Z_OK);
    CHECK_EQ(bits, 0);
    strm.next_in = plain, strm.avail_in = 50000, strm.next_out = out, strm.avail_out = 60000;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(used(&strm, &bits), Z_OK);
    CHECK(bits >= 1 && bits <= 8);
    /* The bits above those are padding: the decoder reports how many it left. */
    z_stream check;
    inflate_start(&check, -15);
    check.next_in = out, check.avail_in = (uInt)strm.total_out, check.next_out = back, check.avail_out = 60000;
    do
        CHECK_EQ(inflate(&check, Z_BLOCK), Z_OK);
    while ((check.data_type & (64 | 128)) != (64 | 128));
    CHECK_EQ(check.data_type & 7, 8 - bits);
    CHECK_EQ(inflateEnd(&check), Z_OK);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(plain), free(out), free(back);
    return 0;
}
