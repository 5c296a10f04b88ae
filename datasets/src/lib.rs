//! Data sets, readers and loaders for Wengert.
