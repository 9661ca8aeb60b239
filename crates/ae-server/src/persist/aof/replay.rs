//! Loading: what the files say is done again, a bit at a time.

use super::records::{Fault, Record, Records};
use super::state::AppendOnlyFile;
use crate::acl::rights::Rights;
use crate::acl::user::User;
use crate::clients::client::Client;
use crate::clients::output::Output;
use crate::command::context::{Command, Context, Wait};
use crate::command::flag;
use crate::command::table::TABLE;
use crate::db::door::Ttl;
use crate::db::event::Event;
use crate::log::{Level, log};
use crate::persist::loader::tell_left_out;
use crate::server::state::Server;
use rdb::{FileReader, Item};
use resp::{Args, OwnedArgs};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Things done between two looks at the clock.
const STEPS: usize = 64;
/// What runs scripts and functions, or brings them. Redis up to 4 wrote scripts; later versions write what they do. If
/// one cannot be run, what it changed is missing.
const SCRIPTING: [&str; 8] = [
    "eval",
    "evalsha",
    "fcall",
    "script|load",
    "function|load",
    "function|delete",
    "function|flush",
    "function|restore",
];
/// Requests that fail are logged, up to so many.
const COMPLAINTS: usize = 10;

/// The files that are still to be loaded.
pub struct Replay {
    files: VecDeque<PathBuf>,
    current: Option<(Part, Content)>,
    client: Box<Client>,
    /// A transaction whose EXEC has not come yet.
    transaction: Option<Transaction>,
    /// Why what is loaded is not what was written.
    hole: Option<String>,
    failed: usize,
    started: Instant,
    /// When it goes on, with `key-load-delay`.
    next: Instant,
    /// How many bytes there are in all, and how many have been read.
    pub total: u64,
    pub read: u64,
}

struct Transaction {
    /// Its offset.
    begun: u64,
    /// Each with its own offset.
    requests: Vec<(u64, &'static Command, OwnedArgs)>,
}

/// A file that is being loaded.
struct Part {
    path: PathBuf,
    len: u64,
    started: Instant,
}

enum Content {
    Rdb { reader: FileReader<File>, db: usize },
    Requests(Records<File>),
}

impl Content {
    /// How far the file has been read.
    fn offset(&self) -> u64 {
        match self {
            Content::Rdb { reader, .. } => reader.offset(),
            Content::Requests(records) => records.offset(),
        }
    }
}

impl Replay {
    /// Begins to load the files that the manifest names. None if there are none. Until the end keys that have expired
    /// stay.
    pub fn begin(server: &mut Server) -> Result<Option<Replay>, String> {
        let AppendOnlyFile { folder: Some(folder), disk, .. } = &server.append_only else { return Ok(None) };
        if folder.manifest.is_empty() {
            return Ok(None);
        }
        let files: VecDeque<PathBuf> = folder.manifest.files().map(|entry| folder.path_of(entry)).collect();
        let mut total = 0;
        for path in &files {
            total += disk.len(path).map_err(|error| format!("cannot read {error}"))?;
        }
        server.append_only.loading = Some((Instant::now(), total, 0));
        server.databases.keeps_expired = true;
        server.scripting.libraries.clear();
        // In nobody's table, with every right.
        let user = Rc::new(User::new(b"default", Rights::all()));
        let mut client = Box::new(Client::new(0, None, &user, server.ticks));
        client.is_log = true;
        let started = Instant::now();
        Ok(Some(Replay {
            files,
            current: None,
            client,
            transaction: None,
            hole: None,
            failed: 0,
            started,
            next: started,
            total,
            read: 0,
        }))
    }

    /// Loads on until then. True when everything is loaded. The error is for the operator.
    pub fn step(&mut self, server: &mut Server, until: Instant) -> Result<bool, String> {
        if server.config.saving.key_load_delay > 0 && Instant::now() < self.next {
            return Ok(false);
        }
        loop {
            let Some((part, content)) = self.current.take() else {
                let Some(path) = self.files.pop_front() else {
                    self.end(server);
                    return Ok(true);
                };
                self.current = Some(Part::open(path, server)?);
                continue;
            };
            match self.go_on(server, &part, content, until)? {
                Some(content) => {
                    let read = self.read + content.offset();
                    server.append_only.loading = Some((self.started, self.total, read));
                    self.current = Some((part, content));
                    return Ok(false);
                }
                None => {
                    self.read += part.len;
                    let (path, seconds) = (part.path.display(), part.started.elapsed().as_secs_f64());
                    log(Level::Notice, format_args!("loaded {path} ({} bytes) in {seconds:.3} seconds", part.len));
                }
            }
        }
    }

