//! Data as arguments and results: what is sent is what arrives, edge cases included.

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use loop_runtime::plugin::Plugin;
use loop_runtime::wire::{Struct, StructValue};
use loop_runtime::{LoopMessage, Result, loop_service};

use crate::peer::{Peer, both};

/// All numbers.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "shapes.data")]
pub(crate) struct Numbers {
    #[wire(1)]
    yes: bool,
    #[wire(2)]
    a: i8,
    #[wire(3)]
    b: i16,
    #[wire(4)]
    c: i32,
    #[wire(5)]
    d: i64,
    #[wire(6)]
    e: u8,
    #[wire(7)]
    f: u16,
    #[wire(8)]
    g: u32,
    #[wire(9)]
    h: u64,
    #[wire(10)]
    i: f32,
    #[wire(11)]
    j: f64,
    #[wire(12)]
    k: char,
}

/// A message within messages.
#[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
#[message(package = "shapes.data")]
pub(crate) struct Point {
    #[wire(1)]
    x: i64,
    #[wire(2)]
    label: Option<String>,
}

/// A recursive message.
#[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
#[message(package = "shapes.data")]
pub(crate) struct Tree {
    #[wire(1)]
    name: String,
    #[wire(2)]
    first: Option<Box<Tree>>,
    #[wire(3)]
    rest: Vec<Tree>,
}

/// An enum that keeps unknown numbers.
#[derive(Clone, Copy, Debug, PartialEq, LoopMessage)]
#[message(package = "shapes.data")]
pub(crate) enum Colour {
    #[wire(0)]
    None,
    #[wire(7)]
    Red,
    #[wire(unknown)]
    Other(i32),
}

/// One of several, with nothing, data, a message, fields of its own.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "shapes.data")]
pub(crate) enum Shape {
    #[wire(1)]
    Empty,
    #[wire(2)]
    Count(u32),
    #[wire(3)]
    Point(Point),
    #[wire(4)]
    Line {
        #[wire(1)]
        from: Point,
        #[wire(2)]
        to: Option<Point>,
    },
    #[wire(5)]
    Nested(Box<Shapes>),
}

/// Several of several.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "shapes.data")]
pub(crate) struct Shapes {
    #[wire(1)]
    all: Vec<Shape>,
}

/// A newtype: 32 bytes on the wire.
#[derive(Clone, Copy, Debug, PartialEq, LoopMessage)]
pub(crate) struct Digest([u8; 32]);

/// A message whose fields are beside those of a oneof.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "shapes.data")]
pub(crate) struct Order {
    #[wire(1)]
    number: u64,
    #[wire(oneof)]
    payment: Option<Payment>,
    #[wire(2)]
    digest: Digest,
}

/// How it is paid.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
pub(crate) enum Payment {
    #[wire(10)]
    Cash(u64),
    #[wire(11)]
    Account(String),
}

/// Times as integers.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "shapes.data")]
pub(crate) struct Nanos {
    #[wire(1, nanos)]
    span: Duration,
    #[wire(2, nanos)]
    maybe: Option<Duration>,
}

type Maps = (HashMap<String, u32>, BTreeMap<u32, Point>, BTreeMap<bool, Vec<u8>>, HashMap<i64, Colour>);

