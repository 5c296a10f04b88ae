//! The fuzz targets on their seeds, and on every input that once broke something, with stable Rust.

#[allow(unreachable_pub, missing_docs, reason = "the source of a package of its own")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::{fs, path::Path};
use targets::TARGETS;

#[test]
fn every_seed_and_every_regression_passes() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for (name, run) in TARGETS {
        assert!(fuzz.join("fuzz_targets").join(name).with_extension("rs").is_file(), "{name} has no program");
        let mut seeds = 0;
        for folder in ["corpus", "regressions"] {
            let folder = fuzz.join(folder).join(name);
            for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            {
                let path = entry.unwrap().path();
                println!("{}", path.display()); // shown when it fails
                run(&fs::read(&path).unwrap());
                seeds += 1;
            }
        }
        assert!(seeds > 0, "{name} has no seed");
    }
    let programs = fs::read_dir(fuzz.join("fuzz_targets")).unwrap().count();
    assert_eq!(programs, TARGETS.len(), "a program without a line in TARGETS");
}
