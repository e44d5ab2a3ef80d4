/* A file that can't be written: a size limit, EIO, EINTR, EBADF, a descriptor of the wrong kind, a pipe that is full. The
 * first call that notices the failure reports it, with errno and the system's text; the error persists; gzclose returns it
 * again, so a program that checks only gzclose still sees it; nothing hangs. The same with little data and with enough for
 * threads. */
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

/* Makes write() to the descriptor fail with `error`. */
static int write_gives(int fd, int error)
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

/* The file fails with `error` at its first write. `how` the program sees it: 0 by a write, 1 by a flush, 2 by the close alone. */
static void fails(int fd, int error, int how)
{
    int err;
    char words[200];
    gzFile file = gzdopen(fd, "wb1");
    CHECK(file != NULL);
    snprintf(words, sizeof words, "<fd:%d>: %s", fd, strerror(error));
    errno = 0;
    if (how == 0) {
        int calls = 0;
        while (gzwrite(file, hard, LARGE) == LARGE)
            CHECK(++calls < 20);
    } else {
        CHECK_EQ(gzwrite(file, hard, SMALL), SMALL); /* held */
        if (how == 1)
            CHECK_EQ(gzflush(file, Z_SYNC_FLUSH), Z_ERRNO);
    }
    if (how < 2) {
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

static int never(const char *path)
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

/* A blocking pipe that is never read, and a signal: zlib fails with EINTR, so that the program can handle the signal. */
static void interrupted(void)
{
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = ring;
    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    struct itimerval soon = {{0, 50000}, {0, 50000}}, never_again = {{0, 0}, {0, 0}};
    CHECK_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
    gzFile file = gzdopen(ends[1], "wb1");
    CHECK(file != NULL);
    errno = 0;
    CHECK_EQ(gzwrite(file, hard, LARGE), 0);
    CHECK_EQ(errno, EINTR);
    CHECK(rings > 0);
    CHECK_EQ(gzwrite(file, hard, 1), 0);
    int err;
    gzerror(file, &err);
    CHECK_EQ(err, Z_ERRNO);
    close(ends[0]); /* so that the close has nothing to wait for */
    signal(SIGPIPE, SIG_IGN);
    CHECK_EQ(gzclose(file), Z_ERRNO);
    CHECK_EQ(setitimer(ITIMER_REAL, &never_again, NULL), 0);
}

/* A slow reader and a non-blocking pipe: all data arrives. zlib 1.3.2 promises this; 1.2.13 does not. */
static int slow_end;
static size_t arrived;
static Bytef *got;
static void *empty_slowly(void *unused)
{
    ssize_t part;
    while ((part = read(slow_end, got + arrived, 5000)) > 0)
        arrived += (size_t)part;
    return unused;
}

static void stalled(void)
{
    int ends[2];
    pthread_t reader;
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    got = allocate(2 * LARGE), slow_end = ends[0];
    gzFile file = gzdopen(ends[1], "wb1");
    CHECK(file != NULL);
    CHECK_EQ(pthread_create(&reader, NULL, empty_slowly, NULL), 0);
    for (size_t done = 0; done < LARGE;) {
        int took = gzwrite(file, hard + done, (unsigned)(LARGE - done));
        CHECK(took >= 0);
        done += (size_t)took;
        if (took == 0)
            CHECK(errno == EAGAIN || errno == EWOULDBLOCK);
        usleep(100);
    }
    while (gzflush(file, Z_FINISH) != Z_OK) {
        CHECK(errno == EAGAIN || errno == EWOULDBLOCK);
        usleep(100);
    }
    CHECK_EQ(gzclose(file), Z_OK);
    CHECK_EQ(pthread_join(reader, NULL), 0);
    check_unpacks(got, arrived, 31, hard, LARGE);
    close(ends[0]), free(got);
}

int main(void)
{
    begin();
    hard = noise(LARGE, 441);
    const char *path = scratch("broken.gz");
    for (int kind = 0; kind < 6 * 3 + 2; kind++) {
        if (kind == 19 && !is_rigz())
            continue;
        pid_t child = fork_for(100);
        if (child == 0) {
            int how = kind % 3, fd = never(path);
            struct rlimit small = {50, 50};
            switch (kind / 3) {
            case 0: /* the disk is full, for all that the process may write */
                signal(SIGXFSZ, SIG_IGN);
                CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
                fails(fd, EFBIG, how);
                break;
            case 1:
            case 2:
                if (write_gives(fd, kind / 3 == 1 ? EIO : EDQUOT) == 0)
                    fails(fd, kind / 3 == 1 ? EIO : EDQUOT, how);
                break;
            case 3: /* the host closed it without our knowledge */
                close(fd);
                fails(fd, EBADF, how);
                break;
            case 4: /* open, but not for writing */
                fd = open(path, O_RDONLY);
                fails(fd, EBADF, how);
                break;
            case 5:
                fd = open("/dev/full", O_WRONLY);
                if (fd >= 0)
                    fails(fd, ENOSPC, how);
                break;
            default:
                if (kind == 18)
                    interrupted();
                else
                    stalled();
            }
            _exit(0);
        }
        int status = child_status(child);
        if (status != 0)
            fprintf(stderr, "kind %d, how %d\n", kind / 3, kind % 3);
        CHECK_EQ(status, 0);
    }

    /* Reading: a directory, a descriptor that is closed. */
    char byte;
    int err;
    gzFile file = gzopen("/", "rb");
    if (file != NULL) {
        CHECK_EQ(gzread(file, &byte, 1), -1);
        CHECK_EQ(errno, EISDIR);
        CHECK_STR(gzerror(file, &err), "/: Is a directory");
        CHECK_EQ(err, Z_ERRNO);
        CHECK_EQ(gzclose(file), Z_OK);
    }
    int fd = never(path);
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
