//! Types of the standard library that are strings on the wire: shared and boxed ones, paths, addresses.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::WireError;
use super::message::{LoopMessage, Many, One, Value};
use super::read::{Field, Packing};
use super::schema::{FieldType, Schema};
use super::write::Writer;

macro_rules! string {
    ($($(#[$meta:meta])* $ty:ty;)*) => {$(
        $(#[$meta])*
        impl LoopMessage for $ty {
            type Owned = Self;

            #[inline]
            fn put(&self, n: u32, out: &mut Writer) {
                str::put(self, n, out);
            }

            #[inline]
            fn put_always(&self, n: u32, out: &mut Writer) {
                str::put_always(self, n, out);
            }

            fn field_type(schema: &mut Schema) -> FieldType {
                str::field_type(schema)
            }
        }

        impl Value for $ty {
            type Shape = One;
            type Listed = Many;
            type Slot<'a> = &'a str;
            const PACKING: Packing = Packing::Delimited;

            #[inline]
            fn add<'a>(slot: &mut &'a str, field: Field<'a>) -> Result<(), WireError> {
                String::add(slot, field)
            }

            #[inline]
            fn done(slot: &str) -> Result<Self, WireError> {
                Ok(slot.to_owned().into())
            }
        }
    )*};
}

string! {
    Box<str>;
    Arc<str>;
    /// Owned when it is read.
    Cow<'static, str>;
}

/// The longest piece of what came that an error repeats, in bytes.
const SHOWN: usize = 64;

fn shown(text: &str) -> &str {
    let end = (0..=SHOWN.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

// Never empty, so always written; what did not come is not there.
macro_rules! address {
    ($($ty:ident)*) => {$(
        impl LoopMessage for $ty {
            type Owned = Self;

            fn put(&self, n: u32, out: &mut Writer) {
                self.put_always(n, out);
            }

            fn put_always(&self, n: u32, out: &mut Writer) {
                self.to_string().put_always(n, out);
            }

            fn field_type(schema: &mut Schema) -> FieldType {
                str::field_type(schema)
            }
        }

        impl Value for $ty {
            type Shape = One;
            type Listed = Many;
            type Slot<'a> = &'a str;
            const PACKING: Packing = Packing::Delimited;

            fn add<'a>(slot: &mut &'a str, field: Field<'a>) -> Result<(), WireError> {
                String::add(slot, field)
            }

            fn done(slot: &str) -> Result<Self, WireError> {
                if slot.is_empty() {
                    return Err(WireError::missing());
                }
                slot.parse().map_err(|_| {
                    let came = shown(slot);
                    WireError::refused(format!(concat!("`{}` is no `", stringify!($ty), "`"), came), came)
                })
            }
        }
    )*};
}

address! { IpAddr Ipv4Addr Ipv6Addr SocketAddr SocketAddrV4 SocketAddrV6 }

/// A string, so it must be UTF-8: a path that is not is refused where it is written.
impl LoopMessage for Path {
    type Owned = PathBuf;

    fn put(&self, n: u32, out: &mut Writer) {
        match self.to_str() {
            Some(text) => text.put(n, out),
            None => out.refuse(n, NOT_UTF8),
        }
    }

    fn put_always(&self, n: u32, out: &mut Writer) {
        match self.to_str() {
            Some(text) => text.put_always(n, out),
            None => out.refuse(n, NOT_UTF8),
        }
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        str::field_type(schema)
    }
}

const NOT_UTF8: &str = "a path that is not UTF-8, which a string must be";

/// As a [`Path`].
impl LoopMessage for PathBuf {
    type Owned = Self;

    fn put(&self, n: u32, out: &mut Writer) {
        self.as_path().put(n, out);
    }

    fn put_always(&self, n: u32, out: &mut Writer) {
        self.as_path().put_always(n, out);
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        str::field_type(schema)
    }
}

impl Value for PathBuf {
    type Shape = One;
    type Listed = Many;
    type Slot<'a> = &'a str;
    const PACKING: Packing = Packing::Delimited;

    fn add<'a>(slot: &mut &'a str, field: Field<'a>) -> Result<(), WireError> {
        String::add(slot, field)
    }

    fn done(slot: &str) -> Result<Self, WireError> {
        Ok(slot.into())
    }
}
