/* Under a tight RLIMIT_AS deflate and inflate may fail with Z_MEM_ERROR; they must not crash, hang or write wrong bytes. With
 * 64 MiB more than the process has at the start they must succeed. */
/* alone: the library's peak of memory depends on how its threads are scheduled */
#include "check.h"
#include <sys/resource.h>

enum { LEN = 8 << 20 };
static Bytef *plain, *out, *back;
static size_t room;

/* Lets the process have at most `headroom` bytes of addresses more than now. */
static void limit_memory(size_t headroom)
{
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    CHECK(statm != NULL && fscanf(statm, "%ld", &pages) == 1);
    fclose(statm);
    struct rlimit limit;
    limit.rlim_cur = limit.rlim_max = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + headroom;
    CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
}

enum { SUCCEEDED = 0, NO_MEMORY = 2 };

/* Compresses and decompresses. Returns SUCCEEDED, or NO_MEMORY if a call failed with Z_MEM_ERROR. */
static int round_trip(int level)
{
    z_stream strm;
    memset(&strm, 0, sizeof strm);
    int status = deflateInit2(&strm, level, Z_DEFLATED, 31, 8, 0);
    if (status == Z_MEM_ERROR)
        return NO_MEMORY;
    CHECK_EQ(status, Z_OK);
    strm.next_in = plain, strm.avail_in = LEN, strm.next_out = out, strm.avail_out = (uInt)room;
    status = deflate(&strm, Z_FINISH);
    uLong len = strm.total_out;
    int ended = deflateEnd(&strm);
    if (status == Z_MEM_ERROR)
        return NO_MEMORY;
    CHECK_EQ(status, Z_STREAM_END);
    CHECK_EQ(ended, Z_OK);

    memset(&strm, 0, sizeof strm);
    status = inflateInit2(&strm, 31);
    if (status == Z_MEM_ERROR)
        return NO_MEMORY;
    CHECK_EQ(status, Z_OK);
    strm.next_in = out, strm.avail_in = (uInt)len, strm.next_out = back, strm.avail_out = LEN;
    while ((status = inflate(&strm, Z_NO_FLUSH)) == Z_OK)
        ;
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    if (status == Z_MEM_ERROR)
        return NO_MEMORY;
    CHECK_EQ(status, Z_STREAM_END);
    CHECK(memcmp(plain, back, LEN) == 0);
    return SUCCEEDED;
}

int main(void)
{
    begin();
    plain = prose(LEN, 251), room = compressBound(LEN), out = allocate(room), back = allocate(LEN);
    for (size_t headroom = 0; headroom <= 64u << 20; headroom = headroom ? headroom * 4 : 256 << 10) {
        pid_t child = fork_for(200);
        if (child == 0) {
            limit_memory(headroom);
            int outcome = SUCCEEDED;
            for (int level = 1; level <= 9; level += 4)
                outcome |= round_trip(level);
            _exit(outcome);
        }
        int status = child_status(child);
        CHECK(status == SUCCEEDED || status == NO_MEMORY);
        if (headroom == 0)
            CHECK_EQ(status, NO_MEMORY); /* the limit has an effect */
        if (headroom == 64u << 20)
            CHECK_EQ(status, SUCCEEDED);
    }
    free(plain), free(out), free(back);
    return 0;
}
