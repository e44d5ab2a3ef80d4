/* The gzip header's fields survive a round trip, written and read whole, in pieces of several sizes, and byte by byte. Fields that
 * are longer than the reader's buffers are cut, a wrong header CRC is an error, and the default header is zlib's. The program's
 * struct is not used any more once the header is written or read. */
#include "check.h"
#include <sys/mman.h>

static Bytef out[5000], plain[] = "the bytes after the header";

/* Compresses `plain` to `out` with this header, with room for `step` bytes per call. Returns the length. */
static size_t write_with(gz_header *header, uInt step)
{
    z_stream strm;
    deflate_start(&strm, 6, 31);
    CHECK_EQ(deflateSetHeader(&strm, header), Z_OK);
    uLong bound = deflateBound(&strm, sizeof plain);
    strm.next_in = plain, strm.avail_in = sizeof plain, strm.next_out = out;
    int status;
    do {
        strm.avail_out = step;
        status = deflate(&strm, Z_FINISH);
        CHECK(status == Z_OK || status == Z_STREAM_END);
    } while (status != Z_STREAM_END);
    CHECK(strm.total_out <= bound); /* the bound includes the header */
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    return strm.total_out;
}

/* Decompresses `out`, at most `step` bytes per call. The header's fields go to `found`. */
static void read_back(size_t len, uInt step, gz_header *found, int window_bits)
{
    z_stream strm;
    Bytef back[sizeof plain];
    inflate_start(&strm, window_bits);
    CHECK_EQ(inflateGetHeader(&strm, found), Z_OK);
    CHECK_EQ(found->done, 0);
    strm.next_in = out, strm.next_out = back, strm.avail_out = sizeof back;
    int status = Z_OK;
    while (status != Z_STREAM_END) {
        CHECK(strm.total_in < len);
        strm.avail_in = step < len - strm.total_in ? step : (uInt)(len - strm.total_in);
        status = inflate(&strm, Z_NO_FLUSH);
        CHECK(status == Z_OK || status == Z_STREAM_END); /* each call has input, so there is progress */
    }
    CHECK_EQ(strm.total_in, len);
    CHECK_EQ(strm.total_out, sizeof plain);
    CHECK_EQ(found->done, 1);
    CHECK(memcmp(back, plain, sizeof plain) == 0);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
}

enum { PAGE = 1 << 16 };

/* A header with a name, in memory of its own. */
static gz_header *mapped_header(void)
{
    gz_header *header = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(header != MAP_FAILED);
    header->name = (Bytef *)(header + 1), header->name_max = 100;
    header->comment = header->name + 100, header->comm_max = 100;
    header->extra = header->comment + 100, header->extra_len = header->extra_max = 100;
    memcpy(header->name, "name", 5);
    return header;
}

