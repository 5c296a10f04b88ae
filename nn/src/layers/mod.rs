//! The layers, with PyTorch's names, layouts, defaults and first values.

mod activation;
mod attention;
mod conv;
mod dropout;
mod embedding;
mod linear;
mod norm;
mod normalization;
mod pool;
mod positional;
mod recurrent;
mod shape;
mod similarity;
mod transformer;

pub use activation::*;
pub use attention::{AttentionOptions, MultiheadAttention};
pub use conv::{Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d};
pub use dropout::{AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d};
pub use embedding::{BagMode, Embedding, EmbeddingBag};
pub use linear::{Bilinear, Linear};
pub use norm::{
    BatchNorm1d, BatchNorm2d, BatchNorm3d, GroupNorm, InstanceNorm1d, InstanceNorm2d, LayerNorm, RMSNorm,
};
pub use normalization::Normalization;
pub use pool::{
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, AdaptiveMaxPool1d, AdaptiveMaxPool2d,
    AdaptiveMaxPool3d, AvgPool1d, AvgPool2d, AvgPool3d, MaxPool1d, MaxPool2d, MaxPool3d,
};
pub use positional::{LearnedEncoding, RotaryEncoding, SinusoidalEncoding};
pub use recurrent::{Gru, GruCell, Lstm, LstmCell, Rnn, RnnCell, sequence_mask};
pub use shape::{Flatten, Identity, PixelShuffle, PixelUnshuffle, Unflatten, Upsample};
pub use similarity::{CosineSimilarity, PairwiseDistance};
pub use transformer::{TransformerDecoderLayer, TransformerEncoderLayer, TransformerOptions};
