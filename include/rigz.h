/* rigz.h - everything librigz exports: the zlib interface, and rigz's own functions (rigz_...).
 *
 * zlib.h brings the types, constants and macros. Below stands every function as the Rust source defines it, so that a compiler
 * finds any difference between the two; gzprintf and gzvprintf, which take variable arguments, are declared in zlib.h only.
 * A program that needs no rigz_ function includes zlib.h alone and stays a zlib program.
 *
 *   rigz_version()  rigz's own version as a static string; zlibVersion() returns the version of the zlib interface.
 *                   dlsym(RTLD_DEFAULT, "rigz_version") is not null if the program's zlib is rigz.
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

/*
 Updates the Adler-32 `adler` with the `len` bytes at `buf`. Start with 1, the value for empty
 data.
 Returns the new Adler-32, in the low 32 bits; 1 if `buf` is null.
 Errors: none.
 */
uLong adler32(uLong adler, const uint8_t *buf, uInt len);

/*
 Same as `adler32`, but `len` is a `z_size_t`.
 Returns the new Adler-32, in the low 32 bits; 1 if `buf` is null.
 Errors: none.
 */
uLong adler32_z(uLong adler, const uint8_t *buf, z_size_t len);

/*
 Updates the CRC-32 `crc` with the `len` bytes at `buf`. Start with 0, the value for empty data.
 Returns the new CRC-32, in the low 32 bits; 0 if `buf` is null.
 Errors: none.
 */
uLong crc32(uLong crc, const uint8_t *buf, uInt len);

/*
 Same as `crc32`, but `len` is a `z_size_t`.
 Returns the new CRC-32, in the low 32 bits; 0 if `buf` is null.
 Errors: none.
 */
uLong crc32_z(uLong crc, const uint8_t *buf, z_size_t len);

/*
 Computes the Adler-32 of two concatenated blocks of data from the Adler-32 of each.
 `adler1` belongs to the first block, `adler2` to the second, which is `len2` bytes long.
 Returns the combined Adler-32.
 Errors: 0xffffffff if `len2` is negative.
 */
uLong adler32_combine(uLong adler1, uLong adler2, z_off_t len2);

/*
 Same as `adler32_combine`, but `len2` is a `z_off64_t`.
 Returns the combined Adler-32.
 Errors: 0xffffffff if `len2` is negative.
 */
uLong adler32_combine64(uLong adler1, uLong adler2, z_off64_t len2);

/*
 Computes the CRC-32 of two concatenated blocks of data from the CRC-32 of each.
 `crc1` belongs to the first block, `crc2` to the second, which is `len2` bytes long.
 Returns the combined CRC-32.
 Errors: 0 if `len2` is negative.
 */
uLong crc32_combine(uLong crc1, uLong crc2, z_off_t len2);

/*
 Same as `crc32_combine`, but `len2` is a `z_off64_t`.
 Returns the combined CRC-32.
 Errors: 0 if `len2` is negative.
 */
uLong crc32_combine64(uLong crc1, uLong crc2, z_off64_t len2);

/*
 Computes the operator that `crc32_combine_op` needs for a second block of `len2` bytes.
 One operator serves any number of pairs whose second block has this length.
 Returns the operator.
 Errors: 0 if `len2` is negative.
 */
uLong crc32_combine_gen(z_off_t len2);

/*
 Same as `crc32_combine_gen`, but `len2` is a `z_off64_t`.
 Returns the operator.
 Errors: 0 if `len2` is negative.
 */
uLong crc32_combine_gen64(z_off64_t len2);

/*
 Same as `crc32_combine`, with the length of the second block given by `op`.
 `op` comes from `crc32_combine_gen`. This is faster if many second blocks have the same length.
 Returns the combined CRC-32.
 Errors: none; `op` is not checked.
 */
uLong crc32_combine_op(uLong crc1, uLong crc2, uLong op);

/*
 Initializes `strm` for compression to a zlib stream at `level` (0 to 9, or -1 for the default,
 6). The caller sets `zalloc`, `zfree` and `opaque` first; null functions select the default
 allocator. C programs call the macro `deflateInit`, which passes `version` and `stream_size`.
 The stream owns memory until `deflateEnd`.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: `strm` is null or `level` is out of range; `Z_MEM_ERROR`: no memory;
 `Z_VERSION_ERROR`: `version` or `stream_size` does not match this library.
 */
