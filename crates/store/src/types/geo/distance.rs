//! Distances.

use super::point::Point;

/// Of the earth taken as a sphere, in metres: Redis's figure.
pub(super) const EARTH_RADIUS: f64 = 6_372_797.560856;

/// A unit of length.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Unit {
    /// Metres.
    #[default]
    Metre,
    /// Kilometres.
    Kilometre,
    /// Feet.
    Foot,
    /// Miles.
    Mile,
}

impl Unit {
    /// What an argument spells, in any case: `m`, `km`, `ft`, `mi`.
    pub fn parse(text: &[u8]) -> Option<Unit> {
        const NAMES: [(&[u8], Unit); 4] =
            [(b"m", Unit::Metre), (b"km", Unit::Kilometre), (b"ft", Unit::Foot), (b"mi", Unit::Mile)];
        NAMES.into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, unit)| unit)
    }

    /// How many metres it has.
    pub fn metres(self) -> f64 {
        match self {
            Unit::Metre => 1.0,
            Unit::Kilometre => 1000.0,
            Unit::Foot => 0.3048,
            Unit::Mile => 1609.34,
        }
    }
}

/// Degrees as radians, in Redis's order of operations.
pub(super) fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}

/// Radians as degrees, in Redis's order of operations.
pub(super) fn degrees(radians: f64) -> f64 {
    radians / (std::f64::consts::PI / 180.0)
}

/// How far two places are from each other in metres, along a great circle (haversine formula).
pub fn distance(a: Point, b: Point) -> f64 {
    let v = ((radians(b.longitude) - radians(a.longitude)) / 2.0).sin();
    if v == 0.0 {
        return distance_of_latitudes(a.latitude, b.latitude);
    }
    let (a, b) = (radians(a.latitude), radians(b.latitude));
    let u = ((b - a) / 2.0).sin();
    // Rounding may make the square of the sine larger than 1 for places on opposite sides of the earth.
    let sine = (u * u + a.cos() * b.cos() * v * v).sqrt().min(1.0);
    2.0 * EARTH_RADIUS * sine.asin()
}

/// How far two circles of latitude are from each other in metres.
pub(super) fn distance_of_latitudes(a: f64, b: f64) -> f64 {
    EARTH_RADIUS * (radians(b) - radians(a)).abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn along_a_meridian_latitudes_are_subtracted() {
        let place = |latitude| Point::new(10.0, latitude).unwrap();
        assert_eq!(distance(place(10.0), place(77.0)), distance_of_latitudes(10.0, 77.0));
    }

    #[test]
    fn units() {
        let metres = [&b"m"[..], b"KM", b"Ft", b"mI", b"", b"miles"].map(|name| Unit::parse(name).map(Unit::metres));
        assert_eq!(metres, [Some(1.0), Some(1000.0), Some(0.3048), Some(1609.34), None, None]);
    }

    #[test]
    fn from_a_pole_to_the_other_and_round_the_earth() {
        let point = |longitude, latitude| Point { longitude, latitude };
        let half = std::f64::consts::PI * EARTH_RADIUS;
        assert_eq!(distance(point(5.0, -90.0), point(5.0, 90.0)), half);
        assert!((distance(point(-90.0, 0.0), point(90.0, 0.0)) - half).abs() < 1e-6);
        assert!(distance(point(-180.0, 10.0), point(180.0, 10.0)) < 1e-6);
        assert_eq!(distance(point(1.0, 2.0), point(1.0, 2.0)), 0.0);
    }

    proptest! {
        /// Along another formula: the angle between the two places seen from the middle of the earth.
        #[test]
        fn like_the_angle_between_vectors(
            a in (-180.0..=180.0, -90.0..=90.0), b in (-180.0..=180.0, -90.0..=90.0),
        ) {
            let vector = |(longitude, latitude): (f64, f64)| {
                let (longitude, latitude) = (radians(longitude), radians(latitude));
                [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
            };
            let length = |[x, y, z]: [f64; 3]| (x * x + y * y + z * z).sqrt();
            let ([ax, ay, az], [bx, by, bz]) = (vector(a), vector(b));
            let cross = length([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx]);
            let angle = cross.atan2(ax * bx + ay * by + az * bz);
            let point = |(longitude, latitude)| Point { longitude, latitude };
            // The haversine formula is not exact for places on opposite sides of the earth.
            let (found, expected) = (distance(point(a), point(b)), EARTH_RADIUS * angle);
            prop_assert!((found - expected).abs() < 1.0, "{} {}", found, expected);
        }
    }
}
