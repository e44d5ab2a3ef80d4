//! `WithTables`: a block machine with its own tables, for a decoder on the stack.
//!
//! A [`Blocks`] does not own its tables, because many streams never have a dynamic block, and the
//! tables take about 6 KB from the stream's allocator. The decoders of `finder` and `marked` look
//! for dynamic blocks, so they always need tables, and each runs within one function.

#![forbid(unsafe_code)]

use super::{Blocks, Event, Saved, Stop};
use crate::inflate::bit_reader::BitReader;
use crate::inflate::history::{Element, History};
use crate::inflate::table::Tables;

/// A block machine with its own tables, for a decoder on the stack.
#[derive(Debug)]
pub(in crate::inflate) struct WithTables {
    blocks: Blocks,
    tables: Tables,
}

impl WithTables {
    /// A machine before the first block.
    #[inline(always)]
    pub(in crate::inflate) const fn new() -> Self {
        Self { blocks: Blocks::new(), tables: Tables::new() }
    }

    /// [`Blocks::step`].
    pub(in crate::inflate) fn step<T: Element>(
        &mut self,
        reader: &mut BitReader<'_>,
        history: &mut History<'_, T>,
        stop: Stop,
    ) -> Event {
        self.blocks.step(reader, history, stop, Some(&mut self.tables))
    }

    /// [`Blocks::save`].
    pub(in crate::inflate) fn save(&self) -> Option<Saved> {
        self.blocks.save(Some(&self.tables))
    }
}

// For the methods of `Blocks` that need no tables. `step` and `save` above hide its own.
impl core::ops::Deref for WithTables {
    type Target = Blocks;

    fn deref(&self) -> &Blocks {
        &self.blocks
    }
}

impl core::ops::DerefMut for WithTables {
    fn deref_mut(&mut self) -> &mut Blocks {
        &mut self.blocks
    }
}
