//! Every function against a more precise reference, in units in the last place, with both bodies.

mod double;
mod single;
