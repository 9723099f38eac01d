//! Errors in a line.

use std::borrow::Cow;
use std::error::Error as StdError;

use super::fields::Fields;
use super::format::Style;
use super::keys;
use crate::error;
use crate::error::causes;
use crate::json::write;

/// Writes an error as `exception`, `exception_name` and `exception_chain`.
pub(in crate::logging) fn put(
    fields: &mut Fields,
    style: &Style<'_>,
    error: &(dyn StdError + 'static),
) {
    fields.put(Cow::Borrowed(keys::EXCEPTION), style, |out| write::display(out, error));
    if let Some(name) = name(error) {
        fields.put(Cow::Borrowed(keys::EXCEPTION_NAME), style, |out| write::string(out, name));
    }
    if error.source().is_some() {
        fields.put(Cow::Borrowed(keys::EXCEPTION_CHAIN), style, |out| {
            let mut separator = b'[';
            for cause in causes::causes(error).skip(1) {
                out.push(separator);
                write::display(out, cause);
                separator = b',';
            }
            out.push(b']');
        });
    }
    fields.seal_exception();
}

/// The name of an error's type, as far as it can be known: `dyn Error` has none.
pub(in crate::logging) fn name(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    let described = error::describe(error).map(|found| found.error_type);
    described.or_else(|| known(error))
}

/// Finds the type among those of the standard library and of the crates that every function has.
fn known(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    macro_rules! first_of {
        ($($type:ty => $name:literal),* $(,)?) => {
            $(if error.is::<$type>() { return Some($name); })*
        };
    }
    first_of! {
        std::io::Error => "io::Error",
        serde_json::Error => "serde_json::Error",
        std::num::ParseIntError => "ParseIntError",
        std::num::ParseFloatError => "ParseFloatError",
        std::num::TryFromIntError => "TryFromIntError",
        std::str::Utf8Error => "Utf8Error",
        std::string::FromUtf8Error => "FromUtf8Error",
        std::str::ParseBoolError => "ParseBoolError",
        std::char::ParseCharError => "ParseCharError",
        std::net::AddrParseError => "AddrParseError",
        std::env::VarError => "VarError",
        std::fmt::Error => "fmt::Error",
        std::time::SystemTimeError => "SystemTimeError",
        tokio::task::JoinError => "JoinError",
        tokio::time::error::Elapsed => "Elapsed",
    }
    None
}

/// The last part of a type's name, without its path: `ChargeError` of `orders::ChargeError`.
pub(in crate::logging) fn short_type_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let path = name.split('<').next().unwrap_or(name);
    let generic = path.len() < name.len();
    if generic { name } else { path.rsplit("::").next().unwrap_or(path) }
}
