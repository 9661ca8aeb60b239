//! Tests of the packed sequence.

use super::*;
use proptest::prelude::*;

fn texts(packed: &Packed) -> Vec<Vec<u8>> {
    packed.iter().map(|element| element.to_vec()).collect()
}

#[test]
fn the_bytes_are_redis_s() {
    let mut packed = Packed::new();
    for text in ["1", "-1", "hello", "4095", "-4097", "8388607", "2147483647", "9223372036854775807"] {
        packed.push(text.as_bytes());
    }
    let expected: &[&[u8]] = &[
        &[packed.size() as u8, 0, 0, 0, 8, 0],
        &[0x01, 1],
        &[0xdf, 0xff, 2],
        b"\x85hello\x06",
        &[0xcf, 0xff, 2],
        &[0xf1, 0xff, 0xef, 3],
        &[0xf2, 0xff, 0xff, 0x7f, 4],
        &[0xf3, 0xff, 0xff, 0xff, 0x7f, 5],
        &[0xf4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 9],
        &[0xff],
    ];
    assert_eq!(packed.as_bytes(), expected.concat());
}

#[test]
fn long_texts_have_longer_lengths() {
    for (length, code, back) in [
        (63, 1, 1),
        (64, 2, 1),
        (125, 2, 1),
        (126, 2, 2),
        (4095, 2, 2),
        (4096, 5, 2),
        (16_377, 5, 2),
        (16_378, 5, 3),
        (2_097_145, 5, 3),
        (2_097_146, 5, 4),
    ] {
        let text = vec![b'x'; length];
        let mut packed = Packed::new();
        packed.push(&text);
        packed.push(b"y");
        assert_eq!(packed.size(), HEADER + code + length + back + 3 + 1, "{length}");
        assert_eq!(Packed::cost(&text), code + length + back);
        assert_eq!(packed.previous(packed.last().unwrap()), packed.first());
        assert_eq!(texts(&packed), [text, b"y".to_vec()]);
    }
}

#[test]
fn more_elements_than_the_header_can_tell() {
    let mut packed = Packed::new();
    packed.insert_all(None, &[&b"a"[..]; 65_534]);
    assert_eq!((packed.len(), packed.told()), (65_534, 65_534));
    packed.push(b"b");
    assert_eq!((packed.len(), packed.told()), (65_535, MANY));
    assert!(Packed::from_bytes(packed.as_bytes().to_vec()).is_ok());
    packed.remove(packed.first().unwrap(), 65_534);
    assert_eq!((packed.len(), packed.get(packed.first().unwrap())), (1, Element::Text(b"b")));
    let mut packed = Packed::new();
    packed.insert_all(None, &vec![&b"a"[..]; 70_000]);
    assert_eq!(packed.len(), 70_000);
    packed.remove(packed.first().unwrap(), 1);
    packed.push_front(b"b");
    packed.remove(packed.last().unwrap(), 1);
    assert_eq!((packed.len(), packed.told()), (69_999, MANY));
    assert_eq!(Packed::from_bytes(packed.as_bytes().to_vec()), Ok(packed));
}

#[test]
fn numbers_that_no_element_has() {
    let mut packed = Packed::new();
    packed.insert_all(None, &[b"a", b"b", b"c"]);
    assert_eq!((packed.seek(-3), packed.seek(2)), (packed.first(), packed.last()));
    assert_eq!([-4, 3, i64::MIN, i64::MAX].map(|index| packed.seek(index)), [None; 4]);
}

