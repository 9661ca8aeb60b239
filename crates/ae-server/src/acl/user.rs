//! A user.

use super::rights::Rights;
use std::cell::{Cell, Ref, RefCell};

/// Shared by the clients that are this user, so that a change of its rights is in force at once.
#[derive(Debug)]
pub struct User {
    pub name: Box<[u8]>,
    rights: RefCell<Rights>,
    /// What every request asks first.
    unrestricted: Cell<bool>,
    open: Cell<bool>,
}

impl User {
    pub fn new(name: &[u8], rights: Rights) -> User {
        User {
            name: name.into(),
            unrestricted: Cell::new(rights.is_unrestricted()),
            open: Cell::new(rights.is_open()),
            rights: RefCell::new(rights),
        }
    }

    pub fn rights(&self) -> Ref<'_, Rights> {
        self.rights.borrow()
    }

    pub fn set_rights(&self, rights: Rights) {
        self.unrestricted.set(rights.is_unrestricted());
        self.open.set(rights.is_open());
        self.rights.replace(rights);
    }

    /// It may do everything.
    pub fn is_unrestricted(&self) -> bool {
        self.unrestricted.get()
    }

    /// Nobody has to say who it is to be this user.
    pub fn is_open(&self) -> bool {
        self.open.get()
    }
}
