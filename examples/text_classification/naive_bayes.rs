//! The baseline: multinomial naive Bayes.

use std::collections::HashMap;

/// Counts of words in the texts of each class.
pub(crate) struct NaiveBayes {
    /// For each class: the logarithm of its share, and of the probability of a word that it does not have.
    classes: Vec<(f64, f64)>,
    /// For each word: the logarithm of its probability in each class.
    words: HashMap<String, Vec<f64>>,
}

impl NaiveBayes {
    /// Learns from texts as words. Every word counts one more than it occurs (Laplace's rule), so that none is impossible.
    pub(crate) fn fit(texts: &[Vec<String>], labels: &[i64], classes: usize) -> NaiveBayes {
        let mut counts: HashMap<&str, Vec<f64>> = HashMap::new();
        let (mut totals, mut shares) = (vec![0.0; classes], vec![0.0; classes]);
        for (words, &label) in texts.iter().zip(labels) {
            shares[label as usize] += 1.0;
            totals[label as usize] += words.len() as f64;
            for word in words {
                counts.entry(word).or_insert_with(|| vec![0.0; classes])[label as usize] += 1.0;
            }
        }
        let distinct = counts.len() as f64;
        let log = |count: f64, class: usize| ((count + 1.0) / (totals[class] + distinct)).ln();
        let of_word = |(word, counts): (&str, Vec<f64>)| {
            let logs = counts.iter().enumerate().map(|(class, &count)| log(count, class)).collect();
            (word.to_string(), logs)
        };
        NaiveBayes {
            classes: (0..classes).map(|k| ((shares[k] / texts.len() as f64).ln(), log(0.0, k))).collect(),
            words: counts.into_iter().map(of_word).collect(),
        }
    }

    /// The most probable class of a text.
    pub(crate) fn classify(&self, text: &[String]) -> i64 {
        let score = |class: usize| -> f64 {
            let (share, unknown) = self.classes[class];
            share + text.iter().map(|w| self.words.get(w).map_or(unknown, |logs| logs[class])).sum::<f64>()
        };
        (0..self.classes.len()).max_by(|&a, &b| score(a).total_cmp(&score(b))).unwrap_or(0) as i64
    }
}
