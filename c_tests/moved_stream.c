/* Calls on a z_stream copied with memcpy fail, and so do calls for the other kind of stream. The original still works. */
#include "check.h"

int main(void)
{
    begin();
    Bytef *plain = prose(5000, 1), packed[6000];
    z_stream strm, moved;

    deflate_start(&strm, 6, 15);
    memcpy(&moved, &strm, sizeof strm);
    CHECK_EQ(deflate(&moved, Z_FINISH), Z_STREAM_ERROR);
    CHECK_EQ(deflateReset(&moved), Z_STREAM_ERROR);
    CHECK_EQ(deflateEnd(&moved), Z_STREAM_ERROR);
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_STREAM_ERROR);
    CHECK_EQ(inflateEnd(&strm), Z_STREAM_ERROR);
    CHECK_EQ(inflateReset(&strm), Z_STREAM_ERROR);
    strm.next_in = plain, strm.avail_in = 5000;
    strm.next_out = packed, strm.avail_out = sizeof packed;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    size_t packed_len = strm.total_out;
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    CHECK_EQ(deflateEnd(&strm), Z_STREAM_ERROR);
    check_unpacks(packed, packed_len, 15, plain, 5000);

    inflate_start(&strm, 15);
    memcpy(&moved, &strm, sizeof strm);
    CHECK_EQ(inflate(&moved, Z_NO_FLUSH), Z_STREAM_ERROR);
    CHECK_EQ(inflateEnd(&moved), Z_STREAM_ERROR);
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_ERROR);
    CHECK_EQ(deflateEnd(&strm), Z_STREAM_ERROR);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    CHECK_EQ(inflateEnd(&strm), Z_STREAM_ERROR);
    free(plain);
    return 0;
}
