/* RIGZ_STATS and RIGZ_LOG may name anything: a FIFO that has no reader, is full, or whose reader comes and goes; a terminal with
 * suspended output; a file at its size limit; a socket; a directory; a full device; a missing directory. None of these blocks or
 * ends the program, sends it a signal or changes its errno. A FIFO's reader receives the output. */
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>

static Bytef *plain;

/* Compresses and decompresses 20 times; neither may change errno. */
static void work(void)
{
    for (int i = 0; i < 20; i++) {
        size_t len;
        errno = 1234;
        Bytef *packed = pack(plain, 50000, 6, 31, &len);
        CHECK_EQ(errno, 1234);
        check_unpacks(packed, len, 31, plain, 50000);
        CHECK_EQ(errno, 1234);
        free(packed);
    }
}

/* Ends the child with status 3, or 4 if the message can't be written; a failed check gives 1. */
static void fail_on_signal(int number)
{
    char text[] = "signal 00\n";
    text[7] = (char)('0' + number / 10), text[8] = (char)('0' + number % 10);
    ssize_t written = write(2, text, sizeof text - 1);
    _exit(written > 0 ? 3 : 4);
}

/* Runs `extra`, unless it is NULL, and then work() in a child process, which must exit with 0 within 60 s. */
static void run_child_with(const char *variable, const char *path, void (*extra)(void))
{
    pid_t child = fork_for(60);
    if (child == 0) {
        signal(SIGPIPE, fail_on_signal), signal(SIGXFSZ, fail_on_signal), signal(SIGTTOU, fail_on_signal);
        setenv(variable, path, 1);
        if (extra != NULL)
            extra();
        work();
        exit(0);
    }
    CHECK_EQ(child_status(child), 0);
}

/* From now on no file can grow. */
static void set_size_limit(void)
{
    struct rlimit none = {0, 0};
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
}

static char *fifo;

/* A reader that opens and closes the FIFO repeatedly: a plain write() while it is closed would raise SIGPIPE, and an open for
 * writing may find no reader. */
static void *reopen_repeatedly(void *unused)
{
    for (;;) {
        int reader = open(fifo, O_RDONLY | O_NONBLOCK);
        close(reader);
    }
    return unused;
}

static void work_while_the_reader_reopens(void)
{
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, reopen_repeatedly, NULL), 0);
    for (int i = 0; i < 10; i++)
        work();
}

/* A SIGPIPE that was pending before the calls is still pending after them, even if a write of the library raised another. */
static void work_with_pending_sigpipe(void)
{
    sigset_t pipe_signal, waiting;
    sigemptyset(&pipe_signal), sigaddset(&pipe_signal, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe_signal, NULL);
    raise(SIGPIPE);
    work_while_the_reader_reopens();
    CHECK_EQ(sigpending(&waiting), 0);
    CHECK(sigismember(&waiting, SIGPIPE));
    int number;
    CHECK_EQ(sigwait(&pipe_signal, &number), 0);
}

static void unusual_targets(const char *variable)
{
    /* A FIFO without a reader. */
    free(fifo);
    fifo = strdup(scratch("fifo"));
    CHECK_EQ(mkfifo(fifo, 0600), 0);
    run_child_with(variable, fifo, NULL);

    /* With a reader. */
    int reader = open(fifo, O_RDONLY | O_NONBLOCK), writer = open(fifo, O_WRONLY | O_NONBLOCK);
    CHECK(reader >= 0 && writer >= 0);
    run_child_with(variable, fifo, NULL);
    char lines[4096] = "";
    ssize_t got = read(reader, lines, sizeof lines - 1);
    const char *marker = strcmp(variable, "RIGZ_STATS") == 0 ? "\"operation\"" : "rigz ";
    if (is_rigz())
        CHECK(got > 0 && strstr(lines, marker) != NULL);
    /* Full. */
    while (write(writer, lines, 1) == 1)
        ;
    run_child_with(variable, fifo, NULL);
    close(reader), close(writer);
    /* With a reader that comes and goes. */
    run_child_with(variable, fifo, work_while_the_reader_reopens);
    run_child_with(variable, fifo, work_with_pending_sigpipe);
    unlink(fifo);

    /* A terminal with suspended output. */
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    const char *name = master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 ? ptsname(master) : NULL;
    if (name != NULL) {
        int terminal = open(name, O_RDWR | O_NOCTTY);
        CHECK(terminal >= 0);
        CHECK_EQ(tcflow(terminal, TCOOFF), 0);
        run_child_with(variable, name, NULL);
        close(terminal);
    } else
        printf("note: no pseudo-terminals here; a terminal with suspended output is not tested\n");
    if (master >= 0)
        close(master);

    /* A file that may not grow. */
    const char *file = scratch("limited");
    run_child_with(variable, file, set_size_limit);
    unlink(file);

    /* A socket. */
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", scratch("socket"));
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(listen(listener, 1), 0);
    run_child_with(variable, address.sun_path, NULL);
    close(listener), unlink(address.sun_path);

    /* A directory, a full device, a missing directory. */
    const char *directory = getenv("TMPDIR");
    run_child_with(variable, directory ? directory : "/tmp", NULL);
    run_child_with(variable, "/dev/full", NULL);
    run_child_with(variable, "/no/such/folder/file", NULL);
}

/* Finishes a stream of 1 MiB, then calls deflateReset(). */
static void finish_and_reset(void)
{
    enum { LONG = 1 << 20 };
    Bytef *data = prose(LONG, 1302), *out = allocate(LONG);
    z_stream strm;
    memset(&strm, 0, sizeof strm);
    CHECK_EQ(deflateInit(&strm, 6), Z_OK);
    strm.next_in = data, strm.avail_in = LONG, strm.next_out = out, strm.avail_out = LONG;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(deflateReset(&strm), Z_OK);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(data), free(out);
}

/* The first line of the statistics counts the bytes and chunks before deflateReset(). */
static void work_before_reset_is_counted(void)
{
    const char *path = scratch("counted");
    run_child_with("RIGZ_STATS", path, finish_and_reset);
    if (!is_rigz())
        return;
    char line[1000] = "";
    FILE *file = fopen(path, "r");
    CHECK(file != NULL && fgets(line, sizeof line, file) != NULL);
    CHECK(strstr(line, "\"bytes_in\":1048576,") != NULL);
    const char *chunks = strstr(line, "\"chunks\":");
    CHECK(chunks != NULL && atoi(chunks + strlen("\"chunks\":")) > 0);
    CHECK_EQ(fclose(file), 0);
    CHECK_EQ(unlink(path), 0);
}

int main(void)
{
    begin();
    plain = prose(50000, 1301);
    unusual_targets("RIGZ_STATS");
    unusual_targets("RIGZ_LOG");
    work_before_reset_is_counted();
    free(plain);
    return 0;
}
