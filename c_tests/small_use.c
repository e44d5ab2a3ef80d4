/* A program with little to compress gets no threads, no descriptors, no environment, no signal handlers. */
#include "check.h"
#include <signal.h>

int main(void)
{
    begin();
    extern char **environ;
    int threads = entries("/proc/self/task"), files = entries("/proc/self/fd"), variables = 0, after = 0;
    while (environ[variables] != NULL)
        variables++;
    Bytef *plain = prose(200000, 291);
    const char *path = scratch("small.gz");
    for (int round = 0; round < 20; round++) {
        size_t len;
        Bytef *packed = pack(plain, 200000, round % 10, 31, &len);
        check_unpacks(packed, len, 31, plain, 200000);
        free(packed);
        gzFile file = gzopen(path, "wb");
        CHECK(file != NULL && gzwrite(file, plain, 200000) == 200000);
        CHECK_EQ(gzclose(file), Z_OK);
    }
    unlink(path);
    CHECK_EQ(entries("/proc/self/task"), threads);
    CHECK_EQ(entries("/proc/self/fd"), files);
    while (environ[after] != NULL)
        after++;
    CHECK_EQ(after, variables);
    for (int number = 1; number < 32; number++) {
        struct sigaction action;
        CHECK_EQ(sigaction(number, NULL, &action), 0);
        CHECK(action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN);
    }
    free(plain);
    return 0;
}
