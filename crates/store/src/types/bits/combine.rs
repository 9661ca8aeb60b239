//! BITOP: strings combined bit by bit.

/// How strings are combined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// 1 where all have 1.
    And,
    /// 1 where any has 1.
    Or,
    /// 1 where an odd number has 1.
    Xor,
    /// 1 where the one string has 0.
    Not,
}

impl Operation {
    /// What an argument spells, in any case.
    pub fn parse(text: &[u8]) -> Option<Operation> {
        const NAMES: [(&[u8], Operation); 4] =
            [(b"and", Operation::And), (b"or", Operation::Or), (b"xor", Operation::Xor), (b"not", Operation::Not)];
        NAMES.into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, operation)| operation)
    }
}

/// The strings combined: as long as the longest one, with zeros behind the shorter ones. Only the first one counts for
/// [`Operation::Not`].
pub fn combine(operation: Operation, strings: &[&[u8]]) -> Vec<u8> {
    let Some((first, others)) = strings.split_first() else { return Vec::new() };
    if operation == Operation::Not {
        return first.iter().map(|byte| !byte).collect();
    }
    let length = strings.iter().map(|string| string.len()).max().unwrap_or_default();
    let mut result = Vec::with_capacity(length);
    result.extend_from_slice(first);
    result.resize(length, 0);
    // A loop over two slices without a branch works on whole vectors once it is compiled with optimisation.
    for string in others {
        let pairs = result.iter_mut().zip(*string);
        match operation {
            Operation::And => {
                pairs.for_each(|(byte, other)| *byte &= other);
                result[string.len()..].fill(0);
            }
            Operation::Or => pairs.for_each(|(byte, other)| *byte |= other),
            Operation::Xor | Operation::Not => pairs.for_each(|(byte, other)| *byte ^= other),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Operation; 4] = [Operation::And, Operation::Or, Operation::Xor, Operation::Not];

    #[test]
    fn names() {
        let names = [&b"and"[..], b"OR", b"Xor", b"noT"];
        assert_eq!(names.map(|name| Operation::parse(name).unwrap()), ALL);
        assert_eq!((Operation::parse(b"nand"), Operation::parse(b"")), (None, None));
    }

    #[test]
    fn no_string_and_empty_strings() {
        for operation in ALL {
            assert_eq!(combine(operation, &[]), b"");
            assert_eq!(combine(operation, &[b""]), b"");
        }
        assert_eq!(combine(Operation::And, &[b"", b"abc"]), b"\0\0\0");
        assert_eq!(combine(Operation::Or, &[b"", b"abc"]), b"abc");
    }

    proptest! {
        #[test]
        fn byte_by_byte(
            strings in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..6),
            operation in prop::sample::select(&ALL[..]),
        ) {
            let strings: Vec<&[u8]> = strings.iter().map(Vec::as_slice).collect();
            let strings = if operation == Operation::Not { &strings[..1] } else { &strings[..] };
            let length = strings.iter().map(|string| string.len()).max().unwrap();
            let byte = |at: usize| {
                let bytes = strings.iter().map(|string| string.get(at).copied().unwrap_or_default());
                match operation {
                    Operation::And => bytes.reduce(|a, b| a & b),
                    Operation::Or => bytes.reduce(|a, b| a | b),
                    Operation::Xor => bytes.reduce(|a, b| a ^ b),
                    Operation::Not => strings[0].get(at).map(|byte| !byte),
                }
            };
            let expected: Vec<u8> = (0..length).map(|at| byte(at).unwrap()).collect();
            prop_assert_eq!(combine(operation, strings), expected);
        }
    }
}
