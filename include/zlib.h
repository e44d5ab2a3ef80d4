/* zlib.h - the zlib interface, as rigz offers it.
 *
 * A program that includes this file and links with librigz (or with any libz.so.1) gets DEFLATE compression (RFC 1951) in a
 * zlib (RFC 1950), gzip (RFC 1952) or raw wrapping. Names, values, structure layouts and calling conventions are those of
 * zlib 1.3.1 together with the functions that 1.3.2 added; the text is our own.
 *
 * Three ways in, from the simplest to the finest:
 *   compress, uncompress    a whole buffer to a whole buffer, in memory
 *   gzopen, gzread, gzwrite a .gz file, used like a stdio file
 *   deflate, inflate        a stream, fed and drained in pieces of the caller's choice
 *
 * Conventions that hold throughout, unless a function says otherwise:
 *   - Lengths are in bytes. Functions that return int give Z_OK (0) or a positive Z_ code for success, a negative one for
 *     failure.
 *   - A z_stream may be used by one thread at a time; different streams are independent. So are different gzFiles.
 *   - Pointers stay the caller's property. The library keeps `next_in` and `next_out` only during a call; what it keeps longer
 *     (gz_header, inflateBack's window) is said at the function.
 *   - Every function on a stream returns Z_STREAM_ERROR for a null, uninitialised, moved (memcpy'd) or other-kind stream.
 *   - zalloc, zfree and all other callbacks are called on the calling thread.
 *
 * Licence: see LICENSE.md (the zlib licence).
 */
#ifndef ZLIB_H
#define ZLIB_H

#include "zconf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------------- version */

/* The interface this header describes. Numbers and dots only: programs take it apart. */
#define ZLIB_VERSION "1.3.1"
#define ZLIB_VERNUM 0x1310
#define ZLIB_VER_MAJOR 1
#define ZLIB_VER_MINOR 3
#define ZLIB_VER_REVISION 1
#define ZLIB_VER_SUBREVISION 0

/* ---------------------------------------------------------------------------------------------------- structures */

/* zalloc: returns memory for items * size bytes, aligned as malloc does, or Z_NULL. zfree: gives it back.
 * `opaque` is the stream's field of that name. */
typedef voidpf (*alloc_func)(voidpf opaque, uInt items, uInt size);
typedef void (*free_func)(voidpf opaque, voidpf address);

struct internal_state;

/* A stream. The application sets the in and out windows before each call; the library moves them along. */
typedef struct z_stream_s {
    z_const Bytef *next_in;     /* next input byte */
    uInt avail_in;              /* input bytes at next_in */
    uLong total_in;             /* input bytes read so far; only ever added to, may be set back by the application */

    Bytef *next_out;            /* where the next output byte goes */
    uInt avail_out;             /* room at next_out, in bytes */
    uLong total_out;            /* output bytes written so far, as total_in */

    z_const char *msg;          /* last error in words, or Z_NULL; static, never to be freed */
    struct internal_state FAR *state; /* the library's own */

    alloc_func zalloc;          /* set before init: the stream's allocator; Z_NULL for malloc */
    free_func zfree;            /* set before init, together with zalloc */
    voidpf opaque;              /* set before init: first argument of both */

    int data_type;              /* deflate: Z_BINARY, Z_TEXT or Z_UNKNOWN; inflate: see inflate() */
    uLong adler;                /* Adler-32 or CRC-32 of the plain data so far, or a dictionary's Adler-32 */
    uLong reserved;             /* unused */
} z_stream;

typedef z_stream FAR *z_streamp;

