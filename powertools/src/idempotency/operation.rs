use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::codec::{Derived, Scope, full_name};
use super::options::{KeepIf, LONGEST};
use super::{Error, Idempotency, Key, OnMissingKey, OnSaveFailure, Store};
use crate::invocation::Invocation;
use crate::json::WriteError;

/// How long a result is kept by default.
const EXPIRES_AFTER: Duration = Duration::from_secs(60 * 60);
/// The default for a record of a batch: queues and streams deliver again for longer than an hour.
const RECORDS_EXPIRE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// An operation: work with a name. Created by [`Idempotency::operation`].
#[derive(Debug)]
#[must_use = "an operation does nothing until it has a key and runs"]
pub struct Operation<'a, S> {
    idempotency: &'a Idempotency<S>,
    name: Cow<'a, str>,
    /// How long the result is kept by default.
    expires_after: Duration,
}

/// An operation with a key, ready to [`run`](Call::run). Created by [`Operation::key`].
#[derive(Debug)]
#[must_use = "a call does nothing until it runs"]
pub struct Call<S> {
    pub(super) idempotency: Idempotency<S>,
    /// `None` if the work runs without protection.
    pub(super) prepared: Option<Prepared>,
}

#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) key: Key,
    pub(super) validation: Option<String>,
    pub(super) expires_after: Duration,
    pub(super) on_save_failure: OnSaveFailure,
    /// Decides which results are stored if the options do not.
    pub(super) keep_if: Option<KeepIf>,
    /// Later events depend on the result: it is stored and replayed as it is, whatever the options are.
    pub(super) must_keep: bool,
    /// The length of the name of the operation, with which the key begins.
    name_length: usize,
}

impl<S> Clone for Operation<'_, S> {
    // By hand, since a derive would require `S: Clone`.
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), ..*self }
    }
}

impl Prepared {
    /// Returns the name of the operation, for errors.
    fn operation(&self) -> String {
        self.key.as_str()[..self.name_length].to_owned()
    }

    /// Returns the error that a fallback is not the result of the work.
    pub(super) fn fell_back(&self) -> Error {
        Error::Fallback { operation: self.operation() }
    }

    /// Returns the error that the result was not stored.
    pub(super) fn not_stored(&self, reason: String) -> Error {
        if self.must_keep {
            return Error::CursorNotStored { operation: self.operation(), reason };
        }
        Error::ResultNotStored { key: self.key.clone(), reason }
    }
}

impl<'a, S: Store> Operation<'a, S> {
    pub(super) fn new(idempotency: &'a Idempotency<S>, name: Cow<'a, str>) -> Self {
        let is_for_record = Invocation::with_current(Invocation::is_for_record).unwrap_or(false);
        let expires_after = if is_for_record { RECORDS_EXPIRE_AFTER } else { EXPIRES_AFTER };
        Self { idempotency, name, expires_after }
    }

    /// Returns the same operation for a record of a batch, also outside an invocation.
    pub(crate) fn of_record(self) -> Self {
        Self { expires_after: RECORDS_EXPIRE_AFTER, ..self }
    }

    /// Returns the name with the prefix of the options, for errors.
    pub(super) fn full_name(&self) -> String {
        full_name(&self.idempotency.options.key_prefix, &self.name).concat()
    }

