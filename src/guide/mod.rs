//! The guide: from a first gradient to operations of one's own. Every snippet is compiled and run by the tests.
//!
//! | chapter | for |
//! |---|---|
//! | [`tour`] | ten minutes: everything once |
//! | [`reverse_mode`] | how it works inside, with the library's own types |
//! | [`models`] | layers, parameters, writing a network |
//! | [`training`] | data, the loop, judging, saving |
//! | [`operations`] | formulas and operations of your own |
//! | [`higher_order`] | gradients of gradients |
//! | [`checking`] | is a derivative right? |
//! | [`performance`] | what costs what, and what to do about it |
//! | [`numerics`] | kinks, the trap of `where`, log-sum-exp, the same bits every time |
//! | [`seeing`] | looking at the graph |
//! | [`from_pytorch`] | for those who know PyTorch |
//! | [`from_keras`] | for those who know Keras: its two best-known programs, side by side, and what to mend in them |
//! | [`from_candle_and_burn`] | for those who know candle or burn |
//! | [`questions`] | what learners ask: deep learning or machine learning? why so much data? |
//! | [`glossary`] | the words, in English and Chinese |
//!
//! Beside the guide stand twenty-three lessons, programs that print what they teach: see `examples/README.md` in the
//! repository. The guide shows how to use the library; the lessons show how backpropagation works.

macro_rules! chapters {
    ($($chapter:ident $file:literal)*) => {$(
        #[doc = include_str!($file)]
        pub mod $chapter {}
    )*};
}
chapters! {
    tour "tour.md"
    reverse_mode "reverse_mode.md"
    models "models.md"
    training "training.md"
    operations "operations.md"
    higher_order "higher_order.md"
    checking "checking.md"
    performance "performance.md"
    numerics "numerics.md"
    seeing "seeing.md"
    from_pytorch "from_pytorch.md"
    from_keras "from_keras.md"
    from_candle_and_burn "from_candle_and_burn.md"
    questions "questions.md"
    glossary "glossary.md"
}
