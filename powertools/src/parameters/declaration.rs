use std::collections::BTreeMap;
use std::fmt;
use std::future::ready;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::Either;
use serde::de::DeserializeOwned;

use super::builder;
use super::cell::Cell;
use super::content::{self, Format, Misfit};
use super::engine::{Engine, Key};
use super::{Content, Error, Kind, Request, Value, Version};
use crate::environment::Environment;
use crate::invocation::Invocation;

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
/// request and type share a cached value.
pub struct Declaration<T, K> {
    name: &'static str,
    variable: Option<&'static str>,
    kind: Kind,
    format: Format,
    decode: fn(&Content) -> Result<T, Misfit>,
    version: Version,
    decrypt: Option<bool>,
    max_age: Option<Duration>,
    is_per_tenant: bool,
    /// The cached value of the first engine that was asked, which a function keeps.
    bound: OnceLock<Bound<T>>,
    of: PhantomData<fn() -> K>,
}

struct Bound<T> {
    engine: u64,
    tenant: Option<String>,
    cell: Arc<Cell<T>>,
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
    /// [`Parameters::max_age`](super::Parameters::max_age).
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Keeps a value for each tenant. The source finds the tenant in [`Request::tenant`].
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
    /// Sets whether an encrypted parameter is decrypted. Defaults to
    /// `POWERTOOLS_PARAMETERS_SSM_DECRYPT`, or false.
    #[must_use]
    pub const fn decrypt(mut self, decrypt: bool) -> Self {
        self.decrypt = Some(decrypt);
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

impl<T: Send + Sync + 'static, K> Declaration<T, K> {
    /// Returns the value, from the cache or from its source.
    ///
    /// Concurrent callers share a fetch, which goes on if they are cancelled.
    ///
    /// # Errors
    ///
    /// Returns [`Error`] if there is no cached value and it cannot be fetched, does not fit the type, or
    /// does not arrive within the remaining time of the invocation.
    #[inline]
    pub fn get(&self) -> impl Future<Output = Result<Value<T>, Error>> + Send {
        match self.young() {
            Some(value) => Either::Left(ready(Ok(value))),
            // In a box, so that a cached read does not carry the size of a fetch around.
            None => Either::Right(Box::pin(async { self.cell()?.get().await })),
        }
    }

    /// Fetches the value, and returns it once a fetch that began after this call has ended.
    ///
    /// # Errors
    ///
    /// Returns [`Error`] as [`get`](Self::get) does. The cached value stays.
    pub async fn get_fresh(&self) -> Result<Value<T>, Error> {
        self.cell()?.get_fresh().await
    }

    /// Fetches the value again if `is_bad` holds for the cached one, as after a login that failed with
    /// it.
    ///
    /// ```
    /// # use powertools::parameters::{Error, Secret};
    /// # static PASSWORD: Secret<String> = Secret::plain("prod/db/password");
    /// # async fn connect(_: &str) -> Result<(), ()> { Ok(()) }
    /// # async fn example() -> Result<(), Error> {
    /// let mut password = PASSWORD.get().await?;
    /// if connect(&password).await.is_err() {
    ///     password = PASSWORD.refresh_if(|cached| *cached == *password).await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// Callers whose logins fail together share a fetch. Within the
    /// [refresh interval](super::Parameters::refresh_interval), the cached value is returned.
    ///
    /// # Errors
    ///
    /// Returns [`Error`] as [`get`](Self::get) does. The cached value stays.
    pub async fn refresh_if(&self, is_bad: impl FnOnce(&T) -> bool) -> Result<Value<T>, Error> {
        self.cell()?.refresh_if(is_bad).await
    }

    /// Forgets the cached value. A fetch that runs already does not bring it back.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TenantMissing`] if the value is per tenant and there is none.
    pub fn invalidate(&self) -> Result<(), Error> {
        self.cell()?.invalidate();
        Ok(())
    }

    #[inline]
    fn young(&self) -> Option<Value<T>> {
        let bound = self.bound.get()?;
        let is_bound = Engine::is_current(bound.engine)
            && (!self.is_per_tenant || bound.tenant == self.tenant());
        if is_bound { bound.cell.young() } else { None }
    }

    fn cell(&self) -> Result<Arc<Cell<T>>, Error> {
        let tenant = self.tenant();
        let mut request = Request::new(self.kind, self.resolved_name());
        request.version = self.version;
        request.decrypt = self.is_decrypted();
        if self.is_per_tenant && tenant.is_none() {
            return Err(Error::TenantMissing { what: request.to_string() });
        }
        request.tenant.clone_from(&tenant);
        let (format, max_age) = (self.format, self.max_age);
        let value = std::any::TypeId::of::<T>();
        let engine = Engine::current();
        let cell = engine.cell(Key { request, format, max_age, value }, self.decode);
        // Later engines and tenants take the way through the engine's map.
        self.bound.get_or_init(|| Bound { engine: engine.id(), tenant, cell: cell.clone() });
        Ok(cell)
    }

    fn tenant(&self) -> Option<String> {
        if !self.is_per_tenant {
            return None;
        }
        Invocation::with_current(|invocation| invocation.tenant_id().map(str::to_owned)).flatten()
    }

    fn resolved_name(&self) -> String {
        let variable = self.variable.and_then(|variable| Environment::process().get(variable));
        variable.unwrap_or_else(|| self.name.to_owned())
    }

    fn is_decrypted(&self) -> bool {
        match self.kind {
            // An invalid flag is an error at the start of the function.
            Kind::Parameter | Kind::Path => self
                .decrypt
                .unwrap_or_else(|| builder::decrypt(&Environment::process()).unwrap_or_default()),
            Kind::Secret | Kind::Configuration => true,
        }
    }
}

impl<T: Send + Sync + 'static> Declaration<T, OfParameter> {
    /// Writes a new version of the parameter, and forgets the cached value. A parameter that does not
    /// exist is created: as a `SecureString` if this one is [decrypted](Self::decrypt), else as a
    /// `String`.
    ///
    /// # Errors
    ///
    /// Returns [`Error`] if the source cannot be written.
    pub async fn set(&self, value: impl Into<Content>) -> Result<(), Error> {
        self.cell()?.set(value.into()).await
    }
}

impl<T: Send + Sync + 'static> Declaration<T, OfSecret> {
    /// Writes a new version of the secret, and forgets the cached value. A secret that does not exist
    /// is created.
    ///
    /// # Errors
    ///
    /// Returns [`Error`] if the source cannot be written.
    pub async fn set(&self, value: impl Into<Content>) -> Result<(), Error> {
        self.cell()?.set(value.into()).await
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