/* The fields of a gzip member's header (RFC 1952, 2.3): given to deflateSetHeader, filled by inflateGetHeader. */
typedef struct gz_header_s {
    int text;           /* true if the data is believed to be text */
    uLong time;         /* modification time, seconds since 1970, 0 for none */
    int xflags;         /* extra flags; only read by inflate, deflate writes its own */
    int os;             /* operating system number */
    Bytef *extra;       /* extra field, or Z_NULL */
    uInt extra_len;     /* its length; when reading: the length found, even if more than extra_max */
    uInt extra_max;     /* when reading: room at extra */
    Bytef *name;        /* file name, zero-terminated, or Z_NULL */
    uInt name_max;      /* when reading: room at name */
    Bytef *comment;     /* comment, zero-terminated, or Z_NULL */
    uInt comm_max;      /* when reading: room at comment */
    int hcrc;           /* true if the header carries, or shall carry, its own CRC */
    int done;           /* when reading: 0 not there yet, 1 complete, -1 the stream has no gzip header */
} gz_header;

typedef gz_header FAR *gz_headerp;

/* ---------------------------------------------------------------------------------------------------- constants */

/* Flush values for deflate and inflate, in growing strength. */
#define Z_NO_FLUSH 0        /* the library decides when output appears */
#define Z_PARTIAL_FLUSH 1   /* all input is decodable from the output; ends with an empty fixed block */
#define Z_SYNC_FLUSH 2      /* the same, byte-aligned, ending 00 00 FF FF */
#define Z_FULL_FLUSH 3      /* the same, and nothing after refers to anything before */
#define Z_FINISH 4          /* this is all of the input */
#define Z_BLOCK 5           /* deflate: end the block, up to 7 bits may stay inside; inflate: stop at block boundaries */
#define Z_TREES 6           /* inflate: stop also after a block's header */

/* Return values. */
#define Z_OK 0
#define Z_STREAM_END 1      /* all is done */
#define Z_NEED_DICT 2       /* inflate wants inflateSetDictionary */
#define Z_ERRNO (-1)        /* see errno */
#define Z_STREAM_ERROR (-2) /* wrong argument or wrong state */
#define Z_DATA_ERROR (-3)   /* the compressed data is damaged or cut short */
#define Z_MEM_ERROR (-4)    /* memory was refused */
#define Z_BUF_ERROR (-5)    /* no progress was possible; not fatal: call again with more input or room */
#define Z_VERSION_ERROR (-6) /* header and library do not fit */

/* Levels. 1 to 9 go from fast to small. */
#define Z_NO_COMPRESSION 0
#define Z_BEST_SPEED 1
#define Z_BEST_COMPRESSION 9
#define Z_DEFAULT_COMPRESSION (-1)

/* Strategies. They change size and speed, never correctness. */
#define Z_FILTERED 1
#define Z_HUFFMAN_ONLY 2
#define Z_RLE 3
#define Z_FIXED 4
#define Z_DEFAULT_STRATEGY 0

/* z_stream.data_type after deflate. */
#define Z_BINARY 0
#define Z_TEXT 1
#define Z_ASCII Z_TEXT
#define Z_UNKNOWN 2

#define Z_DEFLATED 8        /* the only method */
#define Z_NULL 0

/* The library's interface version, "1.3.1": the first character must equal that of ZLIB_VERSION. Static string.
 * zlib_version is its historical spelling. */
ZEXTERN const char * ZEXPORT zlibVersion(void);
#define zlib_version zlibVersion()

/* ---------------------------------------------------------------------------------------------------- deflate */

/* The init functions are macros that add the version and the size of z_stream as this compilation sees them; a library that
 * disagrees returns Z_VERSION_ERROR. Set zalloc, zfree and opaque first. Each successful init is paired with one End.
 *
 * deflateInit: a zlib stream with window 15 and memory level 8.
 * deflateInit2: windowBits 8..15 zlib, 25..31 gzip (16 more), -9..-15 raw (8 becomes 9, -8 is refused); memLevel 1..9;
 * method Z_DEFLATED. Z_STREAM_ERROR if a parameter is out of range, Z_MEM_ERROR if memory is refused. */
ZEXTERN int ZEXPORT deflateInit_(z_streamp strm, int level, const char *version, int stream_size);
ZEXTERN int ZEXPORT deflateInit2_(z_streamp strm, int level, int method, int windowBits, int memLevel, int strategy,
                                  const char *version, int stream_size);
