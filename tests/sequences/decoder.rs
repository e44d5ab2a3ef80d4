//! The reader of our deflate's output: the system's inflate, which gets the bytes as they come, and the data they must decode to.

use std::collections::VecDeque;
use std::ffi::c_int;

use crate::run::Setup;
use crate::zlib::{GzHeader, NEED_DICT, NO_FLUSH, OK, STREAM_END, ZStream};

const PIECE: usize = 1 << 16;

pub(crate) struct Decoder<'a> {
    setup: &'a Setup,
    strm: Box<ZStream>,
    /// Bytes decoded of the stream's input so far.
    pub(crate) decoded: usize,
    pub(crate) ended: bool,
    /// The dictionary that the zlib header will request.
    pub(crate) dictionary: Option<Vec<u8>>,
    /// Dictionaries of a raw stream, each set after this many decoded bytes.
    waiting: VecDeque<(usize, Vec<u8>)>,
    piece: Vec<u8>,
    header: Option<Box<ReadHeader>>,
    /// The header was watched from its first byte on.
    header_whole: bool,
}

/// A `gz_header` with room, as the reader gets it.
pub(crate) struct ReadHeader {
    pub(crate) head: GzHeader,
    pub(crate) extra: Vec<u8>,
    pub(crate) name: Vec<u8>,
    pub(crate) comment: Vec<u8>,
}

impl ReadHeader {
    pub(crate) fn new(extra: usize, name: usize, comment: usize) -> Box<Self> {
        let mut header = Box::new(ReadHeader {
            head: empty_header(),
            extra: vec![0x77; extra],
            name: vec![0x77; name],
            comment: vec![0x77; comment],
        });
        header.head.extra = header.extra.as_mut_ptr();
        header.head.extra_max = extra as u32;
        header.head.name = header.name.as_mut_ptr();
        header.head.name_max = name as u32;
        header.head.comment = header.comment.as_mut_ptr();
        header.head.comm_max = comment as u32;
        header
    }
}

pub(crate) fn empty_header() -> GzHeader {
    GzHeader {
        text: 0,
        time: 0,
        xflags: 0,
        os: 0,
        extra: std::ptr::null_mut(),
        extra_len: 0,
        extra_max: 0,
        name: std::ptr::null_mut(),
        name_max: 0,
        comment: std::ptr::null_mut(),
        comm_max: 0,
        hcrc: 0,
        done: 0,
    }
}

impl<'a> Decoder<'a> {
    /// For a stream written with these window bits (deflate's, so 8 means 9).
    pub(crate) fn new(setup: &'a Setup, window_bits: c_int) -> Self {
        let mut strm = ZStream::new();
        let bits = match window_bits {
            8 => 9,
            24 => 25,
            other => other,
        };
        let code = setup.judge.inflate_init2(&mut strm, bits);
        assert_eq!(code, OK, "the judge reads what deflate can write");
        Decoder {
            setup,
            strm,
            decoded: 0,
            ended: false,
            dictionary: None,
            waiting: VecDeque::new(),
            piece: vec![0; PIECE],
            header: None,
            header_whole: false,
        }
    }

    /// The gzip header will be kept.
    pub(crate) fn watch_header(&mut self) {
        let mut header = ReadHeader::new(70_000, 300, 300);
        self.setup.judge.inflate_get_header(&mut *self.strm, &mut header.head);
        self.header = Some(header);
        self.header_whole = true;
    }

    pub(crate) fn header(&self) -> Option<&ReadHeader> {
        self.header.as_deref().filter(|_| self.header_whole)
    }

    /// A raw stream's dictionary, which the writer set after `at` bytes of input.
    pub(crate) fn set_raw_dictionary(&mut self, at: usize, dictionary: &[u8]) {
        self.waiting.push_back((at, dictionary.to_vec()));
        self.take_dictionaries();
    }

