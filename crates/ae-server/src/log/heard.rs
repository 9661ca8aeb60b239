//! What tests hear of the log: each what its own thread has logged, of every level.

use super::Level;
use std::cell::RefCell;
use std::fmt::Arguments;

thread_local! {
    static KEPT: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

pub fn keep(level: Level, message: Arguments<'_>) {
    KEPT.with_borrow_mut(|kept| kept.push((level, message.to_string())));
}

/// What has been logged since the last call.
pub fn take() -> Vec<(Level, String)> {
    KEPT.take()
}

/// Goes on to what has been logged at this level and has this in it.
#[track_caller]
pub fn told(level: Level, part: &str) {
    let kept = take();
    let found = kept.iter().position(|(at, text)| *at == level && text.contains(part));
    let Some(found) = found else { panic!("'{part}' is not among {kept:?}") };
    KEPT.set(kept.into_iter().skip(found + 1).collect());
}

/// That these have been logged, alone at their level, since the last call.
#[track_caller]
pub fn expect(level: Level, messages: &[impl AsRef<str>]) {
    let of_level: Vec<String> = take().into_iter().filter(|(at, _)| *at == level).map(|(_, text)| text).collect();
    assert_eq!(of_level, messages.iter().map(AsRef::as_ref).collect::<Vec<_>>());
}
