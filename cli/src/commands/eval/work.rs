//! Looks at many files on several threads, notes what it found, and goes on from the notes after an interruption.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Look<T> {
    Found(T),
    /// Nothing that can be used, and why: a failure to acquire.
    Nothing(String),
}

impl<T> Look<T> {
    pub(super) fn found(&self) -> Option<&T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Nothing(_) => None,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Note<T> {
    file: PathBuf,
    look: Look<T>,
}

/// The notes of a run, a JSON line for each file after a line that says what they were made with. They hold what the
/// models found, templates too: only the owner can read the file, and [`forget`](Self::forget) deletes it.
pub(super) struct Notebook {
    path: PathBuf,
    /// What the notes depend on, such as the models' hashes: notes made with anything else are dropped.
    made_with: String,
}

impl Notebook {
    pub(super) fn new(folder: &Path, made_with: String) -> Self {
        Self { path: folder.join("notes.jsonl"), made_with }
    }

    pub(super) fn forget(self) -> anyhow::Result<()> {
        fs::remove_file(&self.path).with_context(|| format!("failed to delete {}", self.path.display()))
    }

    /// A line that was cut off by the interruption is no note.
    fn known<T: DeserializeOwned>(&self) -> HashMap<PathBuf, Look<T>> {
        let Ok(file) = File::open(&self.path) else { return HashMap::new() };
        let mut lines = BufReader::new(file).lines().map_while(Result::ok);
        if lines.next().as_deref() != Some(&self.made_with) {
            return HashMap::new();
        }
        let notes = lines.filter_map(|line| serde_json::from_str(&line).ok());
        notes.map(|Note { file, look }| (file, look)).collect()
    }

    /// For more notes behind those that are known.
    fn open<T: Serialize>(&self, known: &HashMap<PathBuf, Look<T>>) -> anyhow::Result<File> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let open = || format!("failed to write {}", self.path.display());
        let mut file = options.open(&self.path).with_context(open)?;
        let mut text = format!("{}\n", self.made_with);
        for (file, look) in known {
            text.push_str(&serde_json::to_string(&serde_json::json!({"file": file, "look": look}))?);
            text.push('\n');
        }
        file.write_all(text.as_bytes()).with_context(open)?;
        Ok(file)
    }
}

/// What `look` finds in each of the files, each once; an error of its stops all. `threads` look at the same time.
pub(super) fn look_at<T: Serialize + DeserializeOwned + Send>(
    files: impl IntoIterator<Item = PathBuf>,
    notebook: &Notebook,
    threads: usize,
    look: impl Fn(&Path) -> anyhow::Result<Look<T>> + Sync,
) -> anyhow::Result<HashMap<PathBuf, Look<T>>> {
    let known = notebook.known();
    let all: BTreeSet<PathBuf> = files.into_iter().collect();
    let open: Vec<&PathBuf> = all.iter().filter(|file| !known.contains_key(*file)).collect();
    let notes = notebook.open(&known)?;
    let bar =
        ProgressBar::new(all.len() as u64).with_style(style()).with_position((all.len() - open.len()) as u64);
    let (next, results) = (AtomicUsize::new(0), Mutex::new((known, notes)));
    let work = || -> anyhow::Result<()> {
        while let Some(file) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
            let look = look(file).inspect_err(|_| next.store(open.len(), Ordering::Relaxed))?;
            let note = Note { file: (*file).clone(), look };
            let line = format!("{}\n", serde_json::to_string(&note)?);
            let mut results = results.lock().expect("nobody panics while noting");
            results.1.write_all(line.as_bytes()).context("failed to write the notes")?;
            results.0.insert(note.file, note.look);
            bar.inc(1);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a look panicked, which is a bug"))
    })?;
    bar.finish_and_clear();
    let (found, _) = results.into_inner().expect("nobody panics while noting");
    Ok(found)
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{pos:>7} of {len} [{bar:40}] {per_sec:>10}, {eta} left")
        .expect("the template is fixed, otherwise this is a bug")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(folder: &Path, with: &str, files: &[&str]) -> (Vec<String>, usize) {
        let notebook = Notebook::new(folder, with.to_owned());
        let asked = Mutex::new(Vec::new());
        let found = look_at(files.iter().map(PathBuf::from), &notebook, 3, |file| {
            let name = file.display().to_string();
            asked.lock().expect("unpoisoned").push(name.clone());
            anyhow::ensure!(name != "broken", "stop");
            Ok(if name == "empty" { Look::Nothing("no face".to_owned()) } else { Look::Found(name.len()) })
        });
        let mut asked = asked.into_inner().expect("unpoisoned");
        asked.sort();
        (asked, found.map_or(0, |found| found.len()))
    }

    #[test]
    fn each_file_is_looked_at_once_also_over_two_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(
            looks(folder.path(), "a", &["one", "empty", "one"]),
            (vec!["empty".into(), "one".into()], 2)
        );
        assert_eq!(looks(folder.path(), "a", &["one", "empty", "two"]), (vec!["two".into()], 3));
    }

    #[test]
    fn notes_that_were_made_with_something_else_or_cut_off_do_not_count() {
        let folder = tempfile::tempdir().expect("a folder");
        looks(folder.path(), "a", &["one", "two"]);
        assert_eq!(looks(folder.path(), "b", &["one"]).0, ["one"]);
        let path = folder.path().join("notes.jsonl");
        let text = fs::read_to_string(&path).expect("notes");
        fs::write(&path, &text[..text.len() - 5]).expect("cut off");
        assert_eq!(looks(folder.path(), "b", &["one"]).0, ["one"]);
    }

    #[test]
    fn an_error_stops_all_and_keeps_the_notes() {
        let folder = tempfile::tempdir().expect("a folder");
        looks(folder.path(), "a", &["a1", "a2"]);
        let (asked, found) = looks(folder.path(), "a", &["a1", "a2", "broken"]);
        assert_eq!((asked, found), (vec!["broken".to_owned()], 0));
        assert_eq!(looks(folder.path(), "a", &["a1", "a2"]).0, Vec::<String>::new());
    }
}
