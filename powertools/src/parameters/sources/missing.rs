use futures_util::future::{BoxFuture, ready};

use crate::parameters::{Fetched, Request, Source, SourceError, SourceErrorKind};

/// Stands where no source is installed. It has the feature that brings one.
#[derive(Debug)]
pub(super) struct Missing(pub(super) &'static str);

impl Source for Missing {
    fn fetch<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        let message = format!(
            "there is no source: enable the feature {} of powertools, or install one with \
             Powertools::parameters",
            self.0
        );
        Box::pin(ready(Err(SourceError::new(SourceErrorKind::Unsupported, message))))
    }
}
