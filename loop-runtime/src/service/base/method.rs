//! One RPC of a service, as the macro writes it into a constant table.

use crate::wire::FieldSpec;

/// What the runtime knows of a method: its path, whether it may be retried, and the field numbers of its reply.
#[derive(Debug)]
#[must_use = "a description does nothing by itself"]
pub struct Method {
    /// `/package.Service/Method`.
    pub path: &'static str,
    /// The last part of the path.
    pub name: &'static str,
    /// Idempotent: retried after a loss.
    pub idempotent: bool,
    /// A set-up call: repeated on every object that replaces the one it was made on.
    pub replay: bool,
    /// Releases the object.
    pub release: bool,
    /// A constructor whose new object replaces the older one, once it is made.
    pub singleton: bool,
    /// The object is not recreated when it is lost: its handle fails from then on, and the caller makes a new one.
    pub once: bool,
    /// Arguments or results carry services.
    pub carries: bool,
    /// Numbers and names of the reply's fields; empty where the message itself is the reply.
    pub reply: &'static [FieldSpec],
}

impl Method {
    /// A method that is sent at most once and carries no service.
    pub const fn new(path: &'static str, name: &'static str) -> Self {
        Self {
            path,
            name,
            idempotent: false,
            replay: false,
            release: false,
            singleton: false,
            once: false,
            carries: false,
            reply: &[],
        }
    }

    /// Marks the method as idempotent.
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Marks the method as a set-up call.
    pub const fn replay(mut self) -> Self {
        self.replay = true;
        self
    }

    /// Marks the method as the one that releases the object.
    pub const fn release(mut self) -> Self {
        self.release = true;
        self
    }

    /// Marks the constructor as one whose new object replaces the older one.
    pub const fn singleton(mut self) -> Self {
        self.singleton = true;
        self
    }

    /// Marks the constructor as one whose object is not recreated when it is lost: its handle fails from then on, and
    /// the caller makes a new one.
    pub const fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// States whether arguments or results carry services.
    pub const fn carries(mut self, carries: bool) -> Self {
        self.carries = carries;
        self
    }

    /// Sets the fields of the reply.
    pub const fn reply(mut self, fields: &'static [FieldSpec]) -> Self {
        self.reply = fields;
        self
    }
}

/// Whether a result carries a service, as it must where only a constructor makes sense.
#[track_caller]
pub const fn constructs(carries: bool) -> bool {
    assert!(carries, "`once` is for constructors: methods that return `Arc<dyn Trait>` of a service");
    carries
}

/// Whether any of `methods` carries a service.
pub const fn any_carries(methods: &[Method]) -> bool {
    let mut i = 0;
    while i < methods.len() {
        if methods[i].carries {
            return true;
        }
        i += 1;
    }
    false
}

/// The first release method among `methods`.
pub const fn own_release(methods: &'static [Method]) -> Option<&'static Method> {
    let mut i = 0;
    while i < methods.len() {
        if methods[i].release {
            return Some(&methods[i]);
        }
        i += 1;
    }
    None
}

/// The first of several inherited release methods.
pub const fn first(of: &[Option<&'static Method>]) -> Option<&'static Method> {
    let mut i = 0;
    while i < of.len() {
        if of[i].is_some() {
            return of[i];
        }
        i += 1;
    }
    None
}
