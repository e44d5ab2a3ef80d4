//! A fault that only miri detects: a read through a pointer that a later mutable borrow invalidated. The memory itself is valid.

#[test]
#[ignore = "fails on purpose, under miri only"]
fn a_stale_pointer() {
    let mut bytes = [1u8; 4];
    let stale = bytes.as_ptr();
    bytes.as_mut_slice()[0] = 2;
    let fresh = &mut bytes;
    fresh[1] = 3;
    // SAFETY: none; this is the intentional fault.
    assert_eq!(unsafe { stale.read() }, 2);
    fresh[2] = 4;
}
