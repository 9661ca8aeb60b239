//! Who clients are, and what becomes of them when users change.

use super::state::Server;
use crate::acl::check::{Denied, check};
use crate::acl::denials::{Denial, Origin, Reason};
use crate::acl::rights::Rights;
use crate::acl::selector::{Selector, channels_allow};
use crate::acl::user::User;
use crate::acl::users_file;
use crate::clients::client::{Client, Closing};
use crate::clients::subscriptions::Kind;
use crate::command::renames::Renames;
use crate::command::spec::Spec;
use crate::config::choices::{Allowed, Channels};
use crate::config::groups::Security;
use crate::log::{Level, log};
use resp::Args;
use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;

impl Server {
    /// Takes the users and the new names of commands from the configuration. The error is one line for the operator.
    pub fn load_security(&mut self) -> Result<(), String> {
        let Security { acl_file, users, renamed, .. } = &self.config.security;
        self.renames = Renames::new(renamed)?;
        if let Some(user) = users.first()
            && !acl_file.is_empty()
        {
            return Err(format!(
                "{}: users can be either in the configuration or in the aclfile, not in both",
                user.place
            ));
        }
        self.users.load(users, self.new_users_have_all_channels())?;
        if !acl_file.is_empty() {
            let loaded = self.users_of_file();
            let users = loaded.map_err(|error| String::from_utf8_lossy(&error).into_owned())?;
            self.users.replace(users);
        }
        for user in self.users.iter().filter(|user| !user.rights().enabled) {
            let name = String::from_utf8_lossy(&user.name);
            log(Level::Notice, format_args!("the user '{name}' is disabled: its rules have no 'on'"));
        }
        Ok(())
    }

    pub fn new_users_have_all_channels(&self) -> bool {
        self.config.security.acl_pubsub_default == Channels::All
    }

    fn users_of_file(&self) -> Result<Vec<users_file::Named>, Vec<u8>> {
        let name = &self.config.security.acl_file;
        users_file::read(&self.config.path(Path::new(name)), name, self.new_users_have_all_channels())
    }

    /// Whether the client has to say who it is before anything else.
    pub fn needs_auth(&self, client: &Client) -> bool {
        !client.authenticated && !self.users.default_user().is_open()
    }

    /// The client becomes the user, if that is the user's password. Otherwise that is logged.
    pub fn authenticate(
        &mut self,
        client: &mut Client,
        (name, password): (&[u8], &[u8]),
        command: &[u8],
        origin: Origin,
    ) -> bool {
        match self.users.authenticate(name, password) {
            Some(user) => {
                client.user = user.clone();
                client.authenticated = true;
                true
            }
            None => {
                self.note_denial(client, Reason::Auth, command, name, origin);
                false
            }
        }
    }

    /// The client is again who it was when it connected.
    pub fn forget_user(&self, client: &mut Client) {
        client.user = self.users.default_user().clone();
        client.authenticated = client.user.is_open();
    }

    /// Whether a client may use DEBUG, as `enable-debug-command` says.
    pub fn may_debug(&self, client: &Client) -> Result<(), String> {
        may_use(self.config.security.debug_command, client, "debug")
    }

    /// Whether it may load modules, as `enable-module-command` says.
    pub fn may_load_modules(&self, client: &Client) -> Result<(), String> {
        may_use(self.config.security.module_command, client, "module")
    }

    /// Whether the client may do what a request asks for. If not, that is logged.
    pub fn check_rights(
        &mut self,
        client: &Client,
        spec: &Spec,
        args: &Args<'_>,
        origin: Origin,
    ) -> Result<(), Denied> {
        if client.user.is_unrestricted() {
            return Ok(());
        }
        let checked = check(&client.user.rights(), spec, args);
        if let Err(denied) = checked {
            let (reason, object) = match denied {
                Denied::Command => (Reason::Command, spec.full_name.as_bytes()),
                Denied::Key(at) => (Reason::Key, &args[at]),
                Denied::Channel(at) => (Reason::Channel, &args[at]),
            };
            self.note_denial(client, reason, object, &client.user.name, origin);
        }
        checked
    }

