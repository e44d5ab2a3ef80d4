//! Tests of the flat parser: the forms with vectors against the plain ones, and the plan against all paths.

use super::*;
use crate::random::Random;
use crate::raw::{Allocator, Placed};

fn memory() -> Placed<Memory> {
    Placed::zeroed(Allocator::SYSTEM).expect("half a mebibyte")
}