int deflateInit_(z_stream *strm, int level, const char *version, int stream_size);

/*
 Initializes `strm` as `deflateInit_` does, with all parameters. Called by the macro
 `deflateInit2`. `method` is 8 (deflate). `window_bits` is the base-2 logarithm of the window
 size in bytes: 8 to 15 for zlib, 16 more for gzip (25 to 31), or negative for raw deflate (-15
 to -9). `mem_level` is 1 to 9, `strategy` is 0 to 4 (`Z_DEFAULT_STRATEGY` to `Z_FIXED`).
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: `strm` is null or a parameter is out of range; `Z_MEM_ERROR`: no
 memory; `Z_VERSION_ERROR`: `version` or `stream_size` does not match this library.
 */
int deflateInit2_(z_stream *strm,
                  int level,
                  int method,
                  int window_bits,
                  int mem_level,
                  int strategy,
                  const char *version,
                  int stream_size);

/*
 Compresses `avail_in` bytes at `next_in` to at most `avail_out` bytes at `next_out`, as far as
 possible, and updates these fields and the totals. `flush` is `Z_NO_FLUSH` to `Z_BLOCK`. With
 `Z_FINISH`, call again with more room until it returns `Z_STREAM_END`.
 Returns `Z_OK` after progress, `Z_STREAM_END` after the last byte of the stream is written.
 Errors: `Z_BUF_ERROR`: no progress is possible (not fatal: call again with more input or room);
 `Z_STREAM_ERROR`: the stream, a buffer pointer or `flush` is invalid, or another flush follows
 `Z_FINISH`; `Z_MEM_ERROR`: no memory (nothing is lost: the call may be repeated).
 */
int deflate(z_stream *strm, int flush);

/*
 Frees all memory of the stream; input that is not compressed and output not delivered are lost.
 Returns `Z_OK`.
 Errors: `Z_DATA_ERROR`: the stream was begun but not finished (it is freed all the same; up to
 64 KiB of output may be undelivered without this error once `Z_FINISH` has taken all input);
 `Z_STREAM_ERROR`: the stream is invalid.
 */
int deflateEnd(z_stream *strm);

/*
 Resets the stream to its start and keeps its parameters.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid; `Z_MEM_ERROR`: no memory.
 */
int deflateReset(z_stream *strm);

/*
 Resets the stream as `deflateReset` does, but keeps the window: later data may refer to earlier
 data.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid; `Z_MEM_ERROR`: no memory.
 */
int deflateResetKeep(z_stream *strm);

/*
 Changes `level` (0 to 9, or -1 for 6) and `strategy` (0 to 4) for the input that follows. Once
 `deflate` was called, a change first compresses the input at `next_in` with the old parameters
 and flushes it to `next_out`.
 Returns `Z_OK`.
 Errors: `Z_BUF_ERROR`: the flush needs more room (parameters unchanged: call again with more);
 `Z_STREAM_ERROR`: the stream, a buffer pointer or a parameter is invalid, or the stream has
 ended; `Z_MEM_ERROR`: no memory.
 */
int deflateParams(z_stream *strm, int level, int strategy);

/*
 Sets the `len` bytes at `dictionary` as history to which later data may refer; the bytes are
 copied. Only the last bytes count, up to the window size (at most 32 KiB). A zlib stream accepts
 this before the first `deflate`, a raw stream also after a completed flush, a gzip stream never.
 Returns `Z_OK`; for a zlib stream, `adler` is then the Adler-32 of the dictionary.
 Errors: `Z_STREAM_ERROR`: the stream is invalid or in another state, or `dictionary` is null.
 */
int deflateSetDictionary(z_stream *strm, const uint8_t *dictionary, uInt len);

/*
 Copies the history of the stream to `dictionary` and stores its length in bytes in `*len`.
 `dictionary` must have room for 32 KiB. Either pointer may be null.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid; `Z_MEM_ERROR`: no memory.
 */
int deflateGetDictionary(z_stream *strm, uint8_t *dictionary, uInt *len);

/*
 Inserts the low `bits` bits of `value` (0 to 16 bits) before the next output of the stream.
 Returns `Z_OK`.
 Errors: `Z_BUF_ERROR`: `bits` is out of range, or the stream has no room for the bits now;
 `Z_STREAM_ERROR`: the stream is invalid.
 */
int deflatePrime(z_stream *strm, int bits, int value);

