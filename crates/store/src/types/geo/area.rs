//! What a search is for, and the cells to look in for it.

use super::cell::{Cell, EARTH, Rectangle};
use super::distance::{EARTH_RADIUS, degrees, distance, distance_of_latitudes, radians};
use super::point::Point;

/// What a place has to be in.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Shape {
    /// Up to a distance, in metres.
    Circle {
        /// The distance.
        radius: f64,
    },
    /// Between two meridians and two circles of latitude, in metres.
    Box {
        /// From west to east.
        width: f64,
        /// From north to south.
        height: f64,
    },
}

/// A shape around a place.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Area {
    /// Its middle.
    pub centre: Point,
    /// Its shape.
    pub shape: Shape,
}

/// A square with this side has the whole Mercator map, in metres.
const MAP_HALF: f64 = 20_037_726.37;

impl Area {
    /// How far a place is from the centre, in metres, if it is in the area.
    pub fn distance(&self, point: Point) -> Option<f64> {
        let outside = match self.shape {
            Shape::Circle { radius } => distance(self.centre, point) > radius,
            Shape::Box { width, height } => {
                let meridian = Point { longitude: self.centre.longitude, latitude: point.latitude };
                distance_of_latitudes(point.latitude, self.centre.latitude) > height / 2.0
                    || distance(point, meridian) > width / 2.0
            }
        };
        (!outside).then(|| distance(self.centre, point))
    }

    /// Half of its height and of its width, and the radius of a circle around it.
    fn extent(&self) -> (f64, f64, f64) {
        match self.shape {
            Shape::Circle { radius } => (radius, radius, radius),
            Shape::Box { width, height } => {
                let (height, width) = (height / 2.0, width / 2.0);
                (height, width, (width * width + height * height).sqrt())
            }
        }
    }

    /// The degrees that the area is between. They may be beyond those that there are.
    fn bounds(&self) -> Rectangle {
        let Point { longitude, latitude } = self.centre;
        let (height, width, _) = self.extent();
        let north = degrees(height / EARTH_RADIUS);
        // A degree of longitude is shortest at the border that is nearer to a pole.
        let nearer = if latitude < 0.0 { latitude - north } else { latitude + north };
        let east = degrees(width / EARTH_RADIUS / radians(nearer).cos());
        Rectangle { longitude: longitude - east..=longitude + east, latitude: latitude - north..=latitude + north }
    }

    /// How long a geohash is whose cells are about as large as the area.
    fn steps(&self) -> u32 {
        let (_, _, mut radius) = self.extent();
        if radius == 0.0 {
            return super::cell::STEPS_MAX;
        }
        let mut steps = 1;
        while radius < MAP_HALF {
            radius *= 2.0;
            steps += 1;
        }
        // Two more cells are looked in on either side; cells near the poles are smaller than the map makes them.
        steps -= 2;
        let latitude = self.centre.latitude.abs();
        steps -= i32::from(latitude > 66.0) + i32::from(latitude > 80.0);
        steps.clamp(1, super::cell::STEPS_MAX as i32) as u32
    }

    /// The cells to look in, in Redis's order: the one of the centre, and those of its eight neighbours that the area
    /// may reach. With few steps, the same one can be a neighbour on both sides.
    pub(super) fn cells(&self) -> impl Iterator<Item = Cell> + use<> {
        const NEIGHBOURS: [(i32, i32); 8] = [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];
        let bounds = self.bounds();
        let Point { longitude, latitude } = self.centre;
        let mut centre = Cell::of(longitude, latitude, &EARTH, self.steps());
        if centre.steps > 1 && reaches_beyond(centre, &bounds) {
            centre = Cell::of(longitude, latitude, &EARTH, centre.steps - 1);
        }
        let own = centre.rectangle();
        // On a side where the cell reaches farther than the area there is nothing to look for.
        let west_only = own.longitude.end() > bounds.longitude.end();
        let east_only = own.longitude.start() < bounds.longitude.start();
        let south_only = own.latitude.end() > bounds.latitude.end();
        let north_only = own.latitude.start() < bounds.latitude.start();
        let useless = move |(east, north): (i32, i32)| {
            east > 0 && west_only || east < 0 && east_only || north > 0 && south_only || north < 0 && north_only
        };
        let neighbours = NEIGHBOURS.into_iter().filter(move |side| centre.steps < 2 || !useless(*side));
        let mut last = centre;
        let cells = neighbours.map(move |(east, north)| centre.neighbour(east, north));
        let different = cells.filter(move |cell| std::mem::replace(&mut last, *cell) != *cell);
        std::iter::once(centre).chain(different)
    }
}

/// Whether an area reaches beyond a cell and its neighbours.
fn reaches_beyond(cell: Cell, bounds: &Rectangle) -> bool {
    let side = |east, north| cell.neighbour(east, north).rectangle();
    side(0, 1).latitude.end() < bounds.latitude.end()
        || side(0, -1).latitude.start() > bounds.latitude.start()
        || side(1, 0).longitude.end() < bounds.longitude.end()
        || side(-1, 0).longitude.start() > bounds.longitude.start()
}
