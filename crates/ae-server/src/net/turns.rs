//! A server of tests whose loop turns only when the test says so.

use super::background::listen_to_threads;
use super::events;
use super::shared::Shared;
use super::state::Net;
use crate::clients::client::Client;
use crate::config::choices::Allowed;
use crate::config::settings::Config;
use ae::{EventLoop, Listener};
use std::cell::{Ref, RefMut};
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;
use testkit::LocalClient;

/// It has no cron, and listens on a Unix socket: what a client has sent is there at once.
pub struct Turns {
    pub el: EventLoop,
    pub shared: Shared,
    folder: TempDir,
    _listener: Listener,
}

impl Turns {
    /// A server that is loading what there is in its folder, if `change` puts something there.
    pub fn new(change: impl FnOnce(&mut Config, &Path)) -> Turns {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { dir: Some(folder.path().into()), ..Config::default() };
        config.saving.points.clear();
        config.security.debug_command = Allowed::Yes;
        change(&mut config, folder.path());
        let el = EventLoop::new(1000).unwrap();
        let shared = events::open(&el, config);
        listen_to_threads(&el, &shared.net).unwrap();
        let listener = Listener::unix(&el, &folder.path().join("socket"), None, 10).unwrap();
        let accepts = shared.clone();
        listener.on_accept(10, move |conn, peer| accepts.with(|net| net.on_accept(conn, peer))).unwrap();
        shared.net.borrow_mut().begin_start().unwrap();
        Turns { el, shared, folder, _listener: listener }
    }

    pub fn net(&self) -> RefMut<'_, Net> {
        self.shared.net.borrow_mut()
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A client that does not wait for what comes.
    pub fn connect(&self) -> LocalClient {
        let client = LocalClient::connect(&self.path().join("socket"));
        self.handle();
        client
    }

    /// A client whose socket takes more at once, by TCP.
    pub fn connect_by_tcp(&self) -> testkit::Client {
        let listener = Listener::tcp(&self.el, &["127.0.0.1"], 0, 10).unwrap();
        let accepts = self.shared.clone();
        listener.on_accept(10, move |conn, peer| accepts.with(|net| net.on_accept(conn, peer))).unwrap();
        let before = self.net().server.stats.connections;
        let client = testkit::Client::to(listener.local_addrs()[0]);
        while self.net().server.stats.connections == before {
            self.handle();
        }
        client
    }

    /// What the server knows of the client that was the last to come.
    pub fn last_client(&self) -> Ref<'_, Client> {
        let net = self.shared.net.borrow();
        Ref::map(net, |net| net.server.clients.iter().max_by_key(|client| client.id).unwrap())
    }

    pub fn change_last_client(&self, change: impl FnOnce(&mut Client)) {
        change(self.net().server.clients.iter_mut().max_by_key(|client| client.id).unwrap());
    }

    /// Handles what has come.
    pub fn handle(&self) {
        self.el.poll_files().unwrap();
    }

    /// Does what comes before a sleep. True if the loop is not to sleep.
    pub fn before_sleep(&self) -> bool {
        self.net().before_sleep(&self.el);
        self.el.timeout().is_some_and(|timeout| timeout.is_zero())
    }

    /// Has the requests of a client handled, in one turn; what it has received at its end.
    pub fn ask(&self, client: &mut LocalClient, requests: &str) -> String {
        client.write_all(format!("{requests}\r\n").as_bytes()).unwrap();
        self.handle();
        self.before_sleep();
        client.received()
    }

    /// The append-only file with its parts.
    pub fn log(&self) -> String {
        let mut text = String::new();
        for file in std::fs::read_dir(self.path().join("appendonlydir")).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            write!(text, "{}", String::from_utf8_lossy(&bytes)).unwrap();
        }
        text
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        self.shared.close();
    }
}
