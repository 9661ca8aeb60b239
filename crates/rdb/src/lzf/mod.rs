//! LZF, the compression of strings: runs of up to 32 literal bytes, and references to up to 264 bytes that came at most
//! 8 KiB before.

mod compress;
mod decompress;

pub use compress::compress;
pub use decompress::decompress;