/*
 Sets the limits of the match search: the lengths in bytes `good`, `lazy` and `nice`, and the
 maximum number of candidates `chain`. They are described in zlib's deflate.c. The stream becomes
 serial.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid.
 */
int deflateTune(z_stream *strm, int good, int lazy, int nice, int chain);

/*
 Stores the amount of output that is not yet delivered: whole bytes in `*pending`, and the
 remaining bits (0 to 7) in `*bits`. Either pointer may be null.
 Returns `Z_OK`.
 Errors: `Z_BUF_ERROR`: the number of bytes exceeds `UINT_MAX`, which is stored in `*pending`;
 `Z_STREAM_ERROR`: the stream is invalid.
 */
int deflatePending(z_stream *strm, unsigned int *pending, int *bits);

/*
 Stores in `*bits` how many bits of the last byte of a finished raw stream are used: 1 to 8, or 0
 if that is unknown (see PORTING.md). `bits` may be null.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid.
 */
int deflateUsed(z_stream *strm, int *bits);

/*
 Returns the maximum output in bytes of one `deflate` call with `Z_FINISH` for `source_len` bytes
 of input. Call it after `deflateInit` and `deflateSetHeader`. If `strm` is null or invalid, the
 result is large enough for any parameters without a gzip header set by the program.
 Errors: none.
 */
uLong deflateBound(z_stream *strm, uLong source_len);

/*
 As `deflateBound`, with lengths of type `size_t`.
 */
z_size_t deflateBound_z(z_stream *strm, z_size_t source_len);

/*
 Sets the header of a gzip stream; call it before the first `deflate`. The stream keeps the
 pointer: `head` and its buffers stay the caller's and must be valid until the header is written.
 If `head` is null, the default header is written.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid, is not a gzip stream or has ended.
 */
int deflateSetHeader(z_stream *strm, gz_header *head);

/*
 Makes `dest` an independent copy of the stream `source` in its current state. The memory is
 allocated with the allocator of `source`; free it with `deflateEnd(dest)`.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: `source` is invalid or `dest` is null; `Z_MEM_ERROR`: no memory.
 */
int deflateCopy(z_stream *dest, z_stream *source);

/*
 Opens the file `path` for reading or writing gzip data. Release the result with `gzclose`.
 `mode` contains `r` (read), `w` (truncate and write) or `a` (append), and optionally: `0` to
 `9`, the level; `f`, `h`, `R` or `F`, the strategy (filtered, Huffman only, RLE, fixed); `T`,
 write without compression; `G`, accept only gzip when reading; `x`, fail if the file exists;
 `e`, close on exec; `N`, non-blocking. Other letters are ignored. Without `G`, files that are
 not gzip are read as is.
 Returns the open file.
 Errors: NULL if an argument is null, `mode` has `+`, none of `r`, `w` and `a`, `T` with `r`, or
 `G` without `r`; if memory is short; or if the file cannot be opened (`errno` has the reason).
 */
gzFile gzopen(const char *path, const char *mode);

/*
 Same as `gzopen`. Offsets have 64 bits in both.
 Returns the open file.
 Errors: NULL, as for `gzopen`.
 */
gzFile gzopen64(const char *path, const char *mode);

/*
 Opens the file descriptor `fd` for reading or writing gzip data. `mode` is that of `gzopen`.
 On success the `gzFile` owns `fd`, and `gzclose` closes it. On failure the caller still owns it.
 Returns the open file. `fd` is not checked before the first read or write.
 Errors: NULL if `fd` is -1, `mode` is null or invalid, or memory is short.
 */
gzFile gzdopen(int fd, const char *mode);

/*
 Sets the buffer size to `size` bytes; call it before the first read or write.
 The default is 8192; less than 8 counts as 8. A string of `gzprintf` must be shorter than this.
 Returns 0.
 Errors: -1 if `file` is null, the buffers are already in use, or `size` exceeds 2147483647.
 */
int gzbuffer(gzFile file, unsigned int size);

/*
 Changes the level and strategy for data that is written from now on.
 `level` is 0 to 9 or -1 (default). Data that is already buffered is compressed with the old
 values. Unknown values are not rejected here: before the first write, they make that write fail
 with `Z_MEM_ERROR`; later they have no effect.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR` if `file` is null, not open for compressed writing, or has an error;
 `Z_ERRNO` if writing to the file failed; `Z_MEM_ERROR` if memory is short.
 */
