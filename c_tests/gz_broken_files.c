/* A file that can't be written: a size limit, EIO, EDQUOT, a closed or read-only descriptor, a full disk, a signal. The first call
 * that notices the failure reports it, with errno and the system's text; the error persists; gzclose returns it again, so a
 * program that checks only gzclose still sees it; nothing hangs. With little data, and with enough for threads. A full
 * non-blocking pipe is no failure: the call can be repeated. At the end, files that can't be read. */
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

enum { LARGE = 3 << 20, SMALL = 200 };
static Bytef *hard;

/* Makes write() to the descriptor fail with `error`, in this process and for good. Returns 0, or -1 if the system refuses. */
static int make_writes_fail(int fd, int error)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)fd, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/* The call that writes first: a gzwrite of much data, gzflush, or gzclose. */
enum way { BY_WRITE, BY_FLUSH, BY_CLOSE, WAYS };

/* Writing to the descriptor fails with `error`, and the program sees it. */
static void check_failure(int fd, int error, enum way way)
{
    int err;
    char words[200];
    gzFile file = gzdopen(fd, "wb1");
    CHECK(file != NULL);
    snprintf(words, sizeof words, "<fd:%d>: %s", fd, strerror(error));
    errno = 0;
    if (way == BY_WRITE) {
        int calls = 0; /* the first may succeed, since their output may be written by a later one */
        while (gzwrite(file, hard, LARGE) == LARGE)
            CHECK(++calls < 20);
    } else {
        CHECK_EQ(gzwrite(file, hard, SMALL), SMALL); /* buffered */
        if (way == BY_FLUSH)
            CHECK_EQ(gzflush(file, Z_SYNC_FLUSH), Z_ERRNO);
    }
    if (way != BY_CLOSE) {
        CHECK_EQ(errno, error);
        CHECK_STR(gzerror(file, &err), words);
        CHECK_EQ(err, Z_ERRNO);
        CHECK_EQ(gzwrite(file, hard, 10), 0);
        CHECK_EQ(gzputs(file, "more"), -1);
        CHECK_EQ(gzflush(file, Z_FINISH), Z_STREAM_ERROR);
        CHECK_STR(gzerror(file, &err), words); /* still the first */
        CHECK_EQ(err, Z_ERRNO);
    }
    CHECK_EQ(gzclose(file), Z_ERRNO);
}

static int new_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    return fd;
}

static volatile sig_atomic_t rings;
static void ring(int number)
{
    (void)number;
    rings++;
}

/* A blocking pipe that is never read, and a signal: the call fails with EINTR, so that the program can handle the signal. */
static void interrupted(void)
{
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = ring;
    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    struct itimerval soon = {{0, 50000}, {0, 50000}}, off = {{0, 0}, {0, 0}};
    CHECK_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
    gzFile file = gzdopen(ends[1], "wb1");
    CHECK(file != NULL);
    errno = 0;
    int calls = 0;
    while (gzwrite(file, hard, LARGE) == LARGE) /* perhaps compressed by other threads, and not written yet */
        CHECK(++calls < 20);
    CHECK_EQ(errno, EINTR);
    CHECK(rings > 0);
    CHECK_EQ(gzwrite(file, hard, 1), 0);
    int err;
    gzerror(file, &err);
    CHECK_EQ(err, Z_ERRNO);
    close(ends[0]); /* so that gzclose, which writes the rest, fails instead of waiting */
    signal(SIGPIPE, SIG_IGN);
    CHECK_EQ(gzclose(file), Z_ERRNO);
    CHECK_EQ(setitimer(ITIMER_REAL, &off, NULL), 0);
}

/* A non-blocking pipe and a slow reader, which begins only when the pipe is full: each call that cannot continue fails with EAGAIN,
 * and when they are repeated, all data arrives. zlib 1.3.2 promises this; 1.2.13 does not. */
static int slow_end;
static size_t arrived;
static Bytef *got;
static void *empty_slowly(void *unused)
{
    ssize_t part;
    while ((part = read(slow_end, got + arrived, 5000)) > 0) {
        arrived += (size_t)part;
        usleep(100);
    }
    return unused;
}

