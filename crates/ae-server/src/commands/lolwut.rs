//! LOLWUT: something to look at.

use crate::command::context::Context;
use crate::command::error::{NOT_AN_INTEGER, Outcome};
use crate::config::settings::REDIS_VERSION;
use resp::number;

const WIDTH: usize = 64;
const HEIGHT: usize = 16;
/// From calm water to the crest of a wave.
const SHADES: [char; 6] = [' ', '.', '-', '~', '=', '#'];

/// Waves from two stones that fell into a lake, never twice at the same places. Each VERSION is a stone more, up to 8.
pub fn lolwut(ctx: &mut Context<'_>) -> Outcome {
    let mut stones = 2;
    if ctx.is_word(1, "version") && ctx.args.len() > 2 {
        let version = number::parse(ctx.arg(2)).ok_or(NOT_AN_INTEGER)?;
        stones = version.clamp(1, 8) as usize;
        // The pictures of these versions of Redis have a size.
        let sizes = match version {
            5 => 3,
            6 => 2,
            _ => 0,
        };
        for at in (3..ctx.args.len()).take(sizes) {
            ctx.integer(at)?;
        }
    }
    let mut random = ctx.random();
    let places: Vec<(f64, f64)> = (0..stones)
        .map(|_| ((random.number() % WIDTH as u64) as f64, (random.number() % (2 * HEIGHT as u64)) as f64))
        .collect();
    let text = format!("{}\nae-server {}. Redis ver. {REDIS_VERSION}\n", water(&places), env!("CARGO_PKG_VERSION"));
    ctx.reply_text(text.as_bytes())
}

fn water(stones: &[(f64, f64)]) -> String {
    let height = |x: usize, y: usize| {
        let wave = |(at_x, at_y): &(f64, f64)| {
            // A character is twice as high as wide.
            let distance = (x as f64 - at_x).hypot(2.0 * y as f64 - at_y);
            distance.mul_add(0.8, 0.0).cos() / (1.0 + distance / 12.0)
        };
        stones.iter().map(wave).sum::<f64>() / stones.len() as f64
    };
    let shade =
        |height: f64| SHADES[((height + 1.0) / 2.0 * SHADES.len() as f64).min(SHADES.len() as f64 - 1.0) as usize];
    let line = |y: usize| -> String { (0..WIDTH).map(|x| shade(height(x, y))).collect() };
    (0..HEIGHT).map(|y| format!("{}\n", line(y).trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Session;

    #[test]
    fn waves_spread_from_the_stone() {
        let drawn = water(&[(32.0, 16.0)]);
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines.len(), HEIGHT);
        assert_eq!(lines[8].chars().nth(32), Some('#'));
        assert_eq!(lines[6], lines[10]);
        assert_ne!(water(&[(1.0, 1.0)]), drawn);
    }

    #[test]
    fn versions() {
        let mut session = Session::new();
        for line in ["LOLWUT", "LOLWUT VERSION 5 40", "LOLWUT VERSION 6 1 2 x", "LOLWUT 1 2 3"] {
            assert!(session.run(line).ends_with(&format!("Redis ver. {REDIS_VERSION}\n")), "{line}");
        }
        for line in ["LOLWUT VERSION x", "LOLWUT VERSION 5 40 10 x", "LOLWUT VERSION 6 x", "LOLWUT VERSION 6 1 x"] {
            session.expect(&[(line, "-ERR value is not an integer or out of range")]);
        }
    }

    #[test]
    fn there_is_always_a_stone() {
        let mut session = Session::new();
        for request in ["LOLWUT VERSION", "LOLWUT VERSION 0", "LOLWUT VERSION -5", "LOLWUT VERSION 99"] {
            let drawn = session.run(request);
            assert!(drawn.contains('~'), "{request}: {drawn}");
        }
    }
}