#define deflateInit(strm, level) deflateInit_((strm), (level), ZLIB_VERSION, (int)sizeof(z_stream))
#define deflateInit2(strm, level, method, windowBits, memLevel, strategy) \
    deflateInit2_((strm), (level), (method), (windowBits), (memLevel), (strategy), ZLIB_VERSION, (int)sizeof(z_stream))

/* Compresses as much as input and room allow. Input counts as consumed once the library holds it; with a flush value all of it
 * reaches the output, call again with the same value while avail_out comes back 0. Z_FINISH: Z_STREAM_END when all is written,
 * Z_OK or Z_BUF_ERROR when more room is needed. Z_BUF_ERROR when nothing could be done, among it a repeated flush. */
ZEXTERN int ZEXPORT deflate(z_streamp strm, int flush);

/* Frees the stream's memory. Z_DATA_ERROR if the stream was ended before its time (memory is freed all the same). */
ZEXTERN int ZEXPORT deflateEnd(z_streamp strm);

/* Primes the window with up to 32 KiB of likely content (the last bytes count most), before the first deflate or, on a raw
 * stream, at any point where no input is pending. The decoder needs the same bytes. strm->adler becomes their Adler-32. */
ZEXTERN int ZEXPORT deflateSetDictionary(z_streamp strm, const Bytef *dictionary, uInt dictLength);

/* Copies the window's content, up to 32768 bytes, to `dictionary` and its length to *dictLength; either may be Z_NULL. */
ZEXTERN int ZEXPORT deflateGetDictionary(z_streamp strm, Bytef *dictionary, uInt *dictLength);

/* Makes `dest` an independent stream in the same state, using source's allocator. dest need not be initialised; end both. */
ZEXTERN int ZEXPORT deflateCopy(z_streamp dest, z_streamp source);

/* Ready for a new stream with the same parameters, as End and Init would make it, without allocation. */
ZEXTERN int ZEXPORT deflateReset(z_streamp strm);

/* The same, but the window's content stays. Undocumented in zlib. */
ZEXTERN int ZEXPORT deflateResetKeep(z_streamp strm);

/* Changes level and strategy for the input that follows. What came before is compressed with the old ones first, which takes
 * room at next_out: Z_BUF_ERROR if there was not enough of it, call again with more. */
ZEXTERN int ZEXPORT deflateParams(z_streamp strm, int level, int strategy);

/* Sets the match finder's four limits directly (lengths in bytes, chain in links). For experiments. */
ZEXTERN int ZEXPORT deflateTune(z_streamp strm, int good_length, int max_lazy, int nice_length, int max_chain);

/* Upper bound, in bytes, of what deflate(Z_FINISH) in one call writes for sourceLen bytes, as the stream stands now: after init
 * and after deflateSetHeader. Works on a null stream too, then with the widest assumptions. */
ZEXTERN uLong ZEXPORT deflateBound(z_streamp strm, uLong sourceLen);
ZEXTERN z_size_t ZEXPORT deflateBound_z(z_streamp strm, z_size_t sourceLen);

/* Output that is made but not delivered: whole bytes to *pending, bits beyond them (0..7) to *bits; either may be Z_NULL.
 * Z_BUF_ERROR, and *pending the largest unsigned, if the count does not fit. */
ZEXTERN int ZEXPORT deflatePending(z_streamp strm, unsigned *pending, int *bits);

/* Bits of the last byte that were in use at the latest flush to a byte boundary, 1..8; 0 before any. */
ZEXTERN int ZEXPORT deflateUsed(z_streamp strm, int *bits);

/* Puts the low `bits` (0..16) bits of value into the raw output ahead of what follows. Z_BUF_ERROR if there is no room inside. */
ZEXTERN int ZEXPORT deflatePrime(z_streamp strm, int bits, int value);

/* Gives a gzip stream its header. `head` and what it points to must stay valid and unchanged until the header is written,
 * that is, until deflate first leaves room unused. Call after init or reset, before deflate. */
ZEXTERN int ZEXPORT deflateSetHeader(z_streamp strm, gz_headerp head);

/* ---------------------------------------------------------------------------------------------------- inflate */

