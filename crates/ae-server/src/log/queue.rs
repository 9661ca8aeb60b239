//! The messages on their way.
//!
//! A thread of its own writes them, because a write to a pipe or a terminal that nobody reads blocks. When the queue is
//! full, messages are dropped, and their number is told in their place.

use super::target::{Level, Target, read_time_zone};
use std::fmt::Arguments;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

/// Messages that may wait for the thread.
const QUEUE: usize = 1000;
/// How long the end of the server waits for its last messages to be written.
const FLUSH: Duration = Duration::from_secs(1);

enum Message {
    Said(char, String),
    Logged(char, Level, String),
    /// From here on messages go there.
    Target(Target),
    /// Everything before this has been written when the other end is told.
    Flush(SyncSender<()>),
}

static LEAST: AtomicU8 = AtomicU8::new(Level::Notice as u8);
/// What the server is, in the letters of Redis's log: not a server yet (C), a primary (M) or a replica (S).
static ROLE: AtomicU8 = AtomicU8::new(b'C');
static QUEUED: OnceLock<SyncSender<Message>> = OnceLock::new();
/// Messages dropped since the last one that was queued.
static DROPPED: AtomicU64 = AtomicU64::new(0);

pub fn set_level(level: Level) {
    LEAST.store(level as u8, Ordering::Relaxed);
}

/// What the server is from here on.
pub fn set_role(is_replica: bool) {
    ROLE.store(if is_replica { b'S' } else { b'M' }, Ordering::Relaxed);
}

fn role() -> char {
    ROLE.load(Ordering::Relaxed).into()
}

pub fn log(level: Level, message: Arguments<'_>) {
    #[cfg(test)]
    super::heard::keep(level, message);
    if level as u8 >= LEAST.load(Ordering::Relaxed) {
        send(Message::Logged(role(), level, message.to_string()));
    }
}

/// Writes to standard output as it is, or into the log file if there is one.
pub fn say(text: String) {
    send(Message::Said(role(), text));
}

/// Logs, whatever the least level is.
pub fn say_as_line(message: String) {
    send(Message::Logged(role(), Level::Notice, message));
}

/// Says where messages go. Fails if that is a file that cannot be written.
pub fn set_target(target: Target) -> Result<(), String> {
    target.check()?;
    send(Message::Target(target));
    Ok(())
}

/// Waits until all messages have been written, unless nobody takes them.
pub fn flush() {
    let (done, written) = mpsc::sync_channel(1);
    send(Message::Flush(done));
    // An error says that it took too long, or that there is no thread to wait for.
    let _ = written.recv_timeout(FLUSH);
}

fn send(message: Message) {
    let queue = QUEUED.get_or_init(start);
    let dropped = DROPPED.swap(0, Ordering::Relaxed);
    let note =
        || Message::Logged(role(), Level::Warning, format!("{dropped} messages are missing here: nobody read them"));
    let told = dropped == 0 || queue.try_send(note()).is_ok();
    if !told || queue.try_send(message).is_err() {
        DROPPED.fetch_add(if told { 1 } else { dropped + 1 }, Ordering::Relaxed);
    }
}

fn start() -> SyncSender<Message> {
    read_time_zone();
    let (sender, receiver) = mpsc::sync_channel(QUEUE);
    // Without a thread its end of the queue is gone, and messages are dropped.
    let _ = std::thread::Builder::new().name("log".into()).spawn(move || write(&receiver));
    sender
}

fn write(messages: &Receiver<Message>) {
    let mut target = Target::default();
    for message in messages {
        match message {
            Message::Said(role, text) => target.say(role, &text),
            Message::Logged(role, level, text) => target.write(role, level, &text),
            Message::Target(new) => target = new,
            Message::Flush(done) => _ = done.try_send(()),
        }
    }
}
