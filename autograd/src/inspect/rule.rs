//! A rule's text, read: which letter is which input, and the names and numbers of a node put in their places.

use super::notation::{bar, composed, is_bar, without_bar};
use std::collections::HashMap;

/// The text of [`Op::rule`](crate::Op::rule), taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    /// The text itself, if the operation gives one.
    text: Option<String>,
    /// The letters of the outputs, and what they are equal to.
    outputs: Vec<String>,
    definition: String,
    /// A line an input: its letter, and what is added to its cotangent.
    lines: Vec<(String, String)>,
}

/// What stands for each letter: a name or a number.
pub(crate) type Meanings = HashMap<String, String>;

impl Rule {
    /// Of an operation with so many inputs and outputs. An empty text gives the generic rule.
    pub(crate) fn new(text: &str, name: &str, inputs: usize, outputs: usize) -> Rule {
        Rule::read(text).unwrap_or_else(|| Rule::generic(name, inputs, outputs))
    }

    fn read(text: &str) -> Option<Rule> {
        let text = composed(text);
        let mut parts = text.split(';').map(str::trim);
        let (left, definition) = parts.next()?.split_once(" = ")?;
        let outputs = words(left).filter(|word| is_letter(word)).map(str::to_string).collect();
        let line = |part: &str| {
            let (left, right) = part.split_once(" += ")?;
            let letter = without_bar(words(left).find(|word| is_letter(word))?);
            Some((letter, right.to_string()))
        };
        let lines: Vec<(String, String)> = parts.map(line).collect::<Option<_>>()?;
        (!lines.is_empty()).then(|| Rule {
            outputs,
            definition: definition.into(),
            lines,
            text: Some(text.clone()),
        })
    }

    fn generic(name: &str, inputs: usize, outputs: usize) -> Rule {
        let letter =
            |letter, k, of| if of == 1 { String::from(letter) } else { super::numbered(letter, k + 1) };
        let xs: Vec<String> = (0..inputs).map(|i| letter('x', i, inputs)).collect();
        let ys: Vec<String> = (0..outputs).map(|k| letter('y', k, outputs)).collect();
        let slope = |x: &String| {
            let terms: Vec<String> = ys.iter().map(|y| format!("{} · ∂{y}/∂{x}", bar(y))).collect();
            (x.clone(), terms.join(" + "))
        };
        let lines = xs.iter().map(slope).collect();
        Rule { text: None, definition: format!("{name}({})", xs.join(", ")), lines, outputs: ys }
    }

    /// The text itself, if the operation gives one.
    pub(crate) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The text with a line each for the definition and the inputs.
    pub(crate) fn readable(text: &str) -> String {
        text.split(';').map(str::trim).collect::<Vec<_>>().join("\n")
    }

    /// How many outputs the definition speaks of; others are kept for the rule alone.
    pub(crate) fn output_count(&self) -> usize {
        self.outputs.len()
    }

    /// The letter of output `k`.
    pub(crate) fn output(&self, k: usize) -> Option<&str> {
        self.outputs.get(k).map(String::as_str)
    }

    /// The letter of input `i`.
    pub(crate) fn input(&self, i: usize) -> Option<&str> {
        self.lines.get(i).map(|(letter, _)| letter.as_str())
    }

    /// What the outputs are equal to.
    pub(crate) fn definition(&self) -> &str {
        &self.definition
    }

    /// What is added to the cotangent of input `i`. Inputs that have no line of their own have the last one's.
    pub(crate) fn contribution(&self, i: usize) -> &str {
        self.lines.get(i).or(self.lines.last()).map_or("", |(_, right)| right)
    }
}

/// The text with every letter replaced that has a meaning.
pub(crate) fn put_in(text: &str, meanings: &Meanings) -> String {
    words(text).map(|word| meanings.get(word).map_or(word, String::as_str)).collect()
}