/// Gives back what it gets.
#[loop_service(package = "shapes.data")]
pub(crate) trait Data {
    /// Nothing to nothing.
    async fn nothing(&self) -> Result<()>;
    /// All numbers as arguments, and as a message that is the reply.
    #[allow(clippy::too_many_arguments, reason = "one of each")]
    #[rpc(whole)]
    async fn numbers(
        &self,
        yes: bool,
        a: i8,
        b: i16,
        c: i32,
        d: i64,
        e: u8,
        f: u16,
        g: u32,
        h: u64,
        i: f32,
        j: f64,
        k: char,
    ) -> Result<Numbers>;
    /// The same as one message.
    async fn same_numbers(&self, numbers: &Numbers) -> Result<Numbers>;
    /// Text, borrowed and owned.
    async fn text(&self, borrowed: &str, owned: String, reference: &String) -> Result<(String, String, String)>;
    /// Bytes.
    async fn bytes(
        &self,
        borrowed: &[u8],
        owned: Vec<u8>,
        fixed: [u8; 4],
        reference: &[u8; 4],
        newtype: Digest,
    ) -> Result<(Vec<u8>, Vec<u8>, [u8; 4], [u8; 4], Digest)>;
    /// Lists.
    async fn lists(
        &self,
        words: &[String],
        numbers: Vec<i64>,
        points: &[Point],
        colours: Vec<Colour>,
        blobs: &Vec<Vec<u8>>,
    ) -> Result<(Vec<String>, Vec<i64>, Vec<Point>, Vec<Colour>, Vec<Vec<u8>>)>;
    /// What may be missing.
    async fn options(
        &self,
        word: Option<String>,
        number: &Option<u32>,
        point: Option<Point>,
        bytes: Option<Vec<u8>>,
        flag: Option<bool>,
    ) -> Result<(Option<String>, Option<u32>, Option<Point>, Option<Vec<u8>>, Option<bool>)>;
    /// Maps.
    async fn maps(
        &self,
        words: HashMap<String, u32>,
        points: &BTreeMap<u32, Point>,
        flags: BTreeMap<bool, Vec<u8>>,
        colours: HashMap<i64, Colour>,
    ) -> Result<Maps>;
    /// A recursive message.
    async fn tree(&self, tree: &Tree) -> Result<Tree>;
    /// An enum.
    async fn colour(&self, colour: Colour) -> Result<Colour>;
    /// An enum with data.
    async fn shape(&self, shape: Shape) -> Result<Shape>;
    /// Fields beside a oneof.
    #[rpc(whole)]
    async fn order(&self, order: &Order) -> Result<Order>;
    /// Time.
    async fn times(&self, span: Duration, at: SystemTime, nanos: Nanos) -> Result<(Duration, SystemTime, Nanos)>;
    /// JSON-like data.
    async fn any(&self, any: &Struct) -> Result<Struct>;
    /// Numbers and names of a contract.
    #[rpc(name = "Renamed", request = "Question", reply = "Answer", returns(second = 9, first = 4))]
    async fn contract(&self, #[wire(20)] b: u32, #[wire(3, name = "other")] a: u32) -> Result<(u32, u32)>;
    /// A tuple of eight.
    async fn eight(&self, n: u8) -> Result<(u8, u16, u32, u64, i8, i16, i32, i64)>;
    /// A default body, which no implementation has to have.
    async fn shout(&self, text: &str) -> Result<String> {
        let (text, ..) = self.text(text, String::new(), &String::new()).await?;
        Ok(text.to_uppercase())
    }
    /// A default body that the implementation replaces.
    async fn whisper(&self, text: &str) -> Result<String> {
        Ok(text.to_lowercase())
    }
}

struct Echo;

impl Data for Echo {
    async fn nothing(&self) -> Result<()> {
        Ok(())
    }

    async fn numbers(
        &self,
        yes: bool,
        a: i8,
        b: i16,
        c: i32,
        d: i64,
        e: u8,
        f: u16,
        g: u32,
        h: u64,
        i: f32,
        j: f64,
        k: char,
    ) -> Result<Numbers> {
        Ok(Numbers { yes, a, b, c, d, e, f, g, h, i, j, k })
    }

    async fn same_numbers(&self, numbers: &Numbers) -> Result<Numbers> {
        Ok(numbers.clone())
    }

    async fn text(&self, borrowed: &str, owned: String, reference: &String) -> Result<(String, String, String)> {
        Ok((borrowed.to_owned(), owned, reference.clone()))
    }

    async fn bytes(
        &self,
        borrowed: &[u8],
        owned: Vec<u8>,
        fixed: [u8; 4],
        reference: &[u8; 4],
        newtype: Digest,
    ) -> Result<(Vec<u8>, Vec<u8>, [u8; 4], [u8; 4], Digest)> {
        Ok((borrowed.to_vec(), owned, fixed, *reference, newtype))
    }

    async fn lists(
        &self,
        words: &[String],
        numbers: Vec<i64>,
        points: &[Point],
        colours: Vec<Colour>,
        blobs: &Vec<Vec<u8>>,
    ) -> Result<(Vec<String>, Vec<i64>, Vec<Point>, Vec<Colour>, Vec<Vec<u8>>)> {
        Ok((words.to_vec(), numbers, points.to_vec(), colours, blobs.clone()))
    }

    async fn options(
        &self,
        word: Option<String>,
        number: &Option<u32>,
        point: Option<Point>,
        bytes: Option<Vec<u8>>,
        flag: Option<bool>,
    ) -> Result<(Option<String>, Option<u32>, Option<Point>, Option<Vec<u8>>, Option<bool>)> {
        Ok((word, *number, point, bytes, flag))
    }

    async fn maps(
        &self,
        words: HashMap<String, u32>,
        points: &BTreeMap<u32, Point>,
        flags: BTreeMap<bool, Vec<u8>>,
        colours: HashMap<i64, Colour>,
    ) -> Result<Maps> {
        Ok((words, points.clone(), flags, colours))
    }

