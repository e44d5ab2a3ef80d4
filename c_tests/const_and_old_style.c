/* Source written for older versions of zlib's header compiles without warnings and works: ZLIB_CONST, the macros OF, FAR and
 * z_const, types such as charf and voidpc, zlib_version, and the gz functions with 64-bit offsets. */
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

struct input {
    z_const unsigned char FAR *next;
    unsigned len;
};

/* Returns all input in the first call. */
static unsigned feed(void FAR *desc, z_const unsigned char FAR *FAR *buf)
{
    struct input *input = desc;
    unsigned len = input->len;
    *buf = input->next;
    input->len = 0;
    return len;
}

static int drain(void FAR *desc, unsigned char FAR *buf, unsigned len)
{
    CHECK_EQ(len, sizeof "constant");
    memcpy(desc, buf, len);
    return 0;
}

int main(void)
{
    begin();
    static const Bytef text[] = "constant";
    voidpc plain = text;
    uIntf plain_len = sizeof text;
    Byte packed[100];
    uLongf packed_len;
    charf back[100];
    intf status;
    z_streamp strm = allocate(sizeof *strm);
    alloc_func alloc = own_alloc;
    free_func release = own_free;
    strm->zalloc = alloc, strm->zfree = release, strm->opaque = (voidpf)0;
    status = deflateInit2(strm, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY);
    CHECK_EQ(status, Z_OK);
    strm->next_in = plain, strm->avail_in = plain_len; /* no cast: next_in points to const bytes */
    strm->next_out = packed, strm->avail_out = sizeof packed;
    CHECK_EQ(deflate(strm, Z_FINISH), Z_STREAM_END);
    packed_len = strm->total_out;
    CHECK_EQ(deflateEnd(strm), Z_OK);
    CHECK_STR(zlib_version, zlibVersion());

    Byte window[1 << MAX_WBITS];
    struct input input = {packed, (uInt)packed_len};
    in_func in = feed;
    out_func out = drain;
    CHECK_EQ(inflateBackInit(strm, MAX_WBITS, window), Z_OK);
    strm->next_in = Z_NULL, strm->avail_in = 0;
    CHECK_EQ(inflateBack(strm, in, &input, out, back), Z_STREAM_END);
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
