//! Compression of one file or pipe: reads it, passes the data to the library's stream, writes the output.
//!
//! The stream divides the data into chunks and compresses them on all threads it may use; between its calls this thread reads and
//! writes. The bytes depend on the data, the level and the options, not on the threads.

#![forbid(unsafe_code)]

use crate::options::{Format, Options};
use crate::progress::Progress;
use crate::rsyncable::Rsyncable;
use crate::transfer::{Failure, Lent, Sink, Totals, read_some};
use rigz::error::{Error, Status};
use rigz::format::gzip::{Header, OS_UNIX};
use rigz::raw::{Allocator, Output};
use rigz::stream::bgzf::BgzfStream;
use rigz::stream::deflate::{Config, DeflateStream};
use rigz::stream::{Flush, Strategy};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;

/// Bytes per read: large enough that system calls cost little, small enough that output begins soon.
const READ: usize = 1 << 20;

/// The file's metadata for the header.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    /// Without the terminating zero.
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) time: u32,
}

enum Engine {
    Stream(Box<DeflateStream>),
    Bgzf(Box<BgzfStream>),
    Rsyncable(Box<Rsyncable>),
}

/// Compresses all of `input`.
pub(crate) fn compress(
    input: &File,
    output: &mut Sink,
    origin: &Origin,
    options: &Options,
    progress: &mut Progress,
) -> Result<Totals, Failure> {
    let closed = |text: &[u8]| [text, &[0]].concat();
    let name = origin.name.as_deref().map(closed);
    let comment = options.comment.as_ref().map(|comment| closed(comment.as_bytes()));
    let header = Header {
        time: origin.time,
        os: OS_UNIX,
        name: name.as_deref(),
        comment: comment.as_deref(),
        ..Header::default()
    };
    let mut engine = Engine::new(options, &header)?;
    let wrap_len = match options.format {
        Format::Gzip => header.encoded_len() + 8,
        Format::Zlib => 6,
        // Each of the many blocks has its own header and trailer, so their size counts as compressed data.
        Format::Bgzf => 0,
    };
    let mut totals = Totals { wrap_len: wrap_len as u64, ..Totals::default() };
    let mut buffer = Lent::new(READ);
    loop {
        let count = read_some(input, &mut buffer)?;
        let mut rest = &buffer[..count];
        let is_last = count == 0;
        loop {
            let mut out = output.room()?;
            let status = engine.deflate(&mut rest, &mut out, is_last, &header)?;
            let (written, is_full) = (out.written(), out.is_full());
            output.count(written);
            totals.bytes_out += written as u64;
            if status == Status::StreamEnd {
                output.flush()?;
                return Ok(totals);
            }
            if rest.is_empty() && !is_full && !is_last {
                break;
            }
        }
        totals.bytes_in += count as u64;
        progress.at(totals.bytes_in, totals.bytes_out);
    }
}

impl Engine {
    fn new(options: &Options, header: &Header<'_>) -> Result<Self, Failure> {
        let level = options.level;
        if options.rsyncable && level.number() > 0 && options.strategy == Strategy::Default {
            return Ok(Engine::Rsyncable(Box::new(Rsyncable::new(options.format, level, header)?)));
        }
        let window_bits = match options.format {
            Format::Gzip => 15 + 16,
            Format::Zlib => 15,
            Format::Bgzf => {
                return Ok(Engine::Bgzf(Box::new(BgzfStream::new(level, Allocator::SYSTEM))));
            }
        };
        let config = Config { level, window_bits, mem_level: 8, strategy: options.strategy };
        Ok(Engine::Stream(Box::new(DeflateStream::new(config, Allocator::SYSTEM)?)))
    }

    fn deflate(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        is_last: bool,
        header: &Header<'_>,
    ) -> Result<Status, Failure> {
        let flush = if is_last { Flush::Finish } else { Flush::None };
        let outcome = match self {
            Engine::Stream(stream) => stream.deflate_with_header(input, output, flush, Some(header)),
            Engine::Bgzf(stream) => stream.deflate(input, output, flush),
            Engine::Rsyncable(stream) => stream.deflate(input, output, is_last),
        };
        match outcome {
            // This call made no progress; the next one has more input.
            Err(Error::Buffer) => Ok(Status::Ok),
            outcome => Ok(outcome?),
        }
    }
}
