/* Resource use is bounded: a process's threads, the memory of an idle stream, of one that is written to and never read, and of a
 * decompression bomb; descriptors and memory of many files. */
/* alone: counts the process's threads and memory */
#include "refusing.h"
#include <pthread.h>

enum { HOSTS = 8, WORKERS = 3, LEN = 1500 << 10, IDLE = 5000, FILES = 500 };
static Bytef *plain, *out;

static volatile int most_threads, running;
static void *host(void *unused)
{
    for (int round = 0; round < 2; round++) {
        size_t len;
        Bytef *packed = pack(plain, LEN, 1 + round, 31, &len);
        check_unpacks(packed, len, 31, plain, LEN);
        free(packed);
    }
    __atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
    return unused;
}

/* Eight threads that use the library for the first time at once share one pool. */
static void threads_are_few(void)
{
    pthread_t threads[HOSTS];
    running = HOSTS;
    for (int i = 0; i < HOSTS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, host, NULL), 0);
    while (running > 0) {
        int now = entries("/proc/self/task");
        most_threads = now > most_threads ? now : most_threads;
        usleep(500);
    }
    for (int i = 0; i < HOSTS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    for (int wait = 0; wait < 1000 && entries("/proc/self/task") > 1 + WORKERS; wait++)
        usleep(10000); /* a thread that was joined may still be seen for a moment */
    CHECK(entries("/proc/self/task") <= 1 + WORKERS);
    CHECK(most_threads <= 1 + HOSTS + WORKERS);
}

/* Streams that have begun and wait: zlib's memory for them is the limit. */
static void idle_streams(void)
{
    enum { DEFLATE_COST = 263 << 10, INFLATE_COST = 40 << 10, SHORT = 20000 };
    static z_stream writers[IDLE], readers[IDLE];
    size_t len;
    Bytef *packed = pack(plain, 40000, 6, 31, &len), *back = allocate(40000);
    for (int kind = 0; kind < 3; kind++) {
        long before = live_bytes;
        for (int i = 0; i < IDLE; i++) {
            deflate_start(&writers[i], 6, 31);
            writers[i].next_in = plain, writers[i].avail_in = kind == 0 ? 0 : kind == 1 ? 100 : 40000;
            writers[i].next_out = out, writers[i].avail_out = 100000;
            CHECK_EQ(deflate(&writers[i], kind == 0 ? Z_NO_FLUSH : Z_SYNC_FLUSH), Z_OK);
            if (i == 99) {
                long each = (live_bytes - before) / 100;
                if (is_rigz())
                    CHECK(each <= DEFLATE_COST);
            }
        }
        CHECK((live_bytes - before) / IDLE <= DEFLATE_COST);
        for (int i = 0; i < IDLE; i++)
            CHECK(deflateEnd(&writers[i]) != Z_STREAM_ERROR);
        CHECK(live_bytes - before <= (64 << 10) + (is_rigz() ? DEFLATE_COST : 0)); /* one encoder waits for the next stream */
    }
    for (int kind = 0; kind < 2; kind++) {
        uInt given = kind == 0 ? SHORT : 40000;
        long before = live_bytes;
        for (int i = 0; i < IDLE; i++) {
            inflate_start(&readers[i], 47);
            readers[i].next_in = packed, readers[i].avail_in = (uInt)len - 20, readers[i].next_out = back, readers[i].avail_out = given;
            CHECK_EQ(inflate(&readers[i], Z_NO_FLUSH), Z_OK);
        }
        CHECK((live_bytes - before) / IDLE <= INFLATE_COST);
        for (int i = 0; i < IDLE; i++)
            CHECK_EQ(inflateEnd(&readers[i]), Z_OK);
        CHECK(live_bytes - before <= 4096);
    }
    free(packed), free(back);
}

