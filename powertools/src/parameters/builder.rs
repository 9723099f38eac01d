use std::sync::Arc;
use std::time::Duration;

use super::cell::{LONGEST, Running, Settings};
use super::engine::{Engine, Sources};
use super::{Error, Source, sources};
use crate::clock::Clock;
use crate::environment::{Environment, PARAMETERS_DECRYPT, PARAMETERS_MAX_AGE};

/// Where values come from, and how long they are kept.
///
/// `Powertools::parameters` installs it for a function, and [`scope`](Self::scope) for a test:
///
/// ```
/// use powertools::parameters::{Memory, Parameter, Parameters};
///
/// static LIMIT: Parameter<u32> = Parameter::json("/orders/limit");
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let memory = Memory::new().with("/orders/limit", "25");
/// Parameters::new()
///     .source(memory)
///     .scope(async {
///         assert_eq!(*LIMIT.get().await.unwrap(), 25);
///     })
///     .await;
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it has no effect until it is installed"]
pub struct Parameters {
    sources: Sources,
    max_age: Option<Duration>,
    settings: Settings,
}

impl Parameters {
    /// Creates the defaults: the sources of the enabled features on the SDK's clients.
    pub fn new() -> Self {
        let settings = Settings {
            max_age: Duration::from_secs(300),
            max_stale: Duration::from_secs(3600),
            failure_age: Duration::from_secs(1),
            refresh_interval: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            clock: Clock::system(),
            running: Running::default(),
        };
        Self { sources: sources::defaults(), max_age: None, settings }
    }

    /// Sets the source of all kinds of values.
    pub fn source(self, source: impl Source) -> Self {
        let source: Arc<dyn Source> = Arc::new(source);
        let [parameters, secrets] = [source.clone(), source.clone()];
        Self { sources: Sources { parameters, secrets, configurations: source }, ..self }
    }

    /// Sets the source of parameters.
    pub fn parameters_from(mut self, source: impl Source) -> Self {
        self.sources.parameters = Arc::new(source);
        self
    }

    /// Sets the source of secrets.
    pub fn secrets_from(mut self, source: impl Source) -> Self {
        self.sources.secrets = Arc::new(source);
        self
    }

    /// Sets the source of configurations.
    pub fn configurations_from(mut self, source: impl Source) -> Self {
        self.sources.configurations = Arc::new(source);
        self
    }

    /// Sets the age at which a value is fetched again before it is returned. Defaults to 300 s, or
    /// the seconds in `POWERTOOLS_PARAMETERS_MAX_AGE`.
    ///
    /// From 70 to 90 per cent of it on, at random, the cached value is returned and a new one is
    /// fetched meanwhile. An age of zero turns the cache off: a value is returned only after a fetch, not even
    /// an old one if that fails, and no failure is remembered.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age.min(LONGEST));
        self
    }

    /// Sets how much longer a value is returned, with one warning, while a new one cannot be fetched.
    /// Defaults to one hour.
    pub fn max_stale(mut self, time: Duration) -> Self {
        self.settings.max_stale = time.min(LONGEST);
        self
    }

    /// Sets how long the failure of a fetch is returned without another attempt. Defaults to 1 s.
    pub fn failure_age(mut self, age: Duration) -> Self {
        self.settings.failure_age = age.min(LONGEST);
        self
    }

    /// Sets the shortest time between two fetches of
    /// [`refresh_if`](super::Declaration::refresh_if). Defaults to 1 s.
    pub fn refresh_interval(mut self, interval: Duration) -> Self {
        self.settings.refresh_interval = interval.min(LONGEST);
        self
    }

    /// Sets the limit for a fetch. Defaults to 5 s. A caller waits no longer than the remaining time of
    /// its invocation.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Sets the clock that measures ages. Defaults to the system's.
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.settings.clock = clock.into();
        self
    }

    /// Runs `work` with these sources and a cache of its own, which override those of the program.
    ///
    /// A task that `work` spawns does not have them.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        let (engine, _) = Engine::new(self);
        Arc::new(engine).scope(work).await
    }

    /// Returns the parts, and what is wrong with the environment.
    pub(super) fn into_parts(mut self) -> (Sources, Settings, Option<Error>) {
        let environment = Environment::process();
        let mut error = decrypt(&environment).err();
        match (self.max_age, max_age(&environment)) {
            (Some(age), _) | (None, Ok(Some(age))) => self.settings.max_age = age,
            (None, Ok(None)) => {}
            (None, Err(invalid)) => error = Some(invalid),
        }
        (self.sources, self.settings, error)
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self::new()
    }
}

fn max_age(environment: &Environment) -> Result<Option<Duration>, Error> {
    let Some(seconds) = environment.get(PARAMETERS_MAX_AGE) else { return Ok(None) };
    match seconds.parse() {
        Ok(seconds) => Ok(Some(Duration::from_secs(seconds).min(LONGEST))),
        Err(_) => Err(Error::Setting {
            variable: PARAMETERS_MAX_AGE,
            reason: "is not a whole number of seconds",
        }),
    }
}

/// Returns whether parameters are decrypted where their declarations do not contain it.
pub(super) fn decrypt(environment: &Environment) -> Result<bool, Error> {
    let flag = environment.flag(PARAMETERS_DECRYPT);
    flag.map(Option::unwrap_or_default).map_err(|invalid| Error::Setting {
        variable: invalid.name,
        reason: "is neither true nor false",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_has_whole_seconds() {
        let of = |value: &str| max_age(&Environment::of([(PARAMETERS_MAX_AGE, value)]));
        assert_eq!(of("60").unwrap(), Some(Duration::from_secs(60)));
        assert_eq!(of("0").unwrap(), Some(Duration::ZERO));
        assert_eq!(of(" ").unwrap(), None);
        assert_eq!(of("99999999999999999").unwrap(), Some(LONGEST));
        for wrong in ["-1", "1.5", "5m"] {
            let error = of(wrong).unwrap_err();
            assert_eq!(error.error_type(), "Powertools.ParameterSettingInvalid", "{wrong}");
        }
    }

    #[test]
    fn parameters_are_decrypted_by_default_if_the_variable_is_on() {
        let of = |value: &str| decrypt(&Environment::of([(PARAMETERS_DECRYPT, value)]));
        assert!(of("true").unwrap());
        assert!(!of("").unwrap());
        let error = of("perhaps").unwrap_err();
        assert_eq!(
            error.to_string(),
            "POWERTOOLS_PARAMETERS_SSM_DECRYPT is neither true nor false"
        );
    }
}