/* inflateInit: a zlib stream of any window. next_in may be Z_NULL with avail_in 0.
 * inflateInit2: windowBits 8..15 zlib with at most that window, 0 as the header says, +16 gzip, +32 either by its header,
 * -8..-15 raw. */
ZEXTERN int ZEXPORT inflateInit_(z_streamp strm, const char *version, int stream_size);
ZEXTERN int ZEXPORT inflateInit2_(z_streamp strm, int windowBits, const char *version, int stream_size);
#define inflateInit(strm) inflateInit_((strm), ZLIB_VERSION, (int)sizeof(z_stream))
#define inflateInit2(strm, windowBits) inflateInit2_((strm), (windowBits), ZLIB_VERSION, (int)sizeof(z_stream))

/* Decompresses as much as input and room allow; never takes input beyond the end of the stream. Z_STREAM_END when the end and
 * its check value were read; Z_NEED_DICT with the wanted dictionary's Adler-32 in strm->adler; Z_DATA_ERROR for bad data, with
 * msg; Z_BUF_ERROR for no progress, also when Z_FINISH was given and the end was not reached.
 * strm->data_type afterwards: unused bits of the last input byte, +64 in the last block, +128 just after a block's end or
 * header, +256 just after a block's header under Z_TREES. A raw stream leaves strm->adler alone. */
ZEXTERN int ZEXPORT inflate(z_streamp strm, int flush);

/* Frees the stream's memory. */
ZEXTERN int ZEXPORT inflateEnd(z_streamp strm);

/* Answers Z_NEED_DICT, or primes a raw stream at any time. Z_DATA_ERROR if these are not the bytes that were asked for. */
ZEXTERN int ZEXPORT inflateSetDictionary(z_streamp strm, const Bytef *dictionary, uInt dictLength);

/* The last bytes of output, up to 32768, as deflateGetDictionary. */
ZEXTERN int ZEXPORT inflateGetDictionary(z_streamp strm, Bytef *dictionary, uInt *dictLength);

/* Skips damaged input up to the next 00 00 FF FF: Z_OK if found, else Z_DATA_ERROR (all input taken) or Z_BUF_ERROR (none). */
ZEXTERN int ZEXPORT inflateSync(z_streamp strm);

/* An independent copy, as deflateCopy. */
ZEXTERN int ZEXPORT inflateCopy(z_streamp dest, z_streamp source);

/* Ready for a new stream. Reset2 changes windowBits too, ResetKeep leaves the window's content. */
ZEXTERN int ZEXPORT inflateReset(z_streamp strm);
ZEXTERN int ZEXPORT inflateReset2(z_streamp strm, int windowBits);
ZEXTERN int ZEXPORT inflateResetKeep(z_streamp strm);

/* Inserts `bits` (0..16) bits of value ahead of the raw input; a negative count drops the bits that are held. */
ZEXTERN int ZEXPORT inflatePrime(z_streamp strm, int bits, int value);

/* Where the stream stands, for random access. Upper bits (result >> 16): how many bits of input back the literal or match begins
 * that is being written, the lower 16 bits: how many of its bytes are out. Upper -1: outside codes, and the lower 16 bits are what
 * is left of a stored block, 0 outside any. -65536 also for a bad stream. */
ZEXTERN long ZEXPORT inflateMark(z_streamp strm);

/* Asks for the gzip header: filled in by later inflate calls, so `head` and its buffers must live until head->done is not 0. */
ZEXTERN int ZEXPORT inflateGetHeader(z_streamp strm, gz_headerp head);

/* Raw inflation driven by two callbacks. in() sets *buf to the next input, which must stay valid until the next in(), and returns
 * its length, 0 for none left; out() takes len bytes and returns 0, else inflation stops. */
typedef unsigned (*in_func)(void FAR *desc, z_const unsigned char FAR * FAR *buf);
typedef int (*out_func)(void FAR *desc, unsigned char FAR *buf, unsigned len);

