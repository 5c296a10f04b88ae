//! A formula as a person would write it: from the listed steps of a derivative to `ȳ · (1 − y²)`.
//!
//! The text comes from the same formula as the loops do, so a rule that is shown is the rule that is computed.

use super::expr::{Binary, Listing, Step, Unary};
use crate::inspect::{has_bar, number};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, LN_2, LN_10};

/// How tightly a text holds together: what needs parentheses inside what.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Choice,
    Sum,
    Product,
    Power,
    Atom,
}

/// The factors of a product, above and below the line.
struct Factors {
    negative: bool,
    /// The numbers among the factors, multiplied.
    number: f64,
    above: Vec<String>,
    below: Vec<String>,
}

impl Listing {
    /// Result `i` as text; `names` are those of the given values, in order. None where the result is structurally zero.
    pub(crate) fn written(&self, i: usize, names: &[String]) -> Option<String> {
        Some(self.text(self.results[i]?, names).0)
    }

    fn text(&self, place: usize, names: &[String]) -> (String, Binding) {
        let at_least = |binding, place| self.parenthesised(binding, place, names);
        let call = |name: &str, x| (format!("{name}({})", self.text(x, names).0), Binding::Atom);
        match self.steps[place] {
            Step::Given(k) => (names[k].clone(), Binding::Atom),
            Step::Constant(value) if value < 0.0 => (number(value), Binding::Product),
            Step::Constant(value) if is(value, FRAC_1_SQRT_2) => ("1/√2".into(), Binding::Product),
            Step::Constant(value) if is(value, FRAC_2_SQRT_PI) => ("2/√π".into(), Binding::Product),
            Step::Constant(value) if is(value, LN_2) => ("ln(2)".into(), Binding::Atom),
            Step::Constant(value) if is(value, LN_10) => ("ln(10)".into(), Binding::Atom),
            Step::Constant(value) => (number(value), Binding::Atom),
            Step::Unary(Unary::square, x) => (format!("{}²", at_least(Binding::Atom, x)), Binding::Power),
            Step::Unary(Unary::sqrt, x) => (format!("√{}", at_least(Binding::Atom, x)), Binding::Power),
            Step::Unary(Unary::abs, x) => (format!("|{}|", self.text(x, names).0), Binding::Atom),
            Step::Unary(Unary::floor, x) => (format!("⌊{}⌋", self.text(x, names).0), Binding::Atom),
            Step::Unary(Unary::ceil, x) => (format!("⌈{}⌉", self.text(x, names).0), Binding::Atom),
            Step::Unary(Unary::sigmoid, x) => call("σ", x),
            Step::Unary(Unary::neg | Unary::reciprocal | Unary::rsqrt, _)
            | Step::Binary(Binary::mul | Binary::div, ..) => self.product(place, names),
            Step::Binary(Binary::add, a, b) if a == b => self.product(place, names),
            Step::Unary(function, x) => call(&format!("{function:?}"), x),
            Step::Binary(Binary::add, a, b) => self.sum(a, b, '+', names),
            Step::Binary(Binary::sub, a, b) => self.sum(a, b, '−', names),
            Step::Binary(Binary::powf, a, b) => {
                (format!("{}^{}", at_least(Binding::Atom, a), at_least(Binding::Atom, b)), Binding::Power)
            }
            Step::Binary(Binary::lt, a, b) => self.bracket(a, '<', b, names),
            Step::Binary(Binary::le, a, b) => self.bracket(a, '≤', b, names),
            Step::Binary(Binary::eq, a, b) => self.bracket(a, '=', b, names),
            Step::Binary(function, a, b) => {
                let (a, b) = (self.text(a, names).0, self.text(b, names).0);
                (format!("{function:?}({a}, {b})"), Binding::Atom)
            }
            Step::Select(mask, yes, no) => self.choice(mask, yes, no, names),
        }
    }

    fn parenthesised(&self, binding: Binding, place: usize, names: &[String]) -> String {
        let (text, found) = self.text(place, names);
        if found < binding { format!("({text})") } else { text }
    }

