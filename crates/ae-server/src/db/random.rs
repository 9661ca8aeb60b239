//! Random numbers that decide nothing of importance: which key, which member.

/// A generator (xorshift64).
pub struct Random {
    /// Never 0.
    state: u64,
}

impl Random {
    pub fn new(seed: u64) -> Random {
        Random { state: seed.max(1) }
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// A generator of its own for one request.
    pub fn fork(&mut self) -> Random {
        Random::new(self.number())
    }
}