/* `window` has 1 << windowBits bytes (8..15) and belongs to the caller; it must live until inflateBackEnd.
 * inflateBack starts with next_in/avail_in if next_in is set. Z_STREAM_END at the end; Z_BUF_ERROR if a callback gave up: next_in is
 * then Z_NULL when it was in(), else it was out(); Z_DATA_ERROR for bad data. */
ZEXTERN int ZEXPORT inflateBackInit_(z_streamp strm, int windowBits, unsigned char FAR *window, const char *version,
                                     int stream_size);
#define inflateBackInit(strm, windowBits, window) \
    inflateBackInit_((strm), (windowBits), (window), ZLIB_VERSION, (int)sizeof(z_stream))
ZEXTERN int ZEXPORT inflateBack(z_streamp strm, in_func in, void FAR *in_desc, out_func out, void FAR *out_desc);
ZEXTERN int ZEXPORT inflateBackEnd(z_streamp strm);

/* Undocumented in zlib, used by a few programs.
 * SyncPoint: 1 if the next block is an empty stored one, 0 if not. Undermine: whether distances beyond the window are let through;
 * not offered (Z_DATA_ERROR), as in any usual build of zlib. Validate: whether check values are compared. CodesUsed: entries of the
 * decoding tables in use, (unsigned long)-1 for a bad stream. */
ZEXTERN int ZEXPORT inflateSyncPoint(z_streamp strm);
ZEXTERN int ZEXPORT inflateUndermine(z_streamp strm, int subvert);
ZEXTERN int ZEXPORT inflateValidate(z_streamp strm, int check);
ZEXTERN unsigned long ZEXPORT inflateCodesUsed(z_streamp strm);

/* ---------------------------------------------------------------------------------------------------- about the library */

/* How the library was built, as bits: sizes of uInt, uLong, voidpf and z_off_t in 2 bits each (0: 2 bytes, 1: 4, 2: 8), then
 * choices of the build from bit 8 on. */
ZEXTERN uLong ZEXPORT zlibCompileFlags(void);

/* A return value in words: static string. */
ZEXTERN const char * ZEXPORT zError(int err);

/* ---------------------------------------------------------------------------------------------------- whole buffers */
#ifndef Z_SOLO

/* *destLen holds the room at dest before the call and the length after it. Z_BUF_ERROR if the room is too small (compressBound
 * bytes always suffice for compress), Z_MEM_ERROR, Z_STREAM_ERROR for a wrong level. The format is zlib's, level -1 or as given.
 * The _z twins take size_t; the others are the same on systems where uLong has the width of a pointer. */
ZEXTERN int ZEXPORT compress(Bytef *dest, uLongf *destLen, const Bytef *source, uLong sourceLen);
ZEXTERN int ZEXPORT compress_z(Bytef *dest, z_size_t *destLen, const Bytef *source, z_size_t sourceLen);
ZEXTERN int ZEXPORT compress2(Bytef *dest, uLongf *destLen, const Bytef *source, uLong sourceLen, int level);
ZEXTERN int ZEXPORT compress2_z(Bytef *dest, z_size_t *destLen, const Bytef *source, z_size_t sourceLen, int level);

/* Upper bound of what compress and compress2 write for sourceLen bytes. */
ZEXTERN uLong ZEXPORT compressBound(uLong sourceLen);
ZEXTERN z_size_t ZEXPORT compressBound_z(z_size_t sourceLen);

/* The way back. Z_BUF_ERROR: dest is too small; Z_DATA_ERROR: bad or incomplete input. The 2 variants also set
 * *sourceLen to the input used, so that what follows the stream can be found. */
ZEXTERN int ZEXPORT uncompress(Bytef *dest, uLongf *destLen, const Bytef *source, uLong sourceLen);
ZEXTERN int ZEXPORT uncompress_z(Bytef *dest, z_size_t *destLen, const Bytef *source, z_size_t sourceLen);
ZEXTERN int ZEXPORT uncompress2(Bytef *dest, uLongf *destLen, const Bytef *source, uLong *sourceLen);
ZEXTERN int ZEXPORT uncompress2_z(Bytef *dest, z_size_t *destLen, const Bytef *source, z_size_t *sourceLen);

