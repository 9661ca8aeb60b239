//! A place.

use super::cell::{Cell, EARTH, Rectangle, STEPS_MAX};
use crate::types::zset::Score;

/// A place, in degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// East of Greenwich; negative in the west.
    pub longitude: f64,
    /// North of the equator; negative in the south.
    pub latitude: f64,
}

/// How many characters GEOHASH replies.
const TEXT: usize = 11;

impl Point {
    /// None if it is outside of what a score can express: 180 degrees in longitude, 85.05112878 in latitude.
    pub fn new(longitude: f64, latitude: f64) -> Option<Point> {
        let inside = EARTH.longitude.contains(&longitude) && EARTH.latitude.contains(&latitude);
        inside.then_some(Point { longitude, latitude })
    }

    /// The score of the place in a sorted set, which is up to 60 cm off.
    pub fn score(self) -> Score {
        let bits = Cell::of(self.longitude, self.latitude, &EARTH, STEPS_MAX).bits();
        Score::new(bits as f64).expect("an integer is not NaN")
    }

    /// The place that a score stands for: the middle of its cell. Any score stands for one, as in Redis.
    pub fn of(score: Score) -> Point {
        let Rectangle { longitude, latitude } = Cell::of_bits(integer(score), STEPS_MAX).rectangle();
        let middle = |part: &std::ops::RangeInclusive<f64>, whole: &std::ops::RangeInclusive<f64>| {
            ((part.start() + part.end()) / 2.0).clamp(*whole.start(), *whole.end())
        };
        Point { longitude: middle(&longitude, &EARTH.longitude), latitude: middle(&latitude, &EARTH.latitude) }
    }

    /// The place as a standard geohash, which divides the whole earth, poles included. The last of the 11 characters is
    /// `0`: 52 bits are not enough for it.
    pub fn text(self) -> [u8; TEXT] {
        const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
        const WHOLE_EARTH: Rectangle = Rectangle { longitude: -180.0..=180.0, latitude: -90.0..=90.0 };
        let bits = Cell::of(self.longitude, self.latitude, &WHOLE_EARTH, STEPS_MAX).bits();
        let mut text = [b'0'; TEXT];
        for (at, character) in text[..TEXT - 1].iter_mut().enumerate() {
            *character = ALPHABET[(bits >> (2 * STEPS_MAX as usize - 5 * (at + 1))) as usize % 32];
        }
        text
    }
}

/// A score as an unsigned integer. For those that no place has, it is what Redis gets on 64-bit x86: modulo 2^64 from
/// -2^63 on, 2^63 below that, and 0 from 2^64 on.
fn integer(score: Score) -> u64 {
    const HALF: f64 = (1u64 << 63) as f64;
    match score.get() {
        value if value < HALF => value as i64 as u64,
        value if value < 2.0 * HALF => value as u64,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(longitude: f64, latitude: f64) -> Point {
        Point::new(longitude, latitude).unwrap()
    }

    fn text(point: Point) -> String {
        String::from_utf8(point.text().to_vec()).unwrap()
    }

    /// What redis-server 7.0.15 replies to ZSCORE, GEOPOS and GEOHASH.
    #[test]
    fn places_of_redis() {
        for (place, score, decoded, geohash) in [
            ((13.361389, 38.115556), 3479099956230698.0, (13.361389338970184, 38.1155563954963), "sqc8b49rny0"),
            ((15.087269, 37.502669), 3479447370796909.0, (15.087267458438873, 37.50266842333162), "sqdtr74hyu0"),
            ((-122.4194, 37.7749), 1367859919124626.0, (-122.41940170526505, 37.77490001056578), "9q8yyk8ytp0"),
            ((151.2093, -33.8688), 3252046221964352.0, (151.2092998623848, -33.86880091934156), "r3gx2f77bj0"),
            ((0.0, 0.0), 3377699720527872.0, (0.00000268220901489, 0.00000126736058093), "s0000000000"),
            ((180.0, 85.05112878), 13510798882111488.0, (180.0, 85.05112878), "bp05b5048p0"),
            ((-180.0, -85.05112878), 0.0, (-179.99999731779099, -85.05112751263943), "00bh0hbj200"),
        ] {
            let (score_of_place, back) = (point(place.0, place.1).score(), Point::of(Score::new(score).unwrap()));
            assert_eq!(score_of_place.get(), score);
            let near = |a: f64, b: f64| (a - b).abs() < 1e-14;
            assert!(near(back.longitude, decoded.0) && near(back.latitude, decoded.1), "{back:?} {decoded:?}");
            assert_eq!(text(back), geohash);
        }
    }

    /// What redis-server 7.0.15 replies to GEOPOS, as GEOHASH, for scores that no place has.
    #[test]
    fn scores_that_no_place_has() {
        const EAST: f64 = 180.0;
        const NORTH: f64 = 85.05112878;
        let (west, south) = (-179.99999731779099, -85.05112751263943);
        for (score, place) in [
            (1e300, (west, south)),
            (-1e300, (EAST, south)),
            (-5.0, (EAST, NORTH)),
            (f64::INFINITY, (west, south)),
            (f64::NEG_INFINITY, (EAST, south)),
            (9223372036854775808.0, (EAST, south)),
            (18446744073709551616.0, (west, south)),
            (1.5, (west, -85.05112497791825)),
            (-0.0, (west, south)),
            (13835058055282163712.0, (EAST, NORTH)),
            (3000000000000000000.0, (EAST, NORTH)),
        ] {
            let (found, near) = (Point::of(Score::new(score).unwrap()), |a: f64, b: f64| (a - b).abs() < 1e-13);
            assert!(near(found.longitude, place.0) && near(found.latitude, place.1), "{score} {found:?}");
        }
    }

    #[test]
    fn outside() {
        for (longitude, latitude) in [
            (180.000001, 0.0),
            (-180.000001, 0.0),
            (0.0, 85.0511288),
            (0.0, -85.0511288),
            (f64::NAN, 0.0),
            (0.0, f64::NAN),
        ] {
            assert_eq!(Point::new(longitude, latitude), None);
        }
    }

    proptest! {
        #[test]
        fn a_score_is_near_its_place(longitude in -180.0..=180.0, latitude in -85.05..=85.05) {
            let place = point(longitude, latitude);
            let decoded = Point::of(place.score());
            prop_assert!((decoded.longitude - longitude).abs() <= 180.0 / f64::from(1 << STEPS_MAX));
            prop_assert!((decoded.latitude - latitude).abs() <= 90.0 / f64::from(1 << STEPS_MAX));
            prop_assert_eq!(decoded.score(), place.score());
        }

        #[test]
        fn any_score_stands_for_a_place(value: f64) {
            prop_assume!(!value.is_nan());
            let Point { longitude, latitude } = Point::of(Score::new(value).unwrap());
            prop_assert!(Point::new(longitude, latitude).is_some());
        }
    }
}
