/* Under a tight RLIMIT_AS a call may fail with Z_MEM_ERROR; it may not crash, hang or write wrong bytes. */
/* alone: leaves the process little memory */
#include "check.h"
#include <sys/resource.h>

enum { LEN = 8 << 20 };
static Bytef *plain, *out, *back;
static size_t room;

static void limit_memory(size_t headroom)
{
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    CHECK(statm != NULL && fscanf(statm, "%ld", &pages) == 1);
    fclose(statm);
    struct rlimit limit;
    limit.rlim_cur = limit.rlim_max = (rlim_t)pages * 4096 + headroom;
    CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
}

/* Returns 0 if all went well, 2 if an allocation failed. */
static int there_and_back(int level)
{
    z_stream strm;
    memset(&strm, 0, sizeof strm);
    int status = deflateInit2(&strm, level, Z_DEFLATED, 31, 8, 0);
    if (status == Z_MEM_ERROR)
        return 2;
    CHECK_EQ(status, Z_OK);
    strm.next_in = plain, strm.avail_in = LEN, strm.next_out = out, strm.avail_out = (uInt)room;
    status = deflate(&strm, Z_FINISH);
    uLong len = strm.total_out;
    int ended = deflateEnd(&strm);
    if (status == Z_MEM_ERROR)
        return 2;
    CHECK_EQ(status, Z_STREAM_END);
    CHECK_EQ(ended, Z_OK);

    memset(&strm, 0, sizeof strm);
    status = inflateInit2(&strm, 31);
    if (status == Z_MEM_ERROR)
        return 2;
    CHECK_EQ(status, Z_OK);
    strm.next_in = out, strm.avail_in = (uInt)len, strm.next_out = back, strm.avail_out = LEN;
    while ((status = inflate(&strm, Z_NO_FLUSH)) == Z_OK)
        ;
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    if (status == Z_MEM_ERROR)
        return 2;
    CHECK_EQ(status, Z_STREAM_END);
    CHECK(memcmp(plain, back, LEN) == 0);
    return 0;
}

int main(void)
{
    begin();
    plain = prose(LEN, 251), room = compressBound(LEN), out = allocate(room), back = allocate(LEN);
    memset(out, 0, room), memset(back, 0, LEN);
    for (size_t headroom = 0; headroom <= 64u << 20; headroom = headroom ? headroom * 4 : 256 << 10) {
        pid_t child = fork_for(200);
        if (child == 0) {
            limit_memory(headroom);
            int worst = 0;
            for (int level = 1; level <= 9; level += 4)
                worst |= there_and_back(level);
            _exit(worst);
        }
        int status = child_status(child);
        CHECK(status == 0 || (status == 2 && headroom < 64u << 20));
    }
    free(plain), free(out), free(back);
    return 0;
}
