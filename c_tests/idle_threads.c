/* A process that has nothing to compress is soon single-threaded again, for the kernel too: it may leave its user namespace,
 * which a process with threads may not, and Python does not warn about its forks. The next large stream starts threads again. */
/* alone: waits for threads to end */
#include "check.h"
#include <sched.h>

enum { LEN = 6 << 20, FILE_LEN = 24 << 20 };
static Bytef *plain;

/* The number that CPython 3.12 checks before it warns. */
static long threads_now(void)
{
    static char line[2000];
    int fd = open("/proc/self/stat", O_RDONLY);
    ssize_t got = read(fd, line, sizeof line - 1);
    CHECK(fd >= 0 && got > 0);
    line[got] = 0;
    close(fd);
    const char *field = strrchr(line, ')');
    for (int i = 0; i < 18; i++)
        field = field == NULL ? NULL : strchr(field + 1, ' ');
    CHECK(field != NULL);
    return atol(field + 1);
}

static void threads_end(void)
{
    for (int wait = 0; wait < 1000 && threads_now() > 1; wait++)
        usleep(10000);
    CHECK_EQ(threads_now(), 1);
    CHECK_EQ(entries("/proc/self/task"), 1);
}

static void compress_much(void)
{
    z_stream strm;
    Bytef *out = allocate(compressBound(LEN));
    deflate_start(&strm, 1, 31);
    strm.next_in = plain, strm.avail_in = LEN, strm.next_out = out, strm.avail_out = (uInt)compressBound(LEN);
    CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
    if (is_rigz())
        CHECK(threads_now() > 1);
    threads_end(); /* the stream has not ended, and its jobs are done */
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    check_unpacks(out, strm.total_out, 31, plain, LEN);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(out);
}

/* Threads that decode ahead end as well. */
static void read_much(const char *path)
{
    Bytef *back = allocate(1 << 20);
    gzFile file = gzopen(path, "rb");
    CHECK(file != NULL);
    for (int done = 0; done < FILE_LEN; done += 1 << 20) {
        CHECK_EQ(gzread(file, back, 1 << 20), 1 << 20);
        CHECK(memcmp(back, plain + done % LEN, 1 << 20) == 0);
        if (done == FILE_LEN / 2)
            threads_end();
    }
    threads_end();
    CHECK_EQ(gzclose(file), Z_OK);
    free(back);
}

static int may_unshare(void)
{
    pid_t child = fork_for(20);
    if (child == 0)
        _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 9);
    return child_status(child) == 0;
}

int main(void)
{
    begin();
    setenv("RIGZ_THREADS", "3", 1);
    plain = prose(LEN, 234);
    const char *path = scratch("idle.gz");
    int unshares = may_unshare();
    for (int round = 0; round < 2; round++)
        compress_much();
    gzFile file = gzopen(path, "wb1");
    CHECK(file != NULL);
    for (int done = 0; done < FILE_LEN; done += LEN)
        CHECK_EQ(gzwrite(file, plain, LEN), LEN);
    CHECK_EQ(gzclose(file), Z_OK);
    read_much(path);
    unlink(path);
    if (unshares)
        CHECK_EQ(unshare(CLONE_NEWUSER), 0);
    else
        printf("note: no user namespaces here\n");
    free(plain);
    return 0;
}