int gzsetparams(gzFile file, int level, int strategy);

/*
 Reads and decompresses up to `len` bytes (at most `INT_MAX`) into `buf`.
 It reads on through concatenated gzip members, and ignores what follows the last one.
 Returns the number of bytes read. Fewer than `len` means the end of the file or an error (see
 `gzerror`); the error is `Z_BUF_ERROR` if the file ends inside a gzip member.
 Errors: -1 if `file` is null, not open for reading, or has an error, if `len` exceeds `INT_MAX`,
 or if memory is short or reading failed before the first byte. See `gzerror`.
 */
int gzread(gzFile file, void *buf, unsigned int len);

/*
 Reads up to `nitems` items of `size` bytes each into `buf`, like `fread`.
 Returns the number of complete items read. Fewer than `nitems` means the end of the file or an
 error. After the last complete item, `buf` may hold part of another one.
 Errors: 0 if `file` is null, not open for reading, or has an error, if `size` is 0, if `size *
 nitems` overflows, or if reading failed before the first byte. See `gzerror`.
 */
z_size_t gzfread(void *buf, z_size_t size, z_size_t nitems, gzFile file);

/*
 Reads one byte.
 Returns the byte, 0 to 255.
 Errors: -1 at the end of the file; if `file` is null, not open for reading, or has an error; or
 if reading failed. `gzeof` and `gzerror` distinguish these.
 */
int gzgetc(gzFile file);

/*
 Same as `gzgetc`. The `gzgetc` macro calls it when no bytes are buffered.
 Returns the byte, 0 to 255.
 Errors: -1, as for `gzgetc`.
 */
int gzgetc_(gzFile file);

/*
 Reads a line into `buf`: up to `len - 1` bytes, through the next newline or to the end of the
 file.
 A zero byte is stored after them, so `buf` must have room for `len` bytes.
 Returns `buf`.
 Errors: NULL if nothing was read: at the end of the file; if `file` or `buf` is null, or `len`
 is less than 2; if `file` is not open for reading or has an error; or if reading failed. See
 `gzerror`.
 */
char *gzgets(gzFile file, char *buf, int len);

/*
 Pushes the byte `c` back, so that it is read next. This clears the end-of-file indicator.
 Directly after `gzopen`, at least a buffer's size can be pushed (see `gzbuffer`); later at least
 one byte. `gzseek` and `gzrewind` discard pushed bytes.
 Returns `c`.
 Errors: -1 if `c` is negative; if `file` is null, not open for reading, or has an error; if
 there is no room for the byte (`gzerror` reports `Z_DATA_ERROR`); or if reading failed.
 */
int gzungetc(int c, gzFile file);

/*
 Compresses and writes the `len` bytes at `buf` (at most `INT_MAX`); they may stay buffered.
 Returns `len`. On a non-blocking descriptor the result may be less; `gzerror` then reports
 `Z_ERRNO`.
 Errors: 0 if `file` is null, not open for writing, or has an error, if `len` exceeds `INT_MAX`,
 if memory is short, or if writing failed. See `gzerror`.
 */
int gzwrite(gzFile file, const void *buf, unsigned int len);

/*
 Compresses and writes `nitems` items of `size` bytes each from `buf`, like `fwrite`.
 Returns `nitems`. On a non-blocking descriptor, the number of complete items taken may be less.
 Errors: 0 if `file` is null, not open for writing, or has an error, if `size` is 0, if `size *
 nitems` overflows, if memory is short, or if writing failed. See `gzerror`.
 */
z_size_t gzfwrite(const void *buf, z_size_t size, z_size_t nitems, gzFile file);

/*
 Compresses and writes the byte `c`, converted to `unsigned char`.
 Returns the byte written, 0 to 255.
 Errors: -1 if `file` is null, not open for writing, or has an error, if memory is short, or if
 writing failed. See `gzerror`.
 */
int gzputc(gzFile file, int c);

/*
 Compresses and writes the string `s` without its terminating zero.
 Returns the length of `s`. On a non-blocking descriptor the result may be less.
 Errors: -1 if `file` or `s` is null; if `file` is not open for writing or has an error; if the
 length exceeds `INT_MAX`; if memory is short; or if writing failed. See `gzerror`.
 */
int gzputs(gzFile file, const char *s);

