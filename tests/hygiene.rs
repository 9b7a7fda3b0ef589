//! Generated code is among the user's own names, and neither resolves to one of them nor is found by them: here are the
//! most likely collisions. Most of this test is that it compiles.

#![allow(clippy::all, clippy::unwrap_used, reason = "tests")]
#![allow(missing_debug_implementations, reason = "no derive is in scope")]
#![allow(dead_code, non_camel_case_types, non_upper_case_globals, non_snake_case, reason = "names are what is tested")]

use std::sync::Arc;

use loop_runtime::testing::Pair;
use loop_runtime::wire::{Schema, decode, encode};
use loop_runtime::{Code, Error, LoopError, LoopMessage, Result, loop_service};

/// Methods for all types, named like those of the runtime and of std that are called by value or by reference.
trait Everywhere: Sized {
    fn default() {}
    fn clone(self) {}
    fn field(self) {}
    fn oneof(self) {}
    fn reserve(self) {}
    fn add(self) {}
    fn case(self) {}
    fn method(self) {}
    fn schema(self) {}
    fn service(self) {}
    fn serve(self) {}
    fn map(self) {}
    fn map_err(self) {}
    fn number(self) {}
    fn next(self) {}
    fn put(self) {}
    fn take(self) {}
    fn text(self) {}
    fn detail(self) {}
    fn into_error(self) {}
    fn is_first(self) {}
    fn split(self) {}
    fn new() {}
}

impl<T> Everywhere for T {}

/// Types and constants that have the names of what generated code needs.
mod named {
    use ::loop_runtime::{LoopError, LoopMessage, Result, loop_service};
    use ::std::sync::Arc;

    pub struct u32;
    pub struct i32;
    pub struct str;
    pub struct bool;
    pub struct Option;
    pub struct Some;
    pub struct None;
    pub struct Ok;
    pub struct Err;
    pub struct Vec;
    pub struct Box;
    pub struct Send;
    pub struct Remote;
    pub struct Schema;
    pub struct Writer;
    pub struct T0;
    pub struct M;
    pub mod core {}
    pub mod std {}
    pub mod loop_runtime {}

    pub const n: u64 = 1;
    pub const out: u64 = 1;
    pub const schema: u64 = 1;
    pub const shape: u64 = 1;
    pub const fields: u64 = 1;
    pub const field: u64 = 1;
    pub const into: u64 = 1;
    pub const case: u64 = 1;
    pub const slot: u64 = 1;
    pub const items: u64 = 1;
    pub const item: u64 = 1;
    pub const value: u64 = 1;
    pub const value0: u64 = 1;
    pub const number: u64 = 1;
    pub const error: u64 = 1;
    pub const code: u64 = 1;
    pub const this: u64 = 1;
    pub const names: u64 = 1;
    pub const tree: u64 = 1;
    pub const starts: u64 = 1;
    pub const method: u64 = 1;
    pub const call: u64 = 1;
    pub const from: u64 = 1;
    pub const remote: u64 = 1;
    pub const service: u64 = 1;
    pub const body: u64 = 1;
    pub const carries: u64 = 1;
    pub const reply: u64 = 1;

    #[derive(Clone, LoopMessage)]
    pub struct Message {
        #[wire(1)]
        a: u64,
        #[wire(2)]
        b: String,
        #[wire(oneof)]
        c: Choice,
    }

    #[derive(Clone, LoopMessage)]
    pub enum Choice {
        #[wire(3)]
        One(u64),
        #[wire(4)]
        Several {
            #[wire(1)]
            a: u64,
        },
        #[wire(5)]
        Empty,
    }

    #[derive(Clone, Copy, LoopMessage)]
    pub enum Number {
        #[wire(0)]
        Zero,
        #[wire(unknown)]
        Other(::core::primitive::i32),
    }

    #[derive(Clone, LoopMessage)]
    pub struct Wrapped(u64);

    #[derive(LoopError)]
    #[message(package = "hygiene.named")]
    pub enum Failure {
        #[wire(1)]
        A,
        #[wire(transport)]
        Boundary(::loop_runtime::Error),
    }

