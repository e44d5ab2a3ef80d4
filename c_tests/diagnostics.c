/* RIGZ_STATS and RIGZ_LOG may name anything: a FIFO without a reader, a full one, a stopped terminal, a file at its size limit, a
 * directory, a socket. None of these blocks or ends the program, sends it a signal or changes its errno. If there is a reader, it
 * gets its lines. */
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>

static Bytef *plain;

/* The program's work, which must leave errno unchanged. */
static void work(void)
{
    for (int i = 0; i < 20; i++) {
        size_t len;
        errno = 1234;
        Bytef *packed = pack(plain, 50000, 6, 31, &len);
        CHECK_EQ(errno, 1234);
        check_unpacks(packed, len, 31, plain, 50000);
        free(packed);
    }
}

static void no_signal(int number)
{
    char text[] = "a signal came: 00\n";
    text[15] = (char)('0' + number / 10), text[16] = (char)('0' + number % 10);
    ssize_t written = write(2, text, sizeof text - 1);
    _exit(written > 0 ? 3 : 4);
}

/* Runs the work in a child process with a time limit. The child calls `before` first. */
static void with(const char *variable, const char *path, void (*before)(void))
{
    pid_t child = fork_for(60);
    if (child == 0) {
        signal(SIGPIPE, no_signal), signal(SIGXFSZ, no_signal), signal(SIGTTOU, no_signal);
        setenv(variable, path, 1);
        if (before != NULL)
            before();
        work();
        exit(0);
    }
    CHECK_EQ(child_status(child), 0);
}

static void at_the_limit(void)
{
    struct rlimit none = {0, 0};
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
}

/* A reader that opens and closes the FIFO repeatedly: a write in between raises SIGPIPE, and an open may find no reader. */
static char *fifo;
static void *come_and_go(void *unused)
{
    for (;;) {
        int reader = open(fifo, O_RDONLY | O_NONBLOCK);
        close(reader);
    }
    return unused;
}

static void fickle_reader(void)
{
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, come_and_go, NULL), 0);
    for (int i = 0; i < 10; i++)
        work();
}

/* A SIGPIPE that was pending before the calls is still pending after them. */
static void signal_waits(void)
{
    sigset_t pipe_signal, waiting;
    sigemptyset(&pipe_signal), sigaddset(&pipe_signal, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe_signal, NULL);
    raise(SIGPIPE);
    work();
    CHECK_EQ(sigpending(&waiting), 0);
    CHECK(sigismember(&waiting, SIGPIPE));
    int number;
    CHECK_EQ(sigwait(&pipe_signal, &number), 0);
}

static void odd_files(const char *variable)
{
    free(fifo);
    fifo = strdup(scratch("fifo"));
    CHECK_EQ(mkfifo(fifo, 0600), 0);
    with(variable, fifo, NULL);

    int reader = open(fifo, O_RDONLY | O_NONBLOCK), writer = open(fifo, O_WRONLY | O_NONBLOCK);
    CHECK(reader >= 0 && writer >= 0);
    with(variable, fifo, NULL);
    char lines[4096] = "";
    ssize_t got = read(reader, lines, sizeof lines - 1);
    if (is_rigz())
        CHECK(got > 0 && strstr(lines, variable + 5 == strstr(variable, "STATS") ? "\"operation\"" : "rigz ") != NULL);
    while (write(writer, lines, 1) == 1)
        ;
    with(variable, fifo, NULL);
    with(variable, fifo, signal_waits);
    close(reader), close(writer);
    with(variable, fifo, fickle_reader);
    unlink(fifo);

    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0) {
        const char *name = ptsname(master);
        int terminal = open(name, O_RDWR | O_NOCTTY);
        CHECK(terminal >= 0);
        CHECK_EQ(tcflow(terminal, TCOOFF), 0);
        with(variable, name, NULL);
        close(terminal), close(master);
    } else
        printf("note: no terminal to be had here\n");

    const char *file = scratch("limited");
    with(variable, file, at_the_limit);
    unlink(file);

    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", scratch("socket"));
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(listen(listener, 1), 0);
    with(variable, address.sun_path, NULL);
    close(listener), unlink(address.sun_path);

    const char *folder = getenv("TMPDIR");
    with(variable, folder ? folder : "/tmp", NULL);
    with(variable, "/dev/full", NULL);
    with(variable, "/no/such/folder/file", NULL);
}

/* A long stream that ends by deflateReset(). */
static void reset(void)
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

/* Work before a reset is in the statistics. */
static void reset_is_counted(void)
{
    const char *path = scratch("counted");
    with("RIGZ_STATS", path, reset);
    if (!is_rigz())
        return;
    char line[1000] = "";
    FILE *file = fopen(path, "r");
    CHECK(file != NULL && fgets(line, sizeof line, file) != NULL);
    CHECK(strstr(line, "\"bytes_in\":1048576,") != NULL);
    CHECK(strstr(line, "\"chunks\":0,") == NULL);
    CHECK_EQ(fclose(file), 0);
    CHECK_EQ(unlink(path), 0);
}

int main(void)
{
    begin();
    plain = prose(50000, 1301);
    odd_files("RIGZ_STATS");
    odd_files("RIGZ_LOG");
    reset_is_counted();
    free(plain);
    return 0;
}
