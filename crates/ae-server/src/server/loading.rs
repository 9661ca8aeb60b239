//! Loading everything from a file or a stream, in slices between requests.

use super::state::Server;
pub use super::state::WhenLoaded;
use super::streams::Framing;
use super::under_way::Loading;
pub use super::under_way::{LoadOptions, LoadedFile};
use crate::db::discard::discard;
use crate::db::load::Misfit;
use crate::log::{Level, log};
use crate::persist::loader::{Loaded, Loader, tell_left_out};
use crate::scripting::libraries::Policy;
use rdb::{FileReader, Item, ReadEntry};
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};
use store::{Keyspace, has_expired};

/// How long one slice may take, and how many entries are between two looks at the clock.
const SLICE: Duration = Duration::from_millis(2);
const BATCH: u32 = 64;
/// A file may say that it has one key for so many bytes; buckets for more are made when the keys are there.
const EXPECTED_ENTRY: u64 = 16;
/// How often the log says how far it is.
const REPORT_EVERY: Duration = Duration::from_secs(1);

fn misfit_text(misfit: Misfit, entry_offset: u64) -> String {
    match misfit {
        Misfit::NoSuchDatabase => format!("more databases than are configured, at byte {entry_offset}"),
        Misfit::Duplicate => format!("duplicated key, at byte {entry_offset}"),
    }
}

impl Server {
    /// Whether the data are not there yet, so that most requests are refused.
    pub fn is_loading(&self) -> bool {
        self.status.starting || self.loading.as_ref().is_some_and(|loading| !loading.is_aside())
    }

    /// Whether data are loaded aside.
    pub fn is_loading_aside(&self) -> bool {
        self.loading.as_ref().is_some_and(Loading::is_aside)
    }

    /// Begins to load a file. `done` is called when that has ended, but not before this has returned.
    pub fn begin_loading_file(&mut self, path: &Path, options: LoadOptions, done: WhenLoaded) -> std::io::Result<()> {
        let loader = Loader::of_file(path, self.rdb_limits(), self.waker.clone())?;
        self.begin_loading(loader, options, done);
        Ok(())
    }

    /// Begins to load what [`Server::feed_loading`] is given.
    pub fn begin_loading_stream(&mut self, options: LoadOptions, done: WhenLoaded) -> std::io::Result<()> {
        let loader = Loader::of_stream(self.rdb_limits(), self.waker.clone())?;
        self.begin_loading(loader, options, done);
        Ok(())
    }

    fn begin_loading(&mut self, loader: Loader, options: LoadOptions, done: WhenLoaded) {
        let count = if options.aside { self.databases.len() } else { 0 };
        let now = Instant::now();
        self.loading = Some(Loading {
            loader,
            options,
            aside: (0..count).map(|_| Keyspace::new()).collect(),
            done,
            file: LoadedFile::default(),
            functions: Vec::new(),
            expired: 0,
            loaded: 0,
            started: now,
            reported: now,
            next: now,
        });
    }

    /// The next bytes of the stream that is being loaded.
    pub fn feed_loading(&mut self, bytes: Vec<u8>) {
        if let Some(loading) = &mut self.loading {
            loading.loader.feed(bytes);
        }
    }

    /// How many more bytes of the stream are wanted now.
    pub fn loading_room(&self) -> usize {
        self.loading.as_ref().map_or(0, |loading| loading.loader.room())
    }

    /// There are no more: if the file is not complete, loading fails.
    pub fn end_loading_stream(&mut self) {
        if let Some(loading) = &mut self.loading {
            loading.loader.end_stream();
        }
    }

    /// Stops loading; nobody is told. What was not put aside stays.
    pub fn cancel_loading(&mut self) {
        if let Some(loading) = self.loading.take() {
            discard(loading.aside, true);
        }
    }

    pub fn rdb_limits(&self) -> rdb::Limits {
        let types = self.config.types;
        rdb::Limits { list: types.list, set: types.set, hash: types.hash, zset: types.zset }
    }

