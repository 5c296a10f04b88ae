//! What users will think of items, from what they thought of others: a matrix of low rank, learned from ratings.
//!
//! `cargo run --release --example recommender -- --out target/pictures`
//!
//! Without `--data` the ratings are generated, of rank 4 with normal noise: no model can predict them better than to that
//! noise. `--data DIR` takes a folder of MovieLens (<https://grouplens.org/datasets/movielens/>; its licence does not allow
//! it to be kept here): one with `ratings.csv`, or the older one with `u.data`. There it is compared with the means of
//! users and items.

mod application;

use application::{Options, Outcome, at_most, table::Table, who_won};
use std::{collections::HashMap, path::Path, process::ExitCode};
use wengert::{
    datasets::{
        TensorDataset, split,
        table::{CsvReader, Table as Columns},
        toy::{self, Ratings},
    },
    loss::mse_loss,
    optim::schedule::CosineAnnealingLr,
    plot::Chart,
    prelude::*,
    train::Trainer,
};

/// u·v for the factors of user and item, plus what both differ from the mean by.
#[derive(Module)]
struct Factors {
    users: Embedding,
    items: Embedding,
    user_bias: Embedding,
    item_bias: Embedding,
}

impl Factors {
    fn new(users: usize, items: usize, rank: usize) -> Factors {
        let net = Factors {
            users: Embedding::new(users, rank),
            items: Embedding::new(items, rank),
            user_bias: Embedding::new(users, 1),
            item_bias: Embedding::new(items, 1),
        };
        // Factors of standard deviation 1 would begin with predictions as spread out as the ratings, but wrong.
        net.apply(|name, parameter| {
            let scale = if name.contains("bias") { 0.0 } else { 0.3 };
            parameter.update(|value| value.map(|x| x * scale));
        });
        net
    }

    /// Predictions \[n\] for users \[n\] and items \[n\].
    fn forward(&self, (users, items): &(Tensor<i64>, Tensor<i64>)) -> Variable {
        let product = (self.users.forward(users) * self.items.forward(items)).sum_axes(-1, false);
        product + self.user_bias.forward(users).squeeze(-1) + self.item_bias.forward(items).squeeze(-1)
    }
}

/// Users and items numbered from 0 in the order in which they appear.
fn numbered(ids: &[f64]) -> (Tensor<i64>, usize) {
    let mut numbers = HashMap::new();
    let number = |id: &f64| {
        let next = numbers.len() as i64;
        *numbers.entry(id.to_bits()).or_insert(next)
    };
    let all: Vec<i64> = ids.iter().map(number).collect();
    (Tensor::from_slice(&all, [all.len()]).expect("one number a rating"), numbers.len())
}

/// The ratings in a folder of MovieLens, with the numbers of users and items.
fn movie_lens(folder: &Path) -> Outcome<(Ratings, usize, usize)> {
    let modern = folder.join("ratings.csv");
    let table: Columns = if modern.is_file() {
        CsvReader::new().read(modern)?
    } else {
        let names = ["userId", "movieId", "rating", "timestamp"];
        CsvReader::tsv().column_names(names).read(folder.join("u.data"))?
    };
    let column = |name: &str| -> Outcome<Vec<f64>> {
        let values = table.features(&[name])?.values;
        Ok(values.iter().map(f64::from).collect())
    };
    let (users, user_count) = numbered(&column("userId")?);
    let (items, item_count) = numbered(&column("movieId")?);
    let values = table.features(&["rating"])?.values.reshape([table.rows()]);
    Ok((Ratings { users, items, values }, user_count, item_count))
}

/// The mean rating of each user or item, drawn towards the mean of all as if there were five more ratings of that value.
fn means(of: &Tensor<i64>, values: &[f64], count: usize) -> Vec<f64> {
    const PRIOR: f64 = 5.0;
    let (mut sums, mut counts) = (vec![0.0; count], vec![PRIOR; count]);
    for (id, value) in of.iter().zip(values) {
        sums[id as usize] += value;
        counts[id as usize] += 1.0;
    }
    sums.into_iter().zip(counts).map(|(sum, count)| sum / count).collect()
}

fn root_mean_square(errors: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = errors.fold((0, 0.0), |(count, sum), error| (count + 1, sum + error * error));
    (sum / f64::from(count)).sqrt()
}

