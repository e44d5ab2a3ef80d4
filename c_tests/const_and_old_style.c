/* Source that uses ZLIB_CONST, the old macros and C++-proof spelling compiles as it always did. */
#define ZLIB_CONST
#define _LARGEFILE64_SOURCE
#include "check.h"

static voidpf own_alloc OF((voidpf opaque, uInt items, uInt size));
static void own_free OF((voidpf opaque, voidpf address));

static voidpf own_alloc(voidpf opaque, uInt items, uInt size)
{
    (void)opaque;
    return calloc(items, size);
}

static void own_free(voidpf opaque, voidpf address)
{
    (void)opaque;
    free(address);
}

static unsigned feed(void FAR *desc, z_const unsigned char FAR *FAR *buf)
{
    const unsigned char **source = desc;
    *buf = *source;
    *source = NULL;
    return *buf ? 8 : 0;
}

static int drain(void FAR *desc, unsigned char FAR *buf, unsigned len)
{
    memcpy(desc, buf, len);
    return 0;
}

int main(void)
{
    begin();
    static const Bytef text[] = "constant";
    Byte packed[100];
    charf back[100];
    uLongf len = sizeof packed;
    uIntf count = 0;
    intf answer;
    voidpc nothing = Z_NULL;
    z_streamp strm = allocate(sizeof *strm);
    alloc_func take = own_alloc;
    free_func give = own_free;
    strm->zalloc = take, strm->zfree = give, strm->opaque = (voidpf)0;
    answer = deflateInit2(strm, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY);
    CHECK_EQ(answer, Z_OK);
    strm->next_in = text, strm->avail_in = sizeof text; /* const stays const */
    strm->next_out = packed, strm->avail_out = sizeof packed;
    CHECK_EQ(deflate(strm, Z_FINISH), Z_STREAM_END);
    len = strm->total_out;
    CHECK_EQ(deflateEnd(strm), Z_OK);
    CHECK(len > count && nothing == NULL && strcmp(zlib_version, zlibVersion()) == 0);

    Byte window[1 << MAX_WBITS];
    const unsigned char *source = NULL;
    in_func in = feed;
    out_func out = drain;
    CHECK_EQ(inflateBackInit(strm, MAX_WBITS, window), Z_OK);
    strm->next_in = packed, strm->avail_in = (uInt)len;
    CHECK_EQ(inflateBack(strm, in, &source, out, back), Z_STREAM_END);
    CHECK_STR(back, "constant");
    CHECK_EQ(inflateBackEnd(strm), Z_OK);
    free(strm);

    const char *path = scratch("old.gz");
    gzFile file = gzopen64(path, "wb");
    CHECK(file != NULL && gzputs(file, "ab") == 2);
    CHECK_EQ(gztell64(file), 2);
    CHECK_EQ(gzclose(file), Z_OK);
    file = gzopen64(path, "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzseek64(file, (z_off64_t)1, SEEK_SET), 1);
    CHECK_EQ(gzgetc(file), 'b');
    CHECK(gzoffset64(file) > 0);
    CHECK_EQ(gzclose(file), Z_OK);
    unlink(path);
    return 0;
}
