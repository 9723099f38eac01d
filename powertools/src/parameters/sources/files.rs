use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use futures_util::future::BoxFuture;
use tokio::task::spawn_blocking;

use crate::parameters::{Content, Fetched, Kind, Request, Source, SourceError, SourceErrorKind};

/// Values of files in a folder: the file of a value has its name, without a `/` at its start. There are no
/// versions.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Creates the source.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Returns the path of a value. A name cannot leave the folder.
    fn place(&self, name: &str) -> Result<PathBuf, SourceError> {
        let name = Path::new(name.trim_matches('/'));
        if name.components().all(|component| matches!(component, Component::Normal(_))) {
            Ok(self.folder.join(name))
        } else {
            let message = "a file's name must not contain . or .. as a part";
            Err(SourceError::new(SourceErrorKind::NotFound, message))
        }
    }
}

impl Source for Files {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        Box::pin(async {
            request.check_current()?;
            let place = self.place(&request.name)?;
            let is_path = request.kind == Kind::Path;
            let read = spawn_blocking(move || if is_path { folder(&place) } else { file(&place) });
            match read.await {
                Ok(read) => read.map(Fetched::new).map_err(failed),
                Err(error) => {
                    let message = "the file was not read";
                    Err(SourceError::new(SourceErrorKind::Other, message).caused_by(error))
                }
            }
        })
    }
}

fn failed(error: io::Error) -> SourceError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => SourceErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => SourceErrorKind::AccessDenied,
        _ => SourceErrorKind::Other,
    };
    SourceError::new(kind, "cannot read the file").caused_by(error)
}

fn file(path: &Path) -> io::Result<Content> {
    std::fs::read(path).map(Content::of_bytes)
}

/// Reads all files below a folder by their names relative to it.
fn folder(root: &Path) -> io::Result<Content> {
    let mut folders = vec![(root.to_owned(), String::new())];
    let mut found = BTreeMap::new();
    while let Some((folder, prefix)) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push((entry.path(), format!("{name}/")));
            } else {
                found.insert(name, std::fs::read_to_string(entry.path())?);
            }
        }
    }
    Ok(Content::Map(found))
}
