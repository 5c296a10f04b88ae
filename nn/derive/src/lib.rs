//! derive(Module) of Wengert.
