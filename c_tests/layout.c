/* The structures of our header have the layout that programs were compiled with: zlib's on 64-bit systems. The init functions
 * reject another size of z_stream, and another major version. */
#include "check.h"
#include <stddef.h>

int main(void)
{
    begin();
    CHECK_EQ(sizeof(z_stream), 112);
    CHECK_EQ(offsetof(z_stream, next_in), 0);
    CHECK_EQ(offsetof(z_stream, avail_in), 8);
    CHECK_EQ(offsetof(z_stream, total_in), 16);
    CHECK_EQ(offsetof(z_stream, next_out), 24);
    CHECK_EQ(offsetof(z_stream, avail_out), 32);
    CHECK_EQ(offsetof(z_stream, total_out), 40);
    CHECK_EQ(offsetof(z_stream, msg), 48);
    CHECK_EQ(offsetof(z_stream, state), 56);
    CHECK_EQ(offsetof(z_stream, zalloc), 64);
    CHECK_EQ(offsetof(z_stream, zfree), 72);
    CHECK_EQ(offsetof(z_stream, opaque), 80);
    CHECK_EQ(offsetof(z_stream, data_type), 88);
    CHECK_EQ(offsetof(z_stream, adler), 96);
    CHECK_EQ(offsetof(z_stream, reserved), 104);
    CHECK_EQ(sizeof(gz_header), 80);
    CHECK_EQ(offsetof(gz_header, text), 0);
    CHECK_EQ(offsetof(gz_header, time), 8);
    CHECK_EQ(offsetof(gz_header, xflags), 16);
    CHECK_EQ(offsetof(gz_header, os), 20);
    CHECK_EQ(offsetof(gz_header, extra), 24);
    CHECK_EQ(offsetof(gz_header, extra_len), 32);
    CHECK_EQ(offsetof(gz_header, extra_max), 36);
    CHECK_EQ(offsetof(gz_header, name), 40);
    CHECK_EQ(offsetof(gz_header, name_max), 48);
    CHECK_EQ(offsetof(gz_header, comment), 56);
    CHECK_EQ(offsetof(gz_header, comm_max), 64);
    CHECK_EQ(offsetof(gz_header, hcrc), 68);
    CHECK_EQ(offsetof(gz_header, done), 72);
    CHECK_EQ(sizeof(struct gzFile_s), 24);
    CHECK_EQ(offsetof(struct gzFile_s, have), 0);
    CHECK_EQ(offsetof(struct gzFile_s, next), 8);
    CHECK_EQ(offsetof(struct gzFile_s, pos), 16);

    z_stream strm;
    Bytef window[32768];
    memset(&strm, 0, sizeof strm);
    CHECK_EQ(deflateInit_(&strm, 6, ZLIB_VERSION, 111), Z_VERSION_ERROR);
    CHECK_EQ(deflateInit_(&strm, 6, "2.0", 112), Z_VERSION_ERROR);
    CHECK_EQ(deflateInit_(&strm, 6, NULL, 112), Z_VERSION_ERROR);
    CHECK_EQ(deflateInit2_(&strm, 6, Z_DEFLATED, 15, 8, 0, ZLIB_VERSION, 120), Z_VERSION_ERROR);
    CHECK_EQ(inflateInit_(&strm, ZLIB_VERSION, 111), Z_VERSION_ERROR);
    CHECK_EQ(inflateInit2_(&strm, 15, "0.9", 112), Z_VERSION_ERROR);
    CHECK_EQ(inflateBackInit_(&strm, 15, window, ZLIB_VERSION, 104), Z_VERSION_ERROR);
    /* A program passes the version that it was compiled with. Only the first character of it must match. */
    CHECK_EQ(deflateInit_(&strm, 6, "1.1.3", 112), Z_OK);
    CHECK(strm.zalloc != NULL && strm.zfree != NULL); /* the default allocator's functions */
    CHECK(strm.msg == NULL);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    CHECK(strm.state == NULL);
    CHECK_EQ(inflateInit_(&strm, "1.9", 112), Z_OK);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    return 0;
}
