//! The other decoders: zlib-ng, which is linked, and those whose shared libraries are installed.

use std::ffi::{CString, c_char, c_int, c_ulong, c_void};

/// zlib-ng over a raw stream, in one call.
pub(crate) fn zng_raw(raw: &[u8], out: &mut [u8]) {
    let mut strm = zng_init(-15);
    (strm.next_in, strm.avail_in) = (raw.as_ptr().cast_mut(), raw.len() as u32);
    (strm.next_out, strm.avail_out) = (out.as_mut_ptr(), out.len() as u32);
    // SAFETY: the stream is initialised; the lengths are those of the buffers.
    assert_eq!(unsafe { libz_ng_sys::inflate(&mut *strm, 4) }, 1);
    // SAFETY: initialised.
    unsafe { libz_ng_sys::inflateEnd(&mut *strm) };
}

/// zlib-ng over a zlib stream, with input and output in pieces.
pub(crate) fn zng_pieces(stream: &[u8], piece: usize, out: &mut [u8]) {
    let mut strm = zng_init(15);
    let mut input = stream;
    loop {
        if strm.avail_in == 0 {
            let (now, later) = input.split_at(piece.min(input.len()));
            (strm.next_in, strm.avail_in) = (now.as_ptr().cast_mut(), now.len() as u32);
            input = later;
        }
        (strm.next_out, strm.avail_out) = (out.as_mut_ptr(), piece.min(out.len()) as u32);
        // SAFETY: the stream is initialised; the lengths are those of the buffers.
        match unsafe { libz_ng_sys::inflate(&mut *strm, 0) } {
            0 => {}
            1 => break,
            code => panic!("zlib-ng: {code}"),
        }
    }
    // SAFETY: initialised.
    unsafe { libz_ng_sys::inflateEnd(&mut *strm) };
}

fn zng_init(window_bits: c_int) -> Box<libz_ng_sys::z_stream> {
    unsafe extern "C" fn alloc(_: *mut c_void, items: u32, size: u32) -> *mut c_void {
        // SAFETY: `malloc` may be called with any size.
        unsafe { libc::malloc(items as usize * size as usize) }
    }
    unsafe extern "C" fn free(_: *mut c_void, address: *mut c_void) {
        // SAFETY: came from `alloc`.
        unsafe { libc::free(address) }
    }
    let null: *mut c_void = core::ptr::null_mut();
    let mut strm = Box::new(libz_ng_sys::z_stream {
        next_in: null.cast(),
        avail_in: 0,
        total_in: 0,
        next_out: null.cast(),
        avail_out: 0,
        total_out: 0,
        msg: null.cast(),
        state: null.cast(),
        zalloc: alloc,
        zfree: free,
        opaque: null,
        data_type: 0,
        adler: 0,
        reserved: 0,
    });
    let size = size_of::<libz_ng_sys::z_stream>() as c_int;
    // SAFETY: the stream is boxed, so it does not move while zlib-ng's state points to it.
    assert_eq!(unsafe { libz_ng_sys::inflateInit2_(&mut *strm, window_bits, c"2.3.3".as_ptr(), size) }, 0);
    strm
}

/// zlib-ng's `uncompress`.
pub(crate) fn zng_uncompress(stream: &[u8], out: &mut [u8]) {
    let mut len = out.len();
    // SAFETY: the lengths are those of the buffers.
    let code = unsafe { libz_ng_sys::uncompress(out.as_mut_ptr(), &mut len, stream.as_ptr(), stream.len()) };
    assert_eq!(code, 0);
}

/// The installed shared libraries.
pub(crate) struct Libraries {
    pub(crate) zlib: Option<Zlib>,
    pub(crate) deflate: Option<Libdeflate>,
    pub(crate) isal: Option<Isal>,
}

impl Libraries {
    pub(crate) fn load() -> Self {
        Self { zlib: Zlib::load(), deflate: Libdeflate::load(), isal: Isal::load() }
    }
}

/// Looks up a function of a shared library, as a function pointer of type `F`.
fn symbol<F: Copy>(library: &str, name: &str) -> Option<F> {
    assert_eq!(size_of::<F>(), size_of::<*mut c_void>());
    let (library, name) = (CString::new(library).ok()?, CString::new(name).ok()?);
    // SAFETY: the name is a C string; the library's constructors are trusted like those of a linked library.
    let handle = unsafe { libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return None;
    }
    // SAFETY: the handle is open and is never closed.
    let address = unsafe { libc::dlsym(handle, name.as_ptr()) };
    if address.is_null() {
        return None;
    }
    // SAFETY: `F` is a function pointer type of an address's size; the callers pass the types of the C headers.
    Some(unsafe { core::mem::transmute_copy::<*mut c_void, F>(&address) })
}

