/* A program's own allocator: any call may fail, everything is freed through it, and it is called only on the program's thread. */
#include "check.h"
#include <pthread.h>

static int calls, live, refuse_at;
static pthread_t owner;

static void *counted(void *opaque, uInt items, uInt size)
{
    CHECK(opaque == &calls);
    CHECK(pthread_equal(pthread_self(), owner));
    if (++calls == refuse_at)
        return NULL;
    live++;
    void *memory = malloc((size_t)items * size);
    CHECK(memory != NULL);
    return memset(memory, 0xa5, (size_t)items * size); /* zeros are not promised */
}

static void returned(void *opaque, void *address)
{
    CHECK(opaque == &calls && address != NULL);
    CHECK(pthread_equal(pthread_self(), owner));
    live--;
    free(address);
}

static void prepare(z_stream *strm)
{
    memset(strm, 0, sizeof *strm);
    strm->zalloc = counted, strm->zfree = returned, strm->opaque = &calls;
}

/* Runs `work` with the first, second, third ... allocation failing, until it makes fewer allocations than the limit. */
static void refuse_each(int (*work)(void))
{
    refuse_at = 0, calls = 0;
    CHECK_EQ(work(), Z_OK);
    CHECK_EQ(live, 0);
    int all = calls;
    CHECK(all > 0);
    for (refuse_at = 1; refuse_at <= all; refuse_at++) {
        calls = 0;
        CHECK_EQ(work(), Z_MEM_ERROR);
        CHECK_EQ(live, 0);
    }
    refuse_at = 0;
}

static Bytef *plain, *packed, *back;
static size_t packed_len;
enum { LEN = 3 << 20 };

static int deflate_and_copy(void)
{
    z_stream strm, copy;
    prepare(&strm);
    int status = deflateInit2(&strm, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    if (status != Z_OK) {
        CHECK(strm.state == NULL);
        return status;
    }
    strm.next_in = plain, strm.avail_in = 100000, strm.next_out = back, strm.avail_out = LEN;
    status = deflate(&strm, Z_NO_FLUSH);
    if (status == Z_OK) {
        status = deflateCopy(&copy, &strm);
        if (status == Z_OK)
            CHECK_EQ(deflateEnd(&copy), Z_DATA_ERROR);
    }
    int ended = deflateEnd(&strm);
    CHECK(ended == Z_DATA_ERROR || ended == Z_OK);
    return status;
}

static int inflate_and_copy(void)
{
    z_stream strm, copy;
    prepare(&strm);
    int status = inflateInit2(&strm, 47);
    if (status != Z_OK) {
        CHECK(strm.state == NULL);
        return status;
    }
    strm.next_in = packed, strm.avail_in = (uInt)packed_len, strm.next_out = back, strm.avail_out = 50000;
    status = inflate(&strm, Z_NO_FLUSH); /* the window may be asked for now */
    if (status == Z_OK) {
        status = inflateCopy(&copy, &strm);
        if (status == Z_OK)
            CHECK_EQ(inflateEnd(&copy), Z_OK);
    }
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    return status;
}

static int back_init(void)
{
    static Bytef window[32768];
    z_stream strm;
    prepare(&strm);
    int status = inflateBackInit(&strm, 15, window);
    if (status == Z_OK)
        CHECK_EQ(inflateBackEnd(&strm), Z_OK);
    return status;
}

/* Much data through one stream: nothing leaks, and no other thread calls the allocator. */
static void bulk(void)
{
    z_stream strm;
    prepare(&strm);
    CHECK_EQ(deflateInit(&strm, 6), Z_OK);
    Bytef *out = allocate(compressBound(LEN));
    for (int round = 0; round < 2; round++) {
        strm.next_in = plain, strm.avail_in = LEN, strm.next_out = out, strm.avail_out = (uInt)compressBound(LEN);
        CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
        check_unpacks(out, strm.total_out, 15, plain, LEN);
        CHECK_EQ(deflateReset(&strm), Z_OK);
    }
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    CHECK_EQ(live, 0);
    free(out);
}

int main(void)
{
    begin();
    owner = pthread_self();
    plain = prose(LEN, 81), back = allocate(LEN);
    packed = pack(plain, 200000, 6, 31, &packed_len);
    refuse_each(deflate_and_copy);
    refuse_each(inflate_and_copy);
    refuse_each(back_init);
    bulk();
    free(plain), free(packed), free(back);
    return 0;
}
