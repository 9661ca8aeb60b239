//! `--latency-dist`: round trips as a spectrum, for terminals with 256 colours.

use super::latency::PAUSE;
use crate::output::{Stop, put};
use crate::session::Session;
use std::thread;
use std::time::{Duration, Instant};

/// Up to how many microseconds a class goes, and its letter. What takes longer is in a class of its own.
const CLASSES: [(u128, char); 30] = [
    (10, '.'),
    (125, '-'),
    (250, '*'),
    (500, '#'),
    (1_000, '1'),
    (2_000, '2'),
    (3_000, '3'),
    (4_000, '4'),
    (5_000, '5'),
    (6_000, '6'),
    (7_000, '7'),
    (8_000, '8'),
    (9_000, '9'),
    (10_000, 'A'),
    (20_000, 'B'),
    (30_000, 'C'),
    (40_000, 'D'),
    (50_000, 'E'),
    (100_000, 'F'),
    (200_000, 'G'),
    (300_000, 'H'),
    (400_000, 'I'),
    (500_000, 'J'),
    (1_000_000, 'K'),
    (2_000_000, 'L'),
    (4_000_000, 'M'),
    (8_000_000, 'N'),
    (16_000_000, 'O'),
    (30_000_000, 'P'),
    (60_000_000, 'Q'),
];
const SLOWER: char = '?';
const COLOURS: [u8; 19] = [0, 233, 234, 235, 237, 239, 241, 243, 245, 247, 144, 143, 142, 184, 226, 214, 208, 202, 196];
const GREYS: [u8; 13] = [0, 233, 234, 235, 237, 239, 241, 243, 245, 247, 249, 251, 253];
const INTERVAL: Duration = Duration::from_secs(1);
/// So many lines stand below the legend.
const LINES: u64 = 20;

pub(super) fn run(session: &mut Session) -> Result<(), Stop> {
    let interval = Some(session.options.interval).filter(|time| !time.is_zero()).unwrap_or(INTERVAL);
    let palette = if session.options.mono { &GREYS[..] } else { &COLOURS[..] };
    session.require()?;
    for line in 0u64.. {
        let (mut counts, begun) = ([0; CLASSES.len() + 1], Instant::now());
        while begun.elapsed() <= interval {
            let start = Instant::now();
            session.insist(&["PING"])?;
            counts[class(start.elapsed().as_micros())] += 1;
            thread::sleep(PAUSE);
        }
        if line % LINES == 0 {
            put(legend(palette))?;
        }
        put(spectrum(&counts, palette))?;
    }
    Ok(())
}

fn class(microseconds: u128) -> usize {
    CLASSES.iter().position(|(most, _)| microseconds <= *most).unwrap_or(CLASSES.len())
}

/// Each class in a colour that tells its share.
fn spectrum(counts: &[u64], palette: &[u8]) -> String {
    let total: u64 = counts.iter().sum();
    let mut text = "\x1b[38;5;0m".to_string();
    let letters = CLASSES.iter().map(|(_, letter)| *letter).chain([SLOWER]);
    for (letter, count) in letters.zip(counts) {
        let share = *count as f64 / total.max(1) as f64;
        let colour = palette[(share * (palette.len() - 1) as f64).ceil() as usize];
        text.push_str(&format!("\x1b[48;5;{colour}m{letter}"));
    }
    text + "\x1b[0m\n"
}

fn legend(palette: &[u8]) -> String {
    let rule = "-".repeat(45);
    let shades: String = palette.iter().map(|colour| format!("\x1b[48;5;{colour}m ")).collect();
    format!(
        "{rule}\n. - * #          .01 .125 .25 .5 milliseconds\n1,2,3,...,9      from 1 to 9     milliseconds\n\
         A,B,C,D,E        10,20,30,40,50  milliseconds\nF,G,H,I,J        .1,.2,.3,.4,.5       seconds\n\
         K,L,M,N,O,P,Q,?  1,2,4,8,16,30,60,>60 seconds\nFrom 0 to 100%: {shades}\x1b[0m\n{rule}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_has_a_class() {
        for (microseconds, letter) in [(0, '.'), (11, '-'), (10_000, 'A'), (60_000_000, 'Q')] {
            assert_eq!(CLASSES[class(microseconds)].1, letter);
        }
        assert_eq!(class(60_000_001), CLASSES.len());
    }

    #[test]
    fn colours_tell_shares() {
        let mut counts = [0; CLASSES.len() + 1];
        counts[0] = 1;
        counts[CLASSES.len()] = 1;
        let text = spectrum(&counts, &GREYS);
        assert!(text.contains("\x1b[48;5;241m.") && text.ends_with("\x1b[48;5;241m?\x1b[0m\n"), "{text:?}");
    }
}
