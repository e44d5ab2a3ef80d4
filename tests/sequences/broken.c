/* A libz with one fault in it: the system's, except that now and then the function named by RIGZ_FAULT goes wrong.
 *
 * The testers must find each fault (planted.rs). What is not wrapped here comes from the libz.so.1 that this library is
 * linked with. Each fault strikes at every eleventh call where it can, so that a sequence seems sound for a while.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

const char *rigz_version(void) { return "broken"; }

static int fault(const char *name) {
    const char *wanted = getenv("RIGZ_FAULT");
    return wanted != NULL && strcmp(wanted, name) == 0;
}

static int now(void) {
    static unsigned calls;
    return ++calls % 11 == 0;
}

static void *real(const char *name) {
    static void *libz;
    if (libz == NULL) libz = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
    return dlsym(libz, name);
}

#define REAL(ret, name, ...) ((ret(*)(__VA_ARGS__))real(#name))

int deflate(z_streamp s, int flush) {
    Bytef *out = s->next_out;
    uInt room = s->avail_out;
    uLong in_before = s->total_in, adler = s->adler;
    if (fault("deflate-cut") && flush == Z_NO_FLUSH && s->avail_in % 7 == 1 && now()) flush = Z_PARTIAL_FLUSH;
    if (fault("deflate-flush") && flush == Z_SYNC_FLUSH && now()) flush = Z_NO_FLUSH;
    if (fault("deflate-accepts") && (flush < 0 || flush > Z_BLOCK)) return Z_OK;
    int code = REAL(int, deflate, z_streamp, int)(s, flush);
    uInt made = room - s->avail_out;
    if (fault("deflate-byte") && made > 20 && now()) out[made / 2] ^= 4;
    if (fault("deflate-overrun") && room > 0 && s->avail_out == 0 && now()) out[room] = 0;
    if (fault("deflate-total-in") && s->total_in != in_before && now()) s->total_in--;
    if (fault("deflate-avail-out") && made > 0 && now()) s->avail_out++;
    if (fault("deflate-adler") && s->adler != adler && now()) s->adler ^= 1;
    if (fault("deflate-end-code") && code == Z_STREAM_END && now()) code = Z_OK;
    if (fault("deflate-input") && s->total_in != in_before && now()) ((Bytef *)s->next_in)[-1] ^= 1;
    if (fault("deflate-data-type") && code == Z_STREAM_END && now()) s->data_type ^= 1;
    return code;
}

int deflateGetDictionary(z_streamp s, Bytef *to, uInt *len) {
    int code = REAL(int, deflateGetDictionary, z_streamp, Bytef *, uInt *)(s, to, len);
    if (fault("deflate-dictionary") && to != NULL && *len > 0) to[*len - 1] ^= 1;
    return code;
}

uLong deflateBound(z_streamp s, uLong len) {
    uLong bound = REAL(uLong, deflateBound, z_streamp, uLong)(s, len);
    return fault("deflate-bound") ? len : bound;
}

int deflateReset(z_streamp s) {
    int code = REAL(int, deflateReset, z_streamp)(s);
    if (fault("deflate-reset")) s->total_out = 1;
    return code;
}

int deflateSetHeader(z_streamp s, gz_headerp head) {
    if (fault("deflate-header") && head != NULL) head->time ^= 1;
    return REAL(int, deflateSetHeader, z_streamp, gz_headerp)(s, head);
}

int deflateSetDictionary(z_streamp s, const Bytef *from, uInt len) {
    uLong before = s->total_in;
    int code = REAL(int, deflateSetDictionary, z_streamp, const Bytef *, uInt)(s, from, len);
    if (fault("deflate-dictionary-total")) s->total_in = before;
    return code;
}

int deflateParams(z_streamp s, int level, int strategy) {
    if (fault("deflate-level") && level != -1) level &= 15; /* bits that nobody looks at */
    return REAL(int, deflateParams, z_streamp, int, int)(s, level, strategy);
}

int inflateReset2(z_streamp s, int bits) {
    if (fault("inflate-window-bits") && bits > 47) bits &= 15;
    return REAL(int, inflateReset2, z_streamp, int)(s, bits);
}

int inflateInit2_(z_streamp s, int bits, const char *version, int size) {
    if (fault("inflate-window-bits") && bits > 47) bits &= 15;
    return REAL(int, inflateInit2_, z_streamp, int, const char *, int)(s, bits, version, size);
}

int inflateGetHeader(z_streamp s, gz_headerp head) {
    int code = REAL(int, inflateGetHeader, z_streamp, gz_headerp)(s, head);
    if (fault("inflate-header") && code == Z_OK) head->hcrc = 0; /* which is told at the header's end only */
    return code;
}

