//! Build-time work: nothing yet.

fn main() {}
