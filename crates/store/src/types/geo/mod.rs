//! Places on the earth, as scores of a sorted set: a geohash of 52 bits, so that places that are near each other are in
//! few ranges of scores.
//!
//! - `point`: a place, and its score
//! - `cell`: the rectangles that a geohash of any length divides the earth into
//! - `distance`: distances and their units
//! - `area`: what a search is for, and the cells to look in
//! - `search`: the search itself

mod area;
mod cell;
mod distance;
mod point;
mod search;

pub use area::{Area, Shape};
pub use distance::{Unit, distance};
pub use point::Point;
pub use search::{Found, search};
