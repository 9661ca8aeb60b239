//! Cells: each step of a geohash halves the earth once along either coordinate.

use std::ops::RangeInclusive;

/// The steps of a geohash of 52 bits, which is as much as a score can hold.
pub(super) const STEPS_MAX: u32 = 26;

/// The coordinates of a rectangle, in degrees.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Rectangle {
    pub longitude: RangeInclusive<f64>,
    pub latitude: RangeInclusive<f64>,
}

/// What Redis's geohashes divide: all except what is too near the poles for a Mercator map.
pub(super) const EARTH: Rectangle = Rectangle { longitude: -180.0..=180.0, latitude: -85.05112878..=85.05112878 };

/// One of the rectangles after some steps, by its column and row from the south-west corner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    pub steps: u32,
    pub column: u32,
    pub row: u32,
}

/// Which of `2^steps` equal parts of a range a value is in; for its end, one beyond the last.
fn part(value: f64, range: &RangeInclusive<f64>, steps: u32) -> u32 {
    let fraction = (value - range.start()) / (range.end() - range.start());
    (fraction * f64::from(1u32 << steps)) as u32
}

/// The part of a range with a number.
fn of_part(number: u32, range: &RangeInclusive<f64>, steps: u32) -> RangeInclusive<f64> {
    let (parts, size) = (f64::from(1u32 << steps), range.end() - range.start());
    let border = |number: f64| range.start() + number / parts * size;
    border(number.into())..=border(f64::from(number) + 1.0)
}

/// Puts a zero in front of each bit.
fn spread(bits: u32) -> u64 {
    const MASKS: [(u32, u64); 5] = [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ];
    MASKS.into_iter().fold(bits.into(), |bits, (shift, mask)| (bits | bits << shift) & mask)
}

/// Takes every second bit, from the lowest one on.
fn gather(bits: u64) -> u32 {
    const MASKS: [(u32, u64); 5] = [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ];
    let bits = bits & 0x5555_5555_5555_5555;
    MASKS.into_iter().fold(bits, |bits, (shift, mask)| (bits | bits >> shift) & mask) as u32
}

impl Cell {
    /// The cell of `bounds` that has a place.
    pub fn of(longitude: f64, latitude: f64, bounds: &Rectangle, steps: u32) -> Cell {
        let (column, row) = (part(longitude, &bounds.longitude, steps), part(latitude, &bounds.latitude, steps));
        Cell { steps, column, row }
    }

    /// The cell with a geohash.
    pub fn of_bits(bits: u64, steps: u32) -> Cell {
        Cell { steps, column: gather(bits >> 1), row: gather(bits) }
    }

    /// Its geohash, of two bits a step.
    pub fn bits(self) -> u64 {
        spread(self.column) << 1 | spread(self.row)
    }

    /// The cell so many columns to the east and rows to the north; from the last one on, from the first.
    pub fn neighbour(self, east: i32, north: i32) -> Cell {
        let mask = (1 << self.steps) - 1;
        let moved = |from: u32, by: i32| if by == 0 { from } else { from.wrapping_add_signed(by) & mask };
        Cell { column: moved(self.column, east), row: moved(self.row, north), ..self }
    }

    /// Where it is.
    pub fn rectangle(self) -> Rectangle {
        Rectangle {
            longitude: of_part(self.column, &EARTH.longitude, self.steps),
            latitude: of_part(self.row, &EARTH.latitude, self.steps),
        }
    }

    /// The scores of the places in it, from one up to another that is not in it.
    pub fn scores(self) -> (u64, u64) {
        let unused = 2 * (STEPS_MAX - self.steps);
        (self.bits() << unused, (self.bits() + 1) << unused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn neighbours_go_round() {
        let corner = Cell { steps: 2, column: 3, row: 0 };
        assert_eq!(corner.neighbour(1, -1), Cell { steps: 2, column: 0, row: 3 });
        assert_eq!(corner.neighbour(-1, 1), Cell { steps: 2, column: 2, row: 1 });
        assert_eq!(corner.neighbour(0, 0), corner);
    }

    #[test]
    fn the_first_steps() {
        assert_eq!(Cell { steps: 1, column: 1, row: 0 }.bits(), 2);
        assert_eq!(Cell { steps: 1, column: 0, row: 1 }.bits(), 1);
        assert_eq!(Cell { steps: 1, column: 0, row: 1 }.scores(), (1 << 50, 2 << 50));
        let quarter = Cell { steps: 1, column: 1, row: 0 }.rectangle();
        assert_eq!(quarter, Rectangle { longitude: 0.0..=180.0, latitude: -85.05112878..=0.0 });
    }

    proptest! {
        #[test]
        fn bits_alternate(column: u32, row: u32) {
            let cell = Cell { steps: STEPS_MAX, column, row };
            let expected = (0..32).fold(0u64, |bits, at| {
                bits | u64::from(column >> at & 1) << (2 * at + 1) | u64::from(row >> at & 1) << (2 * at)
            });
            prop_assert_eq!(cell.bits(), expected);
            prop_assert_eq!(Cell::of_bits(expected, STEPS_MAX), cell);
        }

        #[test]
        fn a_place_is_in_its_cell(longitude in -180.0..180.0, latitude in -85.0..85.0, steps in 1..=STEPS_MAX) {
            let cell = Cell::of(longitude, latitude, &EARTH, steps);
            // Rounding moves a border by less than this.
            let near = |range: RangeInclusive<f64>, value: f64| {
                range.start() - 1e-12 <= value && value <= range.end() + 1e-12
            };
            prop_assert!(near(cell.rectangle().longitude, longitude) && near(cell.rectangle().latitude, latitude));
            let whole = Cell::of(longitude, latitude, &EARTH, STEPS_MAX).bits();
            let (from, to) = cell.scores();
            prop_assert!((from..to).contains(&whole));
        }
    }
}