    async fn tree(&self, tree: &Tree) -> Result<Tree> {
        Ok(tree.clone())
    }

    async fn colour(&self, colour: Colour) -> Result<Colour> {
        Ok(colour)
    }

    async fn shape(&self, shape: Shape) -> Result<Shape> {
        Ok(shape)
    }

    async fn order(&self, order: &Order) -> Result<Order> {
        Ok(order.clone())
    }

    async fn times(&self, span: Duration, at: SystemTime, nanos: Nanos) -> Result<(Duration, SystemTime, Nanos)> {
        Ok((span, at, nanos))
    }

    async fn any(&self, any: &Struct) -> Result<Struct> {
        Ok(any.clone())
    }

    async fn contract(&self, b: u32, a: u32) -> Result<(u32, u32)> {
        Ok((b, a))
    }

    async fn eight(&self, n: u8) -> Result<(u8, u16, u32, u64, i8, i16, i32, i64)> {
        let m = i8::try_from(n).map_err(|_| "too much")?;
        Ok((n, n.into(), n.into(), n.into(), m, m.into(), m.into(), m.into()))
    }

    async fn whisper(&self, text: &str) -> Result<String> {
        Ok(format!("({text})"))
    }
}

pub(crate) async fn plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn Data>(Arc::new(Echo)).await
}

/// Runs `case` with the service in both places.
fn data(case: impl AsyncFn(Arc<dyn Data>)) {
    both::<dyn Data>("data", || Arc::new(Echo), async |peer: &Peer| case(peer.get().await).await);
}

fn point(x: i64) -> Point {
    Point { x, label: (x > 0).then(|| format!("at {x}")) }
}

#[test]
fn nothing_and_numbers() {
    data(async |data| {
        data.nothing().await.unwrap();
        let least = Numbers {
            yes: false,
            a: i8::MIN,
            b: i16::MIN,
            c: i32::MIN,
            d: i64::MIN,
            e: 0,
            f: 0,
            g: 0,
            h: 0,
            i: f32::MIN,
            j: f64::NEG_INFINITY,
            k: '\0',
        };
        let most = Numbers {
            yes: true,
            a: i8::MAX,
            b: i16::MAX,
            c: i32::MAX,
            d: i64::MAX,
            e: u8::MAX,
            f: u16::MAX,
            g: u32::MAX,
            h: u64::MAX,
            i: f32::EPSILON,
            j: f64::MAX,
            k: char::MAX,
        };
        let zero = Numbers { a: 0, b: 0, c: 0, d: 0, i: 0.0, j: 0.0, ..least.clone() };
        for n in [least, most, zero] {
            let same = data.numbers(n.yes, n.a, n.b, n.c, n.d, n.e, n.f, n.g, n.h, n.i, n.j, n.k).await.unwrap();
            assert_eq!(same, n);
            assert_eq!(data.same_numbers(&n).await.unwrap(), n);
        }
        assert_eq!(data.eight(3).await.unwrap(), (3, 3, 3, 3, 3, 3, 3, 3));
        let minus = data.numbers(true, 0, 0, 0, 0, 0, 0, 0, 0, -0.0, f64::NAN, 'x').await.unwrap();
        assert!(minus.i.is_sign_negative() && minus.j.is_nan());
    });
}

#[test]
fn text_and_bytes_borrowed_and_owned() {
    data(async |data| {
        for text in ["", "hello", "\0", "grüße 🦀", &"long ".repeat(10_000)] {
            let owned = text.to_owned();
            let same = data.text(text, owned.clone(), &owned).await.unwrap();
            assert_eq!(same, (owned.clone(), owned.clone(), owned.clone()));
            let bytes = text.as_bytes();
            let (four, digest) = ([1, 0, 0, 255], Digest([9; 32]));
            let same = data.bytes(bytes, bytes.to_vec(), four, &[0; 4], digest).await.unwrap();
            assert_eq!(same, (bytes.to_vec(), bytes.to_vec(), four, [0; 4], digest));
        }
        assert_eq!(data.shout("louder").await.unwrap(), "LOUDER");
        assert_eq!(data.whisper("Softly").await.unwrap(), "(Softly)");
    });
}

#[test]
fn lists_keep_their_order_and_their_empty_elements() {
    data(async |data| {
        let none = data.lists(&[], vec![], &[], vec![], &vec![]).await.unwrap();
        assert_eq!(none, Default::default());
        let words = ["b".to_owned(), String::new(), "a".to_owned()];
        let numbers = vec![0, -1, i64::MAX, 0];
        let points = [point(0), point(2), point(1)];
        let colours = vec![Colour::None, Colour::Other(3), Colour::Red, Colour::Other(-1)];
        let blobs = vec![vec![], vec![0], vec![]];
        let same = data.lists(&words, numbers.clone(), &points, colours.clone(), &blobs).await.unwrap();
        assert_eq!(same, (words.to_vec(), numbers, points.to_vec(), colours, blobs));
    });
}

