//! Messages and values on the protobuf wire.
//!
//! Two traits define what may cross the boundary: [`LoopMessage`] is what can be written (`str` and `[T]` included),
//! [`Value`] what can also be read back. User types derive [`LoopMessage`](macro@crate::LoopMessage) and thereby become
//! a [`Message`] (a struct, an enum with data), an enum or a transparent newtype.
//!
//! | Rust | protobuf |
//! |---|---|
//! | `bool`, `u32`, `u64`, `i32`, `i64`, `f32`, `f64` | `bool`, `uint32`, `uint64`, `int32`, `int64`, `float`, `double` |
//! | `u8`, `u16`, `char`; `i8`, `i16` | `uint32`; `int32`, with a check of the range |
//! | `NonZeroU32`, `NonZeroU64`, `NonZeroI32`, `NonZeroI64` | `uint32`, `uint64`, `int32`, `int64`; zero is refused, and so is absence |
//! | `u128`, `i128` | `bytes`, 16 of them with the most significant first, or none for zero |
//! | `String`, `str`, `Box<str>`, `Arc<str>`, `Cow<'static, str>` | `string` |
//! | `PathBuf`, `Path` | `string`; a path that is not UTF-8 is refused where it is written |
//! | `IpAddr`, `Ipv4Addr`, `Ipv6Addr`, `SocketAddr`, `SocketAddrV4`, `SocketAddrV6` | `string`, as `Display` has it; absence is refused |
//! | `Vec<u8>`, `[u8]`, `Bytes`, `Box<[u8]>`; `[u8; N]` | `bytes`; the same with a check of the length |
//! | `Vec<T>`, `[T]`, `Box<[T]>`, `VecDeque<T>` | `repeated`, packed for numbers |
//! | `[T; N]` | `repeated`, with a check of the length |
//! | `BTreeSet<T>`, `HashSet<T>` | `repeated`, written in order; what comes twice is there once |
//! | `Option<T>` | `optional` |
//! | `HashMap<K, V>`, `BTreeMap<K, V>` | `map`, written in the order of the keys |
//! | `Duration`, `SystemTime` | `google.protobuf.Duration`, which may not be negative; `google.protobuf.Timestamp` |
//! | [`SignedDuration`] | `google.protobuf.Duration` in either direction |
//! | [`Nanos`] (`#[wire(nanos)]`) | `int64`, nanoseconds |
//! | [`Struct`], [`StructValue`], [`ListValue`] | `google.protobuf.Struct`, `google.protobuf.Value`, `google.protobuf.ListValue` |
//! | [`Any`], [`FieldMask`], [`Empty`] | `google.protobuf.Any`, `google.protobuf.FieldMask`, `google.protobuf.Empty` |
//! | a newtype | what it wraps |
//! | a message by value | the message, required: its absence is refused |
//! | an enum with data | a message with one `oneof`, or with `#[wire(oneof)]` a `oneof` of the message around it |
//!
//! What options of the derive give another form (`sint`, `fixed`, `unpacked`, `wrapped`, `with = module`) is on
//! [its page](macro@crate::LoopMessage).
//!
//! Bytes that come from the other process are judged in two steps. Bytes that are not protobuf, or not of the wire
//! type that the field has, are [malformed](WireError::is_malformed). What is protobuf but not the Rust type
//! (300 for a `u8`, 31 bytes for `[u8; 32]`, a message that is missing) is *refused*, and the error names the path.
//! Nothing panics, and memory is bounded by a multiple of the input, since no length is believed before its bytes are there:
//! at most the size of an element in Rust for the two bytes of an empty one.
//!
//! Messages may nest 100 levels deep, the outermost not counted; an argument is a level of the request, a map entry one
//! of its message. Deeper ones are malformed when read, and are not written either: [`encode`] fails, and so does a
//! call with such an argument, before anything is sent. Reading the last level takes a few hundred KiB of stack without
//! optimisation, however many fields the messages have, and a fraction of that with it.
//!
//! Every decision of the format itself is protobuf's: the last of several scalars wins, several copies of one message
//! merge, numbers are accepted packed or not. Unknown fields are skipped, unless the
//! message has a field of the type [`UnknownFields`].
//!
//! # What a contract may have
//!
//! | in a contract | in Rust |
//! |---|---|
//! | `sint32`, `sint64`; `fixed32`, `fixed64`, `sfixed32`, `sfixed64` | `#[wire(N, sint)]`; `#[wire(N, fixed)]` |
//! | `map<sint32, ..>` and other such keys | `#[wire(N, key = sint)]`, `#[wire(N, key = fixed)]` |
//! | `[packed = false]` | `#[wire(N, unpacked)]` |
//! | `int64` that is a span of time | `#[wire(N, nanos)]`, or `i64` where it may be negative |
//! | `optional` | `Option<T>` |
//! | `oneof` | `#[wire(oneof)]` on a field whose type is an enum with data |
//! | a message of one `oneof` and nothing else | an enum with data |
//! | an enum that is open, or closed | with a variant `#[wire(unknown)] Other(i32)`, or without: then other numbers are refused |
//! | negative numbers in an enum; `allow_alias` | `#[wire(-1)]`; `#[wire(1, alias("STATUS_STARTED"))]` |
//! | `reserved 4, 7 to 9` | `#[message(reserved(4, 7..=9))]` |
//! | `google.protobuf.StringValue` and the other wrappers | `#[wire(N, wrapped)]` |
//! | `google.protobuf.Any`, `FieldMask`, `Empty`, `Struct`, `Value`, `ListValue`, `Timestamp`, `Duration` | the types in the table above |
//! | numbers in ranges of Rust: `uint32` for a `u8`, `bytes` for a `[u8; 32]` | that type, with `#[wire(N, text = "..")]` where the refusal has a fixed text |
//! | a type of yours or of another crate in any of these forms | `#[wire(N, with = module)]` |
//! | fields that a newer peer may send, to be passed on | a field of the type [`UnknownFields`]; arguments of methods cannot keep them |
//! | a message in a message (`message A { message B {} }`) | two types: names are not on the wire, and the exported text has them side by side |
//!
//! | refused | why, and what instead |
//! |---|---|
//! | lists of lists, maps of lists, `Option` in a list | protobuf has no such field: a message around the inner one |
//! | `Option<Option<T>>` | one kind of absence on the wire: an enum with data |
//! | keys that are messages, enums, bytes or floats | protobuf allows integers, `bool` and strings: a list of messages |
//! | `usize`, `isize` | no fixed width: `u32` or `u64` |
//! | tuples, structs with unnamed fields | fields have names: a struct with named ones |
//! | types with parameters or lifetimes | a name in the schema stands for one type, and what is read owns its data |
//! | an enum without zero | protobuf's default, which absence stands for: `#[wire(0)] Unspecified` |
//! | services in a message | they travel as arguments and results, where somebody answers for their lifetime |
//! | groups | out of use since proto2: they are skipped, or kept among [`UnknownFields`], and never written |
//! | `required`, extensions and defaults of proto2 | a message by value is required; the others are not in proto3 |
//! | `sint`, `with` and so on for an argument | its form is that of its type: a message with such a field |