    /// Derives the key under which the work is done once.
    ///
    /// The key is what two deliveries of an event have in common: an order number, an id that the
    /// client sent. If serde writes the value as a map or list, every member counts. The
    /// order of the members of a map does not matter and that of a list does. A `HashSet` is not a
    /// key, because serde writes it as a list whose order differs in each process; use a `BTreeSet`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::KeyMissing`] if `key` is written as null, an empty string, list or map, or a list
    /// or map whose members are all null, or if an absent [`NaturalKey`](crate::events::NaturalKey) is
    /// anywhere in it, unless [`OnMissingKey::Bypass`] is set. Returns [`Error::KeyIncomplete`] if `key` is
    /// a tuple or list and some of its members are null, unless
    /// [`allow_incomplete_keys`](super::Builder::allow_incomplete_keys) is set; only the keys of
    /// [`KeyCodec::Native`](super::KeyCodec::Native) can be incomplete. Returns [`Error::Config`] if the
    /// name of the operation is empty. Returns [`Error::KeyInvalid`] if `key` cannot be written as JSON, if
    /// the derived key is too long for the store, or if the tenant is part of the key and the invocation
    /// has none.
    pub fn key<K: Serialize + ?Sized>(self, key: &K) -> Result<Call<S>, Error> {
        let Self { idempotency, name, expires_after } = self;
        let options = &idempotency.options;
        let unprotected = || Call { idempotency: idempotency.clone(), prepared: None };
        if options.disabled {
            return Ok(unprotected());
        }

        if name.is_empty() {
            return Err(Error::Config("an operation needs a name".to_owned()));
        }
        let full_name = full_name(&options.key_prefix, &name);
        let operation = || full_name.concat();
        let invocation = if options.tenant_in_key { Invocation::current() } else { None };
        let tenant = invocation.as_ref().and_then(Invocation::tenant_id);
        if options.tenant_in_key && tenant.is_none() {
            // Without this check, all events without a tenant would share their results.
            let reason = "the tenant is part of the key, and the invocation has none".to_owned();
            return Err(Error::KeyInvalid { operation: operation(), reason });
        }
        let scope = Scope { prefix: &options.key_prefix, name: &name, tenant };
        let derived = options.codec.key(scope, key, options.allow_incomplete_keys);
        let key = match derived {
            Ok(Derived::Key(key)) => key,
            Ok(Derived::Absent) if options.on_missing_key == OnMissingKey::Bypass => {
                return Ok(unprotected());
            }
            Ok(Derived::Absent) => return Err(Error::KeyMissing { operation: operation() }),
            Ok(Derived::Incomplete(index)) => {
                return Err(Error::KeyIncomplete {
                    operation: operation(),
                    path: format!("/{index}"),
                });
            }
            Err(WriteError(reason)) => {
                return Err(Error::KeyInvalid { operation: operation(), reason });
            }
        };

        let limit = idempotency.store.max_key_bytes();
        let length = key.as_str().len();
        if length > limit {
            let reason = format!("it has {length} bytes, and the store accepts {limit}");
            return Err(Error::KeyInvalid { operation: operation(), reason });
        }
        Ok(Call {
            idempotency: idempotency.clone(),
            prepared: Some(Prepared {
                key,
                validation: None,
                expires_after: options.expires_after.unwrap_or(expires_after),
                on_save_failure: options.on_save_failure.unwrap_or(OnSaveFailure::Error),
                keep_if: None,
                must_keep: false,
                name_length: full_name.map(str::len).into_iter().sum(),
            }),
        })
    }
}

impl<S: Store> Call<S> {
    /// Sets the part of the event that must not change under the same key, such as the amount of a
    /// payment.
    ///
    /// Its hash is stored; a later call with another payload under the same key receives
    /// [`Error::PayloadChanged`].
    ///
    /// # Errors
    ///
    /// Returns [`Error::KeyInvalid`] if `payload` cannot be written as JSON.
    pub fn payload<P: Serialize + ?Sized>(mut self, payload: &P) -> Result<Self, Error> {
        if let Some(prepared) = &mut self.prepared {
            let codec = self.idempotency.options.codec;
            let hash = codec.payload(payload).map_err(|WriteError(reason)| Error::KeyInvalid {
                operation: prepared.operation(),
                reason: format!("its payload: {reason}"),
            })?;
            prepared.validation = Some(hash);
        }
        Ok(self)
    }

    /// Sets how long the result is kept, unless the [options](super::Builder::expires_after) set that.
    /// At most ten years.
    pub fn expires_after_or(mut self, time: Duration) -> Self {
        if let Some(prepared) = &mut self.prepared {
            let chosen = self.idempotency.options.expires_after;
            prepared.expires_after = chosen.unwrap_or(time.min(LONGEST));
        }
        self
    }

    /// Sets which results are stored, unless the [options](super::Builder::keep_if) set that.
    pub fn keep_if_or(mut self, keep: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Self {
        if let Some(prepared) = &mut self.prepared {
            prepared.keep_if = Some(KeepIf::new(keep));
        }
        self
    }

    /// Sets what the caller receives when the work is done but its result could not be saved, unless the
    /// [options](super::Builder::on_save_failure) set it.
    pub fn on_save_failure_or(mut self, policy: OnSaveFailure) -> Self {
        if let Some(prepared) = &mut self.prepared {
            let chosen = self.idempotency.options.on_save_failure;
            prepared.on_save_failure = chosen.unwrap_or(policy);
        }
        self
    }

    /// Stores and replays the result as it is, or returns an error, whatever the options are.
    pub(super) fn must_keep(mut self) -> Self {
        if let Some(prepared) = &mut self.prepared {
            prepared.must_keep = true;
        }
        self
    }

    /// Returns the derived key, or `None` if the work runs without protection.
    #[must_use]
    pub fn derived_key(&self) -> Option<&Key> {
        self.prepared.as_ref().map(|prepared| &prepared.key)
    }
}
