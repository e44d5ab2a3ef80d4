//! A small random generator (splitmix64), so that a corpus has the same bytes on every machine and does not depend on a crate.

pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// Returns a number in `0..end`.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// Returns a number in `low..=high`.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// Returns true with a probability of `percent` %.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// Draws ranks by Zipf's law in Mandelbrot's form: rank k has weight 1 / (k + 2.7), like the words of a language.
pub struct Zipf {
    cumulative: Vec<u64>,
}

impl Zipf {
    pub fn new(ranks: usize) -> Zipf {
        let mut sum = 0;
        // Integers, so that differences in floating point cannot shift a rank.
        let cumulative = (0..ranks as u64)
            .map(|k| {
                sum += 1_000_000_000_000 / (10 * k + 27);
                sum
            })
            .collect();
        Zipf { cumulative }
    }

    pub fn draw(&self, rng: &mut Rng) -> usize {
        let total = self.cumulative[self.cumulative.len() - 1];
        let at = rng.below(total as usize) as u64;
        self.cumulative.partition_point(|&sum| sum <= at)
    }
}