    fn sum(&self, a: usize, b: usize, sign: char, names: &[String]) -> (String, Binding) {
        let left = self.parenthesised(Binding::Sum, a, names);
        // a − (b + c) needs its parentheses, and so does whatever begins with a sign.
        let right = self.text(b, names);
        let bare = right.1 > Binding::Sum || (right.1 == Binding::Sum && sign == '+');
        match right.0.strip_prefix('−') {
            Some(positive) if right.1 >= Binding::Product => {
                let sign = if sign == '+' { '−' } else { '+' };
                (format!("{left} {sign} {positive}"), Binding::Sum)
            }
            None if bare => (format!("{left} {sign} {}", right.0), Binding::Sum),
            _ => (format!("{left} {sign} ({})", right.0), Binding::Sum),
        }
    }

    /// Iverson's bracket: 1 where it holds, 0 elsewhere.
    fn bracket(&self, a: usize, sign: char, b: usize, names: &[String]) -> (String, Binding) {
        (format!("[{} {sign} {}]", self.text(a, names).0, self.text(b, names).0), Binding::Atom)
    }

    fn choice(&self, mask: usize, yes: usize, no: usize, names: &[String]) -> (String, Binding) {
        let constant = |place: usize| match self.steps[place] {
            Step::Constant(value) => Some(value),
            _ => None,
        };
        match (constant(yes), constant(no), self.steps[mask]) {
            (Some(1.0), Some(0.0), _) => self.text(mask, names),
            (Some(0.0), Some(1.0), Step::Binary(Binary::le, a, b)) => self.bracket(a, '>', b, names),
            (Some(0.0), Some(1.0), Step::Binary(Binary::lt, a, b)) => self.bracket(a, '≥', b, names),
            _ => {
                let [mask, yes, no] =
                    [mask, yes, no].map(|place| self.parenthesised(Binding::Sum, place, names));
                (format!("{mask} ? {yes} : {no}"), Binding::Choice)
            }
        }
    }

    fn product(&self, place: usize, names: &[String]) -> (String, Binding) {
        let mut factors = Factors { negative: false, number: 1.0, above: Vec::new(), below: Vec::new() };
        self.factors(place, false, &mut factors, names);
        let Factors { negative, number: value, mut above, below } = factors;
        // Cotangents first, as the chain rule is usually written, then numbers.
        if value != 1.0 {
            above.insert(0, number(value));
        }
        let (cotangents, others): (Vec<String>, Vec<String>) =
            above.into_iter().partition(|factor| has_bar(factor));
        let above = squares([cotangents, others].concat());
        let below = squares(below);
        let sign = if negative { "−" } else { "" };
        let numerator = if above.is_empty() { "1".into() } else { above.join(" · ") };
        let text = match below.len() {
            0 => format!("{sign}{numerator}"),
            1 => format!("{sign}{numerator} / {}", below[0]),
            _ => format!("{sign}{numerator} / ({})", below.join(" · ")),
        };
        let single = !negative && below.is_empty() && above.len() == 1;
        (text, if single { Binding::Power } else { Binding::Product })
    }

    fn factors(&self, place: usize, inverted: bool, into: &mut Factors, names: &[String]) {
        match self.steps[place] {
            Step::Binary(Binary::mul, a, b) => {
                self.factors(a, inverted, into, names);
                self.factors(b, inverted, into, names);
            }
            Step::Binary(Binary::div, a, b) => {
                self.factors(a, inverted, into, names);
                self.factors(b, !inverted, into, names);
            }
            Step::Binary(Binary::add, a, b) if a == b => {
                into.multiply(2.0, inverted);
                self.factors(a, inverted, into, names);
            }
            Step::Unary(Unary::reciprocal, x) => self.factors(x, !inverted, into, names),
            Step::Unary(Unary::neg, x) => {
                into.negative = !into.negative;
                self.factors(x, inverted, into, names);
            }
            Step::Constant(value) => {
                into.negative ^= value < 0.0;
                let value = value.abs();
                if is(value, FRAC_1_SQRT_2) {
                    into.place("√2".into(), !inverted);
                } else if is(value, FRAC_2_SQRT_PI) {
                    into.multiply(2.0, inverted);
                    into.place("√π".into(), !inverted);
                } else if is(value, LN_2) {
                    into.place("ln(2)".into(), inverted);
                } else if is(value, LN_10) {
                    into.place("ln(10)".into(), inverted);
                } else {
                    into.multiply(value, inverted);
                }
            }
            Step::Unary(Unary::rsqrt, x) => {
                into.place(format!("√{}", self.parenthesised(Binding::Atom, x, names)), !inverted);
            }
            _ => into.place(self.parenthesised(Binding::Power, place, names), inverted),
        }
    }
}

