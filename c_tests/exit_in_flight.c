/* A process may exit at any moment, from any thread, with streams unfinished and work in flight. */
#include "check.h"
#include <pthread.h>

enum { LEN = 6 << 20 };
static Bytef *plain, *out;

static void *exit_soon(void *unused)
{
    usleep(3000);
    exit(0);
    return unused;
}

static void half_a_stream(void)
{
    z_stream strm;
    deflate_start(&strm, 9, 31);
    strm.next_in = plain, strm.avail_in = LEN, strm.next_out = out, strm.avail_out = (uInt)compressBound(LEN);
    CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
}

int main(void)
{
    begin();
    plain = prose(LEN, 271), out = allocate(compressBound(LEN));
    for (int way = 0; way < 4; way++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            pthread_t thread;
            hang_after(60);
            switch (way) {
            case 0:
                half_a_stream();
                exit(0);
            case 1:
                half_a_stream();
                _exit(0);
            case 2: {
                gzFile file = gzopen("/dev/null", "wb9");
                CHECK(file != NULL && gzwrite(file, plain, LEN) == LEN);
                exit(0);
            }
            default:
                CHECK_EQ(pthread_create(&thread, NULL, exit_soon, NULL), 0);
                for (;;)
                    half_a_stream();
            }
        }
        CHECK_EQ(child_status(child), 0);
    }
    free(plain), free(out);
    return 0;
}
