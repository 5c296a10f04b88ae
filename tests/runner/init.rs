//! Cases of the kind `init`.

use super::{Manifest, Outcome};

pub fn run(manifest: &Manifest) -> Outcome {
    let _ = manifest;
    None
}