    /// Gives the reader the dictionaries whose position it has reached.
    fn take_dictionaries(&mut self) {
        while self.waiting.front().is_some_and(|(at, _)| *at == self.decoded) {
            let Some((_, dictionary)) = self.waiting.pop_front() else { return };
            let len = dictionary.len() as u32;
            let code = self.setup.judge.inflate_set_dictionary(&mut *self.strm, dictionary.as_ptr(), len);
            assert_eq!(code, OK, "a raw stream takes a dictionary anywhere");
        }
    }

    /// Decodes `bytes`; the output must be the next bytes of `want`.
    pub(crate) fn feed(&mut self, bytes: &[u8], want: &[u8]) -> Result<(), String> {
        self.strm.next_in = bytes.as_ptr();
        self.strm.avail_in = bytes.len() as u32;
        loop {
            if self.ended {
                return match self.strm.avail_in {
                    0 => Ok(()),
                    n => Err(format!("{n} bytes were written after the stream's end")),
                };
            }
            self.strm.next_out = self.piece.as_mut_ptr();
            let room = self.waiting.front().map_or(PIECE, |(at, _)| PIECE.min(at - self.decoded));
            self.strm.avail_out = room as u32;
            let code = self.setup.judge.inflate(&mut *self.strm, NO_FLUSH);
            let got = &self.piece[..room - self.strm.avail_out as usize];
            let expected = want.get(self.decoded..).unwrap_or_default();
            if got.len() > expected.len() {
                let decoded = self.decoded + got.len();
                return Err(format!(
                    "the output decodes to {decoded} bytes, but only {} went in",
                    want.len()
                ));
            }
            if let Some(at) = got.iter().zip(expected).position(|(a, b)| a != b) {
                return Err(format!("the output decodes to a wrong byte at {}", self.decoded + at));
            }
            self.decoded += got.len();
            self.take_dictionaries();
            match code {
                STREAM_END => self.ended = true,
                NEED_DICT => {
                    let Some(dictionary) = &self.dictionary else {
                        return Err("the output asks for a dictionary that was never set".into());
                    };
                    let len = dictionary.len() as u32;
                    let code =
                        self.setup.judge.inflate_set_dictionary(&mut *self.strm, dictionary.as_ptr(), len);
                    if code != OK {
                        return Err("the output asks for another dictionary than the one set".into());
                    }
                }
                OK | crate::zlib::BUF_ERROR => {
                    if self.strm.avail_out > 0 && self.strm.avail_in == 0 {
                        return Ok(());
                    }
                }
                _ => {
                    let place = self.strm.total_in;
                    let message = self.strm.message();
                    return Err(format!(
                        "the system can't read the output: {code} {message:?} at byte {place}"
                    ));
                }
            }
        }
    }

    /// The writer starts a new stream. With `keep_window` it may still refer to the old one's bytes.
    pub(crate) fn reset(&mut self, keep_window: bool) {
        let judge = &self.setup.judge;
        if keep_window {
            judge.inflate_reset_keep(&mut *self.strm)
        } else {
            judge.inflate_reset(&mut *self.strm)
        };
        self.decoded = 0;
        self.ended = false;
        self.dictionary = None;
        self.waiting.clear();
        if self.header.is_some() {
            self.watch_header();
        }
    }

    pub(crate) fn copy(&mut self) -> Decoder<'a> {
        let mut strm = ZStream::new();
        let code = self.setup.judge.inflate_copy(&mut *strm, &mut *self.strm);
        assert_eq!(code, OK, "the judge can copy its reader");
        let mut copy = Decoder {
            setup: self.setup,
            strm,
            decoded: self.decoded,
            ended: self.ended,
            dictionary: self.dictionary.clone(),
            waiting: self.waiting.clone(),
            piece: vec![0; PIECE],
            header: None,
            header_whole: false,
        };
        if self.header.is_some() {
            // The copy must not write to the first reader's header; its own may lack the earlier fields.
            copy.watch_header();
            copy.header_whole = false;
        }
        copy
    }
}

impl Drop for Decoder<'_> {
    fn drop(&mut self) {
        self.setup.judge.inflate_end(&mut *self.strm);
    }
}