/* ---------------------------------------------------------------------------------------------------- gzip files */

/* The open file. The three fields are public because gzgetc is a macro that reads through them; leave them alone. */
struct gzFile_s {
    unsigned have;
    unsigned char *next;
    z_off64_t pos;
};
typedef struct gzFile_s *gzFile;    /* owned by the library; ends with gzclose */

/* Opens a file by name, or by a descriptor that the gzFile then owns. mode: r, w, a or x (create, must not exist), then in any order
 * 0..9 level, f h R F strategy (filtered, Huffman only, RLE, fixed), T no compression and no gzip header, e close-on-exec, b nothing.
 * Z_NULL if the file can't be opened (errno says why), the mode is wrong, or memory is refused; gzdopen leaves fd open then.
 * Reading a file that isn't gzip gives its bytes as they are; concatenated members read as one. */
ZEXTERN gzFile ZEXPORT gzopen(const char *path, const char *mode);
ZEXTERN gzFile ZEXPORT gzdopen(int fd, const char *mode);

/* Buffer size for what follows, in bytes (the default is 8192); before the first read or write only. 0, or -1. */
ZEXTERN int ZEXPORT gzbuffer(gzFile file, unsigned size);

/* Level and strategy for what is written from here on, as deflateParams. */
ZEXTERN int ZEXPORT gzsetparams(gzFile file, int level, int strategy);

/* Read up to len bytes (len must fit in int): the number read, less than len only at the end of file, -1 on error.
 * gzfread: nitems of size bytes, returns whole items; look at gzerror when 0. */
ZEXTERN int ZEXPORT gzread(gzFile file, voidp buf, unsigned len);
ZEXTERN z_size_t ZEXPORT gzfread(voidp buf, z_size_t size, z_size_t nitems, gzFile file);

/* Write: the number of plain bytes taken (all), or 0 on error. */
ZEXTERN int ZEXPORT gzwrite(gzFile file, voidpc buf, unsigned len);
ZEXTERN z_size_t ZEXPORT gzfwrite(voidpc buf, z_size_t size, z_size_t nitems, gzFile file);

/* As printf: the number of plain bytes written, 0 or a negative Z_ code on error. One call writes at most gzbuffer - 1 bytes. */
ZEXTERN int ZEXPORTVA gzprintf(gzFile file, const char *format, ...);
ZEXTERN int ZEXPORTVA gzvprintf(gzFile file, const char *format, va_list va);

/* A zero-terminated string without the zero: its length, or -1. */
ZEXTERN int ZEXPORT gzputs(gzFile file, const char *s);

/* At most len - 1 bytes, up to and with a newline, then a zero: buf, or Z_NULL at the end of file or on error. */
ZEXTERN char * ZEXPORT gzgets(gzFile file, char *buf, int len);

/* One byte: its value, or -1. gzungetc puts one back in front of the reader (one is always possible). */
ZEXTERN int ZEXPORT gzputc(gzFile file, int c);
ZEXTERN int ZEXPORT gzgetc(gzFile file);
ZEXTERN int ZEXPORT gzgetc_(gzFile file);   /* what binaries of zlib 1.2.5.2 call */
ZEXTERN int ZEXPORT gzungetc(int c, gzFile file);

/* Writes out what is held, with deflate's flush value. Costs compression. */
ZEXTERN int ZEXPORT gzflush(gzFile file, int flush);

/* Position in the plain data. whence is SEEK_SET or SEEK_CUR. Going back while reading starts over; when writing, only forward,
 * by zeros. The new position, or -1. gzoffset: the position in the compressed file, -1 on error. */
ZEXTERN z_off_t ZEXPORT gzseek(gzFile file, z_off_t offset, int whence);
ZEXTERN int ZEXPORT gzrewind(gzFile file);
ZEXTERN z_off_t ZEXPORT gztell(gzFile file);
ZEXTERN z_off_t ZEXPORT gzoffset(gzFile file);

