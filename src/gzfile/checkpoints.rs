//! `Checkpoints`: positions in a gzip file at which decoding can resume, so that a seek need not start over.
//!
//! A gzip member can be decoded from its start only, so for a seek backward zlib decodes everything before the target
//! again. To resume at a position, a decoder needs the offset in the file and a [`Bookmark`], with the 32 KiB of data
//! before it. A reader keeps such checkpoints while it reads forward, and a seek starts at the last one before its
//! target.
//!
//! **How many.** One for each [`SPACING`] bytes of data, so a small file has none. At [`FEW`] checkpoints every second
//! one is dropped and the distance doubled, until it is [`WIDE`]: a seek then decodes for a few milliseconds at most.
//! The distance grows further only to keep within [`MANY`] in a file, and within the process's budget for all its files
//! ([`crate::budget`]). A file of 80 MB keeps about 1.3 MB. A checkpoint at the end of a member needs no window.
//!
//! **What they cost.** The window is copied uncompressed: 32 KiB for each MiB or more. This takes microseconds;
//! decoding a MiB takes a millisecond. Compressing the window would save memory and cost a multiple of the copy.
//!
//! **Files that change.** A file may be written to while it is read. zlib, which reads from the start again, would then
//! return the new content. So the file's size and times are noted when its first byte is read, and compared before a
//! checkpoint is kept and before one is used: a file that was modified since has no checkpoints. If memory is refused,
//! only the checkpoint is lost.
//!
//! Any decoder may [`keep`](Checkpoints::keep) checkpoints, in ascending order of their offsets, even if it decodes in
//! another order; [`Bookmark::at_block`] makes the bookmark of a block's start that was found by other means.

#![forbid(unsafe_code)]

use super::fd::Version;
use crate::budget::Share;
use crate::config::config;
use crate::stream::inflate::Bookmark;

/// Bytes of data between two checkpoints at first. Decoding this many takes about a millisecond.
const SPACING: u64 = 1 << 20;
/// At this many checkpoints the distance is doubled, up to [`WIDE`]: 2 MiB of windows, for 64 MiB of data at first.
const FEW: usize = 64;
/// The largest distance, in units of [`SPACING`], before [`MANY`] or a lack of memory doubles it further. Decoding 4
/// MiB takes some 5 milliseconds.
const WIDE: u64 = 4;
/// Maximum number of checkpoints of a file: 32 MiB of windows.
const MANY: usize = 1024;
/// The state of a decoder at a checkpoint.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "`Box::new` aborts if allocation fails; the vector that holds these reports it"
)]
pub(super) enum CheckpointKind {
    /// At the start of the next member, or after the last one.
    BetweenMembers,
    /// Inside a member, after data that ends with the window.
    Inside(Bookmark, Window),
}

/// A position at which decoding can resume.
#[derive(Debug)]
pub(super) struct Checkpoint {
    /// The number of decoded bytes before it.
    pub(super) data_offset: u64,
    /// The file offset of the next byte of input.
    pub(super) file_offset: i64,
    pub(super) kind: CheckpointKind,
}

/// The checkpoints of one file, in ascending order.
#[derive(Debug)]
pub(super) struct Checkpoints {
    kept: Vec<Checkpoint>,
    /// The initial distance between checkpoints, in bytes of data.
    first_spacing: u64,
    /// The current distance.
    spacing: u64,
    /// The next checkpoint is due at this data offset; `u64::MAX` if none is.
    due: u64,
    /// The file that has been read from its first byte on; `None` before that, and for files without checkpoints.
    version: Option<Version>,
}

impl Checkpoints {
    /// No checkpoints yet.
    pub(super) fn new() -> Self {
        Self::with_spacing(config().checkpoint.map_or(SPACING, |spacing| spacing as u64))
    }

    /// No checkpoints yet; the first ones will be `spacing` bytes apart.
    pub(super) fn with_spacing(spacing: u64) -> Self {
        Self { kept: Vec::new(), first_spacing: spacing, spacing, due: u64::MAX, version: None }
    }

    /// Notes that the file's first byte is about to be read. A file whose `version` is `None` gets no checkpoints.
    pub(super) fn begin(&mut self, version: Option<Version>) {
        if version != self.version {
            self.forget();
            if version.is_some() {
                (self.version, self.due) = (version, self.spacing);
            }
        }
    }

    /// Whether a checkpoint at `data_offset` is due.
    pub(super) fn is_due(&self, data_offset: u64) -> bool {
        data_offset >= self.due
    }

    /// The number of bytes after `data_offset` at which the next checkpoint is due; at least one.
    pub(super) fn room(&self, data_offset: u64) -> usize {
        usize::try_from(self.due.saturating_sub(data_offset)).unwrap_or(usize::MAX).max(1)
    }

    /// Postpones the next checkpoint to a little after `data_offset`, where none is possible.
    pub(super) fn postpone(&mut self, data_offset: u64) {
        self.due = data_offset + (self.spacing / 16).max(1);
    }

    /// Whether the file is still the one passed to [`begin`](Self::begin).
    pub(super) fn is_unchanged(&self, version: Option<Version>) -> bool {
        version.is_some() && version == self.version
    }

