/* The library's version, error texts and compile flags, which programs parse, print and check. */
#include "check.h"

int main(void)
{
    begin();
    int major, minor, revision;
    char rest;
    CHECK(sscanf(zlibVersion(), "%d.%d.%d%c", &major, &minor, &revision, &rest) >= 3);
    CHECK_EQ(strspn(zlibVersion(), "0123456789."), strlen(zlibVersion()));
    CHECK_EQ(major, ZLIB_VER_MAJOR);
    if (is_rigz())
        CHECK_STR(zlibVersion(), ZLIB_VERSION);
    CHECK_EQ(ZLIB_VERNUM, 0x1310);

    CHECK_EQ(zlibCompileFlags() & 0xff, 1 | 2 << 2 | 2 << 4 | 2 << 6); /* uInt 4, uLong 8, voidpf 8, z_off_t 8 bytes */
    CHECK_EQ(zlibCompileFlags() & 0x00020000, 0);                      /* gzip decoding is there */
    CHECK_EQ(zlibCompileFlags() & 0x07000000, 0);                      /* gzprintf is a checked vsnprintf */

    CHECK_STR(zError(Z_OK), "");
    CHECK_STR(zError(Z_STREAM_END), "stream end");
    CHECK_STR(zError(Z_NEED_DICT), "need dictionary");
    CHECK_STR(zError(Z_ERRNO), "file error");
    CHECK_STR(zError(Z_STREAM_ERROR), "stream error");
    CHECK_STR(zError(Z_DATA_ERROR), "data error");
    CHECK_STR(zError(Z_MEM_ERROR), "insufficient memory");
    CHECK_STR(zError(Z_BUF_ERROR), "buffer error");
    CHECK_STR(zError(Z_VERSION_ERROR), "incompatible version");

    const z_crc_t *table = get_crc_table();
    CHECK_EQ(table[0], 0);
    CHECK_EQ(table[1], 0x77073096);
    CHECK_EQ(table[128], 0xedb88320);
    CHECK_EQ(table[255], 0x2d02ef8d);
    return 0;
}
