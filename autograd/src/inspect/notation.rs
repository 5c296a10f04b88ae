//! How numbers and names are written.

use unicode_width::UnicodeWidthChar;

/// The combining macron of x̄.
const BAR: char = '\u{304}';

/// The letters that have a macron of their own in Unicode.
const LETTERS: [(char, char); 14] = [
    ('a', 'ā'),
    ('e', 'ē'),
    ('g', 'ḡ'),
    ('i', 'ī'),
    ('o', 'ō'),
    ('u', 'ū'),
    ('y', 'ȳ'),
    ('A', 'Ā'),
    ('E', 'Ē'),
    ('G', 'Ḡ'),
    ('I', 'Ī'),
    ('O', 'Ō'),
    ('U', 'Ū'),
    ('Y', 'Ȳ'),
];

/// The text with every barred letter in its shortest form, so that equal texts are equal strings.
pub(crate) fn composed(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        let letter = written.chars().next_back();
        match LETTERS.iter().find(|(plain, _)| c == BAR && letter == Some(*plain)) {
            Some((_, barred)) => {
                written.pop();
                written.push(*barred);
            }
            None => written.push(c),
        }
    }
    written
}

/// The text without bars.
pub(crate) fn without_bar(text: &str) -> String {
    let plain = |c| LETTERS.iter().find(|(_, barred)| *barred == c).map_or(c, |(plain, _)| *plain);
    text.chars().filter(|c| *c != BAR).map(plain).collect()
}

/// Is a cotangent in the text?
pub(crate) fn has_bar(text: &str) -> bool {
    text.contains(|c| c == BAR || LETTERS.iter().any(|(_, barred)| *barred == c))
}

/// Is it the mark that makes a bar?
pub(crate) fn is_bar(c: char) -> bool {
    c == BAR
}

/// The cotangent of a symbol: x̄ for a letter with its number, `grad(loss)` for a longer name.
pub(crate) fn bar(symbol: &str) -> String {
    let mut characters = symbol.chars();
    let first = characters.next();
    let rest = characters.as_str();
    let is_index = |c: char| c.is_ascii_digit() || ('₀'..='₉').contains(&c) || matches!(c, '.' | '′' | '\'');
    match first {
        Some(letter) if letter.is_alphabetic() && rest.chars().all(is_index) => {
            composed(&format!("{letter}{BAR}{rest}"))
        }
        _ => format!("grad({symbol})"),
    }
}

/// A letter with an index: `v₁₂`.
pub(crate) fn numbered(letter: char, index: usize) -> String {
    let digit = |c: char| char::from_u32('₀' as u32 + c.to_digit(10).unwrap_or(0)).unwrap_or(c);
    std::iter::once(letter).chain(index.to_string().chars().map(digit)).collect()
}

/// A number to five significant digits, with a true minus sign.
pub(crate) fn number(value: f64) -> String {
    let text = if !value.is_finite() {
        match value {
            _ if value.is_nan() => "NaN".into(),
            _ if value > 0.0 => "∞".into(),
            _ => "-∞".into(),
        }
    } else if value == 0.0 || (1e-4..1e7).contains(&value.abs()) {
        rounded_to(value, 5).to_string()
    } else {
        let text = format!("{value:.4e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits =
            if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
        format!("{digits}e{exponent}")
    };
    text.replace('-', "−")
}

/// A number to so many significant digits.
pub(crate) fn rounded_to(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}

/// Text on one line: control characters, and those that turn the direction of writing, as escapes.
pub(crate) fn one_line(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = |c: char| matches!(c, '\u{2028}' | '\u{2029}');
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || turns(c) || breaks(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// Text for SVG and HTML, in an element or in a quoted attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

/// How many columns the text takes in a fixed-width font: none for a combining mark, two for a Chinese character.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The text, cut to so many columns.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if columns(text) <= limit {
        return text.into();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if columns(&kept) + c.width().unwrap_or(0) + 1 > limit {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases =
            [(1.0, "1"), (-0.5, "−0.5"), (1.0 / 3.0, "0.33333"), (123_456.7, "123460"), (1.5e-7, "1.5e−7")];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(f64::NEG_INFINITY), "−∞");
    }

    #[test]
    fn only_letters_carry_a_bar() {
        assert_eq!(bar("x"), "x\u{304}");
        assert_eq!((bar("y").as_str(), without_bar("ȳ₂ x\u{304}").as_str()), ("ȳ", "y₂ x"));
        assert_eq!(bar("v₁₂"), "v̄₁₂");
        assert_eq!(bar("loss"), "grad(loss)");
    }

    #[test]
    fn what_could_break_out_is_escaped() {
        assert_eq!(escaped("</script>\"'&"), "&lt;/script&gt;&quot;&#39;&amp;");
        assert_eq!((cut("hidden.weight", 7), columns("前向")), ("hidden…".into(), 4));
        assert_eq!(one_line("a\nb\u{202e}c"), "a\\nb\\u{202e}c");
    }
}