/// The formula with numbers for its letters; none if a letter has no number.
pub(crate) fn with_numbers(formula: &str, numbers: &Meanings, letters: &Meanings) -> Option<String> {
    let mut written = String::new();
    let mut before = None;
    let mut pieces = words(formula).peekable();
    while let Some(word) = pieces.next() {
        match numbers.get(word) {
            Some(number) => {
                let raised = pieces.peek().is_some_and(|next| next.starts_with(['²', '³', '^']));
                // A sign needs parentheses, except in front.
                let bare = !number.starts_with('−') || before.is_none_or(|c| "([|".contains(c));
                let simple = bare && !(raised && number.contains(['−', 'e']));
                written += &if simple { number.clone() } else { format!("({number})") };
            }
            // A letter without a number, or a word: only functions are left as they are.
            None if letters.contains_key(word) || word.contains(['∂', 'Σ', 'Π']) => return None,
            None if word.starts_with(char::is_alphabetic)
                && pieces.peek().is_none_or(|next| !next.starts_with('(')) =>
            {
                return None;
            }
            None => written += word,
        }
        before = word.trim_end().chars().next_back().or(before);
    }
    Some(written)
}

/// The formula of a line, and the words after the comma that explain it; commas in parentheses are the formula's.
pub(crate) fn explained(text: &str) -> (&str, &str) {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => return (&text[..at], text[at + 1..].trim()),
            _ => {}
        }
    }
    (text, "")
}

/// Letters of a word: an index and a bar belong to it, and a transpose does not.
fn in_word(c: char) -> bool {
    (c.is_alphanumeric() && !matches!(c, 'ᵀ' | '²' | '³' | '∂' | 'Σ') && !('⁰'..='⁹').contains(&c))
        || ('₀'..='₉').contains(&c)
        || matches!(c, '_' | '′')
        || is_bar(c)
}

fn is_letter(word: &str) -> bool {
    word.starts_with(in_word)
}

/// The words of a text, and what stands between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let inside = in_word(rest.chars().next()?);
        let end = rest.find(|c| in_word(c) != inside).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meanings(pairs: &[(&str, &str)]) -> Meanings {
        pairs.iter().map(|(letter, meaning)| (letter.to_string(), meaning.to_string())).collect()
    }

    #[test]
    fn a_rule_is_taken_apart() {
        let rule = Rule::new("c = a·b; ā += c̄·bᵀ; b̄ += aᵀ·c̄, over the rows", "matmul", 2, 1);
        assert_eq!(rule.output(0), Some("c"));
        assert_eq!((rule.input(0), rule.input(1)), (Some("a"), Some("b")));
        assert_eq!((rule.definition(), rule.contribution(0)), ("a·b", "c̄·bᵀ"));
        let names = meanings(&[("a", "weight"), ("c̄", "ȳ")]);
        assert_eq!(put_in(rule.contribution(1), &names), "weightᵀ·ȳ, over the rows");
    }

    #[test]
    fn an_operation_without_a_text_has_the_generic_rule() {
        let rule = Rule::new("", "cube", 1, 1);
        assert_eq!((rule.definition(), rule.contribution(0)), ("cube(x)", "ȳ · ∂y/∂x"));
    }

    #[test]
    fn numbers_are_put_in() {
        let numbers = meanings(&[("ȳ", "−0.5"), ("y", "−3")]);
        let written = with_numbers("ȳ · (1 − y²)", &numbers, &numbers);
        assert_eq!(written.as_deref(), Some("−0.5 · (1 − (−3)²)"));
        assert_eq!(with_numbers("ȳ · ∂y/∂x", &numbers, &numbers), None);
        assert_eq!(explained("max(a, b), of two"), ("max(a, b)", "of two"));
        let letters = meanings(&[("x", "x")]);
        assert_eq!(with_numbers("ȳ · x", &numbers, &letters), None);
        assert_eq!(with_numbers("ȳ · mean(y)", &numbers, &letters).as_deref(), Some("−0.5 · mean(−3)"));
        assert_eq!(with_numbers("the sum of ȳ", &numbers, &letters), None);
    }
}
