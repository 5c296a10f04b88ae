//! The elementwise! macro of Wengert.
