//! Optimisers on Wengert.