/*
 Same as `gzvprintf`. `gzprintf` calls it by this name, which no other library defines.
 Returns the length of the string; 0 if it was not written, as for `gzprintf`.
 Errors: those of `gzprintf`.
 */
int rigz_gzvprintf(gzFile file, const char *format, void *va);

/*
 Compresses all buffered data with the flush mode `flush` of `deflate`, and writes it to the
 file.
 `Z_NO_FLUSH` compresses the data but may leave output buffered. `Z_FINISH` ends the gzip member;
 later writes begin another. Frequent flushing reduces compression.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR` if `file` is null, not open for writing, or has an error, or `flush` is
 not `Z_NO_FLUSH`, `Z_PARTIAL_FLUSH`, `Z_SYNC_FLUSH`, `Z_FULL_FLUSH` or `Z_FINISH`; `Z_ERRNO` if
 writing failed; `Z_MEM_ERROR` if memory is short.
 */
int gzflush(gzFile file, int flush);

/*
 Moves the position of the next read or write, counted in bytes of uncompressed data.
 `offset` is relative to the start (`SEEK_SET`) or the current position (`SEEK_CUR`); `SEEK_END`
 is not supported. When reading, skipped data is decompressed, and a backward seek starts over.
 When writing, only forward seeks are possible; the next write, flush or close fills the gap with
 zeros.
 Returns the new position.
 Errors: -1 if `file` is null or has an error, `whence` is invalid, the target is before the
 start of the file or, when writing, before the current position, or the file is not seekable but
 must be.
 */
z_off64_t gzseek64(gzFile file, z_off64_t offset, int whence);

/*
 Same as `gzseek64`; `z_off_t` has 64 bits too.
 Returns the new position.
 Errors: -1, as for `gzseek64`.
 */
z_off_t gzseek(gzFile file, z_off_t offset, int whence);

/*
 Moves back to the start of a file that is open for reading, and clears the end-of-file
 indicator.
 Returns 0.
 Errors: -1 if `file` is null, not open for reading, or has an error, or if it is not seekable.
 */
int gzrewind(gzFile file);

/*
 Returns the position of the next read or write, in bytes of uncompressed data from the start.
 A seek that is not carried out yet is included.
 Errors: -1 if `file` is null.
 */
z_off64_t gztell64(gzFile file);

/*
 Same as `gztell64`; `z_off_t` has 64 bits too.
 Returns the position in bytes of uncompressed data.
 Errors: -1 if `file` is null.
 */
z_off_t gztell(gzFile file);

/*
 Returns the current offset in the compressed file, in bytes from its start.
 Bytes before the gzip data count too. Input that is read but not yet decompressed, and output
 that is not yet written, do not count.
 Errors: -1 if `file` is null or not seekable.
 */
z_off64_t gzoffset64(gzFile file);

/*
 Same as `gzoffset64`; `z_off_t` has 64 bits too.
 Returns the offset in the compressed file, in bytes.
 Errors: -1 if `file` is null or not seekable.
 */
z_off_t gzoffset(gzFile file);

/*
 Reports whether a read tried to go past the end of the file.
 As with `feof`, reading exactly up to the end does not set this.
 Returns 1 if so, otherwise 0; always 0 when writing.
 Errors: 0 if `file` is null.
 */
int gzeof(gzFile file);

/*
 Reports whether data is copied without compression or decompression.
 When reading, this may read the start of the file, so call `gzbuffer` first. An empty file
 counts as copied. When writing, it is true if the mode of `gzopen` had `T`.
 Returns 1 if the data is copied, 0 if it is gzip.
 Errors: 0 if `file` is null.
 */
int gzdirect(gzFile file);

/*
 Writes all remaining data, closes the file and its descriptor, and frees `file`.
 Whatever the result, `file` must not be used after this, unless it was null.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR` if `file` is null or its state is damaged; `Z_ERRNO` if writing or
 closing failed; `Z_MEM_ERROR` if memory is short; `Z_BUF_ERROR` if the last read ended inside a
 gzip member.
 */
int gzclose(gzFile file);

/*
 Same as `gzclose`, for a file that is open for reading.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR` if `file` is null or open for writing (it then stays open), or its
 state is damaged; `Z_ERRNO` if closing failed; `Z_BUF_ERROR` if the last read ended inside a
 gzip member.
 */
int gzclose_r(gzFile file);

