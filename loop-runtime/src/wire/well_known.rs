//! `google.protobuf.Any` and `google.protobuf.FieldMask`.

use bytes::Bytes;

use super::WireError;
use super::message::{LoopMessage, Message, Value, decode, encode};
use super::read::Fields;
use super::schema::Schema;
use super::sink::Sink;
use super::write::Writer;

/// What stands before the name of a message in a type URL, as every implementation of protobuf writes it.
const PREFIX: &str = "type.googleapis.com/";

/// `google.protobuf.Any`: a message of some type, which is named.
///
/// ```
/// use loop_runtime::LoopMessage;
/// use loop_runtime::wire::Any;
///
/// #[derive(Debug, PartialEq, LoopMessage)]
/// #[message(package = "acme.v1")]
/// struct Head {
///     #[wire(1)]
///     height: u64,
/// }
///
/// # fn main() -> Result<(), loop_runtime::wire::WireError> {
/// let any = Any::pack(&Head { height: 7 })?;
/// assert_eq!(any.type_url, "type.googleapis.com/acme.v1.Head");
/// assert!(any.is::<Head>());
/// assert_eq!(any.unpack::<Head>()?, Some(Head { height: 7 }));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Any {
    /// The type: a URL whose last segment is the full name of the message. What is before that is not looked at.
    pub type_url: String,
    /// The bytes of the message.
    pub value: Bytes,
}

impl Any {
    /// The message `message`, under its own name.
    ///
    /// The type needs a package (`#[message(package = "..")]`): peers find it by its full name.
    ///
    /// # Errors
    ///
    /// Those of [`encode`].
    pub fn pack<M: Message>(message: &M) -> Result<Self, WireError> {
        Ok(Self { type_url: format!("{PREFIX}{}", M::NAME), value: encode(message)? })
    }

    /// Whether the message is an `M`, by its name.
    pub fn is<M: Message>(&self) -> bool {
        self.type_url.rsplit_once('/').is_some_and(|(_, name)| name == M::NAME)
    }

    /// The message, if it is an `M`; `None` if it is of another type.
    ///
    /// # Errors
    ///
    /// The type is right, and the bytes are not; see [`decode`].
    pub fn unpack<M: Message>(&self) -> Result<Option<M>, WireError> {
        if self.is::<M>() { decode(&self.value).map(Some) } else { Ok(None) }
    }
}

/// `google.protobuf.FieldMask`: paths of fields, such as `parent.height`, whose meaning is the method's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldMask {
    /// The paths, as they came: names in snake case, joined by dots. Nothing is checked.
    pub paths: Vec<String>,
}

// These messages are protobuf's own: a schema imports them and never asks for their shape.
impl Message for Any {
    const NAME: &'static str = "google.protobuf.Any";

    fn put_fields(&self, out: &mut Writer) {
        self.type_url.put(1, out);
        self.value.put(2, out);
    }

    fn read_fields(mut fields: Fields<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError> {
        let (mut type_url, mut value) = ("", Bytes::new());
        while let Some(field) = fields.next()? {
            match field.number() {
                1 => String::add(&mut type_url, field)?,
                2 => Bytes::add(&mut value, field)?,
                _ => {}
            }
        }
        into.put(Self { type_url: type_url.to_owned(), value });
        Ok(())
    }

    fn schema(_: &mut Schema) {}
}

impl Message for FieldMask {
    const NAME: &'static str = "google.protobuf.FieldMask";

    fn put_fields(&self, out: &mut Writer) {
        self.paths.put(1, out);
    }

    fn read_fields(mut fields: Fields<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError> {
        let mut paths = Vec::new();
        while let Some(field) = fields.next()? {
            if field.number() == 1 {
                Vec::add(&mut paths, field)?;
            }
        }
        into.put(Self { paths });
        Ok(())
    }

    fn schema(_: &mut Schema) {}
}
