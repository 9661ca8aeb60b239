//! Tests of searches.

use super::super::area::Shape;
use super::*;
use crate::types::zset::Limits;
use proptest::prelude::*;

fn set(places: &[(f64, f64)]) -> SortedSet {
    let mut set = SortedSet::new();
    for (number, (longitude, latitude)) in places.iter().enumerate() {
        let score = Point::new(*longitude, *latitude).unwrap().score();
        set.insert(number.to_string().as_bytes(), score, &Limits::default());
    }
    set
}

fn circle(longitude: f64, latitude: f64, radius: f64) -> Area {
    Area { centre: Point::new(longitude, latitude).unwrap(), shape: Shape::Circle { radius } }
}

fn rectangle(longitude: f64, latitude: f64, width: f64, height: f64) -> Area {
    Area { centre: Point::new(longitude, latitude).unwrap(), shape: Shape::Box { width, height } }
}

fn members(set: &SortedSet, area: Area) -> Vec<i64> {
    search(set, area).map(|found| found.member.as_integer().unwrap()).collect()
}

/// On every crossing of two lines of a grid of 30 degrees; numbered from west to east, then from south to north.
fn grid() -> SortedSet {
    let lines = |from: i32, to: i32| (from..=to).map(|line| f64::from(line * 30));
    let places: Vec<(f64, f64)> = lines(-2, 2).flat_map(|y| lines(-5, 6).map(move |x| (x, y))).collect();
    set(&places)
}

/// What redis-server 7.0.15 finds, in its order.
#[test]
fn the_order_is_redis_s() {
    let grid = grid();
    for (area, expected) in [
        (circle(0.0, 0.0, 100000.0), &[29][..]),
        (circle(0.0, 0.0, 4000000.0), &[29, 30, 41, 17, 28][..]),
        (circle(15.0, 15.0, 4000000.0), &[29, 30, 41, 42][..]),
        (circle(-175.0, 10.0, 5000000.0), &[24, 36, 34, 46][..]),
        (circle(100.0, -70.0, 4000000.0), &[6, 7, 8, 9, 10][..]),
        (circle(20.0, 82.0, 5000000.0), &[53, 54, 55, 56, 57, 58, 48, 49, 50, 51, 52][..]),
        (
            circle(0.0, 0.0, 15000000.0),
            &[
                29, 30, 41, 42, 31, 43, 53, 54, 55, 32, 33, 44, 45, 56, 57, 58, 5, 6, 7, 17, 18, 19, 8, 9, 10, 20, 21,
                25, 37, 48, 49, 26, 27, 38, 39, 28, 40, 50, 51, 52, 0, 1, 13, 2, 3, 4, 14, 15, 16,
            ][..],
        ),
        (
            circle(0.0, 0.0, 21000000.0),
            &[
                29, 30, 41, 42, 31, 43, 53, 54, 55, 32, 33, 44, 45, 34, 46, 56, 57, 58, 5, 6, 7, 17, 18, 19, 8, 9, 10,
                20, 21, 22, 24, 36, 25, 37, 48, 49, 26, 27, 38, 39, 28, 40, 50, 51, 52, 0, 1, 12, 13, 2, 3, 4, 14, 15,
                16,
            ][..],
        ),
        (rectangle(0.0, 0.0, 7000000.0, 7000000.0), &[29, 30, 41, 42, 17, 18, 28, 40, 16][..]),
        (rectangle(45.0, 20.0, 9000000.0, 2000000.0), &[][..]),
        (rectangle(45.0, -20.0, 2000000.0, 9000000.0), &[6, 7][..]),
        (rectangle(179.0, 0.0, 8000000.0, 8000000.0), &[34, 46, 22, 24, 36, 12][..]),
        (
            rectangle(0.0, 0.0, 41000000.0, 21000000.0),
            &[
                29, 30, 41, 42, 31, 43, 53, 54, 55, 32, 33, 44, 45, 34, 46, 56, 57, 58, 5, 6, 7, 17, 18, 19, 8, 9, 10,
                20, 21, 22, 24, 36, 25, 37, 48, 49, 26, 27, 38, 39, 28, 40, 50, 51, 52, 0, 1, 12, 13, 2, 3, 4, 14, 15,
                16,
            ][..],
        ),
    ] {
        assert_eq!(members(&grid, area), expected, "{area:?}");
    }
}

