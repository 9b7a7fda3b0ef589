//! The services of one connection: a service, its parents and its components, by name.

use std::sync::Arc;

use super::contract::{Answer, Call};
use crate::error::{Error, Result};
use crate::service::base::{Method, UNKNOWN_METHOD, unknown_service};

type Serve = dyn Fn(&str, Call) -> Option<Answer> + Send + Sync;

/// The objects behind the names of one connection.
///
/// A short list, searched in order: own services first, then parents, then components.
#[derive(Default)]
pub struct Tree {
    services: Vec<Entry>,
    accessor: Option<&'static str>,
    clashes: Vec<String>,
}

struct Entry {
    name: &'static str,
    methods: &'static [Method],
    accessor: Option<&'static str>,
    serve: Arc<Serve>,
}

impl Tree {
    /// Serves the `methods` of `name` by `serve`. A name that is already served through the same accessor is a diamond of supertraits
    /// and stays with its first owner; two accessors of one name are an error that [`Tree::finish`] reports.
    pub fn serve(
        &mut self,
        name: &'static str,
        methods: &'static [Method],
        serve: impl Fn(&str, Call) -> Option<Answer> + Send + Sync + 'static,
    ) {
        if let Some(entry) = self.services.iter().find(|entry| entry.name == name) {
            if entry.accessor != self.accessor {
                let link_cell = |accessor: Option<&str>| match accessor {
                    Some(accessor) => format!("accessor `{accessor}`"),
                    None => "the service itself".to_owned(),
                };
                self.clashes.push(format!(
                    "service {name} is offered twice on one connection, by {} and by {}",
                    link_cell(entry.accessor),
                    link_cell(self.accessor)
                ));
            }
            return;
        }
        self.services.push(Entry { name, methods, accessor: self.accessor, serve: Arc::new(serve) });
    }

    /// Mounts what `mount` mounts as the component behind `accessor`.
    pub(crate) fn component(&mut self, accessor: &'static str, mount: impl FnOnce(&mut Self)) {
        let outer = self.accessor.replace(accessor);
        mount(self);
        self.accessor = outer;
    }

    pub(crate) fn finish(self) -> Result<Self> {
        match self.clashes.first() {
            None => Ok(self),
            Some(clash) => {
                Err(Error::internal(format!("{clash}; remove one of the two, paths cannot tell them apart")))
            }
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.services.iter().map(|entry| entry.name)
    }

    /// The service and the method behind `path`, if both are here.
    ///
    /// # Errors
    ///
    /// `Unimplemented` with grpc-go's text, on which the probe for optional components relies.
    pub(crate) fn find(&self, path: &str) -> Result<Target<'_>> {
        let malformed = || Error::unimplemented(format!("malformed method name: {path:?}"));
        let (service, method) = path.strip_prefix('/').and_then(|path| path.rsplit_once('/')).ok_or_else(malformed)?;
        let entry = self.services.iter().find(|entry| entry.name == service).ok_or_else(|| unknown_service(service))?;
        match entry.methods.iter().find(|known| known.name == method) {
            Some(method) => Ok(Target { entry, method }),
            None => Err(unknown_method(service, method)),
        }
    }
}

/// A method that is served.
pub(crate) struct Target<'tree> {
    entry: &'tree Entry,
    pub(crate) method: &'static Method,
}

impl Target<'_> {
    /// Dispatches a call of it.
    pub(crate) fn dispatch(self, call: Call) -> Result<Answer> {
        let Self { entry, method } = self;
        (entry.serve)(method.name, call).ok_or_else(|| unknown_method(entry.name, method.name))
    }
}

fn unknown_method(service: &str, method: &str) -> Error {
    Error::unimplemented(format!("{UNKNOWN_METHOD} {method} for service {service}"))
}

/// The services of an object whose start methods have run: one inherited twice starts once.
#[derive(Debug, Default)]
pub struct Starts(Vec<&'static str>);

impl Starts {
    /// Whether `name` is passed for the first time.
    pub fn is_first(&mut self, name: &'static str) -> bool {
        let first = !self.0.contains(&name);
        if first {
            self.0.push(name);
        }
        first
    }
}
