/* scripts/small_reads.c: measures small operations of decompression: opening and closing, tiny messages, tiny buffers.
 *
 *   cc -O2 scripts/small_reads.c -o /tmp/small_reads -lz
 *   /tmp/small_reads FILE                                  with the system's zlib
 *   LD_PRELOAD=target/release/librigz.so /tmp/small_reads FILE
 *
 * FILE: any data of a MiB or more; its first MiB is used. Each line is one figure: processor time in nanoseconds, the least of
 * seven rounds, or bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum { LEN = 1 << 20, ROUNDS = 7 };
static Bytef plain[LEN], packed[2 * LEN], out[LEN];
static uLong packed_len;
static char path[] = "/tmp/small-reads-XXXXXX";

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static void need(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "small_reads: %s\n", what);
        exit(1);
    }
}

/* The data as a raw stream with a block for each `piece` bytes, or as gzip members. */
static void pack(size_t len, size_t piece, int flush, int window_bits)
{
    z_stream strm = {0};
    need(deflateInit2(&strm, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK, "deflateInit2");
    strm.next_out = packed, strm.avail_out = sizeof packed;
    for (size_t at = 0; at < len; at += piece) {
        strm.next_in = plain + at, strm.avail_in = (uInt)(len - at < piece ? len - at : piece);
        deflate(&strm, at + piece < len ? flush : Z_FINISH);
        if (flush == Z_FINISH)
            deflateReset(&strm);
    }
    packed_len = (uLong)(strm.next_out - packed);
    deflateEnd(&strm);
}

static void init_end(void)
{
    for (int i = 0; i < 1000; i++) {
        z_stream strm = {0};
        inflateInit(&strm);
        inflateEnd(&strm);
    }
}

static void tiny_message(void)
{
    for (int i = 0; i < 1000; i++) {
        z_stream strm = {0};
        inflateInit(&strm);
        strm.next_in = packed, strm.avail_in = (uInt)packed_len, strm.next_out = out, strm.avail_out = LEN;
        need(inflate(&strm, Z_FINISH) == Z_STREAM_END, "a message");
        inflateEnd(&strm);
    }
}

static void one_call(void)
{
    z_stream strm = {0};
    inflateInit2(&strm, -15);
    strm.next_in = packed, strm.avail_in = (uInt)packed_len, strm.next_out = out, strm.avail_out = LEN;
    need(inflate(&strm, Z_FINISH) == Z_STREAM_END, "a stream");
    inflateEnd(&strm);
}

static uInt room;

static void small_rooms(void)
{
    z_stream strm = {0};
    int status = Z_OK;
    inflateInit2(&strm, -15);
    strm.next_in = packed, strm.avail_in = (uInt)packed_len, strm.next_out = out;
    while (status == Z_OK) {
        strm.avail_out = room;
        status = inflate(&strm, Z_NO_FLUSH);
    }
    need(status == Z_STREAM_END, "small rooms");
    inflateEnd(&strm);
}

static int count;

static void whole_file(void)
{
    gzFile file = gzopen(path, "rb");
    while (gzread(file, out, 8192) > 0) {}
    gzclose(file);
}

static void first_bytes(void)
{
    gzFile file = gzopen(path, "rb");
    need(gzread(file, out, (unsigned)count) == count, "the first bytes");
    gzclose(file);
}

static void first_line(void)
{
    gzFile file = gzopen(path, "rb");
    need(gzgets(file, (char *)out, 4096) != NULL, "a line");
    gzclose(file);
}

static void by_gzgetc(void)
{
    gzFile file = gzopen(path, "rb");
    while (gzgetc(file) >= 0) {}
    gzclose(file);
}

static void by_gzgets(void)
{
    gzFile file = gzopen(path, "rb");
    while (gzgets(file, (char *)out, 4096) != NULL) {}
    gzclose(file);
}

static void by_gzread(void)
{
    gzFile file = gzopen(path, "rb");
    while (gzread(file, out, room) > 0) {}
    gzclose(file);
}

static void combine(void)
{
    static volatile uLong crc;
    for (int i = 0; i < 1000; i++)
        crc = crc32_combine(crc, 0x12345678, 1000003 + i);
}

static void stored(void)
{
    z_stream strm = {0};
    deflateInit(&strm, 0);
    for (size_t at = 0; at < LEN; at += room) {
        strm.next_in = plain + at, strm.avail_in = room, strm.next_out = out, strm.avail_out = LEN;
        deflate(&strm, Z_NO_FLUSH);
    }
    deflateEnd(&strm);
}

static void measure(const char *what, void (*work)(void), double units)
{
    double least = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        work();
        double time = now() - start;
        least = time < least ? time : least;
    }
    printf("%-44s %10.2f\n", what, least / units);
}

static void write_file(void)
{
    FILE *file = fopen(path, "wb");
    need(file != NULL && fwrite(packed, 1, packed_len, file) == packed_len && fclose(file) == 0, "a file");
}

static size_t held;

static voidpf counted(voidpf opaque, uInt items, uInt size)
{
    (void)opaque;
    held += (size_t)items * size;
    return calloc(items, size);
}

static void returned(voidpf opaque, voidpf address)
{
    (void)opaque;
    free(address);
}

int main(int arguments, char **argument)
{
    FILE *file = fopen(arguments == 2 ? argument[1] : "", "rb");
    need(file != NULL && fread(plain, 1, LEN, file) == LEN, "FILE must have a MiB");
    fclose(file);
    need(close(mkstemp(path)) == 0, "a file");
    size_t lines = 0;
    for (size_t at = 0; at < LEN; at++)
        lines += plain[at] == '\n';

    measure("inflateInit and inflateEnd", init_end, 1000);
    pack(50, LEN, Z_NO_FLUSH, 15);
    measure("the same and a message of 50 bytes", tiny_message, 1000);
    pack(LEN, 2000, Z_BLOCK, -15);
    measure("a block of 2000 bytes before much input", one_call, LEN / 2000.0);
    pack(LEN, LEN, Z_NO_FLUSH, -15);
    for (room = 1; room <= 16; room *= 4) {
        char what[64];
        snprintf(what, sizeof what, "a call with %u bytes of room", room);
        measure(what, small_rooms, (double)LEN / room);
    }
    measure("crc32_combine", combine, 1000);
    room = 100;
    measure("level 0, 100 bytes at a time, a byte", stored, LEN);
    pack(LEN, 300, Z_FINISH, 31);
    write_file();
    measure("gzip members of 300 bytes, a byte", whole_file, LEN);
    pack(LEN, LEN, Z_NO_FLUSH, 31);
    write_file();
    count = 30 << 10;
    measure("gzopen, the first 30 KiB, gzclose", first_bytes, 1);
    measure("gzopen, a line, gzclose", first_line, 1);
    measure("gzgetc", by_gzgetc, LEN);
    measure("gzgets, a byte", by_gzgets, LEN);
    room = 16;
    measure("gzread of 16 bytes, a byte", by_gzread, LEN);

    z_stream strm = {0};
    strm.zalloc = counted, strm.zfree = returned;
    need(inflateInit(&strm) == Z_OK, "inflateInit");
    pack(LEN, LEN, Z_NO_FLUSH, 15);
    strm.next_in = packed, strm.avail_in = (uInt)packed_len, strm.next_out = out, strm.avail_out = 100000;
    inflate(&strm, Z_NO_FLUSH);
    inflateEnd(&strm);
    printf("%-44s %10zu\n", "memory of an inflate stream, bytes", held);
    unlink(path);
    return 0;
}
