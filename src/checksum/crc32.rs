//! CRC-32 (RFC 1952, 8): by crc32fast, with zlib's combination operators.
//!
//! Appending `len` bytes to a message multiplies its CRC by x^(8 len) modulo the CRC's polynomial. zlib calls that power an
//! operator: `crc32_combine_gen` computes it once, `crc32_combine_op` applies it. Polynomials are bit-reversed, so the
//! top bit is x^0.

/// The value of no data.
pub const INITIAL: u32 = 0;
/// The CRC's polynomial, bit-reversed.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// Goes on from `crc` over `data`.
pub fn update(crc: u32, data: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(crc);
    hasher.update(data);
    hasher.finalize()
}

/// The value of two parts in a row, the second `len` bytes long.
pub fn combine(first: u32, second: u32, len: u64) -> u32 {
    apply(operator(len), first, second)
}

/// x^(8 `len`): what appending `len` bytes multiplies a CRC by.
pub fn operator(len: u64) -> u32 {
    let mut square = 1 << (31 - 8); // x^8
    let mut power = 1 << 31; // x^0
    let mut rest = len;
    while rest != 0 {
        if rest & 1 != 0 {
            power = multiply(power, square);
        }
        square = multiply(square, square);
        rest >>= 1;
    }
    power
}

/// The value of two parts in a row, the operator standing for the second part's length.
pub fn apply(operator: u32, first: u32, second: u32) -> u32 {
    multiply(operator, first) ^ second
}

/// The product of two polynomials modulo the CRC's.
fn multiply(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    for bit in (0..32).rev() {
        if a >> bit & 1 != 0 {
            product ^= b;
        }
        b = if b & 1 != 0 { (b >> 1) ^ POLYNOMIAL } else { b >> 1 };
    }
    product
}

/// The CRC of each single byte, as `get_crc_table()` gives it.
pub static TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 != 0 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_agrees_with_the_crc_of_a_byte() {
        for byte in 0..=255u8 {
            // A one-byte message starting from register 0 instead of all ones.
            assert_eq!(TABLE[byte as usize], !update(!0, &[byte]), "byte {byte}");
        }
    }

    #[test]
    fn combine_agrees_with_crc32fast() {
        let data: Vec<u8> = (0..70_000u32).map(|i| ((i * 31) >> 3) as u8).collect();
        for cut in [0, 1, 255, 65_536] {
            let (first, second) = data.split_at(cut);
            assert_eq!(combine(update(0, first), update(0, second), second.len() as u64), update(0, &data));
        }
    }
}