    impl ::core::fmt::Display for Failure {
        fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::result::Result::Ok(())
        }
    }

    #[loop_service(package = "hygiene.named")]
    pub trait Parent {
        #[rpc(start)]
        async fn begin(&self) -> Result<()> {
            Result::Ok(())
        }
        #[rpc(whole)]
        async fn echo(&self, message: &Message) -> Result<Message>;
    }

    #[loop_service(package = "hygiene.named")]
    pub trait Child: Parent {
        async fn numbers(&self, a: &[Number], b: Wrapped) -> Result<(Number, u64), Failure>;
        async fn make(&self, lent: Arc<dyn Parent>) -> Result<Arc<dyn Parent>>;
        fn part(&self) -> Arc<dyn Parent>;
    }
}

/// Without a prelude.
mod bare {
    #![no_implicit_prelude]

    use ::loop_runtime::{LoopMessage, Result, loop_service};
    use ::std::string::String;
    use ::std::sync::Arc;

    #[derive(::core::clone::Clone, LoopMessage)]
    pub struct Message {
        #[wire(1)]
        a: u64,
        #[wire(2, text = "no")]
        b: u8,
        #[wire(3, default)]
        c: String,
        #[wire(4, nanos)]
        d: ::core::time::Duration,
        #[wire(5)]
        e: Number,
        #[wire(oneof)]
        f: Choice,
        #[wire(skip)]
        g: u64,
    }

    #[derive(LoopMessage)]
    pub struct Nothing;

    #[derive(LoopMessage)]
    pub struct Wrapped(String);

    #[derive(::core::clone::Clone, ::core::marker::Copy, LoopMessage)]
    #[message(reserved(7, 9..=12))]
    pub enum Number {
        #[wire(0)]
        Zero,
    }

    #[derive(::core::clone::Clone, LoopMessage)]
    pub enum Choice {
        #[wire(11)]
        One(u64),
        #[wire(12)]
        Several {
            #[wire(1)]
            a: u64,
        },
        #[wire(unknown)]
        Unset,
    }

    #[loop_service(package = "hygiene.bare")]
    pub trait Service {
        async fn none(&self) -> Result<()>;
        #[rpc(idempotent)]
        async fn some(&self, a: u64, b: &str, c: ::std::vec::Vec<Message>) -> Result<(String, u64)>;
        async fn make(&self, it: &Arc<dyn Service>) -> Result<Arc<dyn Service>>;
        #[rpc(start)]
        async fn start(&self) -> Result<()> {
            Result::Ok(())
        }
        fn part(&self) -> ::core::option::Option<Arc<dyn Part>>;
    }

    #[loop_service(package = "hygiene.bare")]
    pub trait Part {
        async fn none(&self) -> Result<()>;
    }
}

/// A constant and variants that have the names of our traits' items, and a variant's field with that of a local.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "hygiene")]
struct Head {
    #[wire(1)]
    height: u64,
}

impl Head {
    pub const NAME: u8 = 1;
    pub const PACKING: &str = "none";
}

#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "hygiene", oneof = "it")]
enum Kind {
    #[wire(1)]
    NAME(String),
    #[wire(2)]
    NUMBERS {
        #[wire(1)]
        out: u64,
        #[wire(2)]
        schema: String,
    },
}

/// A message with the name that would be regular for a variant that holds one.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "hygiene.orders", name = "Placed")]
struct OrderPlaced {
    #[wire(1)]
    price: u64,
}

#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "hygiene")]
enum Order {
    #[wire(1)]
    Placed {
        #[wire(1)]
        details: OrderPlaced,
    },
    #[wire(2)]
    Cancelled,
}

const MASK: usize = 33;

/// Methods whose names are near to each other, to those of our traits, and to hidden ones.
#[loop_service(package = "hygiene")]
trait Shape {
    async fn remote(&self, remote: u64, out: u64) -> Result<u64>;
    async fn call_remote(&self) -> Result<u64>;
    async fn dispatch(&self, this: u64, method: u64, call: u64, from: u64) -> Result<u64>;
    async fn get_id(&self) -> Result<u64>;
    async fn get_ID(&self) -> Result<u64>;
    #[rpc(name = "Capitals")]
    async fn ABC(&self) -> Result<u64>;
    async fn connect(&self) -> Result<u64>;
    async fn masked(&self, it: &[u8; MASK & 32]) -> Result<Head>;
    async fn kind(&self, kind: Kind) -> Result<Kind>;
}