/// What redis-server 7.0.15 finds, in its order, on crossings of every fifth degree from the meridian of Greenwich on to
/// 55 degrees east. Numbered from west to east and then away from the equator.
#[test]
fn the_order_is_redis_s_at_any_latitude() {
    let rows = |from: i32, by: i32| {
        let latitudes = (0..6).map(|row| f64::from(from + by * row));
        set(&latitudes.flat_map(|y| (0..12).map(move |x| (f64::from(5 * x), y))).collect::<Vec<_>>())
    };
    let (north, south, middle) = (rows(60, 5), rows(-60, -5), rows(30, 5));
    for (places, area, expected) in [
        (&north, circle(25.0, 72.0, 700000.0), &[26, 27, 28, 38, 39, 40, 29, 30, 31, 32, 41, 42, 43, 44][..]),
        (
            &north,
            circle(25.0, 82.0, 700000.0),
            &[48, 49, 60, 61, 50, 62, 51, 63, 52, 64, 53, 65, 54, 66, 55, 67, 56, 68, 57, 58, 69, 70, 59, 71],
        ),
        (&north, circle(25.0, 67.0, 400000.0), &[17, 18, 29, 30, 16, 28]),
        (&north, circle(25.0, 81.0, 200000.0), &[52, 53, 54]),
        (&north, circle(25.0, 65.0, 600000.0), &[17, 18, 29, 30, 19, 5, 15, 16, 28]),
        (&south, circle(25.0, -72.0, 700000.0), &[38, 39, 40, 26, 27, 28, 41, 42, 43, 44, 29, 30, 31, 32]),
        (
            &south,
            circle(25.0, -82.0, 700000.0),
            &[60, 61, 48, 49, 62, 50, 63, 51, 64, 52, 65, 53, 66, 54, 67, 55, 68, 56, 69, 70, 57, 58, 71, 59],
        ),
        (&south, rectangle(27.0, -62.0, 600000.0, 500000.0), &[5, 6]),
        // The last one is in a cell that only the southern border reaches.
        (&south, rectangle(35.0, -60.0, 1000000.0, 2000000.0), &[6, 7, 8, 17, 18, 19, 20, 21]),
        (&south, rectangle(22.0, -73.0, 900000.0, 1000000.0), &[38, 39, 40, 27, 28, 41, 42, 43, 29, 30]),
        (&middle, circle(25.0, 40.0, 700000.0), &[17, 29, 30, 41, 42, 28, 40]),
        (&middle, circle(27.0, 47.0, 1000000.0), &[41, 42, 53, 54, 43, 55, 65, 66, 29, 30, 39, 40, 51, 52, 28]),
        (&middle, rectangle(23.0, 40.0, 900000.0, 300000.0), &[29, 28]),
    ] {
        assert_eq!(members(places, area), expected, "{area:?}");
    }
}

/// As redis-server 7.0.15: the cell of the centre is near the border of its neighbour, which is smaller than the radius.
#[test]
fn beyond_the_neighbouring_cell() {
    for (x, y, centre) in [(20.0, -0.3, (20.0, 10.65)), (20.0, 0.3, (20.0, -10.65)), (45.1, 63.0, (22.4, 60.0))] {
        let radius = if centre.1 == 60.0 { 1250000.0 } else { 1230000.0 };
        assert_eq!(members(&set(&[(x, y)]), circle(centre.0, centre.1, radius)), [0]);
        assert_eq!(members(&set(&[(-x, y)]), circle(-centre.0, centre.1, radius)), [0]);
    }
}

#[test]
fn no_extent() {
    let place = set(&[(10.0, 20.0)]);
    let centre = Point::of(place.get(0).unwrap().score);
    for shape in [Shape::Circle { radius: 0.0 }, Shape::Box { width: 0.0, height: 0.0 }] {
        assert_eq!(members(&place, Area { centre, shape }), [0]);
        assert_eq!(members(&SortedSet::new(), Area { centre, shape }), [0; 0]);
    }
    assert_eq!(members(&place, circle(10.1, 20.0, 0.0)), [0; 0]);
}

fn place() -> impl Strategy<Value = (f64, f64)> {
    prop_oneof![(-180.0..=180.0, -85.05..=85.05), (10.0..12.0, 50.0..52.0)]
}

proptest! {
    /// Up to a size at which Redis misses members behind the poles and on the other side of the 180th meridian.
    #[test]
    fn all_that_are_near_are_found(
        places in prop::collection::vec(place(), 0..200), centre in (-150.0..=150.0, -60.0..=60.0),
        own: prop::sample::Index, size in (0.0..6.0, 0.0..6.0), round: bool,
    ) {
        // From 1 metre to 1000 kilometres.
        let (width, height) = (10f64.powf(size.0), 10f64.powf(size.1));
        let set = set(&places);
        let near_one = places.iter().map(|place| (place.0.clamp(-150.0, 150.0), place.1.clamp(-60.0, 60.0)));
        let centres: Vec<(f64, f64)> = near_one.chain([centre]).collect();
        let (longitude, latitude) = *own.get(&centres);
        let area = match round {
            true => circle(longitude, latitude, width),
            false => rectangle(longitude, latitude, width, height),
        };
        let expected: Vec<(i64, f64)> = set.iter().filter_map(|entry| {
            Some((entry.member.as_integer().unwrap(), area.distance(Point::of(entry.score))?))
        }).collect();
        let mut found: Vec<(i64, f64)> = search(&set, area).map(|found| {
            assert_eq!((found.point, Some(found.score)), (Point::of(found.score), set.score(&found.member.to_vec())));
            (found.member.as_integer().unwrap(), found.distance)
        }).collect();
        found.sort_by_key(|(member, _)| set.rank(member.to_string().as_bytes()).map(|(rank, _)| rank));
        prop_assert_eq!(found, expected);
    }
}
