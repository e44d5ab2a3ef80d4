/* Processes made by a raw clone, without the C library, with a stream whose jobs the parent's threads are running: also if the
 * child has its parent's process id, because each is the first in its own namespace, as in a container. */
#include "check.h"
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

/* Compressed to less than 1 MiB, so that inflate() starts no work: its workers use malloc too. */
enum { LEN = 5 << 19 };
static Bytef *plain, *out;
static size_t room;

enum { HUNG = 128 + SIGALRM };
static void hung(int number)
{
    _exit(128 + number);
}

/* Starts both workers and lets them get their tables. That uses malloc, as ending, freeing a job and decoding ahead do. A lock of
 * malloc that a worker holds at a raw clone stays held in the child, which then hangs in its first malloc. fork() has no such
 * problem: glibc takes the locks. */
static void employ_workers(void)
{
    size_t len;
    free(pack(plain, LEN, 6, 31, &len));
    CHECK(len < 1 << 20);
}

/* A fork without the C library. The child ends after `seconds` with the status HUNG. */
static pid_t raw_clone(unsigned long flags, unsigned seconds)
{
    pid_t child = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) {
        signal(SIGALRM, hung); /* the first process of a namespace ignores what it does not handle */
        end_after(seconds);
    }
    return child;
}

/* The child continues a stream that has jobs in flight. Returns its status. */
static int clone_in_flight(unsigned long flags)
{
    z_stream strm;
    employ_workers();
    deflate_start(&strm, 6, 31);
    strm.next_in = plain, strm.avail_in = LEN / 2, strm.next_out = out, strm.avail_out = (uInt)room;
    CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
    CHECK_EQ(strm.avail_in, 0);
    pid_t self = getpid(), child = raw_clone(flags, 15);
    CHECK(child >= 0);
    if (child == 0 && (flags & CLONE_NEWPID))
        CHECK_EQ(getpid(), self);
    strm.avail_in = LEN / 2;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    check_unpacks(out, strm.total_out, 31, plain, LEN);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    if (child == 0)
        _exit(0);
    return child_status(child);
}

/* Now and then a child hangs in malloc all the same; a fault of the library hangs each time. */
static void clones_in_flight(unsigned long flags)
{
    for (int round = 0; round < 3; round++) {
        int status = HUNG;
        for (int attempt = 0; attempt < 3 && status == HUNG; attempt++)
            status = clone_in_flight(flags);
        CHECK_EQ(status, 0);
    }
}

/* The same in a process that is the first of its namespace. Returns its status, or -1 if there are no namespaces. */
static int clones_in_namespace(void)
{
    employ_workers();
    pid_t first = raw_clone(CLONE_NEWPID, 70);
    if (first < 0)
        return -1;
    if (first == 0) {
        CHECK_EQ(getpid(), 1);
        clones_in_flight(CLONE_NEWPID);
        _exit(0);
    }
    return child_status(first);
}

int main(void)
{
    begin();
    setenv("RIGZ_THREADS", "3", 1);
    room = compressBound(LEN) + 1000, plain = prose(LEN, 238), out = allocate(room);
    clones_in_flight(0);
    int status = HUNG;
    for (int attempt = 0; attempt < 3 && status == HUNG; attempt++)
        status = clones_in_namespace();
    if (status == -1)
        printf("note: no namespaces here\n");
    else
        CHECK_EQ(status, 0);
    free(plain), free(out);
    return 0;
}
