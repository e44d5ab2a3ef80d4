/* data_type: zip writers read text or binary from it, random-access readers the bit position at block ends. */
#include "check.h"

static int type_of(const Bytef *bytes, uInt len, int level)
{
    z_stream strm;
    Bytef out[300];
    deflate_start(&strm, level, 15);
    CHECK_EQ(strm.data_type, Z_UNKNOWN);
    strm.next_in = (Bytef *)bytes, strm.avail_in = len, strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    int type = strm.data_type;
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    return type;
}

/* A control character in the first block makes the data binary, however small the window is and however the input is cut. */
static void first_bytes_in_pieces(int level, int window_bits, int mem_level, uInt piece)
{
    enum { LEN = 9000 };
    Bytef *text = prose(LEN, 132), *out = allocate(2 * LEN);
    for (int control = 0; control < 2; control++) {
        text[3] = control ? 1 : ' ';
        z_stream strm = {0};
        CHECK_EQ(deflateInit2(&strm, level, Z_DEFLATED, window_bits, mem_level, Z_DEFAULT_STRATEGY), Z_OK);
        strm.next_in = text, strm.next_out = out, strm.avail_out = 2 * LEN;
        while (strm.total_in < LEN) {
            strm.avail_in = piece < LEN - strm.total_in ? piece : (uInt)(LEN - strm.total_in);
            CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
        }
        CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
        CHECK_EQ(strm.data_type, control ? Z_BINARY : Z_TEXT);
        CHECK_EQ(deflateEnd(&strm), Z_OK);
    }
    free(text), free(out);
}

int main(void)
{
    begin();
    static const Bytef binary[] = {1, 2, 3, 'a', 'b', 0, 200, 'a', 'b', 0, 200};
    for (int level = 1; level <= 9; level++) {
        CHECK_EQ(type_of((const Bytef *)"plain words, plain words\n", 25, level), Z_TEXT);
        CHECK_EQ(type_of(binary, sizeof binary, level), Z_BINARY);
        for (int bits = 9; bits <= 15; bits++)
            for (int mem_level = 1; mem_level <= 9; mem_level++)
                for (uInt piece = 1; piece <= 9000; piece = piece * 20 - 1)
                    first_bytes_in_pieces(level, bits, mem_level, piece);
    }

    /* Walk over the blocks of a stream; at each block end data_type has the number of unused bits in the last byte. */
    enum { LEN = 400000 };
    Bytef *plain = prose(LEN, 131), *back = allocate(LEN);
    size_t len;
    Bytef *packed = pack(plain, LEN, 6, -15, &len);
    z_stream strm;
    inflate_start(&strm, -15);
    strm.next_in = packed, strm.avail_in = (uInt)len, strm.next_out = back, strm.avail_out = LEN;
    int blocks = 0, headers = 0, calls = 0, status;
    do {
        /* A block of a few bits may end within a byte already consumed: no byte read, none written, Z_BUF_ERROR. */
        status = inflate(&strm, Z_TREES);
        CHECK(status == Z_OK || status == Z_STREAM_END || (status == Z_BUF_ERROR && ++calls < 100));
        if (strm.data_type & 256)
            headers++;
        else if (strm.data_type & 128)
            blocks++;
    } while (status != Z_STREAM_END);
    CHECK(strm.data_type & 64);
    CHECK_EQ(strm.total_out, LEN);
    CHECK(headers > 1 && blocks >= headers);

    CHECK_EQ(inflateReset(&strm), Z_OK);
    strm.next_in = packed, strm.avail_in = (uInt)len, strm.next_out = back, strm.avail_out = LEN;
    int ends = 0;
    Bytef *rest = allocate(LEN);
    do {
        status = inflate(&strm, Z_BLOCK);
        CHECK(status == Z_OK || status == Z_STREAM_END || (status == Z_BUF_ERROR && ++calls < 200));
        int bits = strm.data_type & 7;
        if (status == Z_OK && (strm.data_type & 128) && !(strm.data_type & 64) && strm.total_out >= 32768 && ends++ < 5) {
            /* From here another reader starts: the bits, the window, the rest of the input. */
            z_stream other;
            inflate_start(&other, -15);
            if (bits)
                CHECK_EQ(inflatePrime(&other, bits, strm.next_in[-1] >> (8 - bits)), Z_OK);
            CHECK_EQ(inflateSetDictionary(&other, back + strm.total_out - 32768, 32768), Z_OK);
            other.next_in = strm.next_in, other.avail_in = strm.avail_in;
            other.next_out = rest, other.avail_out = LEN;
            CHECK_EQ(inflate(&other, Z_FINISH), Z_STREAM_END);
            CHECK_EQ(other.total_out, LEN - strm.total_out);
            CHECK(memcmp(rest, plain + strm.total_out, other.total_out) == 0);
            CHECK_EQ(inflateEnd(&other), Z_OK);
        }
    } while (status != Z_STREAM_END);
    CHECK(ends > 0);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    free(plain), free(back), free(packed), free(rest);
    return 0;
}