/*
 Same as `gzclose`, for a file that is open for writing.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR` if `file` is null or open for reading (it then stays open), or its
 state is damaged; `Z_ERRNO` if writing or closing failed; `Z_MEM_ERROR` if memory is short.
 */
int gzclose_w(gzFile file);

/*
 Returns the message of the current error of `file`, and stores its code in `*errnum`.
 `errnum` may be null. Without an error, the message is empty and the code is `Z_OK`. For
 `Z_ERRNO` the message includes the text for `errno`. The library owns the string; it is valid
 until the next call with `file`. After an error, reads and writes fail until `gzclearerr`,
 except that reading may go on after `Z_BUF_ERROR`, and a non-blocking descriptor that was not
 ready may be tried again.
 Errors: NULL if `file` is null; `*errnum` is then unchanged.
 */
const char *gzerror(gzFile file, int *errnum);

/*
 Clears the error and the end-of-file indicator of `file`, for example to read on in a file that
 grew.
 Does nothing if `file` is null.
 Errors: none.
 */
void gzclearerr(gzFile file);

/*
 Initializes `strm` for decompression of a zlib stream. The caller sets `zalloc`, `zfree` and
 `opaque` first; null functions select the default allocator. C programs call the macro
 `inflateInit`, which passes `version` and `stream_size`. The stream owns memory until
 `inflateEnd`.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: `strm` is null; `Z_MEM_ERROR`: no memory; `Z_VERSION_ERROR`: `version`
 or `stream_size` does not match this library.
 */
int inflateInit_(z_stream *strm, const char *version, int stream_size);

/*
 Initializes `strm` as `inflateInit_` does, for a given format. Called by the macro
 `inflateInit2`. `window_bits` is the base-2 logarithm of the maximum window size in bytes: 8 to
 15 for zlib (0: the size in the zlib header), 16 more for gzip, 32 more to detect zlib or gzip,
 or -15 to -8 for raw.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: `strm` is null or `window_bits` is out of range; `Z_MEM_ERROR`: no
 memory; `Z_VERSION_ERROR`: `version` or `stream_size` does not match this library.
 */
int inflateInit2_(z_stream *strm, int window_bits, const char *version, int stream_size);

/*
 Decompresses `avail_in` bytes at `next_in` to at most `avail_out` bytes at `next_out`, as far as
 possible, and updates these fields and the totals. `Z_BLOCK` and `Z_TREES` stop at block
 boundaries.
 Returns `Z_OK` after progress, `Z_STREAM_END` at the end of the stream, `Z_NEED_DICT` if a
 dictionary must be set first (`adler` is its Adler-32).
 Errors: `Z_BUF_ERROR`: no progress is possible, or `Z_FINISH` did not reach the end (not fatal);
 `Z_DATA_ERROR`: the input is corrupt (`msg` is the reason); `Z_MEM_ERROR`: no memory;
 `Z_STREAM_ERROR`: the stream or a buffer pointer is invalid.
 */
int inflate(z_stream *strm, int flush);

/*
 Frees all memory of the stream; output that is not yet delivered is lost.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid.
 */
int inflateEnd(z_stream *strm);

/*
 Resets the stream to its start, for another stream of the same format.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid.
 */
int inflateReset(z_stream *strm);

/*
 Resets the stream to its start and changes its format to `window_bits`, as in `inflateInit2_`.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid or `window_bits` is out of range.
 */
int inflateReset2(z_stream *strm, int window_bits);

/*
 Resets the stream as `inflateReset` does, but keeps the window.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid.
 */
int inflateResetKeep(z_stream *strm);

/*
 Sets the `len` bytes at `dictionary` as history; the bytes are copied. A zlib stream accepts
 this only after `inflate` has returned `Z_NEED_DICT`, a raw stream at any time.
 Returns `Z_OK`.
 Errors: `Z_DATA_ERROR`: the Adler-32 of the dictionary is not the one in the header;
 `Z_STREAM_ERROR`: the stream is invalid or in another state, or `dictionary` is null and `len`
 is not 0; `Z_MEM_ERROR`: no memory.
 */
int inflateSetDictionary(z_stream *strm, const uint8_t *dictionary, uInt len);

/*
 Copies the history of the stream to `dictionary` and stores its length in bytes in `*len`.
 `dictionary` must have room for 32 KiB. Either pointer may be null.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid.
 */
int inflateGetDictionary(z_stream *strm, uint8_t *dictionary, uInt *len);

