//! The loop's events, and those of its connections, as calls of [`Net`]'s functions.

use super::shared::Shared;
use super::state::{Handlers, Net};
use crate::config::settings::Config;
use crate::log::{Level, log};
use crate::server::targets::Targets;
use ae::{Connection, EventLoop};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A server that is ready for connections.
pub fn open(el: &EventLoop, config: Config) -> Shared {
    let shared = Shared::new(config);
    let (reader, writer) = (shared.clone(), shared.clone());
    shared.net.borrow_mut().handle = Rc::downgrade(&shared.net);
    shared.net.borrow_mut().handlers = Some(Handlers {
        read: Rc::new(move |conn: &Connection| reader.with(|net| net.on_readable(conn))),
        write: Rc::new(move |conn: &Connection| writer.with(|net| net.on_writable(conn))),
    });
    shared.serve_during_scripts(el);
    shared
}

impl Net {
    /// What comes before each sleep: the replies, then expiry.
    pub fn before_sleep(&mut self, el: &EventLoop) {
        self.server.clock.pass();
        self.end_waiting(el);
        self.server.tell_broadcasts();
        let loads = self.replicate(el);
        self.server.flush_log();
        self.server.begin_scheduled_rewrite();
        self.reload_log();
        self.write_queued();
        self.server.finish_copies();
        if let Some(size) = self.server.wanted_set_size.take()
            && let Err(error) = el.resize(size)
        {
            log(Level::Warning, format_args!("cannot make room for {size} descriptors: {error}"));
        }
        if self.server.shutdown && !self.server.waits_for_replicas() {
            // Without waiting: nothing else may happen that would wake the loop.
            el.set_dont_wait(true);
            el.stop();
            return;
        }
        self.server.expire();
        // At once: what has expired would be told with the next event only.
        self.server.feed_replicas();
        self.server.flush_log();
        // Some may have been told of what expired, and replicas may have got all of their copies.
        self.write_queued();
        // Of those that others have sent to.
        self.close_large();
        let busy = self.advance_background(el) | self.server.advance_copies();
        let active = std::mem::take(&mut self.active);
        let polls = self.server.config.busy_poll && self.spin.goes_on(active, Instant::now);
        el.set_dont_wait(busy || polls || loads);
    }

    /// What there is to do for replicas and with the primary before replies are written. True if the loop must not sleep.
    fn replicate(&mut self, el: &EventLoop) -> bool {
        let loads = self.drive_primary(el);
        self.server.advance_failover();
        self.server.ask_for_acks();
        self.server.feed_replicas();
        self.server.start_copies();
        loads
    }

    /// Returns when it wants to run again.
    pub fn cron(&mut self) -> Duration {
        let next = self.server.cron();
        self.look_after_replication();
        self.close_slow();
        let (ticks, timeout) = (self.server.ticks, self.server.config.timeout);
        for (fd, id) in self.idle.due(&self.server.clients, ticks, timeout) {
            if let Some(client) = self.server.clients.take(fd) {
                log(Level::Verbose, format_args!("closed idle client {id}"));
                self.end(client);
            }
        }
        for fd in self.unread.gone(&self.server.clients, ticks) {
            if let Some(client) = self.server.clients.take(fd) {
                log(Level::Verbose, format_args!("closed {}: it took no replies and had closed", client.peer_addr()));
                self.end(client);
            }
        }
        next
    }

    /// Once a second: replicas that are lost, and telling the primary how far this replica is.
    fn look_after_replication(&mut self) {
        for lost in self.server.look_after_replicas() {
            if let Some(client) = self.server.clients.take_same(lost) {
                log(
                    Level::Warning,
                    format_args!("closed the replica {}: not heard of for too long", client.peer_addr()),
                );
                self.end(client);
            }
        }
    }

    /// Closes all connections. Afterwards nothing refers to this.
    pub fn close(&mut self) {
        if !self.server.finish_log() {
            log(Level::Warning, format_args!("append-only file: the last changes could not be written"));
            // It is said once.
            self.server.append_only.log = None;
        }
        self.write_queued();
        self.handlers = None;
        self.server.listeners = None;
        self.server.others = None;
        self.server.el = None;
        self.server.targets = Targets::default();
        self.primary = None;
        self.server.clients.forget_all();
    }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
