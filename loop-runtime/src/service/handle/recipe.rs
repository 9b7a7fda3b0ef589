//! How an object is made and recreated: parent, method, encoded request, what to lend.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::remote::Remote;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::service::base::{Method, Names};
use crate::service::session::{AttemptError, EndOnDrop, Link, RECIPE, Request, with_ids};
use crate::wire::FieldSpec;

/// The service that a constructor returns, known by type.
#[derive(Clone)]
pub struct ServiceInfo {
    pub(crate) name: &'static str,
    pub(crate) release: Option<&'static Method>,
    pub(crate) names: Arc<Names>,
    pub(crate) optional: bool,
}

/// Free of user types: it keeps bytes, not values, so nothing needs to be `Clone`. It holds the parent strongly, so
/// that a parent outlives its children whatever the order of drops.
pub(crate) struct Recipe {
    pub(crate) parent: Remote,
    pub(crate) method: &'static Method,
    pub(crate) request: Request,
    /// The field of the reply that is the service.
    pub(crate) field: FieldSpec,
    pub(crate) info: ServiceInfo,
    /// Names the handle to a peer of this runtime, so that it can tell a rerun from a second object.
    pub(crate) key: HeaderValue,
}

/// One successful run.
pub(crate) struct Made {
    pub(crate) reply: Bytes,
    /// `None`: the peer has no such object, and the type allows that.
    pub(crate) link: Option<Arc<Link>>,
    /// The parent's object.
    pub(crate) under: u64,
}

impl Recipe {
    pub(crate) fn new(
        parent: Remote,
        method: &'static Method,
        request: Request,
        field: FieldSpec,
        info: ServiceInfo,
    ) -> Result<Self> {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).map_err(|why| Error::internal(format!("no random numbers: {why}")))?;
        let key = format!("{:032x}", u128::from_be_bytes(random));
        let key = HeaderValue::try_from(key).map_err(Error::other)?;
        Ok(Self { parent, method, request, field, info, key })
    }

    /// Runs the constructor once over `parent`. Unless it succeeds, everything that was opened is released.
    pub(crate) async fn attempt(&self, parent: &Arc<Link>, context: &Context) -> Result<Made, AttemptError> {
        let object = Arc::new(parent.object().child());
        let unmade = EndOnDrop::new(&object);
        let (session, under) = (parent.session(), parent.object().number());
        let (leases, ids) = parent.lend(&self.request.exports, &object, None, context).await?;
        object.keep(leases);
        let mut headers = HeaderMap::new();
        headers.insert(RECIPE, self.key.clone());
        let body = with_ids(&self.request.body, &ids);
        let answered = parent.unary(self.method.path, headers, context, body).await;
        // Some objects are asked for nothing else.
        if matches!(answered, Ok(_) | Err(AttemptError::Answered(_))) {
            parent.note_answer();
        }
        let reply = answered?;
        let id = crate::wire::take::<u32>(&reply, &self.field).map_err(|why| {
            AttemptError::Unreadable(Error::unreadable_reply(
                &session.peer_context().name,
                self.method.path,
                why.of_reply(),
            ))
        })?;
        if id == 0 && self.info.optional {
            return Ok(Made { reply, link: None, under });
        }
        let name = self.info.name;
        let failed =
            |why: Error| AttemptError::MayHaveRun(why.within(format!("connecting to the new {name}, connection {id}")));
        let bound = Instant::now() + session.peer_context().timeouts.construct_timeout;
        let link = Link::dial(session, id, object.clone()).await.map_err(failed)?;
        link.probe(&self.info.names, Some(bound)).await.map_err(failed)?;
        unmade.disarm();
        Ok(Made { reply, link: Some(link), under })
    }
}
