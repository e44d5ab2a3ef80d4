/* rigz.h - everything librigz exports: the zlib interface, and rigz's own functions (rigz_...).
 *
 * zlib.h brings the types, constants and macros. Below stands every function as the Rust source defines it, so that a compiler
 * finds any difference between the two; gzprintf and gzvprintf, which take variable arguments, are declared in zlib.h only.
 * A program that needs no rigz_ function includes zlib.h alone and stays a zlib program.
 *
 *   rigz_version()  rigz's own version as a static string; zlibVersion() tells the version of the zlib interface.
 *                   dlsym(RTLD_DEFAULT, "rigz_version") tells a program whether its zlib is rigz.
 */

#pragma once

/* Written by cbindgen from src/capi; see cbindgen.toml. Don't edit. */

#include <stdint.h>
#include "zlib.h"

/* A macro of zlib.h; what follows declares the function behind it. */
#pragma push_macro("gzgetc")
#undef gzgetc

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

uLong adler32(uLong adler, const uint8_t *buf, uInt len);

uLong adler32_z(uLong adler, const uint8_t *buf, z_size_t len);

uLong crc32(uLong crc, const uint8_t *buf, uInt len);

uLong crc32_z(uLong crc, const uint8_t *buf, z_size_t len);

uLong adler32_combine(uLong adler1, uLong adler2, z_off_t len2);

uLong adler32_combine64(uLong adler1, uLong adler2, z_off64_t len2);

uLong crc32_combine(uLong crc1, uLong crc2, z_off_t len2);

uLong crc32_combine64(uLong crc1, uLong crc2, z_off64_t len2);

uLong crc32_combine_gen(z_off_t len2);

uLong crc32_combine_gen64(z_off64_t len2);

uLong crc32_combine_op(uLong crc1, uLong crc2, uLong op);

int deflateInit_(z_stream *strm, int level, const char *version, int stream_size);

int deflateInit2_(z_stream *strm,
                  int level,
                  int method,
                  int window_bits,
                  int mem_level,
                  int strategy,
                  const char *version,
                  int stream_size);

int deflate(z_stream *strm, int flush);

int deflateEnd(z_stream *strm);

int deflateReset(z_stream *strm);

int deflateResetKeep(z_stream *strm);

int deflateParams(z_stream *strm, int level, int strategy);

int deflateSetDictionary(z_stream *strm, const uint8_t *dictionary, uInt len);

int deflateGetDictionary(z_stream *strm, uint8_t *dictionary, uInt *len);

int deflatePrime(z_stream *strm, int bits, int value);

int deflateTune(z_stream *strm, int good, int lazy, int nice, int chain);

int deflatePending(z_stream *strm, unsigned int *pending, int *bits);

int deflateUsed(z_stream *strm, int *bits);

uLong deflateBound(z_stream *strm, uLong source_len);

z_size_t deflateBound_z(z_stream *strm, z_size_t source_len);

int deflateSetHeader(z_stream *strm, gz_header *head);

int deflateCopy(z_stream *dest, z_stream *source);

gzFile gzopen(const char *path, const char *mode);

gzFile gzopen64(const char *path, const char *mode);

gzFile gzdopen(int fd, const char *mode);

int gzbuffer(gzFile file, unsigned int size);

int gzsetparams(gzFile file, int level, int strategy);

int gzread(gzFile file, void *buf, unsigned int len);

z_size_t gzfread(void *buf, z_size_t size, z_size_t nitems, gzFile file);

int gzgetc(gzFile file);

int gzgetc_(gzFile file);

char *gzgets(gzFile file, char *buf, int len);

int gzungetc(int c, gzFile file);

int gzwrite(gzFile file, const void *buf, unsigned int len);

z_size_t gzfwrite(const void *buf, z_size_t size, z_size_t nitems, gzFile file);

int gzputc(gzFile file, int c);

int gzputs(gzFile file, const char *s);

int rigz_gzvprintf(gzFile file, const char *format, void *va);

int gzflush(gzFile file, int flush);

z_off64_t gzseek64(gzFile file, z_off64_t offset, int whence);

z_off_t gzseek(gzFile file, z_off_t offset, int whence);

int gzrewind(gzFile file);

z_off64_t gztell64(gzFile file);

z_off_t gztell(gzFile file);

z_off64_t gzoffset64(gzFile file);

z_off_t gzoffset(gzFile file);

int gzeof(gzFile file);

int gzdirect(gzFile file);

int gzclose(gzFile file);

int gzclose_r(gzFile file);

int gzclose_w(gzFile file);

const char *gzerror(gzFile file, int *errnum);

void gzclearerr(gzFile file);

int inflateInit_(z_stream *strm, const char *version, int stream_size);

int inflateInit2_(z_stream *strm, int window_bits, const char *version, int stream_size);

int inflate(z_stream *strm, int flush);

int inflateEnd(z_stream *strm);

int inflateReset(z_stream *strm);

int inflateReset2(z_stream *strm, int window_bits);

int inflateResetKeep(z_stream *strm);

int inflateSetDictionary(z_stream *strm, const uint8_t *dictionary, uInt len);

int inflateGetDictionary(z_stream *strm, uint8_t *dictionary, uInt *len);

int inflateSync(z_stream *strm);

int inflateSyncPoint(z_stream *strm);

int inflateCopy(z_stream *dest, z_stream *source);

int inflatePrime(z_stream *strm, int bits, int value);

long inflateMark(z_stream *strm);

int inflateGetHeader(z_stream *strm, gz_header *head);

int inflateUndermine(z_stream *strm, int subvert);

int inflateValidate(z_stream *strm, int check);

unsigned long inflateCodesUsed(z_stream *strm);

int inflateBackInit_(z_stream *strm, int window_bits, uint8_t *window, const char *version, int stream_size);

int inflateBack(z_stream *strm, in_func read, void *read_desc, out_func write, void *write_desc);

int inflateBackEnd(z_stream *strm);

int compress(uint8_t *dest, uLong *dest_len, const uint8_t *source, uLong source_len);

int compress2(uint8_t *dest, uLong *dest_len, const uint8_t *source, uLong source_len, int level);

int compress_z(uint8_t *dest, z_size_t *dest_len, const uint8_t *source, z_size_t source_len);

int compress2_z(uint8_t *dest, z_size_t *dest_len, const uint8_t *source, z_size_t source_len, int requested);

uLong compressBound(uLong source_len);

z_size_t compressBound_z(z_size_t source_len);

int uncompress(uint8_t *dest, uLong *dest_len, const uint8_t *source, uLong source_len);

int uncompress2(uint8_t *dest, uLong *dest_len, const uint8_t *source, uLong *source_len);

int uncompress_z(uint8_t *dest, z_size_t *dest_len, const uint8_t *source, z_size_t source_len);

int uncompress2_z(uint8_t *dest, z_size_t *dest_len, const uint8_t *source, z_size_t *source_len);

const char *zlibVersion(void);

const char *rigz_version(void);

uLong zlibCompileFlags(void);

const char *zError(int code);

const z_crc_t *get_crc_table(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#pragma pop_macro("gzgetc")
