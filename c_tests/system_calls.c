/* A call that only moves bytes makes no system calls except for memory and for its file: a filter kills the process otherwise.
 * Streams are of lengths that reach all ways of compressing, and get their input in small pieces. */
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif
#define ALLOW(name) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

enum { LEN = 3 << 20, SMALL = 60000 };
static Bytef *plain, *packed, *out, *back;
static size_t packed_len, room;

static int forbid(int file_too)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(brk), ALLOW(mmap), ALLOW(munmap), ALLOW(mremap), ALLOW(madvise), ALLOW(mprotect), /* malloc */
        ALLOW(futex), ALLOW(exit), ALLOW(rt_sigprocmask), /* the library's threads wait and end with these */
        ALLOW(exit_group),
        BPF_STMT(BPF_LD | BPF_W | BPF_IMM, (unsigned)file_too),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(read), ALLOW(write), ALLOW(lseek), ALLOW(pread64), ALLOW(fstat), ALLOW(newfstatat),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/* `before` bytes in one call, then single ones. */
static void deflate_bytes(uInt before, int level, int window_bits)
{
    z_stream strm;
    deflate_start(&strm, level, window_bits);
    strm.next_in = plain, strm.avail_in = before, strm.next_out = out, strm.avail_out = (uInt)room;
    CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
    usleep(before > 1 << 20 ? 50000 : 0); /* workers have started by then */
    CHECK_EQ(forbid(0), 0);
    for (int i = 0; i < SMALL; i++) {
        strm.avail_in = 1;
        CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
    }
    strm.avail_in = LEN - (uInt)strm.total_in > 2000 ? 2000 : 0;
    CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_OK);
    if (before > 1 << 20)
        return; /* more may start more threads */
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(deflateReset(&strm), Z_OK);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
}

static void inflate_bytes(void)
{
    z_stream strm;
    inflate_start(&strm, 47);
    CHECK_EQ(forbid(0), 0);
    strm.next_in = packed, strm.next_out = back;
    int status = Z_OK;
    for (size_t done = 0; done < packed_len && status == Z_OK; done += strm.avail_in == 0) {
        strm.avail_in = 1, strm.avail_out = LEN - (uInt)strm.total_out;
        status = inflate(&strm, Z_NO_FLUSH);
        CHECK(status == Z_OK || status == Z_STREAM_END);
    }
    CHECK_EQ(status, Z_STREAM_END);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
}

static void one_shots(void)
{
    CHECK_EQ(forbid(0), 0);
    for (int i = 0; i < 50; i++) {
        uLongf len = room, back_len = LEN;
        CHECK_EQ(compress2(out, &len, plain, 2000, 1 + i % 9), Z_OK);
        CHECK_EQ(uncompress(back, &back_len, out, len), Z_OK);
        CHECK(crc32(0, back, (uInt)back_len) != adler32(1, back, (uInt)back_len));
    }
}

static void files(const char *path)
{
    gzFile writer = gzopen(path, "wb6"), null = gzopen("/dev/null", "wb1");
    CHECK(writer != NULL && null != NULL);
    CHECK_EQ(gzwrite(writer, plain, 200000), 200000);
    CHECK_EQ(gzclose(writer), Z_OK);
    gzFile reader = gzopen(path, "rb");
    CHECK(reader != NULL);
    CHECK_EQ(forbid(1), 0);
    for (int i = 0; i < SMALL; i++) {
        CHECK_EQ(gzputc(null, plain[i]), plain[i]);
        CHECK_EQ((gzgetc)(reader), plain[2 * i]);
        CHECK_EQ(gzread(reader, back, 1), 1);
        CHECK_EQ(gzungetc(back[0], reader), back[0]);
        CHECK_EQ((gzgetc)(reader), back[0]);
        CHECK(!gzeof(reader) && gztell(reader) == 2 * i + 2);
    }
    for (int i = 0; i < 100; i++)
        CHECK(gzwrite(null, plain, 2000) == 2000 && gzflush(null, Z_SYNC_FLUSH) == Z_OK);
}

int main(void)
{
    begin();
    setenv("RIGZ_THREADS", "2", 1);
    const char *path = scratch("calls.gz");
    room = compressBound(LEN) + 1000000, plain = prose(LEN, 237), out = allocate(room), back = allocate(LEN);
    packed = pack(plain, 100000, 6, 31, &packed_len);
    /* The first call may query the process. */
    for (int way = 0; way < 9; way++) {
        pid_t child = fork_for(100);
        if (child == 0) {
            static const uInt before[] = {100, 100000, 200000, 900000, 2 << 20};
            if (way < 5)
                deflate_bytes(before[way], 1, 31);
            else if (way == 5)
                deflate_bytes(200000, 6, -13);
            else if (way == 6)
                inflate_bytes();
            else if (way == 7)
                one_shots();
            else
                files(path);
            _exit(0);
        }
        int status = child_status(child);
        if (status != 0)
            fprintf(stderr, "way %d\n", way);
        CHECK_EQ(status, 0);
    }
    unlink(path);
    free(plain), free(packed), free(out), free(back);
    return 0;
}