    fn note_denial(&mut self, client: &Client, reason: Reason, object: &[u8], user: &[u8], origin: Origin) {
        let denial = Denial {
            count: 1,
            reason,
            origin,
            object: object.into(),
            user: user.into(),
            at: self.now,
            client: client.describe(self.ticks, false, 0).into(),
        };
        self.denials.add(denial, self.config.security.acl_log_max_len);
    }

    /// Gives a user these rights, and ends the connections that have subscribed to what it may no longer.
    pub fn set_rights(&mut self, current: &mut Client, name: &[u8], rights: Rights) {
        if let Some(user) = self.users.get(name).cloned()
            && loses_channels(&user.rights(), &rights)
        {
            let lost = |client: &Client| Rc::ptr_eq(&client.user, &user) && subscribes_beyond(client, &rights);
            self.end_clients(current, lost);
        }
        self.users.set(name, rights);
    }

    /// Removes a user, and ends its connections. False if there is none.
    pub fn remove_user(&mut self, current: &mut Client, name: &[u8]) -> bool {
        let removed = self.users.remove(name);
        removed.as_ref().is_some_and(|user| {
            self.end_clients_of(current, user);
            true
        })
    }

    /// Takes the users of the file in place of all that there are, whose connections end. The error is in Redis's words.
    pub fn load_users(&mut self, current: &mut Client) -> Result<(), Vec<u8>> {
        let users = self.users_of_file()?;
        for user in self.users.replace(users) {
            self.end_clients_of(current, &user);
        }
        Ok(())
    }

    fn end_clients_of(&mut self, current: &mut Client, user: &Rc<User>) {
        self.end_clients(current, |client| Rc::ptr_eq(&client.user, user));
        if Rc::ptr_eq(&current.user, user) {
            current.user = self.users.default_user().clone();
        }
    }

    /// Ends the connections of some clients; that of the one whose request is being answered after the reply.
    fn end_clients(&mut self, current: &mut Client, which: impl Fn(&Client) -> bool) {
        let ending: Vec<_> = self.clients.iter().filter(|client| which(client)).map(Client::reference).collect();
        for reference in ending {
            if let Some(mut client) = self.clients.take_same(reference) {
                self.release(&mut client);
            }
        }
        if which(current) {
            current.closing = Closing::AfterReplies;
        }
    }
}

/// Whether a client may use a command that a directive of its own allows.
fn may_use(allowed: Allowed, client: &Client, command: &str) -> Result<(), String> {
    if allowed.allows(client.is_local()) {
        return Ok(());
    }
    let upper = command.to_uppercase();
    Err(format!(
        "ERR {upper} command not allowed. If the enable-{command}-command option is set to \"local\", you can run it from \
         a local connection, otherwise you need to set this option in the configuration file, and then restart the server."
    ))
}

/// Whether there may be a channel that the new rights no longer allow.
fn loses_channels(old: &Rights, new: &Rights) -> bool {
    if new.selectors.iter().any(|selector| selector.all_channels) {
        return false;
    }
    let kept: HashSet<_> = new.selectors.iter().flat_map(|selector| &selector.channels).collect();
    let loses =
        |selector: &Selector| selector.all_channels || selector.channels.iter().any(|channel| !kept.contains(channel));
    old.selectors.iter().any(loses)
}

/// Whether a client has subscribed to what these rights do not allow.
fn subscribes_beyond(client: &Client, rights: &Rights) -> bool {
    let Some(own) = &client.subscriptions else { return false };
    [Kind::Channel, Kind::Pattern, Kind::Shard].into_iter().any(|kind| {
        let allowed = || rights.selectors.iter().flat_map(|selector| &selector.channels);
        own.names(kind).any(|name| !channels_allow(allowed(), name, kind == Kind::Pattern))
    })
}
