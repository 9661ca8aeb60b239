//! The checksum of files and DUMP payloads: CRC-64 with Jones's polynomial, reflected, with nothing inverted.

use crc::{CRC_64_REDIS, Crc, Table};

static CRC: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_REDIS);

/// Goes on with a checksum, which begins as 0.
pub fn crc64(crc: u64, bytes: &[u8]) -> u64 {
    // The digest wants its start as it was before it is reflected.
    let mut digest = CRC.digest_with_initial(crc.reverse_bits());
    digest.update(bytes);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_redis_s_and_can_be_had_piece_by_piece() {
        assert_eq!(crc64(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(crc64(crc64(0, b"1234"), b"56789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(crc64(7, b""), 7);
    }
}
