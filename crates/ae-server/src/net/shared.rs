//! Who has the server while an event is handled, also in the midst of another one.

use super::state::Net;
use crate::config::settings::Config;
use crate::log::{Level, log};
use crate::server::state::{ServeOthers, Server};
use ae::EventLoop;
use std::cell::RefCell;
use std::rc::Rc;

/// The server with what its input and output need, for handlers of events.
#[derive(Clone)]
pub struct Shared {
    /// Who usually has it.
    pub net: Rc<RefCell<Net>>,
    /// Who has it while a script runs in one of `net`'s events.
    others: Rc<RefCell<Net>>,
}

impl Shared {
    pub fn new(config: Config) -> Shared {
        let (net, others) = (Net::new(config), Net::new(Config::default()));
        Shared { net: Rc::new(RefCell::new(net)), others: Rc::new(RefCell::new(others)) }
    }

    /// Has a client's event handled by who has the server.
    pub fn with(&self, handle: impl FnOnce(&mut Net)) {
        match self.net.try_borrow_mut() {
            Ok(mut net) => handle(&mut net),
            Err(_) => handle(&mut self.others.borrow_mut()),
        }
    }

    /// Has clients served while scripts run.
    pub fn serve_during_scripts(&self, el: &EventLoop) {
        let mut net = self.net.borrow_mut();
        self.others.borrow_mut().handlers = net.handlers.clone();
        net.server.others = Some(Box::new(DuringScripts { el: el.clone(), others: self.others.clone() }));
    }

    /// Clients that came during a script are looked after as others are.
    pub fn take_over(&self, net: &mut Net) {
        let mut others = self.others.borrow_mut();
        net.idle.take_over(&mut others.idle);
        net.unread.append(&mut others.unread);
    }

    /// Afterwards nothing refers to this.
    pub fn close(&self) {
        self.net.borrow_mut().close();
        self.others.borrow_mut().close();
    }
}

struct DuringScripts {
    el: EventLoop,
    others: Rc<RefCell<Net>>,
}

impl ServeOthers for DuringScripts {
    fn serve(&mut self, server: &mut Server) {
        std::mem::swap(&mut self.others.borrow_mut().server, server);
        if let Err(error) = self.el.poll_files() {
            log(Level::Warning, format_args!("cannot serve clients while a script runs: {error}"));
        }
        let mut others = self.others.borrow_mut();
        others.write_queued();
        std::mem::swap(&mut others.server, server);
    }
}
