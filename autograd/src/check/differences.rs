//! Derivatives by differences of values.

/// Which differences stand for the derivative.
///
/// The error of a difference has two parts: what the formula leaves out, which grows with the step h, and rounding, which
/// grows with 1/h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differences {
    /// (f(h) − f(−h))/2h, which leaves out h²/6·f‴.
    Central,
    /// (8(f(h) − f(−h)) − (f(2h) − f(−2h)))/12h, which leaves out h⁴/30·f⁗′: four evaluations, and three to four more
    /// digits.
    FivePoint,
}

impl Differences {
    /// The step that balances the two errors for values near 1.
    pub(crate) fn usual_step(self) -> f64 {
        match self {
            Differences::Central => 6e-6,
            Differences::FivePoint => 1e-3,
        }
    }

    /// d/dt of Σ weight·value(t) at 0.
    pub(crate) fn slope(self, step: f64, weights: &[f64], values: &dyn Fn(f64) -> Vec<f64>) -> f64 {
        // The difference first and the weighted sum afterwards: what does not change cancels exactly.
        let across = |step: f64| weighted(weights, &values(step), &values(-step));
        match self {
            Differences::Central => across(step) / (2.0 * step),
            Differences::FivePoint => (8.0 * across(step) - across(2.0 * step)) / (12.0 * step),
        }
    }
}

/// The slopes of Σ weight·value(t) on the two sides of 0.
pub(crate) fn one_sided(step: f64, weights: &[f64], values: &dyn Fn(f64) -> Vec<f64>) -> (f64, f64) {
    let here = values(0.0);
    (weighted(weights, &here, &values(-step)) / step, weighted(weights, &values(step), &here) / step)
}

fn weighted(weights: &[f64], high: &[f64], low: &[f64]) -> f64 {
    weights.iter().zip(high).zip(low).map(|((weight, high), low)| weight * (high - low)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_points_are_more_exact_than_two() {
        let sine = |t: f64| vec![(1.0 + t).sin()];
        let error = |scheme: Differences| {
            (scheme.slope(scheme.usual_step(), &[2.0], &sine) - 2.0 * 1_f64.cos()).abs()
        };
        assert!(error(Differences::Central) < 1e-9);
        assert!(error(Differences::FivePoint) < 1e-12);
    }

    #[test]
    fn the_two_sides_of_a_kink_differ() {
        let (left, right) = one_sided(1e-6, &[1.0], &|t: f64| vec![t.abs()]);
        assert!((left + 1.0).abs() < 1e-9 && (right - 1.0).abs() < 1e-9);
    }
}
