/* A server that compresses much data itself, with threads, and then forks workers, as PostgreSQL and Apache do: each worker
 * compresses its requests one after another, and forks a helper of its own. */
#include "check.h"
#include <sys/socket.h>

enum { WORKERS = 4, REQUESTS = 3, LEN = 1200 << 10 };
static Bytef *plain;

static void serve(int line)
{
    uint32_t len;
    while (read(line, &len, sizeof len) == (ssize_t)sizeof len) {
        size_t packed_len;
        Bytef *packed = pack(plain, len, 1, 31, &packed_len);
        uint32_t answer = (uint32_t)packed_len;
        CHECK_EQ(write(line, &answer, sizeof answer), sizeof answer);
        for (size_t done = 0; done < packed_len;) {
            ssize_t part = write(line, packed + done, packed_len - done);
            CHECK(part > 0);
            done += (size_t)part;
        }
        free(packed);
        pid_t helper = fork_for(100);
        if (helper == 0) {
            packed = pack(plain, LEN, 1, 15, &packed_len);
            check_unpacks(packed, packed_len, 15, plain, LEN);
            CHECK(entries("/proc/self/task") >= (is_rigz() ? 2 : 1)); /* its own, of a pool of its own */
            _exit(0);
        }
        CHECK_EQ(child_status(helper), 0);
    }
    _exit(0);
}

int main(void)
{
    begin();
    setenv("RIGZ_THREADS", "3", 1);
    plain = prose(LEN, 236);
    size_t len;
    Bytef *packed = pack(plain, LEN, 6, 31, &len), *back = allocate(2 * LEN);
    free(packed);
    int lines[WORKERS];
    pid_t workers[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        int ends[2];
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        workers[i] = fork_for(200);
        if (workers[i] == 0) {
            for (int j = 0; j < i; j++)
                close(lines[j]);
            close(ends[0]);
            serve(ends[1]);
        }
        close(ends[1]);
        lines[i] = ends[0];
    }
    for (int request = 0; request < REQUESTS; request++) {
        uint32_t sizes[] = {1000, LEN, 300000};
        for (int i = 0; i < WORKERS; i++)
            CHECK_EQ(write(lines[i], &sizes[(request + i) % 3], 4), 4);
        for (int i = 0; i < WORKERS; i++) {
            uint32_t answer;
            CHECK_EQ(read(lines[i], &answer, sizeof answer), sizeof answer);
            for (size_t done = 0; done < answer;) {
                ssize_t part = read(lines[i], back + done, answer - done);
                CHECK(part > 0);
                done += (size_t)part;
            }
            check_unpacks(back, answer, 31, plain, sizes[(request + i) % 3]);
        }
    }
    for (int i = 0; i < WORKERS; i++) {
        close(lines[i]);
        CHECK_EQ(child_status(workers[i]), 0);
    }
    free(plain), free(back);
    return 0;
}