/*
 Skips input to the end of the next full flush point (bytes 00 00 FF FF), to resume after an
 error. Updates `next_in`, `avail_in` and `total_in`.
 Returns `Z_OK` if a flush point was found.
 Errors: `Z_DATA_ERROR`: none in this input (call again with more); `Z_BUF_ERROR`: there is no
 input; `Z_STREAM_ERROR`: the stream is invalid, or `next_in` is null and `avail_in` is not 0.
 */
int inflateSync(z_stream *strm);

/*
 Reports whether the decoder is directly before the length field of a stored block, on a byte
 boundary, as after a `Z_SYNC_FLUSH` or `Z_FULL_FLUSH` without its last 4 bytes.
 Returns 1 if so, otherwise 0.
 Errors: `Z_STREAM_ERROR`: the stream is invalid.
 */
int inflateSyncPoint(z_stream *strm);

/*
 Makes `dest` an independent copy of the stream `source` in its current state. The memory is
 allocated with the allocator of `source`; free it with `inflateEnd(dest)`.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: `source` is invalid or `dest` is null; `Z_MEM_ERROR`: no memory.
 */
int inflateCopy(z_stream *dest, z_stream *source);

/*
 Inserts the low `bits` bits of `value` (0 to 16 bits) before the input; for raw streams. A
 negative `bits` discards all bits that the decoder holds.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid, `bits` exceeds 16, or more than 32 bits would
 be held.
 */
int inflatePrime(z_stream *strm, int bits, int value);

/*
 Returns the position in the current block. Bits 16 and up: how many bits before the current
 input position the code being copied starts, or -1 if there is no such code. Low 16 bits: the
 number of bytes of that code already written, or the number of bytes left in a stored block.
 Errors: -65536: the stream is invalid.
 */
long inflateMark(z_stream *strm);

/*
 Requests that the gzip header be stored in `head` when `inflate` reads it. The stream keeps the
 pointer: `head` and its buffers stay the caller's and must be valid until `head->done` is 1
 (header complete) or -1 (not a gzip stream). The caller sets `extra_max`, `name_max` and
 `comm_max` (bytes).
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid or does not accept gzip, or `head` is null.
 */
int inflateGetHeader(z_stream *strm, gz_header *head);

/*
 Undocumented in zlib. Does nothing; `subvert` is ignored, as in a default build of zlib.
 Errors: `Z_DATA_ERROR`: always, for a valid stream; `Z_STREAM_ERROR`: the stream is invalid.
 */
int inflateUndermine(z_stream *strm, int subvert);

/*
 Undocumented in zlib. Enables (`check` is not 0) or disables the comparison of check values.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid.
 */
int inflateValidate(z_stream *strm, int check);

/*
 Undocumented in zlib. Returns the number of decoding table entries in use.
 Errors: `ULONG_MAX` (all bits set): the stream is invalid.
 */
unsigned long inflateCodesUsed(z_stream *strm);

/*
 Initializes `strm` for `inflateBack`, with a `window` of `1 << window_bits` bytes (8 to 15). The
 window stays the caller's and must be valid until `inflateBackEnd`. The caller sets `zalloc`,
 `zfree` and `opaque` first. Called by the macro `inflateBackInit`.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: `strm` or `window` is null or `window_bits` is out of range;
 `Z_MEM_ERROR`: no memory; `Z_VERSION_ERROR`: `version` or `stream_size` does not match this
 library.
 */
int inflateBackInit_(z_stream *strm, int window_bits, uint8_t *window, const char *version, int stream_size);

/*
 Decompresses one raw stream. Input is first `avail_in` bytes at `next_in`, then the buffers from
 `read(read_desc, &buffer)`, which returns their length, or 0 to fail. Output goes to the window
 and is passed to `write(write_desc, buffer, len)`, which returns 0, or another value to fail.
 Returns `Z_STREAM_END`; `next_in` and `avail_in` are then the unused input.
 Errors: `Z_BUF_ERROR`: `read` failed (`next_in` is null) or `write` failed (it is not);
 `Z_DATA_ERROR`: the input is corrupt (`msg` is the reason); `Z_MEM_ERROR`: no memory;
 `Z_STREAM_ERROR`: the stream is invalid or a function is null.
 */
int inflateBack(z_stream *strm, in_func read, void *read_desc, out_func write, void *write_desc);

