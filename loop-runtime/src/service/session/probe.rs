//! Which of the optional components of a service the peer has.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;

use super::attempt_error::AttemptError;
use super::link::Link;
use crate::context::Context;
use crate::error::{Code, Error, ErrorKind, Result};
use crate::service::base::{Names, UNKNOWN_METHOD, UNKNOWN_SERVICE};
use crate::sync::locked;

impl Link {
    /// Whether the peer has the optional component `name`.
    pub(crate) fn offers(&self, name: &str) -> bool {
        locked(&self.offers).contains(&name)
    }

    /// Probes for the optional components, all concurrently. What is known of other names stays.
    ///
    /// # Errors
    ///
    /// The link ended meanwhile, or there was no reply before `deadline`: a peer may be frozen.
    pub(crate) async fn probe(self: &Arc<Self>, names: &Names, deadline: Option<Instant>) -> Result<()> {
        let context = Context { deadline, ..Context::default() };
        let mut probes = tokio::task::JoinSet::new();
        for name in names.optionals() {
            let (link, harmless) = (self.clone(), names.harmless(name));
            let (name, context) = (*name, context.clone());
            probes.spawn(async move { Ok::<_, Error>(link.has(name, harmless, &context).await?.then_some(name)) });
        }
        let mut offers = Vec::new();
        while let Some(probed) = probes.join_next().await {
            offers.extend(probed.map_err(|why| Error::internal(why.to_string()))??);
        }
        let mut known = locked(&self.offers);
        known.retain(|name| !names.optionals().contains(name));
        known.extend(offers);
        Ok(())
    }

    /// Whether the peer has the service `name`: calls a method that cannot exist, without side effects. grpc-go and
    /// this runtime say which of the two is unknown. Others have one text for both: they are probed as Go's hosts do
    /// it, by an empty request to `harmless`, which is idempotent.
    async fn has(&self, name: &str, harmless: Option<&str>, context: &Context) -> Result<bool> {
        let Some(refused) = self.refusal(&format!("/{name}/__Probe"), context).await? else { return Ok(true) };
        let text = refused.message();
        if refused.code() != Code::Unimplemented || text.starts_with(UNKNOWN_METHOD) {
            return Ok(true);
        }
        match harmless {
            Some(path) if !text.starts_with(UNKNOWN_SERVICE) => {
                let refused = self.refusal(path, context).await?;
                Ok(refused.is_none_or(|refused| refused.code() != Code::Unimplemented))
            }
            _ => Ok(false),
        }
    }

    /// The error status with which the peer answers an empty request, if it does.
    async fn refusal(&self, path: &str, context: &Context) -> Result<Option<Error>> {
        match self.unary(path, HeaderMap::new(), context, Bytes::new()).await {
            Ok(_) => Ok(None),
            Err(AttemptError::Answered(error)) if matches!(error.kind(), ErrorKind::Deadline { .. }) => Err(error),
            Err(AttemptError::Answered(error)) => Ok(Some(error)),
            Err(why) => Err(why.into_error()),
        }
    }
}
