//! CRC-32 (RFC 1952, 8): by crc32fast, with zlib's combination operators.
//!
//! Appending `len` bytes to a message multiplies its CRC by x^(8 len) modulo the CRC's polynomial. zlib calls that power an
//! operator: `crc32_combine_gen` computes it once, `crc32_combine_op` applies it. Polynomials are bit-reversed, so the
//! top bit is x^0.

/// The CRC-32 of empty data.
pub const INITIAL: u32 = 0;
/// The CRC's polynomial, bit-reversed.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// Data shorter than this is counted byte by byte.
const SHORT: usize = 12;

/// Updates `crc` with `data`.
pub fn update(crc: u32, data: &[u8]) -> u32 {
    if data.len() < SHORT {
        // Selecting a SIMD kernel takes longer than checksumming this few bytes.
        let step = |crc: u32, byte: &u8| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)];
        return !data.iter().fold(!crc, step);
    }
    let mut hasher = crc32fast::Hasher::new_with_initial(crc);
    hasher.update(data);
    hasher.finalize()
}

/// The CRC-32 of two concatenated parts; the second is `len` bytes long.
pub fn combine(first: u32, second: u32, len: u64) -> u32 {
    apply(operator(len), first, second)
}

/// x^(8 `len`): the factor by which a CRC is multiplied when `len` bytes are appended.
pub fn operator(len: u64) -> u32 {
    let mut power = ONE;
    let mut rest = len;
    while rest != 0 {
        // Bit `n` of the length contributes the factor x^(8 * 2^n). The powers repeat after 32 squarings.
        let factor = SQUARES[(rest.trailing_zeros() as usize + 3) % 32];
        power = if power == ONE { factor } else { multiply(power, factor) };
        rest &= rest - 1;
    }
    power
}

/// The CRC-32 of two concatenated parts, given the operator for the second part's length.
pub fn apply(operator: u32, first: u32, second: u32) -> u32 {
    multiply(operator, first) ^ second
}

/// The polynomial 1.
const ONE: u32 = 1 << 31;

/// x^(2^n) for n from 0 to 31.
static SQUARES: [u32; 32] = {
    let mut squares = [ONE >> 1; 32];
    let mut n = 1;
    while n < 32 {
        squares[n] = multiply(squares[n - 1], squares[n - 1]);
        n += 1;
    }
    squares
};

/// The product of two polynomials modulo the CRC's. No branches on their bits, which would be mispredicted.
const fn multiply(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    let mut bit = 32;
    while bit > 0 {
        bit -= 1;
        product ^= b & (a >> bit & 1).wrapping_neg();
        b = (b >> 1) ^ (POLYNOMIAL & (b & 1).wrapping_neg());
    }
    product
}

/// The CRC of each single byte, as `get_crc_table()` returns it.
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
    use crate::random::Random;

    #[test]
    fn the_table_agrees_with_the_crc_of_a_byte() {
        for byte in 0..=255u8 {
            // A one-byte message starting from register 0 instead of all ones.
            assert_eq!(TABLE[byte as usize], !update(!0, &[byte]), "byte {byte}");
        }
    }

    #[test]
    fn any_split_computes_the_same_value() {
        let data: Vec<u8> = (0..200u32).map(|i| ((i * i * 31) >> 3) as u8).collect();
        let whole = update(0, &data);
        for len in 1..60 {
            assert_eq!(data.chunks(len).fold(0, update), whole, "pieces of {len}");
        }
        assert_eq!(update(0, b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn combine_agrees_with_crc32fast() {
        let data: Vec<u8> = (0..70_000u32).map(|i| ((i * 31) >> 3) as u8).collect();
        for cut in [0, 1, 255, 65_536] {
            let (first, second) = data.split_at(cut);
            assert_eq!(combine(update(0, first), update(0, second), second.len() as u64), update(0, &data));
        }
    }

    #[test]
    fn an_operator_is_a_power_computed_step_by_step() {
        let byte = ONE >> 8;
        let mut power = ONE;
        for len in 0..3000 {
            assert_eq!(operator(len), power, "{len} bytes");
            power = multiply(power, byte);
        }
        let mut random = Random::new(1);
        for _ in 0..500 {
            let len = random.next();
            let (first, second) = (len >> 20, len >> 30 & 0xffff);
            assert_eq!(operator(first + second), multiply(operator(first), operator(second)), "{len}");
        }
    }
}
