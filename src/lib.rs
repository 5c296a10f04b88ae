//! Reverse-mode automatic differentiation with a define-by-run graph, and neural networks on it.
