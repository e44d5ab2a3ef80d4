/* When the library's threads have no work, they end, and the process is single-threaded again, for the kernel too: it may leave its
 * user namespace, which a process with several threads cannot, and Python does not warn about its forks. The next large stream
 * starts threads again. */
/* alone: waits some seconds for threads to end, and needs an idle processor, without which nothing may be decoded ahead */
#include "check.h"
#include <sched.h>

enum { LEN = 6 << 20, FILE_LEN = 24 << 20, STEP = 1 << 20 };
static Bytef *plain;

/* The number of threads in /proc/self/stat, which CPython 3.12 reads in os.fork: if it is above 1, it warns. */
static long threads_now(void)
{
    static char line[2000];
    int fd = open("/proc/self/stat", O_RDONLY);
    ssize_t got = read(fd, line, sizeof line - 1);
    CHECK(fd >= 0 && got > 0);
    line[got] = 0;
    close(fd);
    const char *field = strrchr(line, ')');
    for (int i = 0; i < 18; i++) /* ')' ends field 2, and num_threads is field 20 (proc(5)) */
        field = field == NULL ? NULL : strchr(field + 1, ' ');
    CHECK(field != NULL);
    return atol(field + 1);
}

static void wait_for_threads_to_end(void)
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
    wait_for_threads_to_end(); /* although the stream has not ended */
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    check_unpacks(out, strm.total_out, 31, plain, LEN);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(out);
}

/* Threads that decode ahead end as well. Returns the largest number of threads seen while reading. */
static long read_much(const char *path, int *idle)
{
    long most = 0;
    Bytef *back = allocate(STEP);
    gzFile file = gzopen(path, "rb");
    CHECK(file != NULL);
    for (int done = 0; done < FILE_LEN; done += STEP) {
        CHECK_EQ(gzread(file, back, STEP), STEP);
        CHECK(memcmp(back, plain + done % LEN, STEP) == 0);
        long now = threads_now();
        most = now > most ? now : most;
        *idle += has_idle_processor();
        if (done == FILE_LEN / 2)
            wait_for_threads_to_end();
    }
    wait_for_threads_to_end();
    CHECK_EQ(gzclose(file), Z_OK);
    free(back);
    return most;
}

/* Reads the file again until threads were seen. */
static void read_ahead(const char *path)
{
    enum { ATTEMPTS = 20 };
    int idle = 0;
    wait_for_threads_to_end(); /* those that compressed the file */
    for (int attempt = 0; attempt < ATTEMPTS; attempt++)
        if (read_much(path, &idle) > 1 || !is_rigz())
            return;
    CHECK(idle < ATTEMPTS * (FILE_LEN / STEP) / 2);
    printf("note: a processor was rarely idle, so nothing was decoded ahead\n");
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
    int can_unshare = may_unshare(); /* before the library has started a thread */
    for (int round = 0; round < 2; round++)
        compress_much(); /* starts threads anew */
    gzFile file = gzopen(path, "wb1");
    CHECK(file != NULL);
    for (int done = 0; done < FILE_LEN; done += LEN)
        CHECK_EQ(gzwrite(file, plain, LEN), LEN);
    CHECK_EQ(gzclose(file), Z_OK);
    read_ahead(path);
    unlink(path);
    if (can_unshare)
        CHECK_EQ(unshare(CLONE_NEWUSER), 0);
    else
        printf("note: this process may not create a user namespace, so unshare was not tested\n");
    free(plain);
    return 0;
}
