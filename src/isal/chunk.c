/* One chunk through ISA-L: what `src/isal/mod.rs` calls, so that no layout of ISA-L's structs is written down in Rust. */
#include <isa-l/igzip_lib.h>
#include <string.h>

/* Of ISA-L's levels the one with the smallest output. */
enum { LEVEL = 3 };

struct rigz_isal {
    struct isal_zstream stream;
    uint8_t level_buffer[ISAL_DEF_LVL3_DEFAULT];
};

_Static_assert(_Alignof(struct rigz_isal) <= 16, "malloc aligns to 16 bytes");

size_t rigz_isal_size(void) { return sizeof(struct rigz_isal); }

/* Compresses `len` bytes behind `window_len` bytes of history to `out`; returns the bytes written, or -1 when `room` is too
 * small or ISA-L refuses. The chunk ends with a final block, or with an empty stored block. */
int64_t rigz_isal_chunk(struct rigz_isal *state, const uint8_t *window, uint32_t window_len, uint32_t len, int is_last, uint8_t *out,
                        uint32_t room) {
    struct isal_zstream *stream = &state->stream;
    isal_deflate_init(stream);
    stream->level = LEVEL;
    stream->level_buf = state->level_buffer;
    stream->level_buf_size = sizeof state->level_buffer;
    stream->gzip_flag = IGZIP_DEFLATE;
    if (window_len > 0 && isal_deflate_set_dict(stream, (uint8_t *)window, window_len) != COMP_OK)
        return -1;
    stream->flush = SYNC_FLUSH;
    stream->end_of_stream = (uint16_t)(is_last != 0);
    stream->next_in = (uint8_t *)window + window_len;
    stream->avail_in = len;
    stream->next_out = out;
    stream->avail_out = room;
    if (isal_deflate(stream) != COMP_OK || stream->avail_in > 0)
        return -1;
    /* With room left everything that was pending is out; without, nobody knows. */
    if (stream->avail_out == 0 || (is_last && stream->internal_state.state != ZSTATE_END))
        return -1;
    return (int64_t)(room - stream->avail_out);
}