fn recommender(options: &Options) -> Outcome {
    const NOISE: f32 = 0.3;
    const RANK: usize = 4;
    let (ratings, users, items, rank) = match &options.data {
        Some(folder) => {
            let (ratings, users, items) = movie_lens(folder)?;
            (ratings, users, items, 16)
        }
        None => (toy::low_rank_ratings(600, 400, RANK, 60_000, NOISE, options.seed), 600, 400, RANK),
    };
    let count = ratings.values.len();
    println!("{count} ratings of {items} items by {users} users");
    let split = split::train_test_split(count, 0.1, options.seed);
    let part = |indices: &[usize]| {
        let take = |of: &Tensor<i64>| application::rows(of, indices);
        (take(&ratings.users), take(&ratings.items), application::rows(&ratings.values, indices))
    };
    let ((u, i, r), (test_u, test_i, test_r)) = (part(&split.train), part(&split.test));

    // The simple methods: the mean of all, and what users and items differ from it by.
    let mean = r.iter().map(f64::from).sum::<f64>() / r.len() as f64;
    let rest: Vec<f64> = r.iter().map(|r| f64::from(r) - mean).collect();
    let by_item = means(&i, &rest, items);
    let rest: Vec<f64> =
        rest.iter().zip(i.iter()).map(|(rest, item)| rest - by_item[item as usize]).collect();
    let by_user = means(&u, &rest, users);
    let test = || test_u.iter().zip(test_i.iter()).zip(test_r.iter().map(f64::from));
    let of_mean = root_mean_square(test().map(|(_, r)| r - mean));
    let of_means = root_mean_square(
        test().map(|((user, item), r)| r - mean - by_item[item as usize] - by_user[user as usize]),
    );

    manual_seed(options.seed);
    let net = Factors::new(users, items, rank);
    let centred = r.map(|r| r - mean as f32);
    let loader = TensorDataset::new((u, i, centred)).loader().batch_size(500).shuffle(options.seed);
    let loader = loader.map(|(users, items, ratings)| ((users, items), ratings));
    let epochs = if options.quick { 12 } else { 30 };
    let decay = if options.data.is_some() { 0.2 } else { 0.02 };
    let adam = AdamW::new(net.named_parameters()).lr(0.02).weight_decay(decay);
    let held_out = vec![((test_u.clone(), test_i.clone()), Variable::new(test_r.map(|r| r - mean as f32)))];
    let trainer = Trainer::new(&net, Factors::forward, mse_loss, adam)
        .epochs(epochs)
        .schedule_by_epoch(CosineAnnealingLr::new(epochs))
        .validation(&held_out);
    let history = options.fit("factors", trainer, &loader)?;
    let found = no_grad(|| net.forward(&(test_u.clone(), test_i.clone()))).value();
    let of_net = root_mean_square(test().zip(found.iter()).map(|((_, r), y)| r - mean - f64::from(y)));

    let mut table = Table::new(["held-out ratings", "root mean square error"]);
    table.numbers("mean of all", [of_mean]);
    table.numbers("means of user and item", [of_means]);
    table.numbers(&format!("factors of rank {rank}"), [of_net]);
    if options.data.is_none() {
        table.numbers("noise of the ratings, the least there is", [f64::from(NOISE)]);
    }
    table.print();
    let root = |name: &str| {
        let points = history.epochs.iter().map(|epoch| epoch.number as f64).zip(history.get(name));
        points.map(|(epoch, loss)| (epoch, loss.sqrt())).collect::<Vec<_>>()
    };
    let ends = [1.0, epochs as f64];
    let mut chart = Chart::new("Ratings: error by epoch")
        .x("epoch")
        .y("root mean square error (in ratings)")
        .line("factors, training ratings", root("loss"))
        .line("factors, held-out ratings", root("val_loss"))
        .reference("means of user and item", ends.map(|x| (x, of_means)));
    if options.data.is_none() {
        chart = chart.reference("noise", ends.map(|x| (x, f64::from(NOISE))));
    }
    chart.save(options.picture("recommender.svg"))?;
    who_won("the means of user and item (error)", of_means - of_net);
    let limit = match (&options.data, options.quick) {
        (Some(_), _) => of_means,
        (None, true) => 1.25 * f64::from(NOISE),
        (None, false) => 1.1 * f64::from(NOISE),
    };
    at_most("error of the factors", of_net, limit)
}

fn main() -> ExitCode {
    application::run(&["--data DIR"], recommender)
}