    /// Goes on with what is being loaded, for a bounded time. True if it wants to go on at once.
    pub fn advance_loading(&mut self) -> bool {
        let Some(mut loading) = self.loading.take() else { return false };
        self.read_clock();
        let (start, mut count) = (Instant::now(), 0u32);
        let delay = u64::try_from(self.config.saving.key_load_delay).unwrap_or(0);
        if loading.reported.elapsed() >= REPORT_EVERY {
            loading.reported = start;
            report(&loading);
        }
        loop {
            if delay > 0 && Instant::now() < loading.next {
                self.loading = Some(loading);
                return false;
            }
            let Some(next) = loading.loader.next() else {
                self.loading = Some(loading);
                return false;
            };
            if delay > 0 {
                loading.next = Instant::now() + Duration::from_micros(delay);
            }
            match next {
                Loaded::Aux(name, value) => self.note_aux(&mut loading, name, value),
                Loaded::Keys(db, keys) => self.expect_keys(&mut loading, db, keys),
                Loaded::Function(at, source) => loading.functions.push((at, source)),
                Loaded::Entry(db, entry) => {
                    let offset = entry.offset;
                    if let Err(misfit) = self.take_entry(&mut loading, db, entry) {
                        self.finish_loading(loading, Err(misfit_text(misfit, offset)));
                        return true;
                    }
                }
                Loaded::End(rest) => {
                    loading.file.rest = rest.take();
                    self.finish_loading(loading, Ok(()));
                    return true;
                }
                Loaded::Failed(error) => {
                    self.finish_loading(loading, Err(error.to_string()));
                    return true;
                }
            }
            count += 1;
            if count.is_multiple_of(BATCH) && start.elapsed() >= SLICE {
                self.loading = Some(loading);
                return true;
            }
        }
    }

    fn note_aux(&self, loading: &mut Loading<WhenLoaded>, name: Vec<u8>, value: Vec<u8>) {
        if name == b"redis-ver" {
            log(Level::Notice, format_args!("Loading RDB produced by version {}", String::from_utf8_lossy(&value)));
        }
        loading.file.aux.push((name, value));
    }

    /// Makes room for the keys of a database, as many as the length of the file makes likely; of a stream's length nothing
    /// is known.
    fn expect_keys(&mut self, loading: &mut Loading<WhenLoaded>, db: usize, keys: u64) {
        let keys = keys.min(loading.loader.total / EXPECTED_ENTRY) as usize;
        match loading.options.aside {
            true => loading.aside.get_mut(db).into_iter().for_each(|keyspace| keyspace.reserve(keys)),
            false => self.databases.expect_keys(db, keys),
        }
    }

    fn take_entry(&mut self, loading: &mut Loading<WhenLoaded>, db: usize, entry: ReadEntry) -> Result<(), Misfit> {
        if !loading.options.keep_expired && entry.deadline.is_some_and(|at| has_expired(at, self.now)) {
            loading.expired += 1;
            // A replica that goes on with this history has the key.
            self.resume(loading);
            self.databases.note_removal(db, &entry.key);
            self.propagate(Framing::Separate);
            return Ok(());
        }
        match loading.options.aside {
            true => self.databases.load_aside(&mut loading.aside, db, entry, self.now)?,
            false => self.databases.load(db, entry, self.now)?,
        }
        loading.loaded += 1;
        Ok(())
    }

    /// Goes on with the history that the file tells, if that is wanted, once.
    fn resume(&mut self, loading: &mut Loading<WhenLoaded>) {
        if std::mem::take(&mut loading.options.resumes) {
            self.resume_history(&loading.file.aux);
        }
    }

    fn finish_loading(&mut self, mut loading: Loading<WhenLoaded>, result: Result<(), String>) {
        let aside = std::mem::take(&mut loading.aside);
        if result.is_ok() {
            self.resume(&mut loading);
        }
        let result = result.map(|()| {
            (self.status.keys_expired, self.status.keys_loaded) = (loading.expired, loading.loaded);
            log(
                Level::Notice,
                format_args!(
                    "Done loading RDB, keys loaded: {}, keys expired: {}. DB loaded in {:.3} seconds",
                    loading.loaded,
                    loading.expired,
                    loading.started.elapsed().as_secs_f64()
                ),
            );
            loading.file
        });
        let functions = std::mem::take(&mut loading.functions);
        let result = result.and_then(|file| self.take_functions(functions, Policy::Flush).map(|()| file));
        match &result {
            Ok(_) if loading.options.aside => discard(self.databases.replace_all(aside), true),
            _ => discard(aside, true),
        }
        (loading.done)(self, result);
    }

