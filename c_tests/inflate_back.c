/* inflateBack: callbacks with any cuts, callbacks that fail, and callbacks that reach the end of the input. */
#include "check.h"

struct source {
    z_const Bytef *next;
    size_t left, step;
};
struct sink {
    Bytef *next;
    size_t taken, limit;
};

static unsigned feed(void *desc, z_const unsigned char **buf)
{
    struct source *from = desc;
    size_t len = from->left < from->step ? from->left : from->step;
    *buf = from->next;
    from->next += len, from->left -= len;
    return (unsigned)len;
}

static int drain(void *desc, unsigned char *buf, unsigned len)
{
    struct sink *to = desc;
    if (to->taken + len > to->limit)
        return 1;
    memcpy(to->next + to->taken, buf, len);
    to->taken += len;
    return 0;
}

int main(void)
{
    begin();
    enum { LEN = 200000 };
    static Bytef window[32768], back[LEN];
    Bytef *plain = prose(LEN, 71);
    z_stream strm;
    memset(&strm, 0, sizeof strm);
    CHECK_EQ(inflateBackInit(&strm, 16, window), Z_STREAM_ERROR);
    CHECK_EQ(inflateBackInit(&strm, 7, window), Z_STREAM_ERROR);
    CHECK_EQ(inflateBackInit(&strm, 15, window), Z_OK);

    for (int level = 0; level <= 9; level += 3) {
        size_t len;
        Bytef *packed = pack(plain, LEN, level, -15, &len);
        packed = realloc(packed, len + 5);
        CHECK(packed != NULL);
        memset(packed + len, 0x77, 5);
        for (size_t step = 1; step < LEN * 2; step = step * 6 + 1) {
            struct source from = {packed, len + 5, step};
            struct sink to = {back, 0, LEN};
            strm.next_in = Z_NULL, strm.avail_in = 0;
            CHECK_EQ(inflateBack(&strm, feed, &from, drain, &to), Z_STREAM_END);
            CHECK_EQ(to.taken, LEN);
            CHECK(memcmp(back, plain, LEN) == 0);
            CHECK_EQ(from.left + strm.avail_in, 5); /* the rest of the input is given back */
            CHECK(strm.next_in == packed + len || strm.avail_in == 0);
        }
        /* First the input at next_in, then the callback. */
        struct source rest = {packed + 100, len - 100, 5000};
        struct sink to = {back, 0, LEN};
        strm.next_in = packed, strm.avail_in = 100;
        CHECK_EQ(inflateBack(&strm, feed, &rest, drain, &to), Z_STREAM_END);
        CHECK_EQ(to.taken, LEN);

        struct source cut = {packed, len / 2, 1000};
        to.taken = 0;
        strm.next_in = Z_NULL, strm.avail_in = 0;
        CHECK_EQ(inflateBack(&strm, feed, &cut, drain, &to), Z_BUF_ERROR);
        CHECK(strm.next_in == Z_NULL); /* the input ended */

        struct source all = {packed, len, len};
        struct sink full = {back, 0, LEN / 2};
        strm.next_in = Z_NULL, strm.avail_in = 0;
        CHECK_EQ(inflateBack(&strm, feed, &all, drain, &full), Z_BUF_ERROR);
        CHECK(strm.next_in != Z_NULL); /* the output callback failed */
        free(packed);
    }
    static Bytef wrong[] = {0xff, 0xff, 0xff};
    struct source bad = {wrong, 3, 3};
    struct sink to = {back, 0, LEN};
    strm.next_in = Z_NULL, strm.avail_in = 0;
    CHECK_EQ(inflateBack(&strm, feed, &bad, drain, &to), Z_DATA_ERROR);
    CHECK_STR(strm.msg, "invalid block type");
    CHECK_EQ(inflateBackEnd(&strm), Z_OK);
    CHECK(strm.state == Z_NULL);
    free(plain);
    return 0;
}
