//! Leaps: a seek that continues from a checkpoint instead of from the start of the file, or from the
//! reader's position.
//!
//! A pending seek is a number of bytes to decode and drop. The last checkpoint before its target, if
//! there is one, takes the reader there at once; the rest is decoded and dropped as usual. This serves
//! seeks backward, which have put the reader at the start, a rewind followed by a seek, and seeks
//! forward over data that was read before.
//!
//! The caller cannot see the difference: the bytes passed over were decoded before, without a fault,
//! from a file that has not changed since, and the member's check value continues from its value at
//! the checkpoint. The distance is counted from the reader's position, as decoding would count it, so
//! bytes that were pushed back or lost to an error shift the target as they do in zlib.

#![forbid(unsafe_code)]

use super::super::Fault;
use super::super::checkpoints::CheckpointKind;
use super::super::fd::Origin;
use super::{Kind, MemberState, Reader};

impl Reader {
    /// Goes to the last checkpoint on the way of a pending seek, if there is one.
    pub(super) fn leap(&mut self) -> Result<(), Fault> {
        let waiting = self.cursor.output.len() as u64;
        let ahead = self.cursor.skip() - waiting as i64;
        let decoder = &mut self.decoder;
        // A seek may skip decoded bytes, but no faults.
        let is_clean = self.cursor.is_clean() && self.source.is_clean();
        if ahead <= 0 || !is_clean || decoder.state == MemberState::Copying {
            return Ok(());
        }
        let target = decoder.decoded.saturating_add_signed(ahead);
        let (Some(checkpoint), Some(inflater)) =
            (decoder.checkpoints.between(decoder.decoded, target), &mut decoder.inflater)
        else {
            return Ok(());
        };
        if !decoder.checkpoints.is_unchanged(self.source.version()) {
            decoder.checkpoints.forget();
            return Ok(());
        }
        if self.source.seek(checkpoint.file_offset, Origin::Start).is_none() {
            return Ok(());
        }
        let mut state = MemberState::Looking;
        if let CheckpointKind::Inside(bookmark, window) = &checkpoint.kind {
            inflater.resume(bookmark, window.bytes()).map_err(|_| Fault::MEMORY)?;
            state = MemberState::Decoding;
        }
        inflater.count_resumption();
        let data_offset = checkpoint.data_offset;
        self.cursor.jump((waiting + (data_offset - decoder.decoded)) as i64);
        decoder.go_to(Kind::Gzip, state, data_offset);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gzfile::checkpoints::Checkpoints;
    use crate::gzfile::fd::Descriptor;
    use crate::gzfile::mode::{Framing, Mode};
    use crate::gzfile::{GzFile, tests};
    use crate::random::Random;
    use crate::raw::Output;
    use std::io::Write;
    use std::os::fd::IntoRawFd;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicU32, Ordering};

    const LEN: usize = 900_000;
    const SPACING: u64 = 50_000;

    /// A file that is removed on drop.
    struct Scratch(PathBuf);

