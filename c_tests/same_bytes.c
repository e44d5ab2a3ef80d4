/* The output depends on the input, the level and the flushes, never on RIGZ_THREADS or on the cuts of the writes. The variable is
 * read once, so each case runs in a new process: this program again, with the cut as argument. */
#include "check.h"

enum { LEN = 5 << 20 };

/* CRC-32 of the output with at most in_step bytes of input and out_step of output per call. */
static uLong output_crc(int level, uInt in_step, uInt out_step)
{
    Bytef *plain = prose(LEN, 211), *out = allocate(out_step);
    z_stream strm;
    uLong crc = crc32(0, NULL, 0);
    int status = Z_OK;
    deflate_start(&strm, level, 15);
    strm.next_in = plain;
    while (status != Z_STREAM_END) {
        if (strm.avail_in == 0)
            strm.avail_in = in_step < LEN - strm.total_in ? in_step : (uInt)(LEN - strm.total_in);
        strm.next_out = out, strm.avail_out = out_step;
        status = deflate(&strm, strm.total_in + strm.avail_in == LEN ? Z_FINISH : Z_NO_FLUSH);
        CHECK(status == Z_OK || status == Z_STREAM_END);
        crc = crc32(crc, out, out_step - strm.avail_out);
    }
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(plain), free(out);
    return crc;
}

int main(int argc, char **argv)
{
    begin();
    if (argc == 4) {
        printf("%lx\n", output_crc(atoi(argv[1]), (uInt)atol(argv[2]), (uInt)atol(argv[3])));
        return 0;
    }
    static const struct {
        const char *threads, *in_step, *out_step;
    } ways[] = {{"1", "99999999", "99999999"}, {"2", "99999999", "99999999"}, {NULL, "99999999", "99999999"},
                {"4", "1234567", "65536"},     {"1", "8192", "99999999"},     {"3", "70001", "5000"}};
    enum { WAYS = 6 };
    static const char *const levels[] = {"1", "6", "9"};
    for (int l = 0; l < 3; l++) {
        char first[32] = "", line[32];
        for (int i = 0; i < WAYS; i++) {
            int ends[2];
            CHECK_EQ(pipe(ends), 0);
            pid_t child = fork_for(200);
            if (child == 0) {
                if (ways[i].threads)
                    setenv("RIGZ_THREADS", ways[i].threads, 1);
                else
                    unsetenv("RIGZ_THREADS");
                dup2(ends[1], 1);
                close(ends[0]), close(ends[1]);
                execl("/proc/self/exe", argv[0], levels[l], ways[i].in_step, ways[i].out_step, (char *)NULL);
                _exit(99);
            }
            close(ends[1]);
            FILE *answer = fdopen(ends[0], "r");
            CHECK(answer != NULL && fgets(line, sizeof line, answer) != NULL);
            fclose(answer);
            CHECK_EQ(child_status(child), 0);
            if (i == 0)
                strcpy(first, line);
            if (strcmp(first, line) != 0)
                fprintf(stderr, "level %s, threads %s, in steps of %s, out of %s: ", levels[l],
                        ways[i].threads ? ways[i].threads : "unset", ways[i].in_step, ways[i].out_step);
            CHECK_STR(line, first);
        }
    }
    return 0;
}
