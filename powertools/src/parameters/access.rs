use std::any::TypeId;
use std::sync::Arc;

use super::builder;
use super::cell::Cell;
use super::declaration::{Bound, Declaration, OfParameter, OfSecret};
use super::engine::{Engine, Key};
use super::{Content, Error, Kind, Request, Value};
use crate::environment::Environment;
use crate::invocation::Invocation;

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
    pub async fn get(&self) -> Result<Value<T>, Error> {
        if let Some(value) = self.young() {
            return Ok(value);
        }
        // In a box, so that a cached read does not carry the size of a fetch around.
        Box::pin(async { self.cell()?.get().await }).await
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
    /// The returned value is one that `is_bad` does not hold for, or one whose fetch began after this call.
    /// Callers whose logins fail together share a fetch. Within the
    /// [refresh interval](super::Parameters::refresh_interval), and for a value that is too old, it returns what
    /// [`get`](Self::get) does.
    ///
    /// # Errors
    ///
    /// Returns [`Error`] as [`get`](Self::get) does. The cached value stays.
    pub async fn refresh_if(&self, is_bad: impl FnMut(&T) -> bool) -> Result<Value<T>, Error> {
        self.cell()?.refresh_if(is_bad).await
    }

    /// Forgets the cached value, and those of other declarations with the same request. A fetch that runs already
    /// does not bring it back.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TenantMissing`] if the value is per tenant and there is none.
    pub fn invalidate(&self) -> Result<(), Error> {
        Engine::current().invalidate(&self.request()?);
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
        let request = self.request()?;
        let tenant = request.tenant.clone();
        let (format, max_age) = (self.format, self.max_age);
        let value = TypeId::of::<T>();
        let engine = Engine::current();
        let cell = engine.cell(Key { request, format, max_age, value }, self.decode);
        // Later engines and tenants take the way through the engine's map.
        self.bound.get_or_init(|| Bound { engine: engine.id(), tenant, cell: cell.clone() });
        Ok(cell)
    }

    fn request(&self) -> Result<Request, Error> {
        let mut request = Request::new(self.kind, self.resolved_name());
        request.version = self.version;
        request.decrypt = self.is_decrypted();
        request.tenant = self.tenant();
        if self.is_per_tenant && request.tenant.is_none() {
            return Err(Error::TenantMissing { what: request.to_string() });
        }
        Ok(request)
    }

    async fn write(&self, content: Content) -> Result<(), Error> {
        let mut request = self.request()?;
        request.encrypt = self.encrypt;
        Engine::current().set(request, content).await
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
                .or(self.encrypt.filter(|is_encrypted| *is_encrypted))
                .unwrap_or_else(|| builder::decrypt(&Environment::process()).unwrap_or_default()),
            Kind::Secret | Kind::Configuration => true,
        }
    }
}

impl<T: Send + Sync + 'static> Declaration<T, OfParameter> {
    /// Writes a new version of the parameter, and forgets what is cached under its name, by any
    /// declaration. [`encrypted`](Self::encrypted) determines how a parameter that does not exist is
    /// created.
    ///
    /// The write goes on if the caller is cancelled.
    ///
    /// # Errors
    ///
    /// Returns [`Error`] if the source is read only or refuses it, or the declaration is that of an older
    /// version. After [`Error::is_retryable`], the value may have been written all the same.
    pub async fn set(&self, value: impl Into<Content>) -> Result<(), Error> {
        self.write(value.into()).await
    }
}

impl<T: Send + Sync + 'static> Declaration<T, OfSecret> {
    /// Writes a new version of the secret, and forgets what is cached under its name, by any declaration.
    /// A secret that does not exist is created.
    ///
    /// The write goes on if the caller is cancelled.
    ///
    /// # Errors
    ///
    /// Returns [`Error`] if the source is read only or refuses it, or the declaration is that of an older
    /// version. After [`Error::is_retryable`], the value may have been written all the same.
    pub async fn set(&self, value: impl Into<Content>) -> Result<(), Error> {
        self.write(value.into()).await
    }
}
