/* A stream continues after fork in both processes, and in a grandchild, whatever was in flight. */
#include "check.h"

enum { LEN = 6 << 20 };
static Bytef *plain, *out, *packed, *back;
static size_t room;

static void finish_deflate(z_stream *strm, int window_bits)
{
    strm->next_in = plain + strm->total_in, strm->avail_in = (uInt)(LEN - strm->total_in);
    strm->avail_out = (uInt)(room - strm->total_out);
    CHECK_EQ(deflate(strm, Z_FINISH), Z_STREAM_END);
    check_unpacks(out, strm->total_out, window_bits, plain, LEN);
    CHECK_EQ(deflateEnd(strm), Z_OK);
}

static void finish_inflate(z_stream *strm)
{
    strm->avail_out = (uInt)(LEN - strm->total_out);
    CHECK_EQ(inflate(strm, Z_NO_FLUSH), Z_STREAM_END);
    CHECK(memcmp(back, plain, LEN) == 0);
    CHECK_EQ(inflateEnd(strm), Z_OK);
}

int main(void)
{
    begin();
    plain = prose(LEN, 221), room = compressBound(LEN), out = allocate(room), back = allocate(LEN);
    size_t packed_len;
    packed = pack(plain, LEN, 6, 31, &packed_len);
    for (int round = 0; round < 4; round++) {
        z_stream strm, reader;
        int window_bits = round % 2 ? 31 : -15;
        deflate_start(&strm, round < 2 ? 6 : 9, window_bits);
        strm.next_out = out, strm.avail_out = (uInt)room;
        for (int piece = 0; piece < 4; piece++) {
            strm.next_in = plain + strm.total_in, strm.avail_in = LEN / 6;
            CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
        }
        inflate_start(&reader, 31);
        reader.next_in = packed, reader.avail_in = (uInt)packed_len, reader.next_out = back, reader.avail_out = LEN / 2;
        CHECK_EQ(inflate(&reader, Z_NO_FLUSH), Z_OK);

        pid_t child = fork_for(120);
        if (child == 0) {
            pid_t grandchild = fork_for(120);
            finish_deflate(&strm, window_bits);
            finish_inflate(&reader);
            if (grandchild == 0)
                _exit(0);
            _exit(child_status(grandchild));
        }
        finish_deflate(&strm, window_bits);
        finish_inflate(&reader);
        CHECK_EQ(child_status(child), 0);
    }
    free(plain), free(out), free(packed), free(back);
    return 0;
}
