use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::cell::Cell;
use super::content::{self, Format, Misfit};
use super::{Content, Kind, Version};

/// A parameter, declared with its type.
///
/// ```
/// use powertools::parameters::Parameter;
///
/// static URL: Parameter<String> = Parameter::plain("/orders/url");
/// static LIMIT: Parameter<u32> = Parameter::json("/orders/limit");
/// static KEY: Parameter<String> = Parameter::plain("/orders/api-key").decrypt(true);
/// ```
pub type Parameter<T> = Declaration<T, OfParameter>;

/// A secret, declared with its type. Neither its `Debug` form nor an error contains the value.
///
/// ```
/// use powertools::parameters::Secret;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Login {
///     username: String,
///     password: String,
/// }
///
/// static LOGIN: Secret<Login> = Secret::json("prod/db");
/// ```
pub type Secret<T> = Declaration<T, OfSecret>;

/// A configuration, declared with its type. Its name is `application/environment/profile`.
///
/// ```
/// use powertools::parameters::Configuration;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Limits {
///     orders_per_minute: u32,
/// }
///
/// static LIMITS: Configuration<Limits> = Configuration::json("shop/prod/limits");
/// ```
pub type Configuration<T> = Declaration<T, OfConfiguration>;

/// Marks a declaration as that of a [`Parameter`].
#[derive(Debug)]
pub enum OfParameter {}

/// Marks a declaration as that of a [`Secret`].
#[derive(Debug)]
pub enum OfSecret {}

/// Marks a declaration as that of a [`Configuration`].
#[derive(Debug)]
pub enum OfConfiguration {}

/// A value from outside, declared once with its name and type, usually in a `static`.
///
/// [`Parameter`], [`Secret`] and [`Configuration`] are the kinds of it. Declarations with the same
/// request, type, format and [`max_age`](Self::max_age) share a cached value. Others have one of their own, also
/// with the same request, and [`refresh_if`](Self::refresh_if) leaves it as it is;
/// [`invalidate`](Self::invalidate) forgets all that have the same request.
pub struct Declaration<T, K> {
    pub(super) name: &'static str,
    pub(super) variable: Option<&'static str>,
    pub(super) kind: Kind,
    pub(super) format: Format,
    pub(super) decode: fn(&Content) -> Result<T, Misfit>,
    pub(super) version: Version,
    pub(super) decrypt: Option<bool>,
    pub(super) encrypt: Option<bool>,
    pub(super) max_age: Option<Duration>,
    pub(super) is_per_tenant: bool,
    /// The cached value of the first engine that was asked, which a function keeps. It is the one in the
    /// engine's map, which does not evict what is held.
    pub(super) bound: OnceLock<Bound<T>>,
    of: PhantomData<fn() -> K>,
}

pub(super) struct Bound<T> {
    pub(super) engine: u64,
    pub(super) tenant: Option<String>,
    pub(super) cell: Arc<Cell<T>>,
}

impl<T, K> Declaration<T, K> {
    const fn new(
        name: &'static str,
        kind: Kind,
        format: Format,
        decode: fn(&Content) -> Result<T, Misfit>,
    ) -> Self {
        Self {
            name,
            variable: None,
            kind,
            format,
            decode,
            version: Version::Current,
            decrypt: None,
            encrypt: None,
            max_age: None,
            is_per_tenant: false,
            bound: OnceLock::new(),
            of: PhantomData,
        }
    }

    /// Reads the name from this variable of the environment, if it is set.
    #[must_use]
    pub const fn name_from(mut self, variable: &'static str) -> Self {
        self.variable = Some(variable);
        self
    }

    /// Sets the age at which the value is fetched again, in place of
    /// [`Parameters::max_age`](super::Parameters::max_age). Ten years at most.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Keeps a value for each tenant of the function, which Lambda's tenant isolation names in the
    /// invocation. Without it, all tenants share one value.
    ///
    /// The name is the same for all: a [`Source`](super::Source) of yours finds the tenant in
    /// [`Request::tenant`](super::Request::tenant), and those of this crate ignore it.
    #[must_use]
    pub const fn per_tenant(mut self) -> Self {
        self.is_per_tenant = true;
        self
    }
}

/// The constructors of a kind.
macro_rules! constructors {
    ($of:ty, $kind:expr) => {
        impl Declaration<String, $of> {
            /// Declares a string.
            #[must_use]
            pub const fn plain(name: &'static str) -> Self {
                Self::new(name, $kind, Format::Plain, content::plain)
            }
        }

        impl Declaration<Vec<u8>, $of> {
            /// Declares bytes. A string is decoded as base64.
            #[must_use]
            pub const fn binary(name: &'static str) -> Self {
                Self::new(name, $kind, Format::Binary, content::binary)
            }
        }

        impl<T: DeserializeOwned> Declaration<T, $of> {
            /// Declares JSON.
            #[must_use]
            pub const fn json(name: &'static str) -> Self {
                Self::new(name, $kind, Format::Json, content::json::<T>)
            }
        }
    };
}

constructors!(OfParameter, Kind::Parameter);
constructors!(OfSecret, Kind::Secret);
constructors!(OfConfiguration, Kind::Configuration);

impl Declaration<BTreeMap<String, String>, OfParameter> {
    /// Declares all parameters below a path, at any depth, by their names relative to it.
    #[must_use]
    pub const fn path(path: &'static str) -> Self {
        Self::new(path, Kind::Path, Format::Map, content::map)
    }
}

impl<T> Declaration<T, OfParameter> {
    /// Sets whether an encrypted parameter is decrypted. Defaults to whether it is
    /// [encrypted](Self::encrypted), or `POWERTOOLS_PARAMETERS_SSM_DECRYPT`, or false.
    #[must_use]
    pub const fn decrypt(mut self, decrypt: bool) -> Self {
        self.decrypt = Some(decrypt);
        self
    }

    /// Sets whether [`set`](Self::set) creates the parameter as a `SecureString`, or as a `String`. One
    /// that exists keeps its type. An encrypted one is also [decrypted](Self::decrypt) when it is read.
    ///
    /// Without it, a parameter is created as a `String`, and one that is decrypted cannot be set, since it
    /// could be a secret. It has a meaning for Systems Manager alone.
    #[must_use]
    pub const fn encrypted(mut self, encrypted: bool) -> Self {
        self.encrypt = Some(encrypted);
        self
    }

    /// Reads the version with this number.
    #[must_use]
    pub const fn version(mut self, number: u64) -> Self {
        self.version = Version::Number(number);
        self
    }

    /// Reads the version with this label.
    #[must_use]
    pub const fn label(mut self, label: &'static str) -> Self {
        self.version = Version::Label(label);
        self
    }
}

impl<T> Declaration<T, OfSecret> {
    /// Reads the version with this stage, such as `AWSPREVIOUS`.
    #[must_use]
    pub const fn stage(mut self, stage: &'static str) -> Self {
        self.version = Version::Stage(stage);
        self
    }

    /// Reads the version with this id.
    #[must_use]
    pub const fn version_id(mut self, id: &'static str) -> Self {
        self.version = Version::Id(id);
        self
    }
}

impl<T, K> fmt::Debug for Declaration<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, version) = (self.kind, self.version);
        f.debug_struct("Declaration")
            .field("kind", &kind)
            .field("name", &self.name)
            .field("version", &version)
            .finish_non_exhaustive()
    }
}