/*
 Frees all memory of the stream; the window stays the caller's.
 Returns `Z_OK`.
 Errors: `Z_STREAM_ERROR`: the stream is invalid.
 */
int inflateBackEnd(z_stream *strm);

/*
 Compresses `source_len` bytes at `source` to a zlib stream at `dest`, at level 6. `*dest_len` is
 the room at `dest` in bytes (`compressBound(source_len)` is enough); it becomes the number
 written.
 Returns `Z_OK`.
 Errors: `Z_BUF_ERROR`: the stream does not fit; `Z_MEM_ERROR`: no memory; `Z_STREAM_ERROR`: a
 required pointer is null.
 */
int compress(uint8_t *dest, uLong *dest_len, const uint8_t *source, uLong source_len);

/*
 As `compress`, at a given `level`: 0 to 9, or -1 for the default, 6.
 Returns `Z_OK`.
 Errors: as `compress`, and `Z_STREAM_ERROR`: `level` is out of range.
 */
int compress2(uint8_t *dest, uLong *dest_len, const uint8_t *source, uLong source_len, int level);

/*
 As `compress`, with lengths of type `size_t`.
 */
int compress_z(uint8_t *dest, z_size_t *dest_len, const uint8_t *source, z_size_t source_len);

/*
 As `compress2`, with lengths of type `size_t`; `requested` is the level.
 */
int compress2_z(uint8_t *dest, z_size_t *dest_len, const uint8_t *source, z_size_t source_len, int requested);

/*
 Returns the maximum output in bytes of `compress` or `compress2` for `source_len` bytes. With `n` for `source_len`
 this is `n + (n >> 12) + (n >> 14) + (n >> 25) + 13`.
 Errors: none.
 */
uLong compressBound(uLong source_len);

/*
 As `compressBound`, with lengths of type `size_t`.
 */
z_size_t compressBound_z(z_size_t source_len);

/*
 Decompresses the zlib stream in the `source_len` bytes at `source` to `dest`. `*dest_len` is the
 room at `dest` in bytes and becomes the number written.
 Returns `Z_OK`.
 Errors: `Z_BUF_ERROR`: `dest` is full before the stream ends; `Z_DATA_ERROR`: the stream is
 corrupt, incomplete or needs a dictionary; `Z_MEM_ERROR`: no memory; `Z_STREAM_ERROR`: a
 required pointer is null.
 */
int uncompress(uint8_t *dest, uLong *dest_len, const uint8_t *source, uLong source_len);

/*
 As `uncompress`; `*source_len` is the length of the input in bytes and becomes the number of
 bytes used, so that data after the stream can be found.
 Returns and errors: as `uncompress`.
 */
int uncompress2(uint8_t *dest, uLong *dest_len, const uint8_t *source, uLong *source_len);

/*
 As `uncompress`, with lengths of type `size_t`.
 */
int uncompress_z(uint8_t *dest, z_size_t *dest_len, const uint8_t *source, z_size_t source_len);

/*
 As `uncompress2`, with lengths of type `size_t`.
 */
int uncompress2_z(uint8_t *dest, z_size_t *dest_len, const uint8_t *source, z_size_t *source_len);

/*
 Returns the version of the zlib interface, `"1.3.1"`: a static string that must not be freed.
 It is numeric and begins with 1, because CPython, libpng and git parse and compare it.
 Errors: none.
 */
const char *zlibVersion(void);

/*
 Returns the version of rigz itself, such as `"0.1.0"`: a static string that must not be freed.
 A program that finds this symbol (for example with `dlsym`) uses rigz as its zlib.
 Errors: none.
 */
const char *rigz_version(void);

/*
 Returns the sizes of types and the build options, as bits that the zlib manual lists.
 The value is 0xa9: a 32-bit `uInt`; 64-bit `uLong`, pointers and `z_off_t`; no other option.
 Errors: none.
 */
uLong zlibCompileFlags(void);

/*
 Returns the text for the return code `code`, such as `"data error"` for `Z_DATA_ERROR`.
 The string is static and must not be freed. It is empty for `Z_OK` and unknown codes.
 Errors: none.
 */
const char *zError(int code);

/*
 Returns the table of the CRC-32 algorithm: 256 entries, one for each byte value.
 The table is static and must not be changed or freed.
 Errors: none.
 */
const z_crc_t *get_crc_table(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#pragma pop_macro("gzgetc")
