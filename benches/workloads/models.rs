//! The models of the workloads. Their parameters have PyTorch's names and layouts.

use wengert::{ScaledDotProductAttention, prelude::*};

pub(crate) type Mlp = Sequential<(Linear, ReLU, Linear)>;

/// 784-128-10.
pub(crate) fn mnist_mlp() -> Mlp {
    Sequential::new((Linear::new(784, 128), ReLU, Linear::new(128, 10)))
}

pub(crate) type WideMlp = Sequential<(Linear, ReLU, Linear, ReLU, Linear)>;

/// 1024-2048-2048-1000.
pub(crate) fn wide_mlp() -> WideMlp {
    let (first, second) = (Linear::new(1024, 2048), Linear::new(2048, 2048));
    Sequential::new((first, ReLU, second, ReLU, Linear::new(2048, 1000)))
}

pub(crate) type LeNet = Sequential<(Conv2d, ReLU, Conv2d, ReLU, MaxPool2d, Flatten, Linear, ReLU, Linear)>;

/// Two convolutions and two linear layers, for images `[batch, 1, 28, 28]`.
pub(crate) fn lenet() -> LeNet {
    Sequential::new((
        Conv2d::new(1, 32, 3),
        ReLU,
        Conv2d::new(32, 64, 3),
        ReLU,
        MaxPool2d::new(2),
        Flatten::default(),
        Linear::new(64 * 12 * 12, 128),
        ReLU,
        Linear::new(128, 10),
    ))
}

/// A text `[batch, time]` of token numbers to scores of two classes, by the last state of an LSTM.
#[derive(Module)]
pub(crate) struct TextLstm {
    emb: Embedding,
    lstm: Lstm,
    out: Linear,
}

impl TextLstm {
    pub(crate) fn new(vocabulary: usize, embedding: usize, hidden: usize) -> Self {
        TextLstm {
            emb: Embedding::new(vocabulary, embedding),
            lstm: Lstm::new(embedding, hidden).batch_first(true),
            out: Linear::new(hidden, 2),
        }
    }
}

impl Layer<Tensor<i64>> for TextLstm {
    type Output = Variable;
    fn forward(&self, text: &Tensor<i64>) -> Variable {
        let (sequence, _) = self.lstm.forward(&self.emb.forward(text));
        self.out.forward(&sequence.select(1, -1))
    }
}

/// A block of a transformer: attention and a perceptron, each after a normalisation and beside a residual path.
#[derive(Module)]
struct Block {
    #[module(skip)]
    heads: usize,
    ln1: LayerNorm,
    ln2: LayerNorm,
    qkv: Linear,
    proj: Linear,
    up: Linear,
    down: Linear,
}

impl Block {
    fn new(width: usize, heads: usize) -> Self {
        Block {
            heads,
            ln1: LayerNorm::new(width),
            ln2: LayerNorm::new(width),
            qkv: Linear::new(width, 3 * width),
            proj: Linear::new(width, width),
            up: Linear::new(width, 4 * width),
            down: Linear::new(4 * width, width),
        }
    }

    fn forward(&self, x: &Variable) -> Variable {
        let [batch, time, width] = x.shape()[..] else { panic!("a block takes [batch, time, width]") };
        let heads = self.qkv.forward(&self.ln1.forward(x)).chunk(3, -1);
        let apart = |z: &Variable| z.reshape([batch, time, self.heads, width / self.heads]).transpose(1, 2);
        let [q, k, v] = [apart(&heads[0]), apart(&heads[1]), apart(&heads[2])];
        let attended = ScaledDotProductAttention::new().causal(true).forward(&q, &k, &v);
        let x = x + self.proj.forward(&attended.transpose(1, 2).reshape([batch, time, width]));
        &x + self.down.forward(&self.up.forward(&self.ln2.forward(&x)).gelu())
    }
}

/// The sizes of a [`Gpt`].
pub(crate) struct GptSizes {
    pub(crate) vocabulary: usize,
    pub(crate) width: usize,
    pub(crate) heads: usize,
    pub(crate) layers: usize,
    pub(crate) time: usize,
}

/// A small GPT: a text `[batch, time]` to scores `[batch, time, vocabulary]` of the next token at each place.
#[derive(Module)]
pub(crate) struct Gpt {
    tok: Embedding,
    pos: Embedding,
    blocks: Vec<Block>,
    ln: LayerNorm,
    head: Linear,
}

impl Gpt {
    pub(crate) fn new(sizes: &GptSizes) -> Self {
        let GptSizes { vocabulary, width, heads, layers, time } = *sizes;
        Gpt {
            tok: Embedding::new(vocabulary, width),
            pos: Embedding::new(time, width),
            blocks: (0..layers).map(|_| Block::new(width, heads)).collect(),
            ln: LayerNorm::new(width),
            head: Linear::new(width, vocabulary),
        }
    }
}

impl Layer<Tensor<i64>> for Gpt {
    type Output = Variable;
    fn forward(&self, text: &Tensor<i64>) -> Variable {
        let places = Tensor::arange(0, text.shape()[1] as i64, 1);
        let mut x = self.tok.forward(text) + self.pos.forward(&places);
        for block in &self.blocks {
            x = block.forward(&x);
        }
        self.head.forward(&self.ln.forward(&x))
    }
}
