//! Arguments and replies of the commands for places.

use crate::clients::reply::Reply;
use crate::command::error::{Error, NOT_A_FLOAT, NOT_AN_INTEGER, SYNTAX_ERROR, quoting};
use resp::{Args, number};
use store::types::geo::{Area, Point, Shape, Unit};
use store::types::zset::{Score, SortedSet};

/// Two arguments as a place.
pub fn point(longitude: &[u8], latitude: &[u8]) -> Result<Point, Error> {
    let float = |text| Score::parse(text).map(Score::get).ok_or(NOT_A_FLOAT);
    let (longitude, latitude) = (float(longitude)?, float(latitude)?);
    let outside = || format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}").into();
    Point::new(longitude, latitude).ok_or_else(outside)
}

pub fn unit(text: &[u8]) -> Result<Unit, Error> {
    Unit::parse(text).ok_or("ERR unsupported unit provided. please use M, KM, FT, MI".into())
}

/// Replies with a place.
pub fn coordinates(reply: &mut Reply<'_>, point: Point) {
    reply.array(2);
    for value in [point.longitude, point.latitude] {
        let text = format!("{value:.17}");
        reply.double(text.trim_end_matches('0').trim_end_matches('.').as_bytes());
    }
}

/// The commands that search, which differ in their arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// GEORADIUS, or GEORADIUS_RO, which does not store.
    Radius { stores: bool },
    /// GEORADIUSBYMEMBER, or GEORADIUSBYMEMBER_RO.
    RadiusByMember { stores: bool },
    /// GEOSEARCH.
    Search,
    /// GEOSEARCHSTORE.
    SearchStore,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Nearest,
    Farthest,
}

/// What is searched for, and what is done with it.
#[derive(Default)]
pub struct Options<'a> {
    pub centre: Option<Point>,
    pub shape: Option<Shape>,
    pub unit: Unit,
    pub order: Option<Order>,
    pub count: Option<usize>,
    /// The first that are found will do, rather than the nearest.
    pub any: bool,
    pub with_distance: bool,
    pub with_hash: bool,
    pub with_coordinates: bool,
    /// The key to store what is found at, in place of a reply.
    pub store: Option<&'a [u8]>,
    /// Store distances rather than places.
    pub store_distance: bool,
    from_member: bool,
    by_box: bool,
}

impl<'a> Options<'a> {
    /// Reads the arguments. Without a set there is no member to search around, and nothing to be found.
    pub fn parse(form: Form, args: &Args<'a>, set: Option<&SortedSet>) -> Result<Options<'a>, Error> {
        let arg = |index| args.get(index).unwrap_or_default();
        let mut options = Options::default();
        let first = match form {
            Form::Radius { .. } => {
                options.centre = Some(point(arg(2), arg(3))?);
                options.circle(arg(4), arg(5))?;
                6
            }
            Form::RadiusByMember { .. } => {
                if let Some(set) = set {
                    options.centre = Some(point_of(set, arg(2))?);
                    options.circle(arg(3), arg(4))?;
                }
                5
            }
            Form::Search => 2,
            Form::SearchStore => {
                options.store = Some(arg(1));
                3
            }
        };
        let mut words = args.from(first);
        while let Some(word) = words.next() {
            options.option(form, word, &mut words, set)?;
        }
        options.check(form, arg(0))?;
        Ok(options)
    }

    /// Reads an option and its arguments, which follow.
    fn option(
        &mut self,
        form: Form,
        word: &[u8],
        words: &mut impl ExactSizeIterator<Item = &'a [u8]>,
        set: Option<&SortedSet>,
    ) -> Result<(), Error> {
        let searches = matches!(form, Form::Search | Form::SearchStore);
        let stores = matches!(form, Form::Radius { stores: true } | Form::RadiusByMember { stores: true });
        let from_point = self.centre.is_some() && !self.from_member;
        let by_radius = self.shape.is_some() && !self.by_box;
        let following = words.len();
        let mut next = || words.next().unwrap_or_default();
        match word.to_ascii_lowercase().as_slice() {
            b"withdist" => self.with_distance = true,
            b"withhash" => self.with_hash = true,
            b"withcoord" => self.with_coordinates = true,
            b"any" => self.any = true,
            b"asc" => self.order = Some(Order::Nearest),
            b"desc" => self.order = Some(Order::Farthest),
            b"count" if following >= 1 => {
                let count = number::parse(next()).ok_or(NOT_AN_INTEGER)?;
                let count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or("ERR COUNT must be > 0")?;
                self.count = Some(count);
            }
            word @ (b"store" | b"storedist") if stores && following >= 1 => {
                self.store = Some(next());
                self.store_distance = word == b"storedist";
            }
            b"storedist" if form == Form::SearchStore => self.store_distance = true,
            b"fromlonlat" if searches && following >= 2 && !self.from_member => {
                self.centre = Some(point(next(), next())?);
            }
            b"frommember" if searches && following >= 1 && !from_point => {
                self.from_member = true;
                let member = next();
                self.centre = set.map(|set| point_of(set, member)).transpose()?;
            }
            b"byradius" if searches && following >= 2 && !self.by_box => self.circle(next(), next())?,
            b"bybox" if searches && following >= 3 && !by_radius => self.rectangle(next(), next(), next())?,
            _ => return Err(SYNTAX_ERROR.into()),
        }
        Ok(())
    }

    fn circle(&mut self, radius: &[u8], unit_name: &[u8]) -> Result<(), Error> {
        let radius = Score::parse(radius).map(Score::get).ok_or("ERR need numeric radius")?;
        if radius < 0.0 {
            return Err("ERR radius cannot be negative".into());
        }
        self.unit = unit(unit_name)?;
        self.shape = Some(Shape::Circle { radius: radius * self.unit.metres() });
        Ok(())
    }

    fn rectangle(&mut self, width: &[u8], height: &[u8], unit_name: &[u8]) -> Result<(), Error> {
        let width = Score::parse(width).map(Score::get).ok_or("ERR need numeric width")?;
        let height = Score::parse(height).map(Score::get).ok_or("ERR need numeric height")?;
        if width < 0.0 || height < 0.0 {
            return Err("ERR height or width cannot be negative".into());
        }
        self.unit = unit(unit_name)?;
        let metres = self.unit.metres();
        self.shape = Some(Shape::Box { width: width * metres, height: height * metres });
        self.by_box = true;
        Ok(())
    }

    /// Checks what options there are together. `name` is the command as the client spelled it.
    fn check(&self, form: Form, name: &[u8]) -> Result<(), Error> {
        if self.store.is_some() && (self.with_distance || self.with_hash || self.with_coordinates) {
            let option = if form == Form::SearchStore { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            return Err(format!("ERR {option} is not compatible with WITHDIST, WITHHASH and WITHCOORD options").into());
        }
        if matches!(form, Form::Search | Form::SearchStore) {
            if self.centre.is_none() && !self.from_member {
                return Err(quoting("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ", name, ""));
            }
            if self.shape.is_none() {
                return Err(quoting("ERR exactly one of BYRADIUS and BYBOX can be specified for ", name, ""));
            }
        }
        if self.any && self.count.is_none() {
            return Err("ERR the ANY argument requires COUNT argument".into());
        }
        Ok(())
    }

    /// Where to search; None if there is no set.
    pub fn area(&self) -> Option<Area> {
        Some(Area { centre: self.centre?, shape: self.shape? })
    }
}

fn point_of(set: &SortedSet, member: &[u8]) -> Result<Point, Error> {
    set.score(member).map(Point::of).ok_or("ERR could not decode requested zset member".into())
}
