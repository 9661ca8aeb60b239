//! Where a snapshot goes.

/// Takes the bytes of a snapshot: a file, a socket, several sockets.
pub trait Sink {
    /// How many more bytes it wants now. The snapshot waits at 0, and is asked again in the loop's next round.
    fn room(&self) -> usize;

    /// Takes bytes, the next ones in order. There may be more than it wants: what is about to change cannot wait.
    fn write(&mut self, bytes: Vec<u8>);

    /// There are no more.
    fn finish(&mut self);

    /// How it ended: after [`Sink::finish`] when everything is where it belongs, or as soon as it has failed.
    fn outcome(&mut self) -> Option<Result<(), String>>;

    /// It is given up, before it has ended. Returns when nothing of it is left behind.
    fn abandon(self: Box<Self>) {}
}
