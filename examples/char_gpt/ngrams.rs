//! The baseline: how well the last few characters predict the next by counting alone.

use std::collections::HashMap;

/// Counts of characters after each context of up to `order − 1` characters.
pub(crate) struct NGrams {
    order: usize,
    classes: usize,
    /// For each context: all characters after it, and how often each.
    after: HashMap<Vec<i64>, (u32, HashMap<i64, u32>)>,
}

impl NGrams {
    /// Counts in `text`, whose characters are numbers below `classes`.
    pub(crate) fn count(text: &[i64], order: usize, classes: usize) -> NGrams {
        let mut after: HashMap<Vec<i64>, (u32, HashMap<i64, u32>)> = HashMap::new();
        for length in 0..order {
            for window in text.windows(length + 1) {
                let (context, next) = window.split_at(length);
                let (total, each) = after.entry(context.to_vec()).or_default();
                *total += 1;
                *each.entry(next[0]).or_default() += 1;
            }
        }
        NGrams { order, classes, after }
    }

    /// The probability of `next`: the relative frequencies after longer and longer contexts, each mixed with what the
    /// shorter ones say. With N characters after a context, T of them distinct, the shorter ones weigh T/(N + T)
    /// (Witten and Bell, "The zero-frequency problem", 1991).
    fn probability(&self, context: &[i64], next: i64) -> f64 {
        let mut p = 1.0 / self.classes as f64;
        for length in 0..self.order.min(context.len() + 1) {
            if let Some((total, each)) = self.after.get(&context[context.len() - length..]) {
                let (total, distinct) = (f64::from(*total), each.len() as f64);
                let count = each.get(&next).map_or(0.0, |&count| f64::from(count));
                p = (count + distinct * p) / (total + distinct);
            }
        }
        p
    }

    /// The mean of −ln p over a text, in nats a character.
    pub(crate) fn loss(&self, text: &[i64]) -> f64 {
        let total: f64 = (0..text.len())
            .map(|at| -self.probability(&text[at.saturating_sub(self.order - 1)..at], text[at]).ln())
            .sum();
        total / text.len() as f64
    }
}
