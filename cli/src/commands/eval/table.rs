//! A table of tab-separated values with a header line: what an evaluation runs over.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// Rows of text, read at once; the first line names the columns.
pub(super) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    root: PathBuf,
    path: PathBuf,
}

/// One line of it.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'a Table,
    fields: &'a [String],
    /// In the file; the header is line 1.
    line: usize,
}

impl Table {
    /// Paths in it are relative to `root`, else to the table's own folder.
    pub(super) fn read(path: &Path, root: Option<&Path>) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
        let mut lines = text.lines().map(fields);
        let columns = lines.next().with_context(|| format!("{} is empty", path.display()))?;
        let rows: Vec<_> = lines.collect();
        for (index, row) in rows.iter().enumerate() {
            let (line, found, expected) = (index + 2, row.len(), columns.len());
            ensure!(
                found == expected,
                "{}, line {line}: {found} fields, and {expected} columns",
                path.display()
            );
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let root = root.unwrap_or(folder).to_owned();
        Ok(Self { columns, rows, root, path: path.to_owned() })
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    /// Says which of them it lacks.
    pub(super) fn require<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> anyhow::Result<()> {
        for column in columns {
            ensure!(self.has(column), "{} has no column `{column}`", self.path.display());
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().enumerate().map(|(index, fields)| Row { table: self, fields, line: index + 2 })
    }
}

impl<'a> Row<'a> {
    /// `None` where the column is not there or the field is empty.
    pub(super) fn get(&self, column: &str) -> Option<&'a str> {
        let at = self.table.columns.iter().position(|name| name == column)?;
        Some(self.fields[at].as_str()).filter(|text| !text.is_empty())
    }

    pub(super) fn need(&self, column: &str) -> anyhow::Result<&'a str> {
        self.get(column).with_context(|| format!("{}: `{column}` is missing", self.place()))
    }

    pub(super) fn file(&self, column: &str) -> anyhow::Result<PathBuf> {
        Ok(self.table.root.join(self.need(column)?))
    }

    /// Where it stands, for messages.
    pub(super) fn place(&self) -> String {
        format!("{}, line {}", self.table.path.display(), self.line)
    }
}

fn fields(line: &str) -> Vec<String> {
    line.split('\t').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pairs.tsv");
        fs::write(&path, text).expect("written");
        (folder, path)
    }

    #[test]
    fn fields_are_found_by_their_columns_names() {
        let (folder, path) = written("same\tfile_a\tkind\n1\tone.jpg\t\n");
        let table = Table::read(&path, None).expect("a table");
        let row = table.rows().next().expect("a row");
        assert_eq!((row.get("same"), row.get("kind"), row.get("other")), (Some("1"), None, None));
        assert_eq!(row.file("file_a").expect("a path"), folder.path().join("one.jpg"));
        let elsewhere = Table::read(&path, Some(Path::new("/data"))).expect("a table");
        let row = elsewhere.rows().next().expect("a row");
        assert_eq!(row.file("file_a").expect("a path"), Path::new("/data/one.jpg"));
    }

    #[test]
    fn what_is_missing_is_named_with_its_place() {
        let (_folder, path) = written("a\tb\n1\t2\n3\n");
        let error = Table::read(&path, None).err().expect("refused").to_string();
        assert!(error.contains("line 3: 1 fields, and 2 columns"), "{error}");
        let (_folder, path) = written("a\tb\n1\t\n");
        let table = Table::read(&path, None).expect("a table");
        assert!(table.require(["a", "c"]).unwrap_err().to_string().contains("no column `c`"));
        let error = table.rows().next().expect("a row").need("b").unwrap_err().to_string();
        assert!(error.contains("line 2: `b` is missing"), "{error}");
    }
}
