/* Large gzip files, which rigz decodes ahead on other threads, are read correctly in any situation: fork in the middle, closing
 * early, many files at once, seeking, a pipe or a socket, a descriptor positioned in the middle of a file, no permission to create
 * threads. */
#include "check.h"
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { LEN = 24 << 20, PIECE = 100000 };
static Bytef *plain, *back;
static const char *path;

/* Reads the rest of the file, which begins at the offset `at`, and compares it. */
static void read_rest(gzFile file, size_t at)
{
    while (at < LEN) {
        int got = gzread(file, back, PIECE);
        CHECK(got > 0 && memcmp(back, plain + at, (size_t)got) == 0);
        at += (size_t)got;
    }
    CHECK_EQ(gzread(file, back, PIECE), 0);
    CHECK(gzeof(file));
}

/* Reads from the offset `at` to `end`, and compares. */
static void read_to(gzFile file, size_t at, size_t end)
{
    while (at < end) {
        unsigned wanted = end - at < PIECE ? (unsigned)(end - at) : PIECE;
        CHECK_EQ(gzread(file, back, wanted), wanted);
        CHECK(memcmp(back, plain + at, wanted) == 0);
        at += wanted;
    }
}

static gzFile opened(void)
{
    gzFile file = gzopen(path, "rb");
    CHECK(file != NULL);
    return file;
}

/* Reads the file until the library's threads are seen. Another thread may still run from earlier work: that one ends first. */
static void threads_decode_ahead(int threads_before)
{
    enum { ATTEMPTS = 20, STEP = 1 << 20 };
    int idle = 0;
    for (int wait = 0; wait < 1000 && entries("/proc/self/task") > threads_before; wait++)
        usleep(10000);
    CHECK_EQ(entries("/proc/self/task"), threads_before);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int seen = 0;
        gzFile file = opened();
        for (size_t at = 0; at < LEN; at += STEP) {
            read_to(file, at, at + STEP);
            seen |= entries("/proc/self/task") > threads_before;
            idle += has_idle_processor();
        }
        CHECK_EQ(gzclose(file), Z_OK);
        if (seen)
            return;
        usleep(100000);
    }
    CHECK(idle < ATTEMPTS * (LEN / STEP) / 2);
    printf("note: a processor was rarely idle, so nothing was decoded ahead\n");
}

static void *no_work(void *unused)
{
    return unused;
}

/* In a child that must not create threads; not for root, which no limit of processes applies to. */
static void read_without_threads(int threads_before)
{
    struct rlimit none = {1, 1};
    pthread_t thread;
    CHECK_EQ(setrlimit(RLIMIT_NPROC, &none), 0);
    gzFile file = opened();
    if (geteuid() == 0)
        CHECK(setgid(65534) == 0 && setuid(65534) == 0);
    CHECK_EQ(pthread_create(&thread, NULL, no_work, NULL), EAGAIN);
    read_rest(file, 0);
    CHECK(entries("/proc/self/task") <= threads_before);
    CHECK_EQ(gzclose(file), Z_OK);
}

/* The child has only the thread that forked, and reads the rest. Both processes share the file's position, so the parent waits for
 * the child's end and then rewinds. */
static void fork_in_the_middle(void)
{
    for (size_t at = 3 << 20; at < LEN; at += 5 << 20) {
        gzFile file = opened();
        read_to(file, 0, at);
        pid_t child = fork_for(200);
        if (child == 0) {
            read_rest(file, at);
            CHECK_EQ(gzclose(file), Z_OK);
            _exit(0);
        }
        CHECK_EQ(child_status(child), 0);
        CHECK_EQ(gzrewind(file), 0);
        read_rest(file, 0);
        CHECK_EQ(gzclose(file), Z_OK);
    }
}

static void close_early(void)
{
    for (size_t at = 1 << 20; at < 8 << 20; at += 600000) {
        gzFile file = opened();
        read_to(file, 0, at);
        CHECK_EQ(gzclose(file), Z_OK);
    }
}

static void go_back_and_forth(void)
{
    gzFile file = opened();
    read_to(file, 0, 6 << 20);
    CHECK_EQ(gzseek(file, 2 << 20, SEEK_SET), 2 << 20);
    read_to(file, 2 << 20, 9 << 20);
    CHECK_EQ(gzseek(file, 4 << 20, SEEK_CUR), 13 << 20);
    read_to(file, 13 << 20, 14 << 20);
    CHECK_EQ(gzrewind(file), 0);
    read_rest(file, 0);
    CHECK_EQ(gzclose(file), Z_OK);
}

