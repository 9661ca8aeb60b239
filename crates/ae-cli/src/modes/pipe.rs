//! `--pipe`: sends standard input, which is in the protocol already, and counts the replies.

use crate::net::Link;
use crate::output::{Stop, complain, fail, put};
use crate::session::Session;
use crate::text::system_error;
use resp::Reply;
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// How much is read of standard input at a time.
const CHUNK: usize = 128 * 1024;

/// Sends it all, and waits for the reply to a last ECHO, by which it knows that nothing is missing.
pub fn run(session: &mut Session) -> Result<(), Stop> {
    let timeout = session.options.pipe_timeout;
    let link = session.require()?;
    let mut counts = Counts::default();
    let mut input = io::stdin().lock();
    let mut chunk = vec![0; CHUNK];
    loop {
        match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(len) => link.queue_bytes(&chunk[..len]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return fail(format!("Error reading from stdin: {}", system_error(&error))),
        }
        // What has been answered is read while the rest is sent, so that neither side waits for the other.
        let sent = link.flush().and_then(|()| link.poll());
        sent.or_else(|error| fail(format!("Error writing to the server: {error}")))?;
        counts.take(link, None)?;
    }
    let mark = mark();
    // Behind garbage a line end lets the server find this one.
    link.queue_bytes(b"\r\n");
    link.queue(&[b"ECHO".as_slice(), &mark]);
    put("All data transferred. Waiting for the last reply...\n")?;
    link.flush().or_else(|error| fail(format!("Error writing to the server: {error}")))?;
    counts.finish(link, &mark, timeout)?;
    put(format!("errors: {}, replies: {}\n", counts.errors, counts.replies))?;
    if counts.errors > 0 { Err(Stop(1)) } else { Ok(()) }
}

#[derive(Default)]
struct Counts {
    errors: u64,
    replies: u64,
}

impl Counts {
    /// Counts the replies that are there; true if the last is among them.
    fn take(&mut self, link: &mut Link, last: Option<&[u8]>) -> Result<bool, Stop> {
        while let Some(reply) = link.received().or_else(|_| fail("Error reading replies from server"))? {
            match &reply {
                Reply::Push(_) => continue,
                Reply::Error(text) => {
                    complain(text);
                    self.errors += 1;
                }
                Reply::Bulk(text) if last.is_some_and(|last| text == last) => {
                    put("Last reply received from server.\n")?;
                    return Ok(true);
                }
                _ => {}
            }
            self.replies += 1;
        }
        Ok(false)
    }

    fn finish(&mut self, link: &mut Link, mark: &[u8], timeout: Option<Duration>) -> Result<(), Stop> {
        let mut heard = Instant::now();
        loop {
            let before = self.replies;
            if self.take(link, Some(mark))? {
                return Ok(());
            }
            if self.replies > before {
                heard = Instant::now();
            }
            let left = timeout.map(|timeout| timeout.saturating_sub(heard.elapsed()));
            if left.is_some_and(|left| left.is_zero()) {
                let seconds = timeout.unwrap_or_default().as_secs();
                complain(format!("No replies for {seconds} seconds: exiting."));
                self.errors += 1;
                return Ok(());
            }
            link.fill(left).or_else(|_| fail("Error reading replies from server"))?;
        }
    }
}

/// Twenty bytes that no reply has by chance.
fn mark() -> [u8; 20] {
    let mut mark = [0; 20];
    // Without randomness they are still unlikely.
    let _ = getrandom::fill(&mut mark);
    mark
}
