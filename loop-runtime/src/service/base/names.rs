//! The names of a service on the wire: its own, its parents' and its components'.

use super::method::Method;
use crate::error::Error;

/// How the text for an unknown method of a known service begins.
pub(crate) const UNKNOWN_METHOD: &str = "unknown method";

/// How the text for an unknown service begins.
pub(crate) const UNKNOWN_SERVICE: &str = "unknown service";

pub(crate) fn unknown_service(service: &str) -> Error {
    Error::unimplemented(format!("{UNKNOWN_SERVICE} {service}"))
}

/// The names of one service's tree with their method tables, without any object.
#[derive(Clone, Debug, Default)]
pub struct Names {
    services: Vec<(&'static str, &'static [Method])>,
    optional: Vec<&'static str>,
}

impl Names {
    /// Adds a service with its methods.
    pub fn service(&mut self, name: &'static str, methods: &'static [Method]) {
        if !self.contains(name) {
            self.services.push((name, methods));
        }
    }

    /// Notes that the component `name` is optional, so that every new connection probes for it.
    pub(crate) fn optional(&mut self, name: &'static str) {
        if !self.optional.contains(&name) {
            self.optional.push(name);
        }
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        for (name, methods) in &other.services {
            self.service(name, methods);
        }
        for name in &other.optional {
            self.optional(name);
        }
    }

    pub(crate) fn contains(&self, service: &str) -> bool {
        self.services.iter().any(|(name, _)| *name == service)
    }

    pub(crate) fn optionals(&self) -> &[&'static str] {
        &self.optional
    }

    /// The path of an idempotent method of `service`, to probe with.
    pub(crate) fn harmless(&self, service: &str) -> Option<&'static str> {
        let (_, methods) = self.services.iter().find(|(name, _)| *name == service)?;
        methods.iter().find(|method| method.idempotent).map(|method| method.path)
    }

    /// The method with this name, if the contract has one.
    pub(crate) fn method(&self, service: &str, method: &str) -> Option<&'static Method> {
        let (_, methods) = self.services.iter().find(|(name, _)| *name == service)?;
        methods.iter().find(|known| known.name == method)
    }
}
