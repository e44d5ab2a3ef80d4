/* gzread FILE [BYTES [ROUNDS [WORK]]]: reads a file by gzread, BYTES at a time (131072), ROUNDS times (10), with WORK passes over the
 * data read (0). Prints the best wall time, and the CPU time of that round: all threads', and the caller's.
 *
 *   cc -O2 -o target/gzread scripts/gzread.c -lz
 *   for threads in 1 2; do RIGZ_THREADS=$threads LD_PRELOAD=target/release/librigz.so target/gzread FILE.gz; done
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

static double now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

int main(int argc, char **argv)
{
    unsigned size = argc > 2 ? (unsigned)atoi(argv[2]) : 131072;
    int rounds = argc > 3 ? atoi(argv[3]) : 10, work = argc > 4 ? atoi(argv[4]) : 0, got, error = 0;
    unsigned char *bytes = malloc(size);
    volatile unsigned sum = 0;
    double best = 1e30, caller = 0, all = 0;
    long long total = 0;
    if (argc < 2 || bytes == NULL)
        return 1;
    for (int round = 0; round < rounds; round++) {
        double wall = now(CLOCK_MONOTONIC), thread = now(CLOCK_THREAD_CPUTIME_ID), process = now(CLOCK_PROCESS_CPUTIME_ID);
        gzFile file = gzopen(argv[1], "rb");
        if (file == NULL)
            return 1;
        for (total = 0; (got = gzread(file, bytes, size)) > 0; total += got)
            for (int pass = 0; pass < work; pass++)
                for (int at = 0; at < got; at++)
                    sum += bytes[at];
        gzerror(file, &error);
        if (gzclose(file) != Z_OK || error != Z_OK)
            return 1;
        wall = now(CLOCK_MONOTONIC) - wall;
        if (wall < best)
            best = wall, caller = now(CLOCK_THREAD_CPUTIME_ID) - thread, all = now(CLOCK_PROCESS_CPUTIME_ID) - process;
    }
    printf("%s: %lld bytes, %.1f ms wall, %.0f MB/s; CPU %.1f ms, the caller's %.1f\n", argv[1], total, best,
           (double)total / best * 1e-3, all, caller);
    return 0;
}