mod bytes;
mod collection;
mod derive;
mod encoding;
mod error;
#[allow(missing_debug_implementations, reason = "public for generated code alone")]
mod form;
mod list;
mod map;
#[allow(missing_debug_implementations, reason = "public for generated code alone")]
mod member;
mod message;
mod number;
#[allow(missing_debug_implementations, reason = "public for generated code alone")]
mod oneof;
#[allow(missing_debug_implementations, reason = "public for generated code alone")]
mod read;
mod schema;
mod signed_duration;
#[allow(missing_debug_implementations, reason = "public for generated code alone")]
mod sink;
mod structs;
mod text;
mod time;
mod unknown;
mod well_known;
mod wide;
#[allow(missing_debug_implementations, reason = "public for generated code alone")]
mod wrappers;
#[allow(missing_debug_implementations, reason = "public for generated code alone")]
mod write;

pub use self::error::WireError;
pub use self::map::MapKey;
pub use self::message::{LoopMessage, Message, Value, decode, encode};
pub use self::schema::{Conflict, Schema};
pub use self::signed_duration::SignedDuration;
pub use self::structs::{Empty, ListValue, Struct, StructValue};
pub use self::time::Nanos;
pub use self::unknown::UnknownFields;
pub use self::well_known::{Any, FieldMask};

pub(crate) use self::error::Fault;

// For code that the macros emit. Public, because that is in other crates; hidden, because nothing else needs it.
#[doc(hidden)]
pub use self::{
    derive::{Content, InNanos, OrDefault, Plain},
    encoding::{Fixed32, Fixed64, Sfixed32, Sfixed64, Sint32, Sint64},
    form::{Element, Fixed, Form, Formed, FormedOrDefault, Keyed, Own, Sint, Unpacked, Whole, Wrapped, converted},
    member::{
        FormedMember, FormedOrDefaultMember, Group, InNanosMember, Member, OneofFieldMember, OrDefaultMember,
        PlainMember, UnknownMember, read,
    },
    message::{FieldSpec, Many, Maybe, One, Shape, Single, check, contains, put, put_whole, read_nothing, take},
    number::put_enums,
    oneof::{Case, Oneof, OneofField, assert_disjoint, read_oneof, unset},
    read::{Bodies, Field, Fields, Packing},
    schema::{EnumShape, FieldType, MessageShape, OneofShape, RequestShape, ServiceBuilder},
    sink::{Mapped, Sink},
    unknown::Unknown,
    wrappers::{Wrapper, Wraps},
    write::{Writer, nested},
};
