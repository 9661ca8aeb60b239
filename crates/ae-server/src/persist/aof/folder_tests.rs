use super::*;
use crate::log::heard;
use crate::persist::aof::disk::faults::{self, Fault};
use crate::persist::file_sink::NewFile;
use tempfile::TempDir;

fn open(at: &TempDir, disk: &Disk) -> Folder {
    Folder::open(disk.clone(), at.path(), "appendonlydir", "appendonly.aof").unwrap()
}

/// What a server would load: the content of all files, in order.
fn content(at: &TempDir) -> Result<String, String> {
    let folder = open(at, &Disk::default());
    let read = |entry| fs::read_to_string(folder.path_of(entry)).map_err(|error| format!("{}: {error}", entry.name));
    folder.manifest.files().map(read).collect()
}

fn files(at: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(at.path().join("appendonlydir")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn from_nothing_to_a_second_base() {
    let at = tempfile::tempdir().unwrap();
    let mut folder = open(&at, &Disk::default());
    assert!(folder.manifest.is_empty() && !folder.take_over_single().unwrap());
    folder.begin_empty(b"A", true).unwrap();
    folder.begin_increment().unwrap().write_all(b"b").unwrap();
    assert_eq!(content(&at).unwrap(), "Ab");
    folder.begin_increment().unwrap().write_all(b"c").unwrap();
    fs::write(folder.temporary_base(), "AB").unwrap();
    folder.replace_base(false, Stage::On).unwrap();
    assert_eq!(content(&at).unwrap(), "ABc");
    assert_eq!(folder.sizes().unwrap(), (2, 1));
    assert_eq!(folder.remove_history().unwrap().len(), 2);
    assert_eq!(files(&at), ["appendonly.aof.2.base.aof", "appendonly.aof.2.incr.aof", "appendonly.aof.manifest"]);
    assert_eq!(content(&at).unwrap(), "ABc");
    assert_eq!(open(&at, &Disk::default()).manifest, folder.manifest);
    folder.open_last().unwrap().unwrap().write_all(b"d").unwrap();
    assert_eq!(content(&at).unwrap(), "ABcd");
    // A single file that turns up beside it is none of ours.
    fs::write(at.path().join("appendonly.aof"), "other").unwrap();
    assert!(!open(&at, &Disk::default()).take_over_single().unwrap());
    // And what a killed process left of the next one goes.
    fs::write(at.path().join("appendonlydir/appendonly.aof.3.incr.aof"), "torn").unwrap();
    folder.begin_increment().unwrap().write_all(b"e").unwrap();
    assert_eq!(content(&at).unwrap(), "ABcde");
}

#[test]
fn a_single_file_is_taken_over() {
    let at = tempfile::tempdir().unwrap();
    fs::write(at.path().join("appendonly.aof"), "old").unwrap();
    assert!(open(&at, &Disk::default()).take_over_single().unwrap());
    let shown = at.path().display();
    let told = format!("{shown}/appendonly.aof is now the base in {shown}/appendonlydir");
    heard::expect(Level::Notice, &[told]);
    assert_eq!(content(&at).unwrap(), "old");
    assert!(!at.path().join("appendonly.aof").exists());
    // One that turns up later is none of ours.
    fs::write(at.path().join("appendonly.aof"), "other").unwrap();
    assert!(!open(&at, &Disk::default()).take_over_single().unwrap());
    assert_eq!(content(&at).unwrap(), "old");
}

#[test]
fn a_detached_increment_counts_with_its_base() {
    let at = tempfile::tempdir().unwrap();
    let mut folder = open(&at, &Disk::default());
    folder.begin_empty(b"old", true).unwrap();
    folder.begin_increment().unwrap().write_all(b"old").unwrap();
    let file = folder.begin_detached().unwrap();
    file.write_all(b"b").unwrap();
    assert_eq!(content(&at).unwrap(), "oldold");
    fs::write(folder.temporary_base(), "A").unwrap();
    folder.replace_base(true, Stage::WaitsForBase).unwrap();
    file.write_all(b"c").unwrap();
    assert_eq!(content(&at).unwrap(), "Abc");
}

#[test]
fn what_a_killed_process_left_goes() {
    let at = tempfile::tempdir().unwrap();
    let mut folder = open(&at, &Disk::default());
    folder.begin_empty(b"A", true).unwrap();
    fs::write(folder.temporary_base(), "half").unwrap();
    folder.begin_detached().unwrap();
    let mut base = NewFile::create(&folder.temporary_base(), false).unwrap();
    base.write(b"half").unwrap();
    std::mem::forget(base);
    folder.make().unwrap();
    assert_eq!(files(&at), ["appendonly.aof.1.base.rdb", "appendonly.aof.manifest"]);
}

/// What a server does with the folder, and what it has written in the end. Whatever fails is done again later.
fn lifecycle(at: &TempDir, disk: &Disk, written: &mut String) -> io::Result<()> {
    let io_error = |error: String| io::Error::other(error);
    let mut folder = Folder::open(disk.clone(), at.path(), "appendonlydir", "appendonly.aof").map_err(io_error)?;
    folder.take_over_single().map_err(io_error)?;
    folder.make()?;
    let mut file = match folder.open_last() {
        Some(file) => file?,
        None => folder.begin_increment()?,
    };
    for round in 0..3 {
        let mut append = |file: &DiskFile, text: &str| {
            let done = file.write_all(text.as_bytes()).and_then(|()| file.sync());
            if done.is_ok() {
                written.push_str(text);
            }
            done
        };
        append(&file, &format!("<{round}"))?;
        let next = folder.begin_increment();
        let begun = next.is_ok();
        file = next.unwrap_or(file);
        append(&file, &format!("{round}>"))?;
        if !begun {
            continue;
        }
        // The base is what there was before the increment.
        let before = folder.manifest.increments.iter().rev().skip(1).rev();
        let parts = folder.manifest.base.iter().chain(before);
        let base: Vec<u8> = parts.flat_map(|entry| fs::read(folder.path_of(entry)).unwrap_or_default()).collect();
        let replaced =
            disk.write_whole(&folder.temporary_base(), &base).and_then(|()| folder.replace_base(true, Stage::On));
        if replaced.is_ok() {
            let _ = folder.remove_history();
        }
    }
    Ok(())
}

/// Everything that was written and synced is in the files, in order. Behind it may be what the disk took of a write that
/// failed.
fn check(at: &TempDir, written: &str, number: usize, fault: Fault) {
    let content = content(at).unwrap_or_else(|error| panic!("operation {number}, {fault:?}: {error}"));
    let rest = content.strip_prefix("old").and_then(|content| content.strip_prefix(written));
    assert!(rest.is_some_and(|rest| rest.len() <= 2), "operation {number}, {fault:?}: {content} of old{written}");
}

#[test]
fn whatever_fails_nothing_is_lost() {
    for fault in [Fault::Error(faults::ENOSPC), Fault::Error(faults::EIO), Fault::Half, Fault::Killed] {
        let mut number = 0;
        loop {
            let at = tempfile::tempdir().unwrap();
            let single = at.path().join("appendonly.aof");
            fs::write(&single, "old").unwrap();
            let disk = Disk::default();
            disk.faults.plan(number..number + 1, fault);
            let mut written = String::new();
            let _ = lifecycle(&at, &disk, &mut written);
            let done = disk.faults.begun() <= number;
            disk.faults.clear();
            if single.exists() {
                // It failed before or while it took this over, and the next start does.
                assert!(written.is_empty(), "operation {number}, {fault:?}");
                open(&at, &disk).take_over_single().unwrap();
            }
            check(&at, &written, number, fault);
            // The next start goes on from there.
            let before = content(&at).unwrap();
            let mut more = String::new();
            lifecycle(&at, &disk, &mut more).unwrap();
            assert_eq!(content(&at).unwrap(), format!("{before}{more}"), "operation {number}, {fault:?}");
            // And leaves no file that nothing needs.
            let folder = open(&at, &Disk::default());
            let mut named: Vec<_> = folder.manifest.files().map(|entry| entry.name.clone()).collect();
            named.push("appendonly.aof.manifest".into());
            named.sort();
            assert_eq!(files(&at), named, "operation {number}, {fault:?}");
            if done {
                assert!(number > 40, "only {number} operations were seen");
                break;
            }
            number += 1;
        }
    }
}

#[test]
fn what_cannot_be_looked_at_may_be_there() {
    let at = tempfile::tempdir().unwrap();
    let single = at.path().join("appendonly.aof");
    std::os::unix::fs::symlink(&single, &single).unwrap();
    let error = open(&at, &Disk::default()).take_over_single().unwrap_err();
    assert!(error.starts_with("cannot take over ") && error.contains("symbolic links"), "{error}");
    let manifest = at.path().join("appendonlydir/appendonly.aof.manifest");
    fs::create_dir_all(&manifest).unwrap();
    let opened = Folder::open(Disk::default(), at.path(), "appendonlydir", "appendonly.aof");
    assert!(opened.err().unwrap().contains("Is a directory"));
}

/// Its base has another name.
#[test]
fn a_single_file_beside_a_base_alone_is_none_of_ours() {
    let at = tempfile::tempdir().unwrap();
    open(&at, &Disk::default()).begin_empty(b"A", true).unwrap();
    fs::write(at.path().join("appendonly.aof"), "other").unwrap();
    assert!(!open(&at, &Disk::default()).take_over_single().unwrap());
    assert_eq!(content(&at).unwrap(), "A");
}

#[test]
fn what_cannot_be_removed_stays_in_the_manifest() {
    let at = tempfile::tempdir().unwrap();
    let mut folder = open(&at, &Disk::default());
    folder.begin_empty(b"A", true).unwrap();
    fs::write(folder.temporary_base(), "B").unwrap();
    folder.replace_base(true, Stage::Off).unwrap();
    let old = folder.path_of(&folder.manifest.history[0]);
    fs::remove_file(&old).unwrap();
    fs::create_dir(&old).unwrap();
    assert!(folder.remove_history().is_err());
    assert_eq!(open(&at, &Disk::default()).manifest.history.len(), 1);
    fs::remove_dir(&old).unwrap();
    assert!(folder.remove_history().unwrap().is_empty());
    assert!(open(&at, &Disk::default()).manifest.history.is_empty());
}

/// Several servers may share the folder, each with a name of its own.
#[test]
fn what_others_are_writing_stays() {
    let at = tempfile::tempdir().unwrap();
    let folder = open(&at, &Disk::default());
    folder.make().unwrap();
    for name in ["temp-other.manifest", "temp-appendonly.aof.manifest"] {
        fs::write(at.path().join("appendonlydir").join(name), "x").unwrap();
    }
    folder.make().unwrap();
    assert_eq!(files(&at), ["temp-other.manifest"]);
}

/// Nobody would ever remove it.
#[test]
fn a_file_that_no_manifest_names_is_removed() {
    for what in ["increment", "base"] {
        for failing in 1..12 {
            let at = tempfile::tempdir().unwrap();
            let disk = Disk::default();
            let mut folder = open(&at, &disk);
            folder.begin_empty(b"A", true).unwrap();
            fs::write(folder.temporary_base(), "AB").unwrap();
            disk.faults.plan(failing..failing + 1, Fault::Error(faults::EIO));
            let failed = match what {
                "increment" => folder.begin_increment().is_err(),
                _ => folder.replace_base(false, Stage::On).is_err(),
            };
            disk.faults.clear();
            let named: Vec<String> =
                folder.manifest.files().chain(&folder.manifest.history).map(|it| it.name.clone()).collect();
            let stray =
                |name: &&String| !name.starts_with("temp-") && !name.ends_with(".manifest") && !named.contains(name);
            let there = files(&at);
            let strays: Vec<&String> = there.iter().filter(stray).collect();
            assert!(strays.is_empty(), "{what}, operation {failing}: {strays:?} {failed}");
        }
    }
}

#[test]
fn a_file_in_the_place_of_the_folder_is_told() {
    let at = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    fs::write(at.path().join("file"), "").unwrap();
    assert!(disk.make_folder(&at.path().join("file")).is_err());
    for _ in 0..2 {
        disk.make_folder(&at.path().join("folder")).unwrap();
    }
}