    impl Scratch {
        fn holding(bytes: &[u8]) -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let (process, number) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().join(format!("rigz-leap-{process}-{number}"));
            std::fs::write(&path, bytes).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            std::fs::remove_file(&self.0).ok();
        }
    }

    fn data() -> Vec<u8> {
        let mut random = Random::new(9);
        let mut data = Vec::new();
        while data.len() < LEN {
            let (number, digits) = (random.below(1 << 10), random.next() & 0xf0f);
            data.extend_from_slice(format!("{number} {digits:x} ").as_bytes());
        }
        data.truncate(LEN);
        data
    }

    /// `data` as `count` gzip members.
    fn members(data: &[u8], count: usize) -> Vec<u8> {
        let scratch = Scratch::holding(b"");
        for part in data.chunks(data.len().div_ceil(count)) {
            let file = std::fs::OpenOptions::new().append(true).open(&scratch.0).unwrap();
            let mut writer = tests::over(file.into(), "a");
            assert_eq!(writer.write(part), part.len());
            writer.close().unwrap();
        }
        std::fs::read(&scratch.0).unwrap()
    }

    fn reader(path: &Path) -> Reader {
        let file = std::fs::File::open(path).unwrap();
        let mode = Mode::parse(b"r").unwrap();
        let mut reader = Reader::new(Descriptor::adopt(file.into_raw_fd(), &mode), Framing::Default);
        reader.decoder.checkpoints = Checkpoints::with_spacing(SPACING);
        reader
    }

    fn read(reader: &mut Reader, len: usize) -> Result<Vec<u8>, Fault> {
        reader.finish_seek()?;
        let mut bytes = vec![0; len];
        let mut output = Output::new(&mut bytes);
        reader.read(&mut output)?;
        let got = output.written();
        bytes.truncate(got);
        Ok(bytes)
    }

    /// Seeks, and returns the offset in the decoded data at which decoding begins.
    fn leap_to(reader: &mut Reader, target: usize) -> u64 {
        reader.seek(target as i64).unwrap();
        reader.leap().unwrap();
        assert_eq!(reader.tell(), target as i64);
        reader.decoder.decoded
    }

    #[test]
    fn a_seek_starts_at_the_last_checkpoint_before_its_target() {
        let data = data();
        for count in [1, 3, 40] {
            let scratch = Scratch::holding(&members(&data, count));
            let mut reader = reader(&scratch.0);
            assert_eq!(read(&mut reader, LEN + 1).unwrap(), data);
            for target in [850_000, 300_000, 420_000, 49_999, 899_999, 123_456, 700_000] {
                let from = leap_to(&mut reader, target);
                let missed = target as u64 - from;
                assert!(missed < 2 * SPACING, "{count} members: from {from} to {target}");
                assert!(from > 0 || target < SPACING as usize);
                let len = 1000.min(LEN - target);
                assert_eq!(read(&mut reader, len).unwrap(), data[target..target + len]);
            }
            leap_to(&mut reader, 333_333);
            assert_eq!(
                read(&mut reader, LEN).unwrap(),
                data[333_333..],
                "to the end, with correct check values"
            );
            assert!(reader.is_past_end());
        }
    }

    #[test]
    fn damage_is_found_after_a_leap_as_without_one() {
        let data = data();
        let mut bytes = members(&data, 1);
        let check = bytes.len() - 8;
        bytes[check] ^= 1;
        let scratch = Scratch::holding(&bytes);
        let mut reader = reader(&scratch.0);
        read(&mut reader, 800_000).unwrap();
        assert!(leap_to(&mut reader, 600_000) > 500_000);
        assert_eq!(read(&mut reader, 299_999).unwrap(), data[600_000..899_999]);
        let fault = read(&mut reader, 2).unwrap_err();
        assert_eq!(fault, Fault::data(Some(c"incorrect data check")));
    }

    #[test]
    fn a_file_that_was_written_to_is_read_from_its_start() {
        let data = data();
        let scratch = Scratch::holding(&members(&data, 2));
        let mut reader = reader(&scratch.0);
        read(&mut reader, LEN).unwrap();
        assert!(leap_to(&mut reader, 500_000) > 0);
        let mut changed = data.clone();
        changed[450_000..].reverse();
        std::fs::write(&scratch.0, members(&changed, 1)).unwrap();
        assert_eq!(leap_to(&mut reader, 400_000), 0);
        assert_eq!(read(&mut reader, LEN).unwrap(), changed[400_000..]);
        assert!(leap_to(&mut reader, 500_000) > 0, "the new file gets its own checkpoints");
        assert_eq!(read(&mut reader, LEN).unwrap(), changed[500_000..]);
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_has_no_checkpoints() {
        let data = data();
        let bytes = members(&data, 2);
        let scratch = Scratch::holding(&bytes[..bytes.len() / 2]);
        let mut reader = reader(&scratch.0);
        read(&mut reader, 100_000).unwrap();
        let mut file = std::fs::OpenOptions::new().append(true).open(&scratch.0).unwrap();
        file.write_all(&bytes[bytes.len() / 2..]).unwrap();
        assert_eq!(read(&mut reader, LEN).unwrap(), data[100_000..]);
        assert_eq!(leap_to(&mut reader, 800_000), 0);
        assert_eq!(read(&mut reader, LEN).unwrap(), data[800_000..]);
        assert!(leap_to(&mut reader, 800_000) > 700_000, "the file did not change during a whole pass");
    }

    #[test]
    fn bytes_pushed_back_shift_a_forward_seek_as_they_shift_decoding() {
        let data = data();
        let scratch = Scratch::holding(&members(&data, 1));
        for spacing in [SPACING, 1 << 40] {
            let mut reader = reader(&scratch.0);
            reader.decoder.checkpoints = Checkpoints::with_spacing(spacing);
            read(&mut reader, LEN).unwrap();
            reader.rewind().unwrap();
            read(&mut reader, 100).unwrap();
            for byte in *b"xyz" {
                assert!(reader.unread(byte));
            }
            reader.seek(500_000).unwrap();
            assert_eq!(read(&mut reader, 100).unwrap(), data[500_000..500_100]);
            assert_eq!(reader.tell(), 500_100);
        }
    }

    #[test]
    fn plain_files_and_pipes_have_no_checkpoints() {
        let scratch = Scratch::holding(&data());
        let mut plain = reader(&scratch.0);
        read(&mut plain, LEN).unwrap();
        assert_eq!(leap_to(&mut plain, 400_000), 0);
        assert_eq!(read(&mut plain, 100).unwrap(), data()[400_000..400_100]);
        let (from, mut to) = std::io::pipe().unwrap();
        let bytes = members(&data(), 1);
        let writer = std::thread::spawn(move || to.write_all(&bytes));
        let mut piped: GzFile = tests::over(from.into(), "r");
        assert_eq!(tests::read(&mut piped, LEN), Ok(data()));
        writer.join().unwrap().unwrap();
        assert_eq!(piped.seek(400_000, crate::gzfile::Whence::Start), None);
    }
}
