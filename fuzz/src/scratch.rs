//! A file for readers that take a path.

use std::{cell::RefCell, fs, path::PathBuf, thread};

/// The path of a file with this content, which stays until the next call on the same thread.
pub(crate) fn file(content: &[u8]) -> PathBuf {
    thread_local! {
        static FILE: RefCell<Option<Scratch>> = const { RefCell::new(None) };
    }
    FILE.with_borrow_mut(|scratch| {
        let scratch = scratch.get_or_insert_with(Scratch::new);
        fs::write(&scratch.0, content).expect("the folder for temporary files can be written");
        scratch.0.clone()
    })
}

/// Removed when its thread ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        // In memory where the system offers that: thousands of files a second are no work for a disk.
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let thread =
            format!("{:?}", thread::current().id()).replace(|c: char| !c.is_ascii_alphanumeric(), "");
        Scratch(folder.join(format!("wengert-fuzz-{}-{thread}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
