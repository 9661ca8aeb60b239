//! Which entries a snapshot under way still has to save.
//!
//! A walk in the order of ids saves what it meets. An entry that is about to change or to go is saved before its turn,
//! and a bit remembers that; so it does for an entry that is new since the beginning. Whatever is behind the walk, or
//! got an id beyond those of the beginning, needs no bit. Nothing has to be cleared when a snapshot begins or ends, or is
//! given up in the middle.

const WORD: u32 = u64::BITS;
/// Ids whose bits are in one piece of memory, which is there from the first bit until the walk has passed it.
const PIECE: u32 = 1 << 15;

type Piece = Box<[u64; (PIECE / WORD) as usize]>;

pub struct Snapshot {
    /// The walk's place: every entry with an id below has been saved, or is new.
    next: u32,
    /// Above the ids there were at the beginning.
    end: u32,
    /// Those saved out of turn.
    saved: Vec<Option<Piece>>,
}

impl Snapshot {
    /// Of entries with ids below `end`.
    pub fn new(end: u32) -> Snapshot {
        Snapshot { next: 0, end, saved: (0..end.div_ceil(PIECE)).map(|_| None).collect() }
    }

    /// Whether an entry with this id has still to be saved.
    pub fn is_unsaved(&self, id: u32) -> bool {
        (self.next..self.end).contains(&id) && !self.has_bit(id)
    }

    /// The entry with this id has been saved, or is new.
    pub fn mark_saved(&mut self, id: u32) {
        if (self.next..self.end).contains(&id) {
            let piece = self.saved[(id / PIECE) as usize].get_or_insert_with(|| Box::new([0; _]));
            piece[(id % PIECE / WORD) as usize] |= 1 << (id % WORD);
        }
    }

    /// The next id in the walk, and whether such an entry, if there is one, was unsaved. It is saved from now on.
    pub fn walk(&mut self) -> Option<(u32, bool)> {
        let id = self.next;
        if id >= self.end {
            return None;
        }
        let is_unsaved = !self.has_bit(id);
        self.next += 1;
        if self.next.is_multiple_of(PIECE) {
            self.saved[(id / PIECE) as usize] = None;
        }
        Some((id, is_unsaved))
    }

    /// There are no entries with ids from the walk's place up to another one.
    pub fn skip_to(&mut self, id: u32) {
        while self.next < id {
            let piece = self.next / PIECE;
            self.next = id.min((piece + 1) * PIECE);
            if self.next.is_multiple_of(PIECE) {
                self.saved[piece as usize] = None;
            }
        }
    }

    pub fn is_done(&self) -> bool {
        self.next >= self.end
    }

    fn has_bit(&self, id: u32) -> bool {
        let piece = self.saved[(id / PIECE) as usize].as_ref();
        piece.is_some_and(|piece| piece[(id % PIECE / WORD) as usize] >> (id % WORD) & 1 == 1)
    }
}
