//! Layers, losses and initialisers on Wengert.