/* gzeof: 1 once a read met the end. gzdirect: 1 if the bytes are passed through as they are (it may read the start of the file). */
ZEXTERN int ZEXPORT gzeof(gzFile file);
ZEXTERN int ZEXPORT gzdirect(gzFile file);

/* Writes what is left, closes the descriptor, frees the file. Z_STREAM_ERROR for Z_NULL, Z_ERRNO for a failed system call,
 * Z_BUF_ERROR if the last read ended inside a member. _r and _w are for files open for reading and for writing. */
ZEXTERN int ZEXPORT gzclose(gzFile file);
ZEXTERN int ZEXPORT gzclose_r(gzFile file);
ZEXTERN int ZEXPORT gzclose_w(gzFile file);

/* The last error in words, its code to *errnum (if not Z_NULL). The string belongs to the file. gzclearerr forgets it. */
ZEXTERN const char * ZEXPORT gzerror(gzFile file, int *errnum);
ZEXTERN void ZEXPORT gzclearerr(gzFile file);

/* The same functions with 64-bit offsets, for systems and builds where off_t has 32 bits. */
ZEXTERN gzFile ZEXPORT gzopen64(const char *path, const char *mode);
ZEXTERN z_off64_t ZEXPORT gzseek64(gzFile file, z_off64_t offset, int whence);
ZEXTERN z_off64_t ZEXPORT gztell64(gzFile file);
ZEXTERN z_off64_t ZEXPORT gzoffset64(gzFile file);

#endif /* Z_SOLO */

/* ---------------------------------------------------------------------------------------------------- check values */

/* Adler-32 and CRC-32 of len more bytes, given the value so far. Start with the value returned for buf == Z_NULL: 1 and 0. */
ZEXTERN uLong ZEXPORT adler32(uLong adler, const Bytef *buf, uInt len);
ZEXTERN uLong ZEXPORT adler32_z(uLong adler, const Bytef *buf, z_size_t len);
ZEXTERN uLong ZEXPORT crc32(uLong crc, const Bytef *buf, uInt len);
ZEXTERN uLong ZEXPORT crc32_z(uLong crc, const Bytef *buf, z_size_t len);

/* The value of two pieces put together, from the values of both and the length of the second. A negative length gives
 * 0xffffffff for Adler-32. _gen makes an operator for one length, which _op applies, faster than _combine, to any two values. */
ZEXTERN uLong ZEXPORT adler32_combine(uLong adler1, uLong adler2, z_off_t len2);
ZEXTERN uLong ZEXPORT crc32_combine(uLong crc1, uLong crc2, z_off_t len2);
ZEXTERN uLong ZEXPORT crc32_combine_gen(z_off_t len2);
ZEXTERN uLong ZEXPORT crc32_combine_op(uLong crc1, uLong crc2, uLong op);
ZEXTERN uLong ZEXPORT adler32_combine64(uLong adler1, uLong adler2, z_off64_t len2);
ZEXTERN uLong ZEXPORT crc32_combine64(uLong crc1, uLong crc2, z_off64_t len2);
ZEXTERN uLong ZEXPORT crc32_combine_gen64(z_off64_t len2);

/* The 256 entries of the bytewise CRC-32 table. Static. */
ZEXTERN const z_crc_t FAR * ZEXPORT get_crc_table(void);

/* ---------------------------------------------------------------------------------------------------- macros over functions */

/* Programs built for 64-bit file offsets call the 64-bit names. */
#ifdef Z_WANT64
#  ifndef Z_SOLO
#    define gzopen gzopen64
#    define gzseek gzseek64
#    define gztell gztell64
#    define gzoffset gzoffset64
#  endif
#  define adler32_combine adler32_combine64
#  define crc32_combine crc32_combine64
#  define crc32_combine_gen crc32_combine_gen64
#endif

/* The fast path of gzgetc: a byte that is already there needs no call. `g` is evaluated more than once. */
#ifndef Z_SOLO
#  define gzgetc(g) ((g)->have ? ((g)->have--, (g)->pos++, *((g)->next)++) : (gzgetc)(g))
#endif

#ifdef __cplusplus
}
#endif

#endif /* ZLIB_H */