/* Unmaps the program's header when it is written; every function still works. */
static void header_is_gone_after_it_is_written(int level, int has_input)
{
    z_stream strm, copy;
    unsigned pending;
    int bits;
    gz_header *header = mapped_header();
    deflate_start(&strm, level, 31);
    CHECK_EQ(deflateSetHeader(&strm, header), Z_OK);
    strm.next_in = plain, strm.avail_in = has_input ? 10 : 0, strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, has_input ? Z_NO_FLUSH : Z_SYNC_FLUSH), Z_OK);
    CHECK_EQ(munmap(header, PAGE), 0);

    CHECK_EQ(deflatePending(&strm, &pending, &bits), Z_OK);
    strm.avail_in = 2;
    CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
    CHECK_EQ(deflateParams(&strm, 9, Z_FILTERED), Z_OK);
    CHECK_EQ(deflateTune(&strm, 8, 8, 8, 8), Z_OK);
    CHECK_EQ(deflateCopy(&copy, &strm), Z_OK);
    CHECK_EQ(deflatePending(&copy, &pending, &bits), Z_OK);
    copy.avail_in = strm.avail_in = (uInt)(sizeof plain - strm.total_in);
    Bytef copied[500];
    copy.next_out = copied, copy.avail_out = sizeof copied;
    CHECK_EQ(deflate(&copy, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(deflatePending(&strm, &pending, &bits), Z_OK);
    check_unpacks(out, strm.total_out, 31, plain, sizeof plain);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    CHECK_EQ(deflateEnd(&copy), Z_OK);
}

/* The same for inflateGetHeader. */
static void header_is_gone_after_it_is_read(size_t len)
{
    z_stream strm, copy;
    Bytef back[sizeof plain];
    gz_header *header = mapped_header();
    inflate_start(&strm, 31);
    CHECK_EQ(inflateGetHeader(&strm, header), Z_OK);
    strm.next_in = out, strm.next_out = back, strm.avail_out = sizeof back;
    while (!header->done) {
        strm.avail_in = 1;
        CHECK_EQ(inflate(&strm, Z_BLOCK), Z_OK);
    }
    CHECK_STR((char *)header->name, "name.txt");
    CHECK_EQ(munmap(header, PAGE), 0);
    CHECK_EQ(inflateCopy(&copy, &strm), Z_OK);
    strm.avail_in = (uInt)(len - strm.total_in);
    CHECK_EQ(inflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK(memcmp(back, plain, sizeof plain) == 0);
    CHECK_EQ(inflateReset(&strm), Z_OK); /* another stream does not use the header either */
    strm.next_in = out, strm.avail_in = (uInt)len, strm.next_out = back, strm.avail_out = sizeof back;
    CHECK_EQ(inflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    CHECK_EQ(inflateEnd(&copy), Z_OK);
}

int main(void)
{
    begin();
    gz_header given, found;
    Bytef extra[700], extra_found[700], name_found[100], comment_found[100];
    for (size_t i = 0; i < sizeof extra; i++)
        extra[i] = (Bytef)(i * 7);
    memset(&given, 0, sizeof given);
    given.text = 1, given.time = 0x12345678, given.os = 7, given.hcrc = 1;
    given.extra = extra, given.extra_len = sizeof extra;
    given.name = (Bytef *)"name.txt", given.comment = (Bytef *)"a comment";

    for (uInt step = 1; step < 2000; step = step * 3 + 1) {
        size_t len = write_with(&given, step);
        CHECK_EQ(out[3], 1 | 2 | 4 | 8 | 16); /* all flags: text, header CRC, extra field, name, comment */
        memset(&found, 0, sizeof found);
        found.extra = extra_found, found.extra_max = sizeof extra_found;
        found.name = name_found, found.name_max = sizeof name_found;
        found.comment = comment_found, found.comm_max = sizeof comment_found;
        read_back(len, step, &found, step % 2 ? 31 : 47); /* 47 also accepts zlib streams */
        CHECK_EQ(found.text, 1);
        CHECK_EQ(found.time, 0x12345678);
        CHECK_EQ(found.os, 7);
        CHECK_EQ(found.hcrc, 1);
        CHECK_EQ(found.extra_len, sizeof extra);
        CHECK(memcmp(extra_found, extra, sizeof extra) == 0);
        CHECK_STR((char *)name_found, "name.txt");
        CHECK_STR((char *)comment_found, "a comment");

        /* Small buffers: fields are cut, and nothing is written past the end. */
        memset(&found, 0, sizeof found);
        memset(extra_found, 0xee, sizeof extra_found), memset(name_found, 0xee, sizeof name_found);
        memset(comment_found, 0xee, sizeof comment_found);
        found.extra = extra_found, found.extra_max = 5, found.name = name_found, found.name_max = 4;
        found.comment = comment_found, found.comm_max = 1;
        read_back(len, step, &found, 31);
        CHECK(memcmp(extra_found, extra, 5) == 0 && extra_found[5] == 0xee);
        CHECK(memcmp(name_found, "name", 4) == 0 && name_found[4] == 0xee);
        CHECK(comment_found[0] == 'a' && comment_found[1] == 0xee);
        CHECK_EQ(found.extra_len, sizeof extra);
    }

    for (int level = 0; level <= 9; level++)
        for (int has_input = 0; has_input < 2; has_input++)
            header_is_gone_after_it_is_written(level, has_input);
    size_t len = write_with(&given, 2000);
    header_is_gone_after_it_is_read(len);

    /* A changed bit of the extra field, in a header with a CRC, is an error. */
    z_stream strm;
    out[20] ^= 1;
    inflate_start(&strm, 31);
    strm.next_in = out, strm.avail_in = (uInt)len, strm.next_out = name_found, strm.avail_out = sizeof name_found;
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_DATA_ERROR);
    CHECK_STR(strm.msg, "header crc mismatch");
    CHECK_EQ(inflateEnd(&strm), Z_OK);

    /* The header without deflateSetHeader: ten bytes, no flags, no time, system 3 (Unix). XFL is 2 at level 9 and 4 at level 1. */
    Bytef *packed;
    static const struct {
        int level, xfl;
    } flags[] = {{9, 2}, {1, 4}, {6, 0}};
    for (int i = 0; i < 3; i++) {
        packed = pack(plain, sizeof plain, flags[i].level, 31, &len);
        Bytef want[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, (Bytef)flags[i].xfl, 3};
        CHECK(memcmp(packed, want, 10) == 0);
        free(packed);
    }

    /* When inflate detects a zlib stream, `done` becomes -1. A stream opened for zlib's format only rejects gz_header. */
    packed = pack(plain, sizeof plain, 6, 15, &len);
    memset(&found, 0, sizeof found);
    inflate_start(&strm, 47);
    CHECK_EQ(inflateGetHeader(&strm, &found), Z_OK);
    strm.next_in = packed, strm.avail_in = (uInt)len, strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_STREAM_END);
    CHECK_EQ(found.done, -1);
    CHECK_EQ(inflateReset2(&strm, 15), Z_OK);
    CHECK_EQ(inflateGetHeader(&strm, &found), Z_STREAM_ERROR);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    deflate_start(&strm, 6, 15);
    CHECK_EQ(deflateSetHeader(&strm, &given), Z_STREAM_ERROR);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(packed);
    return 0;
}
