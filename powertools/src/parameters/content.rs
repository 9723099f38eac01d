use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;

/// What a source returns for a request. Its `Debug` form contains no value.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// A string.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// The strings below a path, by their names relative to it.
    Map(BTreeMap<String, String>),
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
            Self::Map(map) => write!(f, "Map({} members)", map.len()),
        }
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl Content {
    /// Returns text if the bytes are UTF-8.
    pub(super) fn of_bytes(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Binary(error.into_bytes()), Self::Text)
    }

    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Binary(bytes) => Some(bytes),
            Self::Map(_) => None,
        }
    }
}

/// How content becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Format {
    Plain,
    Json,
    Binary,
    Map,
}

/// Why content is not what was declared. It contains no part of the content's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit(pub(super) String);

impl Misfit {
    pub(super) fn new(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

pub(super) fn plain(content: &Content) -> Result<String, Misfit> {
    match content {
        Content::Text(text) => Ok(text.clone()),
        Content::Binary(_) => Err(Misfit::new("it is binary and not a string")),
        Content::Map(_) => Err(Misfit::new("it is a path and not a string")),
    }
}

/// Bytes as they are, or decoded from base64 where the source can hold only strings.
pub(super) fn binary(content: &Content) -> Result<Vec<u8>, Misfit> {
    match content {
        Content::Binary(bytes) => Ok(bytes.clone()),
        Content::Text(text) => {
            STANDARD.decode(text.trim()).map_err(|_| Misfit::new("it is not valid base64"))
        }
        Content::Map(_) => Err(Misfit::new("it is a path and not binary")),
    }
}

pub(super) fn map(content: &Content) -> Result<BTreeMap<String, String>, Misfit> {
    match content {
        Content::Map(map) => Ok(map.clone()),
        _ => Err(Misfit::new("it is one value and not a path")),
    }
}

/// Names the place in the JSON, and never what serde says, since that quotes the value.
pub(super) fn json<T: DeserializeOwned>(content: &Content) -> Result<T, Misfit> {
    let bytes = content.bytes().ok_or_else(|| Misfit::new("it is a path and not JSON"))?;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let (path, error) = (error.path().to_string(), error.into_inner());
        let place = format!("at line {} column {}", error.line(), error.column());
        if error.is_data() {
            Misfit(format!("its member {path} does not fit the type, {place}"))
        } else {
            Misfit(format!("it is invalid JSON {place}"))
        }
    })?;
    match deserializer.end() {
        Ok(()) => Ok(value),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(Misfit(format!("it is invalid JSON at line {line} column {column}")))
        }
    }
}
