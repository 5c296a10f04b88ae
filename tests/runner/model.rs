//! Cases of the kind `model`: whole models that are trained for some steps.

use super::{Manifest, Outcome, Output, compare, optimizer::optimizer};
use serde_json::Value;
use wengert_autograd::{Tensor, Variable, loss::cross_entropy};
use wengert_nn::{
    AttentionOptions, BatchNorm2d, Conv2d, Embedding, Flatten, Layer, LayerNorm, Linear, Lstm, Module,
    MultiheadAttention, StateDict,
};
use wengert_optim::clip_grad_norm;

/// A model with its loss on a batch of any input.
trait Model: Module<f64> {
    fn logits(&self, x: &super::Stored) -> Variable<f64>;
}

#[derive(Module)]
#[module(scalar = f64)]
struct Mlp {
    fc1: Linear<f64>,
    fc2: Linear<f64>,
}

impl Model for Mlp {
    fn logits(&self, x: &super::Stored) -> Variable<f64> {
        self.fc2.forward(&self.fc1.forward(&images(x)).relu())
    }
}

#[derive(Module)]
#[module(scalar = f64)]
struct Cnn {
    conv1: Conv2d<f64>,
    conv2: Conv2d<f64>,
    fc: Linear<f64>,
}

impl Model for Cnn {
    fn logits(&self, x: &super::Stored) -> Variable<f64> {
        let halve = |x: Variable<f64>| x.relu().max_pool2d(2);
        let h = halve(self.conv2.forward(&halve(self.conv1.forward(&images(x)))));
        self.fc.forward(&Flatten::default().forward(&h))
    }
}

#[derive(Module)]
#[module(scalar = f64)]
struct CnnBn {
    conv: Conv2d<f64>,
    bn: BatchNorm2d<f64>,
    fc: Linear<f64>,
}

impl Model for CnnBn {
    fn logits(&self, x: &super::Stored) -> Variable<f64> {
        let h = self.bn.forward(&self.conv.forward(&images(x))).relu();
        self.fc.forward(&h.mean_axes([2, 3], false))
    }
}

#[derive(Module)]
#[module(scalar = f64)]
struct LstmClassifier {
    lstm: Lstm<f64>,
    fc: Linear<f64>,
}

impl Model for LstmClassifier {
    fn logits(&self, x: &super::Stored) -> Variable<f64> {
        let (_, (h, _)) = self.lstm.forward(&images(x));
        self.fc.forward(&h.select(0, 0))
    }
}

#[derive(Module)]
#[module(scalar = f64)]
struct TransformerLm {
    tok: Embedding<f64>,
    pos: Embedding<f64>,
    ln1: LayerNorm<f64>,
    attn: MultiheadAttention<f64>,
    ln2: LayerNorm<f64>,
    fc1: Linear<f64>,
    fc2: Linear<f64>,
    lnf: LayerNorm<f64>,
    head: Linear<f64>,
}

impl Model for TransformerLm {
    fn logits(&self, x: &super::Stored) -> Variable<f64> {
        let tokens = x.index().expect("a batch of tokens");
        let positions = Tensor::<i64>::arange(0, tokens.shape()[1] as i64, 1);
        let h = self.tok.forward(tokens) + self.pos.forward(&positions);
        let causal = AttentionOptions { causal: true, ..AttentionOptions::default() };
        let n = self.ln1.forward(&h);
        let h = h + self.attn.attend(&n, &n, &n, &causal).0;
        let h = &h + self.fc2.forward(&self.fc1.forward(&self.ln2.forward(&h)).gelu());
        self.head.forward(&self.lnf.forward(&h))
    }
}

fn images(x: &super::Stored) -> Variable<f64> {
    Variable::new(x.float().expect("a batch of floating-point numbers"))
}

