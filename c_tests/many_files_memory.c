/* Many files at once: the library's memory beyond zlib's needs is bounded for the process. 40 files are written in turn and 50
 * read in turn, with eight threads; the process stays below 100 MB. RIGZ_MEMORY changes the bound, but no byte of output. And of
 * the large buffers that gzbuffer sets only the part in use takes memory. */
/* alone: reads the process's memory */
#include "check.h"
#include <sys/stat.h>

enum { WRITERS = 40, READERS = 50, PIECE = 256 << 10, ROUNDS = 24, MOST_KIB = 100 << 10 };
static Bytef *plain;

static long resident_kib(void)
{
    long pages;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) >> 10);
}

static long most(long so_far)
{
    long now = resident_kib();
    return now > so_far ? now : so_far;
}

/* The peak memory of a process that writes `files` files in turn, a piece of each at a time. */
static long write_in_turn(const char *path, int files)
{
    static gzFile file[WRITERS];
    char name[600];
    long kib = 0;
    for (int i = 0; i < files; i++) {
        snprintf(name, sizeof name, "%s-%d", path, i);
        CHECK((file[i] = gzopen(name, "wb6")) != NULL);
    }
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < files; i++) {
            CHECK_EQ(gzwrite(file[i], plain + (round + i) % 8 * PIECE, PIECE), PIECE);
            kib = most(kib);
        }
    for (int i = 0; i < files; i++)
        CHECK_EQ(gzclose(file[i]), Z_OK);
    return kib;
}

/* As above, reading; the files are those that were written, each several times. */
static long read_in_turn(const char *path, int files)
{
    static gzFile file[READERS];
    static Bytef back[PIECE];
    char name[600];
    long kib = 0;
    for (int i = 0; i < files; i++) {
        snprintf(name, sizeof name, "%s-%d", path, i % WRITERS);
        CHECK((file[i] = gzopen(name, "rb")) != NULL);
    }
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < files; i++) {
            CHECK_EQ(gzread(file[i], back, PIECE), PIECE);
            CHECK(memcmp(back, plain + (round + i % WRITERS) % 8 * PIECE, PIECE) == 0);
            kib = most(kib);
        }
    for (int i = 0; i < files; i++)
        CHECK_EQ(gzclose(file[i]), Z_OK);
    return kib;
}

/* Writes and reads a few bytes with buffers of 64 MiB. */
static void large_buffers_are_not_touched(const char *path)
{
    char line[10];
    long before = resident_kib();
    gzFile file = gzopen(path, "wb6");
    CHECK(file != NULL);
    CHECK_EQ(gzbuffer(file, 64 << 20), 0);
    CHECK_EQ(gzputs(file, "a line\n"), 7);
    CHECK(resident_kib() - before < 4 << 10);
    CHECK_EQ(gzclose(file), Z_OK);
    CHECK((file = gzopen(path, "rb")) != NULL);
    CHECK_EQ(gzbuffer(file, 64 << 20), 0);
    CHECK_STR(gzgets(file, line, sizeof line), "a line\n");
    CHECK(resident_kib() - before < 4 << 10);
    CHECK_EQ(gzclose(file), Z_OK);
    unlink(path);
}

static uLong crc_of_file(const char *path)
{
    static Bytef bytes[16 << 20];
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    CHECK(len > 0 && len < sizeof bytes);
    fclose(file);
    return crc32(0, bytes, (uInt)len);
}

/* Writes one file under a memory bound; returns its bytes and the number of threads. */
static uLong write_under(const char *bound, const char *path, int *threads)
{
    pid_t child = fork_for(200);
    if (child == 0) {
        setenv("RIGZ_MEMORY", bound, 1);
        gzFile file = gzopen(path, "wb6");
        for (int round = 0; round < ROUNDS; round++)
            CHECK_EQ(gzwrite(file, plain + round % 8 * PIECE, PIECE), PIECE);
        CHECK_EQ(gzclose(file), Z_OK);
        exit(10 + entries("/proc/self/task"));
    }
    *threads = child_status(child) - 10;
    return crc_of_file(path);
}

int main(void)
{
    begin();
    setenv("RIGZ_THREADS", "8", 1);
    /* Six bits of noise in a byte: the files are large enough to be decoded ahead. */
    plain = noise(8 * PIECE, 1201);
    for (size_t i = 0; i < 8 * PIECE; i++)
        plain[i] &= 63;
    const char *path = scratch("turn");
    char name[600];
    for (int part = 0; part < 2; part++) {
        pid_t child = fork_for(200);
        if (child == 0) {
            long kib = part ? read_in_turn(path, READERS) : write_in_turn(path, WRITERS);
            printf("note: %ld KiB for %s\n", kib, part ? "50 readers" : "40 writers");
            CHECK(kib <= MOST_KIB);
            exit(0);
        }
        CHECK_EQ(child_status(child), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        snprintf(name, sizeof name, "%s-%d", path, i);
        unlink(name);
    }
    int many, none;
    uLong with = write_under("64M", path, &many), without = write_under("0", path, &none);
    CHECK_EQ(with, without);
    CHECK(!is_rigz() || many > none);
    CHECK_EQ(write_under("4M", path, &many), without);
    large_buffers_are_not_touched(path);
    free(plain);
    return 0;
}
