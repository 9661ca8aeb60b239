//! Tests of the HyperLogLog. The fixed bytes and estimates are redis-server 7.0.15's.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const ANY: Limits = Limits { sparse_max_bytes: 3000 };

fn of<T: AsRef<[u8]>>(elements: impl IntoIterator<Item = T>, limits: Limits) -> Vec<u8> {
    let mut bytes = new();
    make_stale(&mut bytes);
    for element in elements {
        add(&mut bytes, element.as_ref(), limits).unwrap();
    }
    bytes
}

fn decode(bytes: &[u8]) -> Vec<Run> {
    runs(bytes).collect()
}

/// FNV-1a, to compare what is too long to stand here.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn a_dense_one_has_one_length() {
    let mut bytes = of(["a"], ANY);
    make_dense(&mut bytes).unwrap();
    assert_eq!(encoding(&bytes), Some(Encoding::Dense));
    let longer = [&bytes[..], b"x"].concat();
    assert_eq!((encoding(&longer), encoding(&bytes[..bytes.len() - 1])), (None, None));
    // Only the highest bit says that a count is stale.
    cache(&mut bytes, 1 << 62);
    assert_eq!(cached(&bytes), Some(1 << 62));
}

#[test]
fn the_bytes_are_redis_s() {
    assert_eq!(of([""; 0], ANY), b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff");
    let mut bytes = of(["a", "b", "c"], ANY);
    assert_eq!(bytes, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x60\xf3\x80\x50\xb1\x84\x4b\xfb\x80\x42\x5a");
    let (long, value) = (Run::LongZero, |value| Run::Value(value, 1));
    assert_eq!(decode(&bytes), [long(8436), value(1), long(4274), value(2), long(3068), value(1), long(603)]);
    assert_eq!((cached(&bytes), count(&bytes)), (None, Ok(3)));
    cache(&mut bytes, 3);
    assert_eq!((cached(&bytes), &bytes[8..16]), (Some(3), &[3, 0, 0, 0, 0, 0, 0, 0][..]));
    assert_eq!(add(&mut bytes, b"a", ANY), Ok(false));
    assert_eq!(cached(&bytes), Some(3));
    assert_eq!(add(&mut bytes, b"d", ANY), Ok(true));
    assert_eq!(cached(&bytes), None);
}

/// As redis-server 7.0.15 shows them.
#[test]
fn runs_that_make_no_sense_are_shown() {
    let appended = [&of(["a"], ANY)[..], b"nn\x00\x85\x7f"].concat();
    let (long, value) = (Run::LongZero, Run::Value);
    let expected = [long(12711), value(2, 1), long(3672), long(11887), Run::Zero(1), value(2, 2), long(16129)];
    assert_eq!(decode(&appended), expected);
    assert_eq!(decode(b"HYLL"), []);
}

#[test]
fn the_estimates_are_redis_s() {
    for (elements, estimate, size, fnv) in [
        (0, 0, 18, 0x524b_c36d_036c_0579),
        (1, 1, 21, 0x301d_e892_4104_c45d),
        (10, 10, 48, 0xf96a_829e_03ed_ff0d),
        (100, 100, 287, 0xf07b_7288_ddd3_db7d),
        (1000, 994, 1870, 0xaf00_f461_580b_aba7),
        (1500, 1495, 2685, 0x7c08_1639_a9eb_45e9),
        (5000, 4972, 12_304, 0x3b64_a620_e7ec_9fe8),
        (100_000, 100_917, 12_304, 0xaee4_ab37_3881_1215),
    ] {
        let bytes = of((0..elements).map(|number| format!("element-{number}")), ANY);
        assert_eq!((count(&bytes), bytes.len(), digest(&bytes)), (Ok(estimate), size, fnv), "{elements}");
    }
}

#[test]
fn a_change_makes_the_kept_estimate_stale() {
    for limits in [ANY, Limits { sparse_max_bytes: 0 }] {
        let mut bytes = of(["a"], limits);
        cache(&mut bytes, 1);
        assert!(!add(&mut bytes, b"a", limits).unwrap());
        assert_eq!(cached(&bytes), Some(1));
        assert!(add(&mut bytes, b"b", limits).unwrap());
        assert_eq!(cached(&bytes), None);
    }
}

#[test]
fn the_kept_estimate_stays_when_it_becomes_dense() {
    let mut bytes = of(["a"], ANY);
    cache(&mut bytes, 1);
    make_dense(&mut bytes).unwrap();
    assert_eq!((encoding(&bytes), cached(&bytes)), (Some(Encoding::Dense), Some(1)));
}

#[test]
fn extreme_registers_have_estimates() {
    let mut dense = new();
    make_dense(&mut dense).unwrap();
    assert_eq!(count(&dense), Ok(0));
    for register in 0..REGISTERS {
        set_dense(&mut dense[HEADER..], register, 51);
    }
    assert_eq!(count(&dense), Ok(i64::MAX as u64));
    dense[HEADER..].fill(0xff);
    assert_eq!(count(&dense), Ok(i64::MAX as u64));
    // redis-server 7.0.15's.
    for (values, estimate) in [
        ([49, 49, 49, 50], 7_603_721_770_196_755_456),
        ([49, 49, 49, 51], 8_422_478_396_212_802_560),
        ([48, 49, 50, 51], 7_271_791_730_555_049_984),
    ] {
        dense[HEADER..].fill(0);
        for register in 0..REGISTERS {
            set_dense(&mut dense[HEADER..], register, values[register % 4]);
        }
        assert_eq!(count(&dense), Ok(estimate), "{values:?}");
    }
}

#[test]
fn values_that_no_run_can_tell_make_it_dense() {
    let mut bytes = new();
    assert_eq!(set(&mut bytes, 16_383, 32, ANY), Ok(true));
    assert_eq!(encoding(&bytes), Some(Encoding::Sparse));
    assert_eq!(set(&mut bytes, 16_382, 33, ANY), Ok(true));
    assert_eq!(encoding(&bytes), Some(Encoding::Dense));
    let mut union = Union::new();
    union.add(&bytes).unwrap();
    assert_eq!(union.registers()[16_381..], [0, 33, 32]);
}

#[test]
fn the_largest_value_is_of_a_hash_without_bits() {
    for (element, registers) in [(b"\x19\xc2i\x1f\xcc\xd0`\x06", [51, 0]), (b"f\xd7\x88f{\xd9jg", [50, 0])] {
        let mut union = Union::new();
        union.add(&of([element], ANY)).unwrap();
        assert_eq!(union.registers()[..2], registers);
    }
}

#[test]
fn neighbours_with_the_same_value_are_one_run() {
    let mut bytes = new();
    for register in 10..15 {
        set(&mut bytes, register, 1, ANY).unwrap();
    }
    assert_eq!(decode(&bytes), [Run::Zero(10), Run::Value(1, 4), Run::Value(1, 1), Run::LongZero(REGISTERS - 15)]);
    // What is left of a run joins the one behind it.
    set(&mut bytes, 11, 2, ANY).unwrap();
    let joined = [Run::Value(1, 1), Run::Value(2, 1), Run::Value(1, 3)];
    assert_eq!(decode(&bytes)[1..4], joined);
}

#[test]
fn it_is_sparse_up_to_the_limit() {
    for (sparse_max_bytes, expected) in [(19, Encoding::Sparse), (18, Encoding::Dense)] {
        let mut bytes = new();
        assert_eq!(set(&mut bytes, 0, 1, Limits { sparse_max_bytes }), Ok(true));
        assert_eq!(encoding(&bytes), Some(expected));
    }
    // A change that takes no more bytes is possible even if there are more than the limit by now.
    let mut bytes = new();
    set(&mut bytes, 0, 1, ANY).unwrap();
    assert_eq!(set(&mut bytes, 0, 2, Limits { sparse_max_bytes: 10 }), Ok(true));
    assert_eq!((bytes.len(), encoding(&bytes)), (19, Some(Encoding::Sparse)));
}

#[test]
fn a_merge_with_a_dense_one_is_dense_and_makes_the_kept_estimate_stale() {
    let (mut bytes, mut other) = (of(["a"], ANY), of(["a"], ANY));
    for (is_dense, expected) in [(false, Encoding::Sparse), (true, Encoding::Dense)] {
        if is_dense {
            make_dense(&mut other).unwrap();
        }
        cache(&mut bytes, 1);
        let mut union = Union::new();
        union.add(&other).unwrap();
        union.merge_into(&mut bytes, ANY).unwrap();
        assert_eq!((encoding(&bytes), cached(&bytes), count(&bytes)), (Some(expected), None, Ok(1)));
    }
}

#[test]
fn what_is_none_is_refused() {
    let header = b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80";
    for bad in [
        &b""[..],
        b"HYLL",
        b"HYLL\x02\0\0\0\0\0\0\0\0\0\0\0",
        b"HYLL\0\0\0\0\0\0\0\0\0\0\0\0",
        b"hYLL\x01\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        assert_eq!(encoding(bad), None);
    }
    for (bad, at) in [(&b""[..], 16), (b"\x7f", 16), (b"\x7f\xfe", 18), (b"\x7f\xff\0", 18), (b"\x7f\xfe\x81", 18)] {
        let mut bytes = [header, bad].concat();
        let before = bytes.clone();
        assert_eq!(encoding(&bytes), Some(Encoding::Sparse));
        assert_eq!(count(&bytes), Err(Corrupt(at)), "{bad:?}");
        assert_eq!(Union::new().add(&bytes), Err(Corrupt(at)));
        assert_eq!(make_dense(&mut bytes), Err(Corrupt(at)));
        assert_eq!(bytes, before);
    }
    assert_eq!(add(&mut header.to_vec(), b"a", ANY), Err(Corrupt(16)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn sparse_and_dense_are_the_same_registers(
        sets in prop::collection::vec((prop_oneof![0usize..40, 0usize..REGISTERS], 1u8..34), 0..300),
        sparse_max_bytes in 16usize..400,
        cut in 0usize..300,
    ) {
        let limits = Limits { sparse_max_bytes };
        let mut model = vec![0; REGISTERS];
        let mut parts = [(new(), BTreeMap::new()), (new(), BTreeMap::new())];
        for (at, (register, value)) in sets.into_iter().enumerate() {
            let (bytes, values) = &mut parts[usize::from(at >= cut)];
            let before = values.entry(register).or_insert(0);
            prop_assert_eq!(set(bytes, register, value, limits), Ok(value > *before));
            prop_assert!(bytes.len() <= sparse_max_bytes.max(18) || encoding(bytes) == Some(Encoding::Dense));
            *before = value.max(*before);
            model[register] = value.max(model[register]);
        }
        let [(mut one, _), (other, _)] = parts;
        let mut union = Union::new();
        union.add(&one).unwrap();
        union.add(&other).unwrap();
        prop_assert_eq!(union.registers(), &model[..]);
        union.merge_into(&mut one, limits).unwrap();
        prop_assert_eq!(count(&one), Ok(union.count()));
        let estimate = count(&one);
        make_dense(&mut one).unwrap();
        prop_assert_eq!(count(&one), estimate);
    }

    #[test]
    fn any_runs_are_read_or_refused(runs in prop::collection::vec(any::<u8>(), 0..60), element: u64) {
        let mut bytes = [&new()[..HEADER], &runs].concat();
        let _ = (count(&bytes), Union::new().add(&bytes), add(&mut bytes, &element.to_le_bytes(), ANY));
        let _ = make_dense(&mut bytes);
    }
}