#[test]
fn none_and_a_default_are_two_things() {
    data(async |data| {
        let none = data.options(None, &None, None, None, None).await.unwrap();
        assert_eq!(none, (None, None, None, None, None));
        let zero = data.options(Some("".into()), &Some(0), Some(Point::default()), Some(vec![]), Some(false)).await;
        assert_eq!(zero.unwrap(), (Some("".into()), Some(0), Some(Point::default()), Some(vec![]), Some(false)));
        let some = data.options(Some("x".into()), &Some(1), Some(point(3)), Some(vec![0]), Some(true)).await;
        assert_eq!(some.unwrap(), (Some("x".into()), Some(1), Some(point(3)), Some(vec![0]), Some(true)));
    });
}

#[test]
fn maps_of_all_kinds() {
    data(async |data| {
        let maps: Maps = (
            HashMap::from([("".into(), 0), ("one".into(), 1)]),
            BTreeMap::from([(0, point(0)), (u32::MAX, point(4))]),
            BTreeMap::from([(false, vec![]), (true, vec![1, 2])]),
            HashMap::from([(-1, Colour::Other(8)), (0, Colour::None), (7, Colour::Red)]),
        );
        for maps in [maps, Maps::default()] {
            let same = data.maps(maps.0.clone(), &maps.1, maps.2.clone(), maps.3.clone()).await.unwrap();
            assert_eq!(same, maps);
        }
    });
}

#[test]
fn messages_within_messages_and_without_end() {
    data(async |data| {
        let leaf = |name: &str| Tree { name: name.into(), ..Tree::default() };
        let mut tree = leaf("");
        for depth in 0..90 {
            let rest = if depth % 10 == 0 { vec![leaf("a"), leaf(""), leaf("b")] } else { vec![] };
            tree = Tree { name: format!("{depth}"), first: Some(Box::new(tree)), rest };
        }
        assert_eq!(data.tree(&tree).await.unwrap(), tree);
        assert_eq!(data.tree(&Tree::default()).await.unwrap(), Tree::default());
    });
}

#[test]
fn enums_with_and_without_data() {
    data(async |data| {
        for colour in [Colour::None, Colour::Red, Colour::Other(1), Colour::Other(i32::MIN)] {
            assert_eq!(data.colour(colour).await.unwrap(), colour);
        }
        let all = vec![
            Shape::Empty,
            Shape::Count(0),
            Shape::Count(5),
            Shape::Point(point(0)),
            Shape::Line { from: point(1), to: None },
            Shape::Line { from: point(0), to: Some(point(0)) },
        ];
        for shape in all.iter().cloned().chain([Shape::Nested(Box::new(Shapes { all: all.clone() }))]) {
            assert_eq!(data.shape(shape.clone()).await.unwrap(), shape);
        }
        for payment in [None, Some(Payment::Cash(0)), Some(Payment::Account("x".into()))] {
            let order = Order { number: 3, payment, digest: Digest([3; 32]) };
            assert_eq!(data.order(&order).await.unwrap(), order);
        }
    });
}

#[test]
fn time_and_data_without_a_schema() {
    data(async |data| {
        let early = SystemTime::UNIX_EPOCH - Duration::new(1, 1);
        for (span, at) in [(Duration::ZERO, SystemTime::UNIX_EPOCH), (Duration::new(5, 999_999_999), early)] {
            for maybe in [None, Some(span)] {
                let nanos = Nanos { span, maybe };
                assert_eq!(data.times(span, at, nanos.clone()).await.unwrap(), (span, at, nanos));
            }
        }
        let value = |n| StructValue::List(vec![StructValue::Null, StructValue::Number(n), StructValue::Bool(true)]);
        let inner = Struct { fields: [("list".to_owned(), value(0.5))].into() };
        let any = Struct { fields: [("a".into(), StructValue::Struct(inner)), ("b".into(), value(-1.0))].into() };
        assert_eq!(data.any(&any).await.unwrap(), any);
        assert_eq!(data.any(&Struct::default()).await.unwrap(), Struct::default());
    });
}

#[test]
fn names_and_numbers_of_a_contract() {
    data(async |data| assert_eq!(data.contract(1, 2).await.unwrap(), (1, 2)));
}
