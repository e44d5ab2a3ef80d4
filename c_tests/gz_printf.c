/* gzprintf and gzvprintf with mixed arguments, on the stack and in registers, alone and among other writes. */
#include "check.h"

static int through_va_list(gzFile file, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int written = gzvprintf(file, format, args);
    va_end(args);
    return written;
}

int main(void)
{
    begin();
    const char *path = scratch("printf.gz");
    char want[400], found[400], *many = allocate(20000);
    gzFile file = gzopen(path, "wb");
    CHECK(file != NULL);
#define MIXED "%d %s %f %ld %c %g %u %x %5.2f %e %lld %s %d %f %zu %p|\n", 1, "two", 3.25, 4L, '5', 6.5, 7u, 8, 9.125, 10.5, 11LL, \
              "twelve", 13, 14.75, (size_t)15, (void *)16
    int len = snprintf(want, sizeof want, MIXED);
    CHECK_EQ(gzprintf(file, MIXED), len);
    CHECK_EQ(through_va_list(file, MIXED), len);
    CHECK_EQ(gzputs(file, "between"), 7);
    CHECK_EQ(gzprintf(file, "%s", ""), 0);
    CHECK_EQ(gzprintf(file, "plain\n"), 6);
    memset(many, 'm', 8191), many[8191] = 0;
    CHECK_EQ(gzprintf(file, "%s", many), 8191); /* one less than the default buffer */
    CHECK_EQ(gztell(file), 2 * len + 13 + 8191);
    for (int i = 0; i < 20000; i++)
        CHECK(gzprintf(file, "%d,", i) > 0);
    CHECK_EQ(gzclose(file), Z_OK);

    file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK(gzgets(file, found, sizeof found) != NULL);
    CHECK_STR(found, want);
    CHECK(gzgets(file, found, sizeof found) != NULL);
    CHECK_STR(found, want);
    CHECK(gzgets(file, found, sizeof found) != NULL);
    CHECK_STR(found, "betweenplain\n");
    for (int i = 0; i < 8191; i++)
        CHECK_EQ(gzgetc(file), 'm');
    for (int i = 0; i < 20000; i++) {
        char number[10];
        int digits = snprintf(number, sizeof number, "%d,", i);
        CHECK_EQ(gzread(file, found, (unsigned)digits), digits);
        CHECK(memcmp(found, number, (size_t)digits) == 0);
    }
    CHECK_EQ(gzprintf(file, "x"), Z_STREAM_ERROR); /* open for reading */
    CHECK_EQ(gzclose(file), Z_OK);

    /* Output that does not fit the buffer is rejected as a whole. */
    file = gzopen(path, "wb");
    CHECK(file != NULL);
    CHECK_EQ(gzbuffer(file, 64), 0);
    CHECK_EQ(gzprintf(file, "%s", many), 0);
    CHECK_EQ(gzprintf(file, "%s", many + 8191 - 60), 60);
    CHECK_EQ(gzclose(file), Z_OK);
    file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzread(file, found, sizeof found), 60);
    CHECK_EQ(gzclose(file), Z_OK);
    unlink(path);
    free(many);
    return 0;
}
