//! Bytes read as decisions, for targets that build something rather than parse it.

/// A stream of decisions. When the bytes are used up, every decision is 0.
pub struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl<'a> Choices<'a> {
    /// The decisions in these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Choices { bytes: bytes.iter() }
    }

    /// Are any left?
    pub fn any(&self) -> bool {
        self.bytes.len() > 0
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end.max(1)
    }

    /// A number between −`most` and `most`.
    pub fn within(&mut self, most: isize) -> isize {
        self.below(2 * most as usize + 1) as isize - most
    }
}