int inflate(z_streamp s, int flush) {
    Bytef *out = s->next_out;
    uInt room = s->avail_out;
    int code = REAL(int, inflate, z_streamp, int)(s, flush);
    uInt made = room - s->avail_out;
    if (fault("inflate-byte") && made > 20 && now()) out[made - 1] ^= 1;
    if (fault("inflate-overrun") && room > 0 && s->avail_out == 0 && now()) out[room] = 0;
    if (fault("inflate-buf-error") && code == Z_BUF_ERROR && now()) code = Z_OK;
    if (fault("inflate-message") && code == Z_DATA_ERROR && now()) s->msg = "data error";
    if (fault("inflate-adler") && code == Z_OK && made > 0 && now()) s->adler ^= 1;
    if (fault("inflate-data-type") && code == Z_OK && now()) s->data_type ^= 128;
    if (fault("inflate-greedy") && code == Z_STREAM_END && s->avail_in > 0) s->next_in++, s->avail_in--, s->total_in++;
    return code;
}

int inflateSync(z_streamp s) {
    int code = REAL(int, inflateSync, z_streamp)(s);
    return fault("inflate-sync") ? Z_OK : code;
}

int inflateGetDictionary(z_streamp s, Bytef *to, uInt *len) {
    int code = REAL(int, inflateGetDictionary, z_streamp, Bytef *, uInt *)(s, to, len);
    if (fault("inflate-dictionary") && len != NULL && *len > 0) --*len;
    return code;
}

int inflateBack(z_streamp s, in_func in, void *in_desc, out_func out, void *out_desc) {
    int code = REAL(int, inflateBack, z_streamp, in_func, void *, out_func, void *)(s, in, in_desc, out, out_desc);
    if (fault("inflate-back") && code == Z_STREAM_END) code = Z_OK;
    return code;
}

int uncompress(Bytef *to, uLongf *to_len, const Bytef *from, uLong len) {
    int code = REAL(int, uncompress, Bytef *, uLongf *, const Bytef *, uLong)(to, to_len, from, len);
    if (fault("uncompress-length") && code == Z_OK && *to_len > 0) --*to_len;
    return code;
}

int uncompress2(Bytef *to, uLongf *to_len, const Bytef *from, uLong *len) {
    uLong given = *len;
    int code = REAL(int, uncompress2, Bytef *, uLongf *, const Bytef *, uLong *)(to, to_len, from, len);
    if (fault("uncompress-source") && code == Z_OK) *len = given;
    return code;
}

int gzputc(gzFile f, int byte) {
    int code = REAL(int, gzputc, gzFile, int)(f, byte);
    return fault("gz-putc") && code >= 0 ? byte : code;
}

int gzflush(gzFile f, int flush) {
    return REAL(int, gzflush, gzFile, int)(f, fault("gz-flush") ? flush & 7 : flush);
}

int gzwrite(gzFile f, voidpc from, unsigned len) {
    if (fault("gz-write-short") && len > 10 && now()) {
        REAL(int, gzwrite, gzFile, voidpc, unsigned)(f, from, len - 1);
        return (int)len;
    }
    return REAL(int, gzwrite, gzFile, voidpc, unsigned)(f, from, len);
}

int gzread(gzFile f, voidp to, unsigned len) {
    int n = REAL(int, gzread, gzFile, voidp, unsigned)(f, to, len);
    if (fault("gz-read-byte") && n > 10 && now()) ((Bytef *)to)[n - 1] ^= 1;
    if (fault("gz-read-overrun") && n > 0 && (unsigned)n == len && now()) ((Bytef *)to)[n] = 0;
    return n;
}

char *gzgets(gzFile f, char *to, int len) {
    char *line = REAL(char *, gzgets, gzFile, char *, int)(f, to, len);
    if (fault("gz-gets-end") && line != NULL && len > 2 && now()) line[strlen(line)] = 'x';
    return line;
}

z_off_t gzseek(gzFile f, z_off_t offset, int whence) {
    if (fault("gz-whence") && whence > 2) whence &= 1;
    z_off_t to = REAL(z_off_t, gzseek, gzFile, z_off_t, int)(f, offset, whence);
    if (fault("gz-seek") && to > 100 && now()) REAL(int, gzgetc, gzFile)(f);
    return to;
}

int gzeof(gzFile f) { return fault("gz-eof") ? 0 : REAL(int, gzeof, gzFile)(f); }

int gzclose(gzFile f) {
    int code = REAL(int, gzclose, gzFile)(f);
    return fault("gz-close") ? Z_OK : code;
}

int gzungetc(int byte, gzFile f) {
    int code = REAL(int, gzungetc, int, gzFile)(byte, f);
    if (fault("gz-ungetc") && code >= 0 && now()) f->pos++;
    return code;
}
