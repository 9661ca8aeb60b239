//! Scores: their order, and how they are written.

use super::float;
use crate::number::Digits;
use std::cmp::Ordering;
use std::io::Write;

/// A score: any double except NaN, infinities included. The two zeros are equal, as in Redis.
#[derive(Clone, Copy, Debug)]
pub struct Score(f64);

impl Score {
    /// Below every other.
    pub const LOWEST: Score = Score(f64::NEG_INFINITY);
    /// Zero.
    pub const ZERO: Score = Score(0.0);
    /// Above every other.
    pub const HIGHEST: Score = Score(f64::INFINITY);

    /// None if the value is NaN.
    pub fn new(value: f64) -> Option<Score> {
        (!value.is_nan()).then_some(Score(value))
    }

    /// The value.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The score that an argument spells. None if it spells none, or one beyond a double's range.
    pub fn parse(text: &[u8]) -> Option<Score> {
        let float = float::parse(text)?;
        if float.out_of_range { None } else { Score::new(float.value) }
    }

    /// The sum. None if it is NaN: of infinities with different signs.
    pub fn plus(self, increment: Score) -> Option<Score> {
        Score::new(self.0 + increment.0)
    }

    /// The integer that the packed form keeps in place of the text: from -2^62 to 2^62. The negative zero is 0 there.
    pub(super) fn as_packed_integer(self) -> Option<i64> {
        const MAX: f64 = (1u64 << 62) as f64;
        ((-MAX..=MAX).contains(&self.0) && self.0.fract() == 0.0).then_some(self.0 as i64)
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Score) -> bool {
        self.0 == other.0
    }
}

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Score) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Score) -> Ordering {
        self.0.partial_cmp(&other.0).expect("a score is not NaN")
    }
}

/// Significant digits: enough for every double to be read back as itself.
const PRECISION: i32 = 17;
/// Larger than the longest text, `-2.2250738585072014e-308`.
const ROOM: usize = 32;

/// Room for a score's text, which lives as long as the reference to it.
#[derive(Clone)]
pub struct ScoreText {
    digits: Digits,
    room: [u8; ROOM],
}

impl Default for ScoreText {
    fn default() -> Self {
        Self::new()
    }
}

impl ScoreText {
    /// Nothing yet.
    pub fn new() -> ScoreText {
        ScoreText { digits: Digits::new(), room: [0; ROOM] }
    }

    /// The text of a score in a reply, as Redis 7.0 writes it: 17 significant digits without zeros at the end (C's
    /// `%.17g`), `inf` and `-inf`. Later versions of Redis write the shortest text that is read as the same score.
    pub fn of(&mut self, score: Score) -> &[u8] {
        let value = score.get();
        if value.is_infinite() {
            return if value > 0.0 { b"inf" } else { b"-inf" };
        }
        if value == 0.0 && value.is_sign_negative() {
            return b"-0";
        }
        if value.fract() == 0.0 && value.abs() < 1e17 {
            return self.digits.of(value as i64);
        }
        let mut room = &mut self.room[..];
        spell(value, &mut room).expect("there is room for every number");
        let length = ROOM - room.len();
        &self.room[..length]
    }

    /// The text of a score in the packed form: an integer up to 2^62 has all its digits there.
    pub(super) fn packed(&mut self, score: Score) -> &[u8] {
        match score.as_packed_integer() {
            Some(value) => self.digits.of(value),
            None => self.of(score),
        }
    }
}