/* After a call that could not continue: starts the reader at the first one. */
static void await_room(int *stalls, pthread_t *reader)
{
    CHECK(errno == EAGAIN || errno == EWOULDBLOCK);
    if ((*stalls)++ == 0)
        CHECK_EQ(pthread_create(reader, NULL, empty_slowly, NULL), 0);
    usleep(100);
}

static void stalled(void)
{
    int ends[2], stalls = 0;
    pthread_t reader;
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    CHECK(fcntl(ends[1], F_GETPIPE_SZ) < LARGE);
    got = allocate(2 * LARGE), slow_end = ends[0];
    gzFile file = gzdopen(ends[1], "wb1");
    CHECK(file != NULL);
    for (size_t done = 0; done < LARGE;) {
        int took = gzwrite(file, hard + done, (unsigned)(LARGE - done));
        CHECK(took >= 0);
        done += (size_t)took;
        if (took == 0)
            await_room(&stalls, &reader);
    }
    while (gzflush(file, Z_FINISH) != Z_OK)
        await_room(&stalls, &reader);
    CHECK(stalls > 0);
    CHECK_EQ(gzclose(file), Z_OK);
    CHECK_EQ(pthread_join(reader, NULL), 0);
    check_unpacks(got, arrived, 31, hard, LARGE);
    close(ends[0]), free(got);
}

enum kind { SIZE_LIMIT, IO_ERROR, QUOTA, CLOSED, READ_ONLY, FULL_DISK, KINDS };

/* In a child process. Returns 0, or -1 if this system does not let us make the failure. */
static int fail_by(enum kind kind, enum way way, const char *path)
{
    int fd = new_file(path), error = kind == IO_ERROR ? EIO : EDQUOT;
    struct rlimit small = {50, 50};
    switch (kind) {
    case SIZE_LIMIT: /* smaller than the file with either amount of data */
        signal(SIGXFSZ, SIG_IGN);
        CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
        check_failure(fd, EFBIG, way);
        return 0;
    case IO_ERROR:
    case QUOTA:
        if (make_writes_fail(fd, error) != 0)
            return -1;
        check_failure(fd, error, way);
        return 0;
    case CLOSED: /* the program closed the descriptor before it passes it to gzdopen */
        close(fd);
        check_failure(fd, EBADF, way);
        return 0;
    case READ_ONLY:
        fd = open(path, O_RDONLY);
        CHECK(fd >= 0);
        check_failure(fd, EBADF, way);
        return 0;
    default:
        fd = open("/dev/full", O_WRONLY);
        if (fd < 0)
            return -1;
        check_failure(fd, ENOSPC, way);
        return 0;
    }
}

static void in_child(void (*test)(void))
{
    pid_t child = fork_for(100);
    if (child == 0) {
        test();
        _exit(0);
    }
    CHECK_EQ(child_status(child), 0);
}

int main(void)
{
    begin();
    hard = noise(LARGE, 441);
    const char *path = scratch("broken.gz");
    for (int kind = 0; kind < KINDS; kind++)
        for (int way = 0; way < WAYS; way++) {
            enum { SKIPPED = 77 };
            pid_t child = fork_for(100);
            if (child == 0)
                _exit(fail_by((enum kind)kind, (enum way)way, path) == 0 ? 0 : SKIPPED);
            int status = child_status(child);
            if (status == SKIPPED)
                printf("note: %s\n", kind == FULL_DISK ? "no /dev/full here" : "seccomp is refused here");
            else if (status != 0)
                fprintf(stderr, "kind %d, way %d\n", kind, way);
            CHECK(status == 0 || status == SKIPPED);
        }
    in_child(interrupted);
    if (is_rigz())
        in_child(stalled);

    /* Reading: a directory, and a descriptor that the program has closed. */
    char byte;
    int err;
    gzFile file = gzopen("/", "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzread(file, &byte, 1), -1);
    CHECK_EQ(errno, EISDIR);
    CHECK_STR(gzerror(file, &err), "/: Is a directory");
    CHECK_EQ(err, Z_ERRNO);
    CHECK_EQ(gzclose(file), Z_OK);
    int fd = new_file(path);
    file = gzdopen(fd, "rb");
    close(fd);
    CHECK(file != NULL);
    CHECK_EQ(gzread(file, &byte, 1), -1);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(gzclose(file), Z_ERRNO);
    unlink(path);
    free(hard);
    return 0;
}