static void many_at_once(void)
{
    enum { FILES = 60 };
    gzFile files[FILES];
    for (int i = 0; i < FILES; i++)
        files[i] = opened();
    for (size_t at = 0; at < 4 << 20; at += 1 << 20)
        for (int i = 0; i < FILES; i++)
            read_to(files[i], at, at + (1 << 20));
    for (int i = 0; i < FILES; i++)
        CHECK_EQ(gzclose(files[i]), Z_OK);
}

/* gzoffset is about the compressed length of the delivered data, however much is decoded ahead, and never decreases. */
static void offset_follows(void)
{
    gzFile file = opened();
    z_off_t last = 0, end;
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && (end = lseek(fd, 0, SEEK_END)) > 0);
    for (size_t at = 0; at < LEN; at += 1 << 20) {
        read_to(file, at, at + (1 << 20));
        z_off_t offset = gzoffset(file), about = (z_off_t)((double)end * (double)(at + (1 << 20)) / LEN);
        CHECK(offset >= last && offset <= end);
        CHECK(offset > about - (1 << 20) && offset < about + (1 << 20));
        last = offset;
    }
    close(fd);
    CHECK_EQ(gzclose(file), Z_OK);
}

/* The gzip data begin after ten bytes of another format, which the program has read itself. */
static void from_the_middle(const Bytef *packed, size_t len)
{
    const char *embedded = scratch("embedded.gz");
    FILE *made = fopen(embedded, "wb");
    CHECK(made != NULL && fwrite("0123456789", 1, 10, made) == 10 && fwrite(packed, 1, len, made) == len && fclose(made) == 0);
    int fd = open(embedded, O_RDONLY);
    CHECK(fd >= 0 && lseek(fd, 10, SEEK_SET) == 10);
    gzFile file = gzdopen(fd, "rb");
    CHECK(file != NULL);
    read_rest(file, 0);
    CHECK_EQ(gzrewind(file), 0);
    read_to(file, 0, 5 << 20);
    CHECK_EQ(gzclose(file), Z_OK);
    unlink(embedded);
}

struct sent {
    int fd;
    const Bytef *bytes;
    size_t len;
};

static void *send_all(void *arg)
{
    struct sent *sent = arg;
    for (size_t at = 0; at < sent->len;) {
        ssize_t count = write(sent->fd, sent->bytes + at, sent->len - at);
        CHECK(count > 0);
        at += (size_t)count;
    }
    CHECK_EQ(close(sent->fd), 0);
    return NULL;
}

static void pipes_and_sockets(const Bytef *packed, size_t len)
{
    for (int is_socket = 0; is_socket < 2; is_socket++) {
        int ends[2];
        CHECK_EQ(is_socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends), 0);
        struct sent sent = {ends[1], packed, len};
        pthread_t writer;
        CHECK_EQ(pthread_create(&writer, NULL, send_all, &sent), 0);
        gzFile file = gzdopen(ends[0], "rb");
        CHECK(file != NULL);
        read_rest(file, 0);
        CHECK_EQ(gzclose(file), Z_OK);
        CHECK_EQ(pthread_join(writer, NULL), 0);
    }
}

/* The number of threads without the library's: 1, or more with a tool that creates its own with the first thread. */
static int usual_threads(void)
{
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, no_work, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    for (int wait = 0; wait < 100 && entries("/proc/self/task") > 1; wait++)
        usleep(1000);
    return entries("/proc/self/task");
}

int main(void)
{
    begin();
    size_t len;
    int threads_before = usual_threads();
    plain = prose(LEN, 77), back = allocate(PIECE), path = scratch("large.gz");
    Bytef *packed = pack(plain, LEN, 6, 31, &len);
    int uses_threads = entries("/proc/self/task") > threads_before; /* not with only one processor */
    FILE *made = fopen(path, "wb");
    CHECK(made != NULL && fwrite(packed, 1, len, made) == len && fclose(made) == 0);

    pid_t child = fork_for(100);
    if (child == 0) {
        read_without_threads(threads_before);
        _exit(0);
    }
    CHECK_EQ(child_status(child), 0);
    if (uses_threads)
        threads_decode_ahead(threads_before);
    fork_in_the_middle();
    close_early();
    go_back_and_forth();
    many_at_once();
    offset_follows();
    from_the_middle(packed, len);
    pipes_and_sockets(packed, len);
    unlink(path);
    free(packed), free(plain), free(back);
    return 0;
}
