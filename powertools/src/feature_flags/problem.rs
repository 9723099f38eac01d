use std::fmt;

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    path: String,
    reason: String,
    is_fatal: bool,
}

impl Problem {
    pub(super) fn new(path: impl ToString, reason: impl Into<String>, is_fatal: bool) -> Self {
        Self { path: path.to_string(), reason: reason.into(), is_fatal }
    }

    /// Returns the place in the document, as a JSON pointer (RFC 6901).
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns what is wrong. It contains no value of the document.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns true if the feature cannot be evaluated, and false for what is probably a mistake.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.is_fatal
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the document" } else { &self.path };
        write!(f, "{path}: {}", self.reason)
    }
}

/// A place in a document. Its text is written only for a problem.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    pub(super) fn of(name: &'a str) -> Self {
        Self { parent: None, step: Step::Name(name) }
    }

    pub(super) fn name(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Name(name) }
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Name(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => write!(f, "/{index}"),
        }
    }
}

/// The problems of a document, as they are found.
#[derive(Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// Notes what the feature cannot be evaluated with. Returns nothing in place of a value.
    pub(super) fn fatal<T>(&mut self, path: Path<'_>, reason: impl Into<String>) -> Option<T> {
        self.0.push(Problem::new(path, reason, true));
        None
    }

    /// Notes what is probably a mistake.
    pub(super) fn doubt(&mut self, path: Path<'_>, reason: impl Into<String>) {
        self.0.push(Problem::new(path, reason, false));
    }
}
