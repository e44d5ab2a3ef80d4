/* Callbacks of the program, called by our functions, may not return: longjmp out of zalloc and out of inflateBack's two
 * callbacks; a thread that is cancelled while gzwrite waits. The process and the library go on. */
#include "check.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

enum { LEN = 2 << 20 };
static Bytef *plain;
static jmp_buf away;
static int calls, leave_at;

static void *leaving(void *opaque, uInt items, uInt size)
{
    (void)opaque;
    if (++calls == leave_at)
        longjmp(away, 1);
    return malloc((size_t)items * size);
}

static void give_back(void *opaque, void *memory)
{
    (void)opaque;
    free(memory);
}

static void all_is_well(void)
{
    size_t len;
    Bytef *packed = pack(plain, LEN, 1, 31, &len);
    check_unpacks(packed, len, 31, plain, LEN);
    free(packed);
}

static z_stream strm; /* what setjmp's caller changes must not lie in registers */
static Bytef *out;

static void out_of_zalloc(void)
{
    static volatile int left;
    left = 1;
    for (leave_at = 1; left; leave_at++) {
        left = 0, calls = 0;
        memset(&strm, 0, sizeof strm);
        strm.zalloc = leaving, strm.zfree = give_back;
        if (setjmp(away) == 0) {
            CHECK_EQ(deflateInit(&strm, 6), Z_OK);
            strm.next_in = plain, strm.avail_in = LEN, strm.next_out = out, strm.avail_out = (uInt)compressBound(LEN);
            CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
            check_unpacks(out, strm.total_out, 15, plain, LEN);
            CHECK_EQ(deflateEnd(&strm), Z_OK);
        } else
            left = 1; /* the stream is abandoned, as after an error in a scripting language */
        all_is_well();
    }
    CHECK(leave_at > 2);
}

static int where, turn;
static unsigned input(void *packed, unsigned char **next)
{
    if (where == 0)
        longjmp(away, 1);
    *next = packed;
    return 1000;
}

static int output(void *unused, unsigned char *bytes, unsigned len)
{
    (void)unused, (void)bytes, (void)len;
    if (where == 1)
        longjmp(away, 1);
    return 0;
}

static void out_of_inflate_back(void)
{
    static Bytef window[32768];
    size_t len;
    Bytef *packed = pack(plain, LEN, 6, -15, &len);
    for (where = 0; where < 2; where++) {
        memset(&strm, 0, sizeof strm);
        CHECK_EQ(inflateBackInit(&strm, 15, window), Z_OK);
        for (turn = 0; turn < 2; turn++) {
            strm.next_in = where ? packed : NULL, strm.avail_in = where ? (uInt)len : 0;
            if (setjmp(away) == 0) {
                inflateBack(&strm, input, packed, output, NULL);
                CHECK(0);
            }
        }
        int before = where;
        where = 2; /* and now to the end */
        strm.next_in = packed, strm.avail_in = (uInt)len;
        CHECK_EQ(inflateBack(&strm, input, packed, output, NULL), Z_STREAM_END);
        CHECK_EQ(inflateBackEnd(&strm), Z_OK);
        where = before;
    }
    free(packed);
}

static int ends[2];
static gzFile file;
static int has_begun;
static void *write_for_ever(void *unused)
{
    __atomic_store_n(&has_begun, 1, __ATOMIC_SEQ_CST);
    while (gzwrite(file, plain, LEN) == LEN)
        ;
    pthread_testcancel();
    return unused;
}

static void cancelled(void)
{
    for (int round = 0; round < 3; round++) {
        pthread_t thread;
        void *result;
        char mode[] = "wb1";
        mode[2] = (char)('0' + round * 4 + (round == 0));
        CHECK_EQ(pipe(ends), 0);
        file = gzdopen(ends[1], mode);
        CHECK(file != NULL);
        __atomic_store_n(&has_begun, 0, __ATOMIC_SEQ_CST);
        CHECK_EQ(pthread_create(&thread, NULL, write_for_ever, NULL), 0);
        while (!__atomic_load_n(&has_begun, __ATOMIC_SEQ_CST))
            usleep(1000);
        usleep(20000u * (unsigned)round); /* at once, soon, and when the pipe is long full */
        CHECK_EQ(pthread_cancel(thread), 0);
        usleep(20000);
        close(ends[0]); /* rigz ends the call first, which a closed pipe lets it do */
        CHECK_EQ(pthread_join(thread, &result), 0);
        CHECK(result == PTHREAD_CANCELED);
        all_is_well();
        close(ends[1]); /* the file itself is lost, with zlib too */
    }
}

/* A call-back that waits for input, which is where a thread is cancelled. */
static unsigned wait_for_input(void *unused, unsigned char **next)
{
    (void)unused, (void)next;
    __atomic_store_n(&has_begun, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 20; i++)
        usleep(10000);
    return 0;
}

static void *unpack_for_ever(void *unused)
{
    static Bytef window[32768];
    z_stream back;
    memset(&back, 0, sizeof back);
    CHECK_EQ(inflateBackInit(&back, 15, window), Z_OK);
    for (;;) {
        inflateBack(&back, wait_for_input, NULL, output, NULL);
        pthread_testcancel();
    }
    return unused;
}

static void cancelled_in_inflate_back(void)
{
    pthread_t thread;
    void *result;
    __atomic_store_n(&has_begun, 0, __ATOMIC_SEQ_CST);
    CHECK_EQ(pthread_create(&thread, NULL, unpack_for_ever, NULL), 0);
    while (!__atomic_load_n(&has_begun, __ATOMIC_SEQ_CST))
        usleep(1000);
    CHECK_EQ(pthread_cancel(thread), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
    all_is_well();
}

int main(void)
{
    begin();
    plain = prose(LEN, 711), out = allocate(compressBound(LEN));
    out_of_zalloc();
    out_of_inflate_back();
    signal(SIGPIPE, SIG_IGN);
    cancelled();
    cancelled_in_inflate_back();
    free(plain), free(out);
    return 0;
}
