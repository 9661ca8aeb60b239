//! Requests that took long.

use std::collections::VecDeque;

/// Arguments of a request that are kept, and bytes of each.
const ARGS_MAX: usize = 32;
const ARG_MAX: usize = 128;

/// A request that took long.
pub struct SlowRequest {
    pub id: u64,
    /// Unix time in seconds.
    pub time: i64,
    pub micros: u64,
    /// What is too long or too much is cut, and says so.
    pub args: Vec<Vec<u8>>,
    pub address: String,
    pub name: Vec<u8>,
}

/// The latest of them, the last first.
#[derive(Default)]
pub struct SlowLog {
    requests: VecDeque<SlowRequest>,
    next_id: u64,
}

impl SlowLog {
    /// Adds a request, for which `id` is found here. `max` are kept.
    pub fn add(&mut self, request: SlowRequest, max: u64) {
        self.requests.push_front(SlowRequest { id: self.next_id, ..request });
        self.next_id += 1;
        self.requests.truncate(usize::try_from(max).unwrap_or(usize::MAX));
    }

    pub fn len(&self) -> usize {
        self.requests.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &SlowRequest> {
        self.requests.iter()
    }

    pub fn clear(&mut self) {
        self.requests.clear();
    }
}

/// A request as the log keeps it.
pub fn trimmed<'a>(args: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let count = args.len();
    let whole = if count > ARGS_MAX { ARGS_MAX - 1 } else { count };
    let mut kept: Vec<Vec<u8>> = args.take(whole).map(trimmed_arg).collect();
    if count > whole {
        kept.push(format!("... ({} more arguments)", count - whole).into());
    }
    kept
}

fn trimmed_arg(arg: &[u8]) -> Vec<u8> {
    match arg.get(ARG_MAX..) {
        Some(rest) if !rest.is_empty() => {
            [&arg[..ARG_MAX], format!("... ({} more bytes)", rest.len()).as_bytes()].concat()
        }
        _ => arg.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(micros: u64) -> SlowRequest {
        SlowRequest { id: 0, time: 0, micros, args: Vec::new(), address: String::new(), name: Vec::new() }
    }

    #[test]
    fn the_latest_are_kept() {
        let mut log = SlowLog::default();
        (0..5).for_each(|micros| log.add(request(micros), 3));
        assert_eq!(log.iter().map(|slow| (slow.id, slow.micros)).collect::<Vec<_>>(), [(4, 4), (3, 3), (2, 2)]);
        log.clear();
        log.add(request(9), 3);
        assert_eq!(log.iter().map(|slow| slow.id).collect::<Vec<_>>(), [5]);
        log.add(request(9), 0);
        assert_eq!(log.len(), 0);
    }

    #[test]
    fn long_requests_are_cut() {
        let cut = |args: &[Vec<u8>]| trimmed(args.iter().map(Vec::as_slice));
        let numbers = |count: u32| (0..count).map(|i| i.to_string().into_bytes()).collect::<Vec<_>>();
        assert_eq!(cut(&numbers(32)), numbers(32));
        let many = cut(&numbers(33));
        assert_eq!((many.len(), &many[31][..]), (32, &b"... (2 more arguments)"[..]));
        assert_eq!(cut(&[vec![b'x'; 128]]), [vec![b'x'; 128]]);
        assert_eq!(cut(&[vec![b'x'; 130]]), [[&[b'x'; 128][..], b"... (2 more bytes)"].concat()]);
    }
}