impl Factors {
    fn place(&mut self, factor: String, below: bool) {
        if below { self.below.push(factor) } else { self.above.push(factor) }
    }
    fn multiply(&mut self, by: f64, inverted: bool) {
        if inverted { self.number /= by } else { self.number *= by }
    }
}

/// Writes a factor that occurs twice as its square.
fn squares(factors: Vec<String>) -> Vec<String> {
    let mut written: Vec<(String, usize)> = Vec::new();
    for factor in factors {
        match written.iter_mut().find(|(known, _)| *known == factor) {
            Some((_, times)) => *times += 1,
            None => written.push((factor, 1)),
        }
    }
    let power = |(factor, times): (String, usize)| match times {
        1 => factor,
        2 if factor.strip_prefix('√').is_some_and(|root| root.chars().count() == 1) => {
            factor['√'.len_utf8()..].into()
        }
        _ if factor.ends_with('²') => format!("({factor})^{times}"),
        2 => format!("{factor}²"),
        3 => format!("{factor}³"),
        times => format!("{factor}^{times}"),
    };
    written.into_iter().map(power).collect()
}

/// Is it this well-known constant?
fn is(value: f64, constant: f64) -> bool {
    (value - constant).abs() < 1e-12
}

#[cfg(test)]
mod tests {
    use crate::scalar::{
        Formula, Real,
        expr::{list_forward, list_pullback},
        formula::elementary,
    };

    /// The formula and its slope in the first input, of x (or a, b), y and ȳ.
    fn written<F: Formula<N>, const N: usize>(formula: &F) -> (String, String) {
        let mut names: Vec<String> = ["a", "b"][..N].iter().map(|name| name.to_string()).collect();
        names.extend(["y".into(), "ȳ".into()]);
        let text = |text: Option<String>| text.unwrap_or_else(|| "0".into());
        (text(list_forward(formula).written(0, &names)), text(list_pullback(formula, 1).written(0, &names)))
    }

    #[derive(Clone, Copy)]
    struct Mixed;
    impl Formula<2> for Mixed {
        fn name(&self) -> &'static str {
            "mixed"
        }
        #[inline(always)]
        fn eval<R: Real>(&self, [a, b]: [R; 2]) -> [R; 1] {
            [a * (b - (a + R::constant(1.0))) / -b + R::constant(-2.0)]
        }
    }

    #[test]
    fn formulas_read_as_they_are_written_by_hand() {
        let both = |forward: &str, slope: &str| (forward.to_string(), slope.to_string());
        assert_eq!(written(&elementary::mul), both("a · b", "ȳ · b"));
        assert_eq!(written(&elementary::div), both("a / b", "ȳ / b"));
        assert_eq!(written(&elementary::tanh), both("tanh(a)", "ȳ · (1 − y²)"));
        assert_eq!(written(&elementary::square), both("a²", "ȳ · 2 · a"));
        assert_eq!(written(&elementary::ln), both("ln(a)", "ȳ / a"));
        assert_eq!(written(&elementary::sqrt), both("√a", "ȳ · 0.5 / y"));
        assert_eq!(written(&elementary::relu), both("relu(a)", "ȳ · [a > 0]"));
        assert_eq!(written(&elementary::cos), both("cos(a)", "−ȳ · sin(a)"));
        assert_eq!(written(&elementary::floor), both("⌊a⌋", "0"));
        assert_eq!(written(&elementary::log2), both("log2(a)", "ȳ / (a · ln(2))"));
        assert_eq!(written(&elementary::erf), both("erf(a)", "ȳ · 2 · exp(−a²) / √π"));
        assert_eq!(written(&elementary::asin), both("asin(a)", "ȳ / √(1 − a²)"));
        assert_eq!(written(&Mixed).0, "−a · (b − (a + 1)) / b − 2");
    }
}
