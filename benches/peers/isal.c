/* ISA-L with zlib's API, so that the benchmark calls it with the same code as the other libraries.
 *
 * Has only the functions that the benchmark calls. A streaming call only copies four fields before and after the native call.
 * Levels are ISA-L's, 0 to 3; higher ones are rejected, so that no row has a level that does not exist. The level buffer has
 * the same size as in igzip (ISAL_DEF_LVLn_DEFAULT). Checksums are ISA-L's.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <isa-l.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

static const uint32_t level_buffer_size[4] = {ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
                                              ISAL_DEF_LVL3_DEFAULT};

const char *zlibVersion(void) { return "ISA-L " TEXT(ISAL_MAJOR_VERSION) "." TEXT(ISAL_MINOR_VERSION) "." TEXT(ISAL_PATCH_VERSION); }

static int open_deflate(struct isal_zstream *s, int level, int gzip_flag) {
    if (level < 0 || level > 3) return Z_STREAM_ERROR;
    isal_deflate_init(s);
    s->level = level;
    s->gzip_flag = gzip_flag;
    s->level_buf_size = level_buffer_size[level];
    s->level_buf = level_buffer_size[level] ? malloc(level_buffer_size[level]) : NULL;
    return level_buffer_size[level] && !s->level_buf ? Z_MEM_ERROR : Z_OK;
}

int deflateInit2_(z_streamp strm, int level, int method, int window_bits, int mem_level, int strategy, const char *version,
                  int stream_size) {
    (void)method, (void)mem_level, (void)strategy, (void)version, (void)stream_size;
    struct isal_zstream *s = malloc(sizeof *s);
    if (!s) return Z_MEM_ERROR;
    int rc = open_deflate(s, level, window_bits > 15 ? IGZIP_GZIP : window_bits < 0 ? IGZIP_DEFLATE : IGZIP_ZLIB);
    if (rc != Z_OK) {
        free(s);
        return rc;
    }
    strm->state = (void *)s;
    strm->total_in = strm->total_out = 0;
    return Z_OK;
}

int deflate(z_streamp strm, int flush) {
    struct isal_zstream *s = (void *)strm->state;
    s->next_in = (uint8_t *)strm->next_in;
    s->avail_in = strm->avail_in;
    s->next_out = strm->next_out;
    s->avail_out = strm->avail_out;
    s->flush = flush == Z_SYNC_FLUSH ? SYNC_FLUSH : flush == Z_FULL_FLUSH ? FULL_FLUSH : NO_FLUSH;
    s->end_of_stream = flush == Z_FINISH;
    int rc = isal_deflate(s);
    strm->total_in += strm->avail_in - s->avail_in;
    strm->total_out += strm->avail_out - s->avail_out;
    strm->next_in = s->next_in;
    strm->avail_in = s->avail_in;
    strm->next_out = s->next_out;
    strm->avail_out = s->avail_out;
    if (rc != COMP_OK) return Z_STREAM_ERROR;
    return s->internal_state.state == ZSTATE_END ? Z_STREAM_END : Z_OK;
}

int deflateReset(z_streamp strm) {
    struct isal_zstream *s = (void *)strm->state;
    /* Writing the header changes gzip_flag to a format without a header, and isal_deflate_reset does not restore it. */
    if (s->gzip_flag == IGZIP_GZIP_NO_HDR) s->gzip_flag = IGZIP_GZIP;
    if (s->gzip_flag == IGZIP_ZLIB_NO_HDR) s->gzip_flag = IGZIP_ZLIB;
    isal_deflate_reset(s);
    strm->total_in = strm->total_out = 0;
    return Z_OK;
}

int deflateEnd(z_streamp strm) {
    free(((struct isal_zstream *)(void *)strm->state)->level_buf);
    free(strm->state);
    return Z_OK;
}

int inflateInit2_(z_streamp strm, int window_bits, const char *version, int stream_size) {
    (void)version, (void)stream_size;
    struct inflate_state *s = malloc(sizeof *s);
    if (!s) return Z_MEM_ERROR;
    isal_inflate_init(s);
    s->crc_flag = window_bits > 15 ? ISAL_GZIP : window_bits < 0 ? ISAL_DEFLATE : ISAL_ZLIB;
    strm->state = (void *)s;
    strm->total_in = strm->total_out = 0;
    return Z_OK;
}

int inflate(z_streamp strm, int flush) {
    (void)flush;
    struct inflate_state *s = (void *)strm->state;
    s->next_in = (uint8_t *)strm->next_in;
    s->avail_in = strm->avail_in;
    s->next_out = strm->next_out;
    s->avail_out = strm->avail_out;
    int rc = isal_inflate(s);
    strm->total_in += strm->avail_in - s->avail_in;
    strm->total_out += strm->avail_out - s->avail_out;
    strm->next_in = s->next_in;
    strm->avail_in = s->avail_in;
    strm->next_out = s->next_out;
    strm->avail_out = s->avail_out;
    if (rc < 0) return Z_DATA_ERROR;
    return s->block_state == ISAL_BLOCK_FINISH ? Z_STREAM_END : Z_OK;
}

int inflateReset(z_streamp strm) {
    isal_inflate_reset((void *)strm->state);
    strm->total_in = strm->total_out = 0;
    return Z_OK;
}

int inflateEnd(z_streamp strm) {
    free(strm->state);
    return Z_OK;
}

uLong compressBound(uLong len) { return len + len / 1000 + 1024; }

int compress2(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong source_len, int level) {
    struct isal_zstream s;
    int rc = open_deflate(&s, level, IGZIP_ZLIB);
    if (rc != Z_OK) return rc;
    s.next_in = (uint8_t *)source;
    s.avail_in = source_len;
    s.next_out = dest;
    s.avail_out = *dest_len;
    s.end_of_stream = 1;
    rc = isal_deflate(&s);
    free(s.level_buf);
    *dest_len = s.total_out;
    return rc == COMP_OK && s.internal_state.state == ZSTATE_END ? Z_OK : Z_BUF_ERROR;
}

int uncompress(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong source_len) {
    struct inflate_state s;
    isal_inflate_init(&s);
    s.crc_flag = ISAL_ZLIB;
    s.next_in = (uint8_t *)source;
    s.avail_in = source_len;
    s.next_out = dest;
    s.avail_out = *dest_len;
    int rc = isal_inflate_stateless(&s);
    *dest_len = s.total_out;
    return rc == ISAL_DECOMP_OK ? Z_OK : Z_DATA_ERROR;
}

uLong crc32(uLong crc, const Bytef *buf, uInt len) { return crc32_gzip_refl(crc, buf, len); }

uLong adler32(uLong adler, const Bytef *buf, uInt len) { return isal_adler32(adler, buf, len); }
