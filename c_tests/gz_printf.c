/* gzprintf and gzvprintf: arguments of all kinds, more than the argument registers hold, so that some are on the stack; calls
 * between other writes; and the limit of the output's length, which is one byte less than the buffer. */
#include "check.h"

static int print_by_va_list(gzFile file, const char *format, ...)
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
    char want[400], found[400], *text = allocate(8193);
    gzFile file = gzopen(path, "wb");
    CHECK(file != NULL);
    /* 11 integers and pointers and 9 doubles: x86-64 passes 6 and 8 in registers, AArch64 8 and 8. */
#define MIXED "%d %s %f %ld %c %g %u %x %5.2f %e %lld %s %d %f %zu %p %f %f %f %f|\n", 1, "two", 3.25, 4L, '5', 6.5, 7u, 8, 9.125, \
              10.5, 11LL, "twelve", 13, 14.75, (size_t)15, (void *)16, 17.5, 18.25, 19.5, 20.75
    int len = snprintf(want, sizeof want, MIXED);
    CHECK(len > 0 && len < (int)sizeof want);
    CHECK_EQ(gzprintf(file, MIXED), len);
    CHECK_EQ(print_by_va_list(file, MIXED), len);
    CHECK_EQ(gzputs(file, "between"), 7);
    CHECK_EQ(gzprintf(file, "%s", ""), 0);
    CHECK_EQ(gzprintf(file, "plain\n"), 6);
    /* The default buffer has 8192 bytes: 8191 fit, and longer output is rejected as a whole. */
    memset(text, 'm', 8192), text[8192] = 0;
    CHECK_EQ(gzprintf(file, "%s", text), 0);
    CHECK_EQ(gzprintf(file, "%s", text + 1), 8191);
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
    CHECK_EQ(gzread(file, found, 1), 0);
    CHECK_EQ(gzprintf(file, "x"), Z_STREAM_ERROR); /* open for reading */
    CHECK_EQ(gzclose(file), Z_OK);

    /* The same with a buffer of 64 bytes. */
    file = gzopen(path, "wb");
    CHECK(file != NULL);
    CHECK_EQ(gzbuffer(file, 64), 0);
    CHECK_EQ(gzprintf(file, "%s", text), 0);
    CHECK_EQ(gzprintf(file, "%s", text + 8192 - 64), 0);
    CHECK_EQ(gzprintf(file, "%s", text + 8192 - 63), 63);
    CHECK_EQ(gzclose(file), Z_OK);
    file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzread(file, found, sizeof found), 63);
    CHECK(memcmp(found, text, 63) == 0);
    CHECK_EQ(gzclose(file), Z_OK);
    unlink(path);
    free(text);
    return 0;
}