    /// None when the file has been loaded.
    fn go_on(
        &mut self,
        server: &mut Server,
        part: &Part,
        mut content: Content,
        until: Instant,
    ) -> Result<Option<Content>, String> {
        loop {
            for _ in 0..STEPS {
                content = match content {
                    Content::Rdb { reader, db } => load_item(server, part, reader, db)?,
                    Content::Requests(mut records) => match self.run_record(server, &mut records, part) {
                        Ok(true) => Content::Requests(records),
                        Ok(false) => return Ok(None),
                        Err(Stop::Failed(why)) => return Err(why),
                        Err(Stop::Torn(at)) => {
                            self.cut(server, records, &part.path, at)?;
                            return Ok(None);
                        }
                    },
                };
                if let delay @ 1.. = server.config.saving.key_load_delay {
                    self.next = Instant::now() + Duration::from_micros(delay.unsigned_abs().into());
                    return Ok(Some(content));
                }
            }
            if Instant::now() >= until {
                return Ok(Some(content));
            }
        }
    }

    /// False at the end.
    fn run_record(&mut self, server: &mut Server, records: &mut Records<File>, part: &Part) -> Result<bool, Stop> {
        let path = part.path.display();
        let at = records.offset();
        match records.next() {
            Ok(Some(Record::Request(args))) => {
                let command = find(server, &args);
                let Some(command) = command.filter(|command| command.spec.fits(args.len())) else {
                    let name = String::from_utf8_lossy(&args[0]).into_owned();
                    return Err(Stop::Failed(format!(
                        "cannot load {path}: offset {at}: unknown command or wrong number of arguments: {name:.100}"
                    )));
                };
                let name = command.spec.full_name;
                self.run_request(server, command, args, at);
                match self.hole.take() {
                    None => Ok(true),
                    Some(why) => Err(Stop::Failed(format!(
                        "cannot load {path}: offset {at}: {name} fails, and what it changed would be missing: {why}"
                    ))),
                }
            }
            Ok(Some(_)) => Ok(true),
            Ok(None) => match self.transaction.take() {
                // Its end was not written.
                Some(Transaction { begun, .. }) => Err(Stop::Torn(begun)),
                None => Ok(false),
            },
            Err(Fault::Torn { at }) => {
                Err(Stop::Torn(self.transaction.take().map_or(at, |transaction| transaction.begun)))
            }
            Err(Fault::Read(error)) => Err(Stop::Failed(format!("cannot read {path}: {error}"))),
            Err(fault) => Err(Stop::Failed(format!(
                "cannot load {path}: {fault}. Make a copy of it, then try ae-check-aof --fix"
            ))),
        }
    }

    fn run_request(&mut self, server: &mut Server, command: &'static Command, args: Args<'_>, at: u64) {
        match (command.spec.full_name, &mut self.transaction) {
            ("multi", None) => self.transaction = Some(Transaction { begun: at, requests: Vec::new() }),
            ("exec", Some(_)) => {
                let Some(transaction) = self.transaction.take() else { return };
                for (at, command, args) in transaction.requests {
                    self.run(server, command, args.as_args(), at);
                }
            }
            ("discard", Some(_)) => self.transaction = None,
            (_, Some(Transaction { requests, .. })) => requests.push((at, command, args.to_owned())),
            _ => self.run(server, command, args, at),
        }
    }

    fn run(&mut self, server: &mut Server, command: &'static Command, args: Args<'_>, at: u64) {
        let spec = command.spec;
        let scripting = SCRIPTING.contains(&spec.full_name);
        let outcome = if spec.is(flag::WRITE | flag::MAY_REPLICATE) || spec.full_name == "select" || scripting {
            let client = &mut *self.client;
            server.databases.effects.begin();
            let (commands, wait) = (&TABLE, Wait::Never);
            let mut context =
                Context { server, client, args, spec, commands, wait, changed: None, still_waiting: false };
            (command.run)(&mut context)
        } else {
            // Nothing but changes is written to such a file.
            Err("ERR it changes nothing".into())
        };
        self.client.output = Output::default();
        if let Err(error) = outcome {
            if scripting {
                self.hole = Some(String::from_utf8_lossy(&error.0).into_owned());
            }
            self.failed += 1;
            if self.failed <= COMPLAINTS {
                let (name, why) = (spec.full_name, String::from_utf8_lossy(&error.0));
                log(Level::Warning, format_args!("append-only file: {name} at offset {at} is left out: {why}"));
            }
        }
    }

