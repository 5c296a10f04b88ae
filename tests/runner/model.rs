//! Cases of the kind `model`.

use super::{Manifest, Outcome};

pub fn run(manifest: &Manifest) -> Outcome {
    let _ = manifest;
    None
}