    /// Drops all checkpoints and keeps no new ones until the next [`begin`](Self::begin).
    pub(super) fn forget(&mut self) {
        self.kept = Vec::new();
        self.version = None;
        self.spacing = self.first_spacing;
        self.due = u64::MAX;
    }

    /// Keeps a checkpoint, which must be [due](Self::is_due), if there is memory for it; returns whether it did.
    pub(super) fn keep(
        &mut self,
        data_offset: u64,
        file_offset: i64,
        state: Option<(Bookmark, &[u8])>,
    ) -> bool {
        debug_assert!(self.is_due(data_offset));
        let wide = self.first_spacing * WIDE;
        if self.kept.len() >= if self.spacing < wide { FEW } else { MANY } {
            self.thin();
        }
        self.due = data_offset + self.spacing;
        let kind = match state {
            None => Some(CheckpointKind::BetweenMembers),
            Some((bookmark, window)) => {
                Window::copy_of(window).map(|window| CheckpointKind::Inside(bookmark, window))
            }
        };
        let Some(kind) = kind.filter(|_| self.kept.try_reserve(1).is_ok()) else {
            if self.kept.len() >= FEW / 4 {
                // Memory is short: frees some for other uses.
                self.thin();
            }
            return false;
        };
        self.kept.push(Checkpoint { data_offset, file_offset, kind });
        true
    }

    /// The last checkpoint at or before `target`, if it is far enough past `data_offset` to save time.
    pub(super) fn between(&self, data_offset: u64, target: u64) -> Option<&Checkpoint> {
        let at = self.kept.partition_point(|checkpoint| checkpoint.data_offset <= target);
        let found = self.kept.get(at.checked_sub(1)?)?;
        // Reading from another file position costs about as much as decoding a few tens of thousands of bytes.
        (found.data_offset > data_offset.saturating_add(self.first_spacing / 16)).then_some(found)
    }

    /// Drops every second checkpoint and doubles the distance.
    fn thin(&mut self) {
        let mut is_dropped = false;
        self.kept.retain(|_| {
            is_dropped = !is_dropped;
            !is_dropped
        });
        self.spacing *= 2;
    }
}

/// The data before a checkpoint, within the process's budget.
#[derive(Debug)]
pub(super) struct Window {
    bytes: Vec<u8>,
    _share: Share,
}

impl Window {
    /// A copy, if memory and the budget allow it.
    fn copy_of(bytes: &[u8]) -> Option<Self> {
        let share = Share::try_new(bytes.len())?;
        let mut copy = Vec::new();
        copy.try_reserve_exact(bytes.len()).ok()?;
        copy.extend_from_slice(bytes);
        Some(Self { bytes: copy, _share: share })
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some_version() -> Option<Version> {
        Some(Version::of_test(1))
    }

    fn kept_every(step: u64, end: u64, spacing: u64) -> Checkpoints {
        let mut checkpoints = Checkpoints::with_spacing(spacing);
        checkpoints.begin(some_version());
        for at in (0..end).step_by(step as usize) {
            if checkpoints.is_due(at) {
                checkpoints.keep(at, at as i64 / 4, None);
            }
        }
        checkpoints
    }

    #[test]
    fn a_small_file_keeps_nothing() {
        assert!(kept_every(1000, SPACING - 1, SPACING).kept.is_empty());
    }

    #[test]
    fn the_last_checkpoint_before_a_target_is_found() {
        let checkpoints = kept_every(10, 5_000, 1000);
        let found = |data_offset, target| checkpoints.between(data_offset, target).map(|c| c.data_offset);
        assert_eq!(found(0, 999), None);
        assert_eq!(found(0, 1000), Some(1000));
        assert_eq!(found(0, 3999), Some(3000));
        assert_eq!(found(0, u64::MAX), Some(4000));
        assert_eq!(found(2900, 3999), Some(3000));
        assert_eq!(found(2990, 3999), None, "too near to save time");
        assert_eq!(found(3500, 3999), None, "no checkpoint in between");
    }

    #[test]
    fn checkpoints_of_longer_data_are_farther_apart() {
        for (end, least, most) in
            [(60, 50, 60), (64 << 2, 60, 65), (1000 << 2, 990, 1000), (1 << 20, 500, 1024)]
        {
            let checkpoints = kept_every(100, end * 1000, 1000);
            let count = checkpoints.kept.len();
            assert!((least..=most).contains(&count), "{count} for {end}");
            let gaps = checkpoints.kept.windows(2).map(|pair| pair[1].data_offset - pair[0].data_offset);
            assert!(gaps.max().unwrap() <= checkpoints.spacing, "evenly apart at {end}");
        }
    }

    #[test]
    fn a_changed_file_has_no_checkpoints() {
        let mut checkpoints = kept_every(10, 5_000, 1000);
        assert!(checkpoints.is_unchanged(some_version()) && !checkpoints.is_unchanged(None));
        checkpoints.begin(some_version());
        assert_eq!(checkpoints.kept.len(), 4);
        checkpoints.begin(Some(Version::of_test(2)));
        assert_eq!((checkpoints.kept.len(), checkpoints.due), (0, 1000));
        checkpoints.begin(None);
        assert!(!checkpoints.is_unchanged(None), "a file without a version counts as changed");
    }
}