type Compress2 = unsafe extern "C" fn(*mut u8, *mut c_ulong, *const u8, c_ulong, c_int) -> c_int;
type Uncompress = unsafe extern "C" fn(*mut u8, *mut c_ulong, *const u8, c_ulong) -> c_int;

/// C's z_stream on a 64-bit machine.
#[repr(C)]
struct ZStream {
    next_in: *const u8,
    avail_in: u32,
    total_in: c_ulong,
    next_out: *mut u8,
    avail_out: u32,
    total_out: c_ulong,
    rest: [usize; 8],
}

/// The system's zlib.
pub(crate) struct Zlib {
    compress2: Compress2,
    uncompress: Uncompress,
    init: unsafe extern "C" fn(*mut ZStream, *const c_char, c_int) -> c_int,
    inflate: unsafe extern "C" fn(*mut ZStream, c_int) -> c_int,
    end: unsafe extern "C" fn(*mut ZStream) -> c_int,
}

impl Zlib {
    fn load() -> Option<Self> {
        let library = "libz.so.1";
        Some(Self {
            compress2: symbol(library, "compress2")?,
            uncompress: symbol(library, "uncompress")?,
            init: symbol(library, "inflateInit_")?,
            inflate: symbol(library, "inflate")?,
            end: symbol(library, "inflateEnd")?,
        })
    }

    pub(crate) fn compress(&self, data: &[u8], level: i32) -> Vec<u8> {
        let mut out = vec![0; data.len() + data.len() / 100 + 64];
        let mut len = out.len() as c_ulong;
        // SAFETY: the lengths are those of the buffers.
        let code = unsafe {
            (self.compress2)(out.as_mut_ptr(), &mut len, data.as_ptr(), data.len() as c_ulong, level)
        };
        assert_eq!(code, 0);
        out.truncate(len as usize);
        out
    }

    pub(crate) fn uncompress(&self, stream: &[u8], out: &mut [u8]) {
        let mut len = out.len() as c_ulong;
        // SAFETY: the lengths are those of the buffers.
        let code = unsafe {
            (self.uncompress)(out.as_mut_ptr(), &mut len, stream.as_ptr(), stream.len() as c_ulong)
        };
        assert_eq!(code, 0);
    }

    pub(crate) fn pieces(&self, stream: &[u8], piece: usize, out: &mut [u8]) {
        let mut strm = ZStream {
            next_in: core::ptr::null(),
            avail_in: 0,
            total_in: 0,
            next_out: core::ptr::null_mut(),
            avail_out: 0,
            total_out: 0,
            rest: [0; 8],
        };
        // SAFETY: the stream lives to the end of this function and does not move.
        assert_eq!(unsafe { (self.init)(&mut strm, c"1.2.11".as_ptr(), size_of::<ZStream>() as c_int) }, 0);
        let mut input = stream;
        loop {
            if strm.avail_in == 0 {
                let (now, later) = input.split_at(piece.min(input.len()));
                (strm.next_in, strm.avail_in) = (now.as_ptr(), now.len() as u32);
                input = later;
            }
            (strm.next_out, strm.avail_out) = (out.as_mut_ptr(), piece as u32);
            // SAFETY: the stream is initialised; the lengths are those of the buffers.
            match unsafe { (self.inflate)(&mut strm, 0) } {
                0 => {}
                1 => break,
                code => panic!("zlib: {code}"),
            }
        }
        // SAFETY: initialised.
        unsafe { (self.end)(&mut strm) };
    }
}

type LibdeflateDecompress =
    unsafe extern "C" fn(*mut c_void, *const u8, usize, *mut u8, usize, *mut usize) -> c_int;

/// libdeflate, which decodes whole streams only.
pub(crate) struct Libdeflate {
    decompressor: *mut c_void,
    raw: LibdeflateDecompress,
    zlib: LibdeflateDecompress,
}

impl Libdeflate {
    fn load() -> Option<Self> {
        let library = "libdeflate.so.0";
        let alloc: unsafe extern "C" fn() -> *mut c_void = symbol(library, "libdeflate_alloc_decompressor")?;
        // SAFETY: takes nothing.
        let decompressor = unsafe { alloc() };
        let (raw, zlib) = (
            symbol(library, "libdeflate_deflate_decompress")?,
            symbol(library, "libdeflate_zlib_decompress")?,
        );
        Some(Self { decompressor, raw, zlib })
    }

