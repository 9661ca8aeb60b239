//! The payload of FUNCTION DUMP: the sources of libraries, the version of the format and a checksum.

use crate::decoding::Reader;
use crate::encoding::{Compression, Writer};
use crate::error::{Error, Fault};
use crate::file::opcode;
use crate::frame;

/// Libraries as FUNCTION DUMP's payload.
pub fn dump_functions<T: AsRef<[u8]>>(sources: &[T]) -> Vec<u8> {
    let mut payload = Vec::new();
    for source in sources {
        let mut writer = Writer::new(&mut payload, Compression::Lzf);
        writer.raw(&[opcode::FUNCTION]);
        writer.string(source.as_ref());
    }
    frame::frame(&mut payload);
    payload
}

/// The sources of FUNCTION DUMP's payload.
pub fn restore_functions(payload: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let content = frame::unframe(payload)?;
    let mut reader = Reader::new(content);
    let mut sources = Vec::new();
    while reader.offset() < content.len() as u64 {
        let offset = reader.offset();
        match reader.byte()? {
            opcode::FUNCTION => {
                let mut source = Vec::new();
                reader.string(&mut source)?;
                sources.push(source);
            }
            code => return Err(Error { offset, fault: Fault::Type(code) }),
        }
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dumped_is_restored() {
        let sources = [b"#!lua name=a\n".to_vec(), vec![b'x'; 1000], Vec::new()];
        let payload = dump_functions(&sources);
        assert!(payload.len() < 200);
        assert_eq!(restore_functions(&payload), Ok(sources.to_vec()));
        assert_eq!(restore_functions(&dump_functions::<Vec<u8>>(&[])), Ok(Vec::new()));
        for cut in 0..payload.len() {
            assert!(restore_functions(&payload[..cut]).is_err());
        }
        let mut behind = vec![0];
        frame::frame(&mut behind);
        assert_eq!(restore_functions(&behind), Err(Error { offset: 0, fault: Fault::Type(0) }));
        let value = crate::dump(store::ValueRef::String(store::StringRef::Integer(1)), Compression::Off);
        assert!(restore_functions(&value).is_err());
    }
}
