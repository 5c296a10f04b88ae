//! Files that are whole or not there.

use super::StorageError;
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// Writes a file so that at every moment, also if the process is killed, `path` holds the old content or the new.
///
/// The content goes to another file in the same folder, which is flushed to the disk and then renamed. What a killed
/// process leaves behind has a name that ends in `.tmp`.
///
/// ```
/// # fn main() -> Result<(), wengert::storage::StorageError> {
/// # let path = std::env::temp_dir().join(format!("wengert-atomic-{}", std::process::id()));
/// wengert::storage::write_atomically(&path, |file| file.write_all(b"all of it"))?;
/// assert_eq!(std::fs::read(&path).unwrap(), b"all of it");
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the system cannot write it; then `path` is as it was.
pub fn write_atomically(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), StorageError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let path = path.as_ref();
    let name = path.file_name().ok_or_else(|| StorageError::format(path, "not the name of a file"))?;
    let mut beside = name.to_os_string();
    beside.push(format!(".{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    let beside = path.with_file_name(beside);
    let attempt = || -> io::Result<()> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&beside)?);
        write(&mut file)?;
        file.into_inner()?.sync_all()?;
        fs::rename(&beside, path)?;
        // The renaming itself reaches the disk with the folder; where folders cannot be opened it does so by itself.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
            let _ = folder.sync_all();
        }
        Ok(())
    };
    attempt().map_err(|source| {
        // What is left of it is of no use; that it cannot be removed either is no second error.
        let _ = fs::remove_file(&beside);
        StorageError::Io { path: path.into(), source }
    })
}
