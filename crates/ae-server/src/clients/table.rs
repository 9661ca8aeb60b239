//! Where the server finds its clients.

use super::client::{Client, ClientRef};
use super::queue::Queue;
use std::os::fd::RawFd;

/// The clients by descriptor. One whose event is being handled is out of the table until that is done, so that its
/// commands can have both it and the server.
pub struct Clients {
    by_fd: Vec<Option<Box<Client>>>,
    next_id: u64,
    count: usize,
    /// Those with replies to be written before the loop sleeps.
    pub queue: Queue,
    /// Those whose requests go on: they no longer wait for a key.
    pub unblocked: Vec<ClientRef>,
    /// Memory of all clients that is counted, each as of when it was put back; None as long as nobody wants to know.
    memory: Option<usize>,
}

impl Clients {
    pub fn new() -> Clients {
        Clients {
            by_fd: Vec::new(),
            next_id: 1,
            count: 0,
            queue: Queue::default(),
            unblocked: Vec::new(),
            memory: None,
        }
    }

    /// How many are connected, with the one that is out of the table.
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    pub fn add(&mut self, client: Box<Client>) {
        self.count += 1;
        self.put_back(client);
    }

    /// Takes a client out while an event of it is handled; then it is [`put_back`](Self::put_back) or
    /// [`forgotten`](Self::forget).
    pub fn take(&mut self, fd: RawFd) -> Option<Box<Client>> {
        self.by_fd.get_mut(usize::try_from(fd).ok()?)?.take()
    }

    pub fn put_back(&mut self, mut client: Box<Client>) {
        let Ok(fd) = usize::try_from(client.fd()) else { return };
        if let Some(memory) = &mut self.memory {
            let now = counted(&client);
            *memory = *memory + now - client.measured;
            client.measured = now;
        }
        if fd >= self.by_fd.len() {
            self.by_fd.resize_with(fd + 1, || None);
        }
        self.by_fd[fd] = Some(client);
    }

    /// Ends a client that was taken out.
    pub fn forget(&mut self, client: &Client) {
        self.count -= 1;
        if let Some(memory) = &mut self.memory {
            *memory -= client.measured;
        }
        if let Some(conn) = &client.conn {
            conn.close();
        }
    }

    /// Ends every client in the table.
    pub fn forget_all(&mut self) {
        for fd in 0..self.by_fd.len() {
            if let Some(client) = self.by_fd[fd].take() {
                self.forget(&client);
            }
        }
    }

    /// As [`Clients::take`], if it is still the same.
    pub fn take_same(&mut self, client: ClientRef) -> Option<Box<Client>> {
        let same = self.get(client.fd).is_some_and(|other| other.id == client.id);
        if same { self.take(client.fd) } else { None }
    }

    /// A client in the table, if it is still the same.
    pub fn get_same(&mut self, client: ClientRef) -> Option<&mut Client> {
        let slot = self.by_fd.get_mut(usize::try_from(client.fd).ok()?)?;
        slot.as_deref_mut().filter(|other| other.id == client.id)
    }

    /// Something has been added to the output of a client in the table: it is sent before the loop sleeps.
    pub fn wants_to_send(&mut self, client: ClientRef) {
        let Clients { by_fd, queue, .. } = self;
        let slot = usize::try_from(client.fd).ok().and_then(|fd| by_fd.get_mut(fd)).and_then(Option::as_deref_mut);
        if let Some(client) = slot.filter(|other| other.id == client.id) {
            queue.add(client);
        }
    }

    pub fn get(&self, fd: RawFd) -> Option<&Client> {
        self.by_fd.get(usize::try_from(fd).ok()?)?.as_deref()
    }

    /// Memory of all clients together but replicas and the primary, which is counted from the first call on. All of
    /// them are in the table.
    pub fn memory(&mut self) -> usize {
        if let Some(memory) = self.memory {
            return memory;
        }
        let all = self.iter_mut().map(|client| {
            client.measured = counted(client);
            client.measured
        });
        let memory = all.sum();
        self.memory = Some(memory);
        memory
    }

    /// Nobody wants to know their memory any more.
    pub fn forget_memory(&mut self) {
        self.memory = None;
    }

    /// Every client in the table.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Client> {
        self.by_fd.iter_mut().flatten().map(|client| &mut **client)
    }

    /// Every client in the table.
    pub fn iter(&self) -> impl Iterator<Item = &Client> {
        self.by_fd.iter().flatten().map(|client| &**client)
    }
}

/// What counts of a client's memory: nobody is closed for what a replica or the primary needs.
fn counted(client: &Client) -> usize {
    if client.is_primary || client.is_replica() { 0 } else { client.memory() }
}

#[cfg(test)]
mod tests {
    use crate::clients::client::ClientRef;
    use crate::testing::Session;

    #[test]
    fn a_client_that_has_gone_is_not_the_next_one_with_its_descriptor() {
        let mut session = Session::new();
        let other = session.other();
        let gone = ClientRef { id: other.id + 100, ..other };
        session.server.clients.wants_to_send(gone);
        assert!(session.server.clients.get_same(gone).is_none() && session.server.clients.take_same(gone).is_none());
        let found = session.server.clients.get_same(other).map(|client| (client.id, client.queued));
        assert_eq!(found, Some((other.id, false)));
    }

    #[test]
    fn what_clients_ask_for_counts_as_their_memory() {
        let mut session = Session::new();
        session.run("HELLO 3");
        let mut other = session.other();
        session.run_as(&mut other, "HELLO 3");
        let before = session.server.clients.memory();
        for (line, least) in [
            ("WATCH", 10 + 24),
            ("SUBSCRIBE", 32),
            ("PSUBSCRIBE", 32),
            ("SSUBSCRIBE", 32),
            ("CLIENT TRACKING ON BCAST PREFIX", 10 + 16),
            ("CLIENT TRACKING ON BCAST PREFIX", 10 + 16),
        ] {
            let before = session.server.clients.memory();
            for _ in 0..100 {
                let name = session.server.databases.random.number() % 1_000_000_000;
                session.run_as(&mut other, &format!("{line} {name:010}"));
                session.received(&mut other);
            }
            let grown = session.server.clients.memory() - before;
            assert!((100 * least..200 * least + 1000).contains(&grown), "{line}: {grown}");
        }
        let mut client = session.server.clients.take_same(other).unwrap();
        session.server.release(&mut client);
        assert!(session.server.clients.memory() < before);
    }
}