impl dyn Shape {
    const NAME: u8 = 1;
    const METHODS: u8 = 1;
}

/// Named as the hidden half of another was.
#[loop_service(package = "hygiene")]
trait ErasedShape: Shape {
    async fn more(&self) -> Result<u64>;
}

struct Square;

impl Shape for Square {
    async fn remote(&self, remote: u64, out: u64) -> Result<u64> {
        Ok(remote + out)
    }

    async fn call_remote(&self) -> Result<u64> {
        Ok(2)
    }

    async fn dispatch(&self, this: u64, method: u64, call: u64, from: u64) -> Result<u64> {
        Ok(this + method + call + from)
    }

    async fn get_id(&self) -> Result<u64> {
        Ok(3)
    }

    async fn get_ID(&self) -> Result<u64> {
        Ok(4)
    }

    async fn ABC(&self) -> Result<u64> {
        Ok(5)
    }

    async fn connect(&self) -> Result<u64> {
        Ok(6)
    }

    async fn masked(&self, it: &[u8; MASK & 32]) -> Result<Head> {
        Ok(Head { height: u64::from(it[31]) })
    }

    async fn kind(&self, kind: Kind) -> Result<Kind> {
        Ok(kind)
    }
}

impl ErasedShape for Square {
    async fn more(&self) -> Result<u64> {
        Ok(7)
    }
}

/// An error with a variant that is called as the code's type.
#[derive(Debug, LoopError, thiserror::Error)]
#[message(package = "hygiene")]
enum Failure {
    #[error("no code")]
    #[wire(1, code = NotFound)]
    Code,
    #[error(transparent)]
    #[wire(transport)]
    Error(Error),
}

#[test]
fn messages_are_named_by_their_attribute() {
    let mut schema = Schema::new();
    schema.message::<Head>();
    schema.message::<Kind>();
    assert!(schema.conflicts().is_empty());
    let proto = schema.proto("hygiene");
    assert!(proto.contains("message Head {") && proto.contains("message Kind {\n  oneof it {"), "{proto}");
    for kind in [Kind::NAME("x".to_owned()), Kind::NUMBERS { out: 1, schema: "y".to_owned() }] {
        assert_eq!(decode::<Kind>(&encode(&kind).unwrap()).unwrap(), kind);
    }
    let order = Order::Placed { details: OrderPlaced { price: 3 } };
    assert_eq!(decode::<Order>(&encode(&order).unwrap()).unwrap(), order);
    let error = Error::from(Failure::Code);
    assert_eq!((error.code(), error.message()), (Code::NotFound, "no code"));
    assert!(matches!(Failure::from(error), Failure::Code));
}

#[tokio::test]
async fn methods_are_called_by_their_own_names() {
    let pair = Pair::serve::<dyn ErasedShape>(Arc::new(Square)).await.unwrap();
    let shape: Arc<dyn ErasedShape> = pair.dispense().await.unwrap();
    assert_eq!(shape.remote(1, 0).await.unwrap(), 1);
    assert_eq!(shape.call_remote().await.unwrap(), 2);
    assert_eq!(shape.dispatch(1, 2, 3, 4).await.unwrap(), 10);
    assert_eq!((shape.get_id().await.unwrap(), shape.get_ID().await.unwrap()), (3, 4));
    assert_eq!((shape.ABC().await.unwrap(), shape.connect().await.unwrap()), (5, 6));
    assert_eq!(shape.masked(&[9; 32]).await.unwrap(), Head { height: 9 });
    assert_eq!(shape.more().await.unwrap(), 7);
    let kind = Kind::NAME("z".to_owned());
    assert_eq!(shape.kind(Clone::clone(&kind)).await.unwrap(), kind);
    pair.close().await;
}