/* A host that writes and never reads: after a while the stream takes no more input, however often deflate is called. */
static void nobody_reads(void)
{
    enum { CHUNK = 512 << 10, JOBS = 2 * (WORKERS + 1) + 1 };
    z_stream strm;
    deflate_start(&strm, 1, 31);
    long before = live_bytes;
    most_bytes = live_bytes;
    strm.next_out = out, strm.avail_out = 20;
    for (int call = 0; call < 200; call++) {
        strm.next_in = plain, strm.avail_in = LEN;
        int status = deflate(&strm, Z_NO_FLUSH);
        CHECK(status == Z_OK || status == Z_BUF_ERROR);
        if (strm.avail_out == 0 && status == Z_BUF_ERROR)
            break;
    }
    CHECK(strm.total_in < 50 << 20);
    CHECK(most_bytes - before <= (long)(JOBS + 4) * 2 * (CHUNK + (64 << 10)) + (WORKERS + 1) * (1200L << 10));
    CHECK_EQ(deflateEnd(&strm), Z_DATA_ERROR);
}

/* A file of 60 million zeros, compressed a thousandfold: the memory to read it does not depend on its size. */
static void bomb(const char *path)
{
    gzFile file = gzopen(path, "wb9");
    Bytef *zeros = calloc(1, LEN);
    CHECK(file != NULL && zeros != NULL);
    for (int i = 0; i < 40; i++)
        CHECK_EQ(gzwrite(file, zeros, LEN), LEN);
    CHECK_EQ(gzclose(file), Z_OK);
    file = gzopen(path, "rb");
    CHECK(file != NULL);
    long before = live_bytes;
    most_bytes = live_bytes;
    char *part = (char *)out;
    for (size_t i = 0; i < 40; i++) {
        CHECK_EQ(gzread(file, part, LEN), LEN);
        CHECK(memcmp(part, zeros, LEN) == 0);
    }
    CHECK_EQ(gzread(file, part, LEN), 0);
    CHECK(most_bytes - before <= (is_rigz() ? WORKERS + 1 : 1) << 20); /* decoding ahead, on all threads */
    CHECK_EQ(gzclose(file), Z_OK);
    free(zeros);
}

static void many_files(void)
{
    static gzFile files[FILES];
    char path[FILES][600];
    Bytef *back = allocate(3000);
    for (int round = 0; round < 2; round++) {
        long before = live_bytes;
        int open_before = entries("/proc/self/fd"), tasks = entries("/proc/self/task");
        for (int i = 0; i < FILES; i++) {
            if (round == 0)
                snprintf(path[i], sizeof path[i], "%s-%d", scratch("many"), i);
            files[i] = gzopen(path[i], round ? "rb" : "wb");
            CHECK(files[i] != NULL);
            if (round == 0)
                CHECK_EQ(gzwrite(files[i], plain + i, 3000), 3000);
            else
                CHECK(gzread(files[i], back, 3000) == 3000 && memcmp(back, plain + i, 3000) == 0);
        }
        CHECK(entries("/proc/self/task") <= tasks); /* idle ones may end */
        CHECK((live_bytes - before) / FILES <= 400 << 10);
        for (int i = 0; i < FILES; i++)
            CHECK_EQ(gzclose(files[i]), Z_OK);
        CHECK_EQ(entries("/proc/self/fd"), open_before);
        CHECK(live_bytes - before <= 2 << 20); /* an idle engine or two */
    }
    for (int i = 0; i < FILES; i++)
        unlink(path[i]);
    free(back);
}

int main(void)
{
    begin();
    setenv("RIGZ_THREADS", "4", 1);
    plain = prose(LEN, 701), out = allocate(LEN);
    size_t len;
    free(pack(plain, 1000, 6, 31, &len)); /* one-time allocations are done */
    long before = live_bytes;
    idle_streams();
    const char *path = scratch("bomb.gz");
    threads_are_few();
    nobody_reads();
    bomb(path);
    many_files();
    unlink(path);
    CHECK(live_bytes - before <= 17 * (1200 << 10)); /* idle engines, sixteen at most */
    free(plain), free(out);
    return 0;
}
