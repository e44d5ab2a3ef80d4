/* libdeflate with zlib's API, for the operations that libdeflate has: whole buffers and checksums.
 *
 * libdeflate cannot stream, so deflate() and inflate() accept only Z_FINISH with all input and enough output space, and the
 * benchmark's streaming rows stay empty. The message operations with reset keep a compressor or decompressor between calls,
 * as libdeflate intends. Levels are libdeflate's, 0 to 12.
 */
#include <stdlib.h>
#include <libdeflate.h>
#include <zlib.h>

const char *zlibVersion(void) { return "libdeflate " LIBDEFLATE_VERSION_STRING; }

uLong compressBound(uLong len) { return libdeflate_zlib_compress_bound(NULL, len) + 18; }

int compress2(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong source_len, int level) {
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);
    if (!c) return Z_STREAM_ERROR;
    size_t n = libdeflate_zlib_compress(c, source, source_len, dest, *dest_len);
    libdeflate_free_compressor(c);
    *dest_len = n;
    return n ? Z_OK : Z_BUF_ERROR;
}

int uncompress(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong source_len) {
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    if (!d) return Z_MEM_ERROR;
    size_t n = 0;
    enum libdeflate_result rc = libdeflate_zlib_decompress(d, source, source_len, dest, *dest_len, &n);
    libdeflate_free_decompressor(d);
    *dest_len = n;
    return rc == LIBDEFLATE_SUCCESS ? Z_OK : Z_DATA_ERROR;
}

/* strm->state is the compressor or decompressor; strm->reserved is 1 for the gzip format, 0 for zlib's. */

int deflateInit2_(z_streamp strm, int level, int method, int window_bits, int mem_level, int strategy, const char *version,
                  int stream_size) {
    (void)method, (void)mem_level, (void)strategy, (void)version, (void)stream_size;
    strm->state = (void *)libdeflate_alloc_compressor(level);
    strm->reserved = window_bits > 15;
    strm->total_in = strm->total_out = 0;
    return strm->state ? Z_OK : Z_STREAM_ERROR;
}

int deflate(z_streamp strm, int flush) {
    if (flush != Z_FINISH) return Z_STREAM_ERROR;
    struct libdeflate_compressor *c = (void *)strm->state;
    size_t n = strm->reserved ? libdeflate_gzip_compress(c, strm->next_in, strm->avail_in, strm->next_out, strm->avail_out)
                              : libdeflate_zlib_compress(c, strm->next_in, strm->avail_in, strm->next_out, strm->avail_out);
    if (!n) return Z_BUF_ERROR;
    strm->next_in += strm->avail_in;
    strm->total_in += strm->avail_in;
    strm->avail_in = 0;
    strm->next_out += n;
    strm->avail_out -= n;
    strm->total_out += n;
    return Z_STREAM_END;
}

int deflateReset(z_streamp strm) {
    strm->total_in = strm->total_out = 0;
    return Z_OK;
}

int deflateEnd(z_streamp strm) {
    libdeflate_free_compressor((void *)strm->state);
    return Z_OK;
}

int inflateInit2_(z_streamp strm, int window_bits, const char *version, int stream_size) {
    (void)version, (void)stream_size;
    strm->state = (void *)libdeflate_alloc_decompressor();
    strm->reserved = window_bits > 15;
    strm->total_in = strm->total_out = 0;
    return strm->state ? Z_OK : Z_MEM_ERROR;
}

int inflate(z_streamp strm, int flush) {
    if (flush != Z_FINISH) return Z_STREAM_ERROR;
    struct libdeflate_decompressor *d = (void *)strm->state;
    size_t used = 0, n = 0;
    enum libdeflate_result rc =
        strm->reserved
            ? libdeflate_gzip_decompress_ex(d, strm->next_in, strm->avail_in, strm->next_out, strm->avail_out, &used, &n)
            : libdeflate_zlib_decompress_ex(d, strm->next_in, strm->avail_in, strm->next_out, strm->avail_out, &used, &n);
    if (rc != LIBDEFLATE_SUCCESS) return Z_DATA_ERROR;
    strm->next_in += used;
    strm->avail_in -= used;
    strm->total_in += used;
    strm->next_out += n;
    strm->avail_out -= n;
    strm->total_out += n;
    return Z_STREAM_END;
}

int inflateReset(z_streamp strm) {
    strm->total_in = strm->total_out = 0;
    return Z_OK;
}

int inflateEnd(z_streamp strm) {
    libdeflate_free_decompressor((void *)strm->state);
    return Z_OK;
}

uLong crc32(uLong crc, const Bytef *buf, uInt len) { return libdeflate_crc32(crc, buf, len); }

uLong adler32(uLong adler, const Bytef *buf, uInt len) { return libdeflate_adler32(adler, buf, len); }
