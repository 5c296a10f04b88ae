//! Files that may be compressed, read without trust in what they claim about themselves.
//!
//! Which one a file is, is decided by its first two bytes and not by its name. No reader of this crate allocates what a
//! header asks for: [`read_up_to`] grows with what really arrives and stops at what the caller can accept, so that
//! neither a forged count nor a compressed stream that unfolds without end costs more memory than an honest file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// The bytes that every gzip file begins with (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The bytes of a file, unpacked if it is a gzip file.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = BufReader::with_capacity(1 << 16, File::open(path)?);
    unpacked(file)
}

/// The bytes of a stream, unpacked if it is gzip.
pub(crate) fn unpacked<'a>(mut stream: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
    if stream.fill_buf()?.starts_with(&GZIP_MAGIC) {
        Ok(Box::new(MultiGzDecoder::new(stream)))
    } else {
        Ok(Box::new(stream))
    }
}

/// At most `limit` bytes of what remains; fewer only where the stream ends.
pub(crate) fn read_up_to(stream: &mut (impl Read + ?Sized), limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
