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
    /// A stream is among the arguments.
    pub client_streaming: bool,
    /// The result is a stream.
    pub server_streaming: bool,
    /// With a stream among the arguments: the first message has the other arguments.
    pub first: bool,
    /// A stream in the result goes on after a loss, by the same call.
    pub resubscribe: bool,
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
            client_streaming: false,
            server_streaming: false,
            first: false,
            resubscribe: false,
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

    /// States which of its `arguments` arguments are streams, and whether the result is one.
    ///
    /// # Panics
    ///
    /// Several arguments are streams.
    pub const fn streams(mut self, arguments: &[bool], result: bool) -> Self {
        let mut i = 0;
        while i < arguments.len() {
            assert!(!(arguments[i] && self.client_streaming), "a method takes one stream at most");
            self.client_streaming |= arguments[i];
            i += 1;
        }
        self.first = self.client_streaming && arguments.len() > 1;
        self.server_streaming = result;
        self
    }

    /// Marks a stream in the result as one that goes on after a loss.
    ///
    /// # Panics
    ///
    /// The result is no stream, or an argument is one; so it follows [`Method::streams`].
    pub const fn resubscribe(mut self) -> Self {
        assert!(self.server_streaming, "`resubscribe` is for methods that return a `Streaming`");
        assert!(
            !self.client_streaming,
            "a stream among the arguments cannot be sent again: `resubscribe` is not possible"
        );
        self.resubscribe = true;
        self
    }

    /// Whether its messages are read or sent one by one.
    pub(crate) const fn is_streaming(&self) -> bool {
        self.client_streaming || self.server_streaming
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

/// Whether an argument that is borrowed is a stream: none may be.
#[track_caller]
pub const fn borrowed(streams: bool) -> bool {
    assert!(!streams, "a stream among the arguments is taken by value: whoever reads it owns it");
    streams
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