#[test]
fn bytes_that_are_no_block_are_refused() {
    let mut packed = Packed::new();
    packed.push(b"hello");
    packed.push(b"17");
    let good = packed.as_bytes().to_vec();
    assert!(Packed::from_bytes(good.clone()).is_ok());
    for length in 0..good.len() {
        assert!(Packed::from_bytes(good[..length].to_vec()).is_err(), "{length}");
    }
    let changed = |at: usize, byte| {
        let mut bad = good.clone();
        bad[at] = byte;
        Packed::from_bytes(bad).err()
    };
    assert_eq!(changed(0, 1), Some(Corrupt(0)));
    assert_eq!(changed(4, 3), Some(Corrupt(4)));
    assert_eq!(changed(6, 0x86), Some(Corrupt(13)));
    assert_eq!(changed(6, 0xf5), Some(Corrupt(6)));
    assert_eq!(changed(12, 5), Some(Corrupt(12)));
    assert_eq!(changed(6, 0xff), Some(Corrupt(6)));
    // Cut off, or longer than its end byte says, with a header that tells the length there is.
    let of_length = |bytes: &[u8]| {
        let mut bad = bytes.to_vec();
        bad[..4].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
        Packed::from_bytes(bad).err()
    };
    for length in 4..good.len() {
        assert!(of_length(&good[..length]).is_some(), "{length}");
    }
    assert_eq!(of_length(&[&good[..], &[END]].concat()), Some(Corrupt(good.len() - 1)));
    let text_of_integer = b"\x0b\0\0\0\x01\0\x8212\x03\xff";
    assert_eq!(Packed::from_bytes(text_of_integer.to_vec()), Err(Corrupt(6)));
}

#[derive(Clone, Debug)]
enum Step {
    Push(Vec<u8>),
    PushFront(Vec<u8>),
    Insert(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    Remove(usize, usize),
    SplitAndJoin(usize),
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (any::<i64>(), 0u32..64).prop_map(|(value, shift)| (value >> shift).to_string().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..40),
        (100usize..5000).prop_map(|length| vec![b'z'; length]),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        text().prop_map(Step::Push),
        text().prop_map(Step::PushFront),
        (any::<usize>(), text()).prop_map(|(at, text)| Step::Insert(at, text)),
        (any::<usize>(), text()).prop_map(|(at, text)| Step::Replace(at, text)),
        (any::<usize>(), 0usize..4).prop_map(|(at, count)| Step::Remove(at, count)),
        any::<usize>().prop_map(Step::SplitAndJoin),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn it_is_a_sequence(steps in steps()) {
        let mut packed = Packed::new();
        let mut model: Vec<Vec<u8>> = Vec::new();
        for step in steps {
            let place = |at: usize| at % model.len().max(1);
            match step {
                Step::Push(text) => {
                    packed.push(&text);
                    model.push(text);
                }
                Step::PushFront(text) => {
                    packed.push_front(&text);
                    model.insert(0, text);
                }
                Step::Insert(at, text) if !model.is_empty() => {
                    let at = place(at);
                    packed.insert(packed.seek(at as i64).unwrap(), &text);
                    model.insert(at, text);
                }
                Step::Replace(at, text) if !model.is_empty() => {
                    let at = place(at);
                    packed.replace(packed.seek(at as i64 - model.len() as i64).unwrap(), &text);
                    model[at] = text;
                }
                Step::Remove(at, count) if !model.is_empty() => {
                    let at = place(at);
                    packed.remove(packed.seek(at as i64).unwrap(), count);
                    model.drain(at..(at + count).min(model.len()));
                }
                Step::SplitAndJoin(at) if !model.is_empty() => {
                    let at = place(at);
                    let other = packed.split_off(packed.seek(at as i64).unwrap());
                    prop_assert_eq!(texts(&packed), &model[..at]);
                    prop_assert_eq!(texts(&other), &model[at..]);
                    packed.append(&other);
                }
                _ => continue,
            }
            prop_assert_eq!(texts(&packed), model.clone());
            prop_assert_eq!(packed.len(), model.len());
            prop_assert!(Packed::from_bytes(packed.as_bytes().to_vec()) == Ok(packed.clone()));
            let mut backwards = Vec::new();
            let mut at = packed.last();
            while let Some(here) = at {
                backwards.insert(0, packed.get(here).to_vec());
                at = packed.previous(here);
            }
            prop_assert_eq!(backwards, model.clone());
            for (index, text) in model.iter().enumerate() {
                let first = model.iter().position(|other| other == text).unwrap();
                prop_assert_eq!(packed.find(packed.first(), text, 1), packed.seek(first as i64));
                prop_assert!(packed.seek(index as i64).is_some());
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let length = bytes.len() as u32;
        if bytes.len() > HEADER {
            bytes[..4].copy_from_slice(&length.to_le_bytes());
            *bytes.last_mut().unwrap() = END;
        }
        if let Ok(packed) = Packed::from_bytes(bytes) {
            prop_assert_eq!(packed.iter().count(), packed.len());
        }
    }
}