    /// The libraries of a file, with the offsets where they begin.
    fn take_functions(&mut self, libraries: Vec<(u64, Vec<u8>)>, policy: Policy) -> Result<(), String> {
        let (offsets, sources): (Vec<u64>, Vec<Vec<u8>>) = libraries.into_iter().unzip();
        let restored = self.scripting.libraries.restore(&sources, policy);
        restored.map_err(|(which, error)| {
            format!("cannot load a library of functions, at byte {}: {error}", offsets[which])
        })
    }

    /// Begins with what the server is to begin with, if there is something.
    pub fn begin_start(&mut self) -> Result<(), String> {
        let path = self.rdb_path();
        let shown = path.display().to_string();
        let of_file = shown.clone();
        let done = move |server: &mut Server, result: Result<LoadedFile, String>| {
            server.status.starting = false;
            match result {
                // CONFIG SET may have turned the append-only file on meanwhile.
                Ok(_) => server.resume_log(),
                Err(error) => server.failure = Some(format!("cannot load {of_file}: {error}")),
            }
        };
        let keep_expired = self.replication.link.is_some();
        let options = LoadOptions { keep_expired, resumes: true, ..LoadOptions::default() };
        match self.begin_loading_file(&path, options, Box::new(done)) {
            Ok(()) => self.status.starting = true,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(format!("cannot load {shown}: {error}")),
        }
        Ok(())
    }

    /// Loads a file while everybody waits: in the place of what there is, if `flush`, or else beside it. A key that is
    /// there already is an error unless it is to be replaced. If it fails with `flush`, nothing has changed.
    pub fn load_file(&mut self, path: &Path, flush: bool, replace: bool) -> Result<(), String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let mut reader = FileReader::new(file, self.rdb_limits());
        let mut aside: Vec<Keyspace> = (0..self.databases.len()).map(|_| Keyspace::new()).collect();
        let policy = match (flush, replace) {
            (true, _) => Policy::Flush,
            (false, true) => Policy::Replace,
            (false, false) => Policy::Append,
        };
        let (mut db, mut functions) = (0, Vec::new());
        loop {
            let at = reader.offset();
            match reader.next().map_err(|error| error.to_string())? {
                Item::Database(number) => db = usize::try_from(number).unwrap_or(usize::MAX),
                Item::Entry(entry) if entry.deadline.is_some_and(|at| has_expired(at, self.now)) => {}
                Item::Entry(entry) => {
                    let offset = entry.offset;
                    let taken = match flush {
                        true => self.databases.load_aside(&mut aside, db, entry, self.now),
                        false => {
                            if replace && db < self.databases.len() {
                                self.databases
                                    .db(db, self.now)
                                    .remove(&entry.key, crate::db::event::Event::UNANNOUNCED);
                            }
                            self.databases.load(db, entry, self.now)
                        }
                    };
                    taken.map_err(|misfit| misfit_text(misfit, offset))?;
                }
                Item::Function(source) => functions.push((at, source)),
                Item::Aux(..) | Item::Sizes { .. } => {}
                Item::End => break,
            }
        }
        tell_left_out(reader.empty());
        if flush {
            discard(self.databases.replace_all(aside), true);
        }
        self.take_functions(functions, policy)
    }
}

fn report<Done>(loading: &Loading<Done>) {
    let (read, total) = loading.progress();
    let keys = loading.loaded;
    match (read * 100).checked_div(total) {
        Some(percent) => log(Level::Notice, format_args!("Loading: {percent} %, {keys} keys so far")),
        None => log(Level::Notice, format_args!("Loading: {read} bytes, {keys} keys so far")),
    }
}