    pub(crate) fn raw(&self, raw: &[u8], out: &mut [u8]) {
        self.call(self.raw, raw, out);
    }

    pub(crate) fn zlib(&self, stream: &[u8], out: &mut [u8]) {
        self.call(self.zlib, stream, out);
    }

    fn call(&self, function: LibdeflateDecompress, stream: &[u8], out: &mut [u8]) {
        let (from, to) = (stream.as_ptr(), out.as_mut_ptr());
        // SAFETY: the decompressor is allocated and only this thread uses it; the lengths are those of the buffers.
        let code =
            unsafe { function(self.decompressor, from, stream.len(), to, out.len(), core::ptr::null_mut()) };
        assert_eq!(code, 0);
    }
}

/// The first fields of ISA-L's `inflate_state`; the rest of its 87,368 bytes follows in memory.
#[repr(C)]
struct IsalState {
    next_out: *mut u8,
    avail_out: u32,
    total_out: u32,
    next_in: *const u8,
    read_in: u64,
    avail_in: u32,
}

/// Size of ISA-L 2.30's `inflate_state`, and the offsets of two of its fields.
const ISAL_STATE: usize = 87_368;
const ISAL_BLOCK_STATE: usize = 21_160;
const ISAL_CRC_FLAG: usize = 21_172;
/// `ISAL_BLOCK_FINISH` and `ISAL_ZLIB`.
const ISAL_FINISH: u32 = 5;
const ISAL_ZLIB: u32 = 3;

type IsalCall = unsafe extern "C" fn(*mut IsalState) -> c_int;

/// ISA-L's decoder.
pub(crate) struct Isal {
    init: IsalCall,
    stateless: IsalCall,
    inflate: IsalCall,
}

impl Isal {
    fn load() -> Option<Self> {
        let library = "libisal.so.2";
        Some(Self {
            init: symbol(library, "isal_inflate_init")?,
            stateless: symbol(library, "isal_inflate_stateless")?,
            inflate: symbol(library, "isal_inflate")?,
        })
    }

    /// Returns memory for a state.
    pub(crate) fn memory(&self) -> Vec<u64> {
        vec![0; ISAL_STATE / 8 + 1]
    }

    pub(crate) fn stateless(&self, memory: &mut [u64], raw: &[u8], out: &mut [u8]) {
        assert!(size_of_val(memory) >= ISAL_STATE);
        let state = memory.as_mut_ptr().cast::<IsalState>();
        // SAFETY: the memory is large enough for the whole state.
        unsafe { (self.init)(state) };
        // SAFETY: the head is initialised, aligned, and ours alone.
        let head = unsafe { &mut *state };
        (head.next_in, head.avail_in) = (raw.as_ptr(), raw.len() as u32);
        (head.next_out, head.avail_out) = (out.as_mut_ptr(), out.len() as u32);
        // SAFETY: the stream is initialised; the lengths are those of the buffers.
        assert_eq!(unsafe { (self.stateless)(state) }, 0);
    }

    pub(crate) fn pieces(&self, memory: &mut [u64], stream: &[u8], piece: usize, out: &mut [u8]) {
        assert!(size_of_val(memory) >= ISAL_STATE);
        let state = memory.as_mut_ptr().cast::<IsalState>();
        // SAFETY: the memory is large enough for the whole state.
        unsafe { (self.init)(state) };
        let field = move |at: usize| state.cast::<u8>().wrapping_add(at).cast::<u32>();
        // SAFETY: an aligned field inside the state.
        unsafe { field(ISAL_CRC_FLAG).write(ISAL_ZLIB) };
        let mut input = stream;
        loop {
            // SAFETY: the head is initialised, aligned, and ours alone.
            let head = unsafe { &mut *state };
            if head.avail_in == 0 {
                let (now, later) = input.split_at(piece.min(input.len()));
                (head.next_in, head.avail_in) = (now.as_ptr(), now.len() as u32);
                input = later;
            }
            (head.next_out, head.avail_out) = (out.as_mut_ptr(), piece as u32);
            // SAFETY: the stream is initialised; the lengths are those of the buffers.
            assert_eq!(unsafe { (self.inflate)(state) }, 0);
            // SAFETY: an aligned field inside the state.
            if unsafe { field(ISAL_BLOCK_STATE).read() } >= ISAL_FINISH {
                break;
            }
        }
    }
}