    /// A file ends within something: that goes, if it is the last one, and if this is all that is wrong.
    fn cut(&mut self, server: &Server, records: Records<File>, path: &Path, at: u64) -> Result<(), String> {
        let shown = path.display();
        if !self.files.is_empty() {
            return Err(format!(
                "cannot load {shown}: it ends within a request at offset {at}, and is not the last file"
            ));
        }
        if records.goes_on_behind().map_err(|error| format!("cannot read {shown}: {error}"))? {
            return Err(format!(
                "cannot load {shown}: the length of a request is wrong at offset {at}: whole ones follow. Make a copy of \
                 it, then try ae-check-aof --fix"
            ));
        }
        if !server.config.append_only.load_truncated {
            return Err(format!(
                "cannot load {shown}: it ends within a request at offset {at}. Make a copy of it, then try ae-check-aof \
                 --fix; or start with aof-load-truncated yes"
            ));
        }
        let disk = &server.append_only.disk;
        let cut = disk.len(path).and_then(|len| disk.cut(path, at).map(|()| len - at));
        let cut = cut.map_err(|error| format!("cannot cut off what is behind offset {at}: {error}"))?;
        log(
            Level::Warning,
            format_args!("{shown} ends within a request: its last {cut} bytes, from offset {at} on, have been cut off"),
        );
        Ok(())
    }

    /// Everything is as it was.
    fn end(&mut self, server: &mut Server) {
        server.databases.keeps_expired = false;
        (server.databases.dirty, server.status.saved_changes) = (0, 0);
        server.append_only.loading = None;
        let seconds = self.started.elapsed().as_secs_f64();
        let keys: usize = server.databases.iter().map(|keyspace| keyspace.len()).sum();
        log(Level::Notice, format_args!("append-only file: {keys} keys in {seconds:.3} seconds"));
        if self.failed > 0 {
            log(
                Level::Warning,
                format_args!(
                    "append-only file: {} requests have failed. They may come from another server.",
                    self.failed
                ),
            );
        }
    }
}

/// Loads the next thing of an RDB file; requests may follow it.
fn load_item(server: &mut Server, part: &Part, mut reader: FileReader<File>, mut db: usize) -> Result<Content, String> {
    let path = part.path.display();
    let at = reader.offset();
    match reader.next() {
        Ok(Item::Entry(entry)) if db < server.databases.len() => {
            let ttl = entry.deadline.map_or(Ttl::Clear, Ttl::At);
            server.databases.db(db, server.now).set(&entry.key, entry.value, ttl, Event::UNANNOUNCED);
        }
        Ok(Item::Entry(entry)) => {
            return Err(format!("cannot load {path}: offset {}: there is no database {db}", entry.offset));
        }
        Ok(Item::Database(number)) => db = usize::try_from(number).unwrap_or(usize::MAX),
        Ok(Item::Function(source)) => {
            let loaded = server.scripting.libraries.load(&source, true);
            loaded.map_err(|error| format!("cannot load {path}: offset {at}: a library of functions: {error}"))?;
        }
        Ok(Item::Aux(..) | Item::Sizes { .. }) => {}
        Ok(Item::End) => {
            tell_left_out(reader.empty());
            let at = reader.offset();
            let (rest, file) = reader.into_rest();
            return Ok(Content::Requests(Records::new(file, at, rest, part.len - at)));
        }
        Err(error) => return Err(format!("cannot load {path}: {error}")),
    }
    Ok(Content::Rdb { reader, db })
}

/// Why a file is not loaded on.
enum Stop {
    Failed(String),
    /// It ends within what begins there.
    Torn(u64),
}

impl Part {
    fn open(path: PathBuf, server: &Server) -> Result<(Part, Content), String> {
        let failed = |error| format!("cannot read {}: {error}", path.display());
        let mut file = File::open(&path).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        let mut start = Vec::new();
        (&file).take(6).read_to_end(&mut start).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let content = if rdb::is_start(&start) {
            let limits = server.config.types;
            let limits = rdb::Limits { list: limits.list, set: limits.set, hash: limits.hash, zset: limits.zset };
            Content::Rdb { reader: FileReader::new(file, limits), db: 0 }
        } else {
            Content::Requests(Records::new(file, 0, Vec::new(), len))
        };
        Ok((Part { path, len, started: Instant::now() }, content))
    }
}

/// The command of a request: by the name that clients call it by, which is what they sent, or by its own, which is what
/// the server says.
fn find(server: &Server, args: &Args<'_>) -> Option<&'static Command> {
    let name = args.get(0)?;
    let command = server.renames.own_name(name).and_then(|name| TABLE.find(name)).or_else(|| TABLE.find(name))?;
    match args.get(1) {
        Some(name) if !command.subcommands.is_empty() => command.subcommand(name),
        _ => Some(command),
    }
}

#[cfg(test)]
#[path = "replay_tests.rs"]
mod tests;