fn model(name: &str, config: &Value) -> Option<Box<dyn Model>> {
    let sizes = |key: &str| -> Vec<usize> {
        let list = config[key].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(|size| size.as_u64()).map(|size| size as usize).collect()
    };
    Some(match name {
        "mlp" => {
            let sizes = sizes("sizes");
            Box::new(Mlp { fc1: Linear::typed(sizes[0], sizes[1]), fc2: Linear::typed(sizes[1], sizes[2]) })
        }
        "cnn" => {
            let channels = sizes("channels");
            let side = config["size"].as_u64()? as usize / 4;
            let conv = |k: usize| Conv2d::typed(channels[k], channels[k + 1], 3).padding(1);
            let fc = Linear::typed(channels[2] * side * side, config["classes"].as_u64()? as usize);
            Box::new(Cnn { conv1: conv(0), conv2: conv(1), fc })
        }
        "cnn_bn" => {
            let channels = sizes("channels");
            let conv = Conv2d::typed(channels[0], channels[1], 3).padding(1).bias(false);
            let fc = Linear::typed(channels[1], config["classes"].as_u64()? as usize);
            Box::new(CnnBn { conv, bn: BatchNorm2d::typed(channels[1]), fc })
        }
        "lstm_classifier" => {
            let size = |key: &str| config[key].as_u64().unwrap_or(0) as usize;
            let lstm = Lstm::typed(size("input"), size("hidden")).batch_first(true);
            Box::new(LstmClassifier { lstm, fc: Linear::typed(size("hidden"), size("classes")) })
        }
        "transformer_lm" => {
            let size = |key: &str| config[key].as_u64().unwrap_or(0) as usize;
            let width = size("embed");
            Box::new(TransformerLm {
                tok: Embedding::typed(size("vocab"), width),
                pos: Embedding::typed(size("length"), width),
                ln1: LayerNorm::typed(width),
                attn: MultiheadAttention::typed(width, size("heads")),
                ln2: LayerNorm::typed(width),
                fc1: Linear::typed(width, size("mlp")),
                fc2: Linear::typed(size("mlp"), width),
                lnf: LayerNorm::typed(width),
                head: Linear::typed(width, size("vocab")).bias(false),
            })
        }
        _ => return None,
    })
}

pub fn run(manifest: &Manifest) -> Outcome {
    let model = model(manifest.text("model"), &manifest.json["config"])?;
    Some(train(manifest, &*model))
}

/// Name and stored name, for each entry of a JSON object.
fn entries(object: &Value) -> Vec<(String, String)> {
    let entries = object.as_object().into_iter().flatten();
    entries.map(|(name, stored)| (name.clone(), stored.as_str().unwrap_or("").to_string())).collect()
}

fn train(manifest: &Manifest, model: &dyn Model) -> Result<(), String> {
    let case = &manifest.json;
    let mut dict = StateDict::new();
    for (name, stored) in [entries(&case["params"]), entries(&case["buffers"])].concat() {
        dict.insert(name, manifest.float::<f64>(&stored)?);
    }
    // A count of batches, which the reference does not store, is the only thing that may be missing.
    let unmatched = model.load_state_dict_partially(&dict).map_err(|error| error.to_string())?;
    let missing: Vec<&String> =
        unmatched.missing.iter().filter(|name| !name.ends_with("num_batches_tracked")).collect();
    if !missing.is_empty() || !unmatched.unexpected.is_empty() {
        return Err(format!("missing {missing:?}, unexpected {:?}", unmatched.unexpected));
    }
    let parameters = model.named_parameters();
    let mut optimizer = optimizer(manifest.text("optimizer"), parameters.clone(), case)
        .ok_or_else(|| format!("there is no optimiser {}", manifest.text("optimizer")))?;
    let agree = |what: String, got: Tensor<f64>, stored: &str| {
        compare(&what, &Output::from(Variable::new(got)), manifest.tensor(stored)?, manifest.tolerances())
    };
    for (k, step) in case["steps"].as_array().map(Vec::as_slice).unwrap_or_default().iter().enumerate() {
        let batch = &case["batches"][step["batch"].as_u64().unwrap_or(0) as usize];
        let tensor = |name: &str| manifest.tensor(batch[name].as_str().unwrap_or(""));
        let logits = model.logits(tensor("x")?);
        let targets = tensor("y")?.index().ok_or("the targets are no indices")?;
        let classes = logits.shape()[logits.rank() - 1];
        let loss =
            cross_entropy(&logits.reshape([targets.len(), classes]), &targets.reshape([targets.len()]));
        let (got, want) = (loss.item(), step["loss"].as_f64().unwrap_or(f64::NAN));
        let (rtol, atol) = manifest.tolerances();
        if got.is_nan() || (got - want).abs() > atol + rtol * want.abs() {
            return Err(format!("loss of step {k}: {got:e}, expected {want:e}"));
        }
        parameters.zero_grad();
        loss.backward();
        for (name, stored) in entries(&step["grads"]) {
            let gradient = parameters.get(&name).and_then(Variable::grad);
            agree(
                format!("gradient of {name} in step {k}"),
                gradient.ok_or(format!("{name} has none"))?,
                &stored,
            )?;
        }
        if let Some(limit) = manifest.number("clip_grad_norm") {
            clip_grad_norm(&parameters, limit, 2.0);
        }
        optimizer.step();
        let dict = model.state_dict();
        for (name, stored) in [entries(&step["params"]), entries(&step["buffers"])].concat() {
            let value = dict.get(&name).ok_or_else(|| format!("the model has no {name}"))?;
            agree(format!("{name} after step {k}"), value.clone(), &stored)?;
        }
    }
    Ok(())
}
