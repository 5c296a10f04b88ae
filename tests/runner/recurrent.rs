//! The operations of the group `recurrent`.

use super::{Case, Output};
use wengert_autograd::{
    Float, Nonlinearity, RecurrentOptions, RecurrentWeights, gru, gru_cell, lstm, lstm_cell, rnn, rnn_cell,
};

/// The weights whose names end in `suffix`.
fn weights<T: Float>(case: &Case<T>, suffix: &str) -> Option<RecurrentWeights<T>> {
    let named = |name: &str| case.maybe(&format!("{name}{suffix}")).cloned();
    Some(RecurrentWeights {
        weight_ih: named("weight_ih")?,
        weight_hh: named("weight_hh")?,
        bias_ih: named("bias_ih"),
        bias_hh: named("bias_hh"),
    })
}

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    let nonlinearity = match case.text("nonlinearity", "tanh") {
        "relu" => Nonlinearity::Relu,
        _ => Nonlinearity::Tanh,
    };
    let options = RecurrentOptions {
        batch_first: case.flag("batch_first", false),
        bidirectional: case.flag("bidirectional", false),
        ..RecurrentOptions::default()
    };
    let layers = || {
        let suffixes = |layer| [format!("_l{layer}"), format!("_l{layer}_reverse")];
        let directions = 1 + usize::from(options.bidirectional);
        let names =
            (0..case.count("num_layers", 1)).flat_map(|layer| suffixes(layer).into_iter().take(directions));
        names.map(|suffix| weights(case, &suffix)).collect::<Option<Vec<_>>>()
    };
    let outputs = match op {
        "rnn_cell" => vec![rnn_cell(case.x(), case.var("h"), &weights(case, "")?, nonlinearity)],
        "gru_cell" => vec![gru_cell(case.x(), case.var("h"), &weights(case, "")?)],
        "lstm_cell" => {
            let (h, c) = lstm_cell(case.x(), case.var("h"), case.var("c"), &weights(case, "")?);
            vec![h, c]
        }
        "rnn" => {
            let (out, h) = rnn(case.x(), case.maybe("h0"), &layers()?, nonlinearity, options);
            vec![out, h]
        }
        "gru" => {
            let (out, h) = gru(case.x(), case.maybe("h0"), &layers()?, options);
            vec![out, h]
        }
        "lstm" => {
            let state = (case.var("h0"), case.var("c0"));
            let (out, h, c) = lstm(case.x(), Some(state), &layers()?, options);
            vec![out, h, c]
        }
        _ => return None,
    };
    Some(outputs.into_iter().map(Output::from).collect())
}