/// Writes a finite number that is not 0.
fn spell(value: f64, out: &mut impl Write) -> std::io::Result<()> {
    let mut room = [0; ROOM];
    let mut rest = &mut room[..];
    write!(rest, "{:.*e}", PRECISION as usize - 1, value.abs())?;
    let length = ROOM - rest.len();
    let text = std::str::from_utf8(&room[..length]).expect("a formatted number is ASCII");
    let (mantissa, exponent) = text.split_once('e').expect("a number in this format has an exponent");
    let exponent: i32 = exponent.parse().expect("an exponent is a number");
    let mantissa = mantissa.trim_end_matches('0');
    let (first, others) = (&mantissa[..1], mantissa.get(2..).unwrap_or_default());
    if value < 0.0 {
        out.write_all(b"-")?;
    }
    if !(-4..PRECISION).contains(&exponent) {
        let point = if others.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        return write!(out, "{first}{point}{others}e{sign}{:02}", exponent.abs());
    }
    if exponent < 0 {
        let zeros = -exponent as usize - 1;
        return write!(out, "0.{:0<zeros$}{first}{others}", "");
    }
    // Digits in front of the point that are not among the others are zeros.
    let whole = exponent as usize;
    match others.split_at_checked(whole) {
        Some((before, after)) if !after.is_empty() => write!(out, "{first}{before}.{after}"),
        _ => write!(out, "{first}{others:0<whole$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(value: f64) -> String {
        String::from_utf8(ScoreText::new().of(Score(value)).to_vec()).unwrap()
    }

    fn packed(value: f64) -> String {
        String::from_utf8(ScoreText::new().packed(Score(value)).to_vec()).unwrap()
    }

    /// What redis-server 7.0.15 replies to ZSCORE.
    #[test]
    fn written_as_in_replies() {
        for (value, expected) in [
            (3.0, "3"),
            (0.0, "0"),
            (-0.0, "-0"),
            (-17.0, "-17"),
            (1.5, "1.5"),
            (0.1, "0.10000000000000001"),
            (0.3, "0.29999999999999999"),
            (2.34159, "2.3415900000000001"),
            (1e-4, "0.0001"),
            (0.00012345, "0.00012344999999999999"),
            (1e-5, "1.0000000000000001e-05"),
            (1e15, "1000000000000000"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (-1e17, "-1e+17"),
            (1e21, "1e+21"),
            (1e308, "1e+308"),
            (12345678901234567.0, "12345678901234568"),
            (123456789012345678.0, "1.2345678901234568e+17"),
            (9007199254740993.0, "9007199254740992"),
            (33333333333333333333.0, "3.3333333333333332e+19"),
            (1125899906842624.0 + 0.25, "1125899906842624.2"),
            (1125899906842624.0 + 0.75, "1125899906842624.8"),
            (f64::from_bits(1), "4.9406564584124654e-324"),
            (-f64::MIN_POSITIVE, "-2.2250738585072014e-308"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn packed_integers_have_all_their_digits() {
        for (value, expected) in [
            (-0.0, "0"),
            (1e17, "100000000000000000"),
            (123456789012345678.0, "123456789012345680"),
            (4611686018427387904.0, "4611686018427387904"),
            (-4611686018427387904.0, "-4611686018427387904"),
            (4611686018427388928.0, "4.6116860184273889e+18"),
            (-4611686018427388928.0, "-4.6116860184273889e+18"),
            (0.1, "0.10000000000000001"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(packed(value), expected);
        }
    }

    #[test]
    fn arguments() {
        assert_eq!(Score::parse(b"0x10"), Score::new(16.0));
        assert_eq!(Score::parse(b"-inf"), Some(Score::LOWEST));
        for bad in ["", " 1", "1\0", "nan", "1e400", "-1e400", "1e-400"] {
            assert_eq!(Score::parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(Score::new(f64::NAN), None);
        assert_eq!(Score::LOWEST.plus(Score::HIGHEST), None);
        assert_eq!(Score::HIGHEST.plus(Score::HIGHEST), Some(Score::HIGHEST));
        assert_eq!(Score(-0.0), Score(0.0));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value: f64, whole: i64, small in -1e6..1e6f64) {
            for value in [value, whole as f64, small, small.round(), small / 1e6] {
                prop_assume!(!value.is_nan());
                for text in [text(value), packed(value)] {
                    let read = float::parse(text.as_bytes()).map(|float| float.value);
                    prop_assert_eq!(read, Some(value), "{}", text);
                }
            }
        }
    }
}
