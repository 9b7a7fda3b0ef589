//! The same message twice: declared for the runtime and for prost, with every kind of field.
#![allow(dead_code, unreachable_pub)] // not every test file uses all of it

pub mod strategy;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use loop_runtime::LoopMessage;
use loop_runtime::wire::{Struct, StructValue};

/// Every kind of field.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "wire.test", reserved(90, 92..=95))]
pub struct Everything {
    /// A truth value.
    #[wire(1)]
    pub flag: bool,
    #[wire(2)]
    pub u32: u32,
    #[wire(3)]
    pub u64: u64,
    #[wire(4)]
    pub i32: i32,
    #[wire(5)]
    pub i64: i64,
    #[wire(6)]
    pub f32: f32,
    #[wire(7)]
    pub f64: f64,
    #[wire(8)]
    pub text: String,
    #[wire(9)]
    pub bytes: Vec<u8>,
    #[wire(10)]
    pub shared: Bytes,
    #[wire(11)]
    pub many_u32: Vec<u32>,
    #[wire(12)]
    pub many_i64: Vec<i64>,
    #[wire(13)]
    pub many_f64: Vec<f64>,
    #[wire(14)]
    pub many_f32: Vec<f32>,
    #[wire(15)]
    pub many_flags: Vec<bool>,
    #[wire(16)]
    pub many_texts: Vec<String>,
    #[wire(17)]
    pub many_bytes: Vec<Vec<u8>>,
    #[wire(18)]
    pub many_inner: Vec<Inner>,
    #[wire(19)]
    pub maybe_u32: Option<u32>,
    #[wire(20)]
    pub maybe_text: Option<String>,
    #[wire(21)]
    pub maybe_bytes: Option<Vec<u8>>,
    #[wire(22)]
    pub maybe_inner: Option<Inner>,
    #[wire(23)]
    pub maybe_f64: Option<f64>,
    #[wire(24)]
    pub by_name: HashMap<String, u64>,
    #[wire(25)]
    pub by_number: BTreeMap<i32, Inner>,
    #[wire(26)]
    pub by_flag: BTreeMap<bool, Vec<u8>>,
    #[wire(27)]
    pub colors: BTreeMap<String, Color>,
    #[wire(28)]
    pub color: Color,
    #[wire(29)]
    pub many_colors: Vec<Color>,
    #[wire(30)]
    pub maybe_color: Option<Color>,
    #[wire(31)]
    pub at: Option<SystemTime>,
    #[wire(32)]
    pub lasts: Option<Duration>,
    #[wire(33, nanos)]
    pub interval: Duration,
    #[wire(34, nanos)]
    pub maybe_interval: Option<Duration>,
    #[wire(35)]
    pub inner: Inner,
    #[wire(36, default)]
    pub lenient: Inner,
    /// One of several.
    #[wire(oneof)]
    pub choice: Option<Choice>,
    #[wire(50)]
    pub u8: u8,
    #[wire(51)]
    pub u16: u16,
    #[wire(52)]
    pub i8: i8,
    #[wire(53)]
    pub i16: i16,
    #[wire(54)]
    pub char: char,
    #[wire(55, default)]
    pub four: [u8; 4],
    #[wire(56)]
    pub digest: Option<Digest>,
    #[wire(57)]
    pub digests: Vec<Digest>,
    #[wire(58)]
    pub oracles: Vec<OracleId>,
    #[wire(59)]
    pub many_u16: Vec<u16>,
    #[wire(60)]
    pub args: Option<Struct>,
    #[wire(61)]
    pub tree: Option<Box<Tree>>,
    #[wire(62)]
    pub expression: Option<Expression>,
    #[wire(skip)]
    pub local: u64,
    #[wire(536870911, name = "renamed")]
    pub largest: bool,
}

/// A message within.
#[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
#[message(package = "wire.test")]
pub struct Inner {
    #[wire(1)]
    pub name: String,
    #[wire(2)]
    pub values: Vec<u64>,
    #[wire(3)]
    pub deeper: Option<Box<Inner>>,
}

#[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
#[message(package = "wire.test")]
pub struct Tree {
    #[wire(1)]
    pub label: u32,
    #[wire(2)]
    pub children: Vec<Tree>,
}

/// A color, also one that is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, LoopMessage)]
#[message(package = "wire.test", reserved(3))]
pub enum Color {
    /// None was chosen.
    #[wire(0)]
    Unspecified,
    #[wire(1)]
    Red,
    #[wire(2, name = "GRUEN")]
    Green,
    #[wire(unknown)]
    Other(i32),
}

impl From<i32> for Color {
    fn from(number: i32) -> Self {
        match number {
            0 => Self::Unspecified,
            1 => Self::Red,
            2 => Self::Green,
            other => Self::Other(other),
        }
    }
}

#[derive(Clone, Debug, PartialEq, LoopMessage)]
pub enum Choice {
    #[wire(40)]
    Count(u32),
    #[wire(41)]
    Name(String),
    #[wire(42, name = "chosen")]
    Inner(Inner),
    #[wire(43)]
    Nothing,
    /// From here to there.
    #[wire(44)]
    Range {
        #[wire(1)]
        from: u64,
        #[wire(2)]
        to: u64,
    },
    #[wire(45, name = "content")]
    Bytes(Vec<u8>),
    #[wire(46)]
    Float(f64),
}

/// An enum with data as a message by itself, recursive.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "wire.test", oneof = "evaluator")]
pub enum Expression {
    #[wire(1)]
    Primitive(String),
    #[wire(2)]
    All(Box<Expressions>),
    #[wire(unknown)]
    Unset,
}

#[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
#[message(package = "wire.test")]
pub struct Expressions {
    #[wire(1)]
    pub expr: Vec<Expression>,
}

#[derive(Clone, Copy, Debug, PartialEq, LoopMessage)]
#[message(text = "invalid digest len {n}: must be 5")]
pub struct Digest(pub [u8; 5]);

/// A byte that is a number: a list of them is not `bytes`.
#[derive(Clone, Copy, Debug, PartialEq, LoopMessage)]
pub struct OracleId(pub u8);

/// The same for prost.
pub mod peer {
    use std::collections::{BTreeMap, HashMap};

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Everything {
        #[prost(bool, tag = "1")]
        pub flag: bool,
        #[prost(uint32, tag = "2")]
        pub u32: u32,
        #[prost(uint64, tag = "3")]
        pub u64: u64,
        #[prost(int32, tag = "4")]
        pub i32: i32,
        #[prost(int64, tag = "5")]
        pub i64: i64,
        #[prost(float, tag = "6")]
        pub f32: f32,
        #[prost(double, tag = "7")]
        pub f64: f64,
        #[prost(string, tag = "8")]
        pub text: String,
        #[prost(bytes, tag = "9")]
        pub bytes: Vec<u8>,
        #[prost(bytes = "bytes", tag = "10")]
        pub shared: bytes::Bytes,
        #[prost(uint32, repeated, tag = "11")]
        pub many_u32: Vec<u32>,
        #[prost(int64, repeated, tag = "12")]
        pub many_i64: Vec<i64>,
        #[prost(double, repeated, tag = "13")]
        pub many_f64: Vec<f64>,
        #[prost(float, repeated, tag = "14")]
        pub many_f32: Vec<f32>,
        #[prost(bool, repeated, tag = "15")]
        pub many_flags: Vec<bool>,
        #[prost(string, repeated, tag = "16")]
        pub many_texts: Vec<String>,
        #[prost(bytes = "vec", repeated, tag = "17")]
        pub many_bytes: Vec<Vec<u8>>,
        #[prost(message, repeated, tag = "18")]
        pub many_inner: Vec<Inner>,
        #[prost(uint32, optional, tag = "19")]
        pub maybe_u32: Option<u32>,
        #[prost(string, optional, tag = "20")]
        pub maybe_text: Option<String>,
        #[prost(bytes = "vec", optional, tag = "21")]
        pub maybe_bytes: Option<Vec<u8>>,
        #[prost(message, optional, tag = "22")]
        pub maybe_inner: Option<Inner>,
        #[prost(double, optional, tag = "23")]
        pub maybe_f64: Option<f64>,
        #[prost(map = "string, uint64", tag = "24")]
        pub by_name: HashMap<String, u64>,
        #[prost(btree_map = "int32, message", tag = "25")]
        pub by_number: BTreeMap<i32, Inner>,
        #[prost(btree_map = "bool, bytes", tag = "26")]
        pub by_flag: BTreeMap<bool, Vec<u8>>,
        #[prost(btree_map = "string, int32", tag = "27")]
        pub colors: BTreeMap<String, i32>,
        #[prost(int32, tag = "28")]
        pub color: i32,
        #[prost(int32, repeated, tag = "29")]
        pub many_colors: Vec<i32>,
        #[prost(int32, optional, tag = "30")]
        pub maybe_color: Option<i32>,
        #[prost(message, optional, tag = "31")]
        pub at: Option<Seconds>,
        #[prost(message, optional, tag = "32")]
        pub lasts: Option<Seconds>,
        #[prost(int64, tag = "33")]
        pub interval: i64,
        #[prost(int64, optional, tag = "34")]
        pub maybe_interval: Option<i64>,
        #[prost(message, optional, tag = "35")]
        pub inner: Option<Inner>,
        #[prost(message, optional, tag = "36")]
        pub lenient: Option<Inner>,
        #[prost(oneof = "Choice", tags = "40, 41, 42, 43, 44, 45, 46")]
        pub choice: Option<Choice>,
        #[prost(uint32, tag = "50")]
        pub u8: u32,
        #[prost(uint32, tag = "51")]
        pub u16: u32,
        #[prost(int32, tag = "52")]
        pub i8: i32,
        #[prost(int32, tag = "53")]
        pub i16: i32,
        #[prost(uint32, tag = "54")]
        pub char: u32,
        #[prost(bytes = "vec", optional, tag = "55")]
        pub four: Option<Vec<u8>>,
        #[prost(bytes = "vec", optional, tag = "56")]
        pub digest: Option<Vec<u8>>,
        #[prost(bytes = "vec", repeated, tag = "57")]
        pub digests: Vec<Vec<u8>>,
        #[prost(uint32, repeated, tag = "58")]
        pub oracles: Vec<u32>,
        #[prost(uint32, repeated, tag = "59")]
        pub many_u16: Vec<u32>,
        #[prost(message, optional, tag = "60")]
        pub args: Option<Struct>,
        #[prost(message, optional, tag = "61")]
        pub tree: Option<Tree>,
        #[prost(message, optional, tag = "62")]
        pub expression: Option<Expression>,
        #[prost(bool, tag = "536870911")]
        pub largest: bool,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Inner {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(uint64, repeated, tag = "2")]
        pub values: Vec<u64>,
        #[prost(message, optional, boxed, tag = "3")]
        pub deeper: Option<Box<Inner>>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Tree {
        #[prost(uint32, tag = "1")]
        pub label: u32,
        #[prost(message, repeated, tag = "2")]
        pub children: Vec<Tree>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Seconds {
        #[prost(int64, tag = "1")]
        pub seconds: i64,
        #[prost(int32, tag = "2")]
        pub nanos: i32,
    }

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Choice {
        #[prost(uint32, tag = "40")]
        Count(u32),
        #[prost(string, tag = "41")]
        Name(String),
        #[prost(message, tag = "42")]
        Inner(Inner),
        #[prost(message, tag = "43")]
        Nothing(Empty),
        #[prost(message, tag = "44")]
        Range(Range),
        #[prost(bytes = "vec", tag = "45")]
        Bytes(Vec<u8>),
        #[prost(double, tag = "46")]
        Float(f64),
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Empty {}

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Range {
        #[prost(uint64, tag = "1")]
        pub from: u64,
        #[prost(uint64, tag = "2")]
        pub to: u64,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Expression {
        #[prost(oneof = "Evaluator", tags = "1, 2")]
        pub evaluator: Option<Evaluator>,
    }

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Evaluator {
        #[prost(string, tag = "1")]
        Primitive(String),
        #[prost(message, tag = "2")]
        All(Expressions),
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Expressions {
        #[prost(message, repeated, tag = "1")]
        pub expr: Vec<Expression>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Struct {
        #[prost(btree_map = "string, message", tag = "1")]
        pub fields: BTreeMap<String, Value>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Value {
        #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6")]
        pub kind: Option<Kind>,
    }

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Kind {
        #[prost(int32, tag = "1")]
        Null(i32),
        #[prost(double, tag = "2")]
        Number(f64),
        #[prost(string, tag = "3")]
        String(String),
        #[prost(bool, tag = "4")]
        Bool(bool),
        #[prost(message, tag = "5")]
        Struct(Struct),
        #[prost(message, tag = "6")]
        List(List),
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct List {
        #[prost(message, repeated, tag = "1")]
        pub values: Vec<Value>,
    }
}

/// Converts prost's value to ours; `None` if ours must refuse it.
pub trait Ours<T> {
    fn ours(&self) -> Option<T>;
}

impl Ours<Everything> for peer::Everything {
    fn ours(&self) -> Option<Everything> {
        let peer = self.clone();
        Some(Everything {
            flag: peer.flag,
            u32: peer.u32,
            u64: peer.u64,
            i32: peer.i32,
            i64: peer.i64,
            f32: peer.f32,
            f64: peer.f64,
            text: peer.text,
            bytes: peer.bytes,
            shared: peer.shared,
            many_u32: peer.many_u32,
            many_i64: peer.many_i64,
            many_f64: peer.many_f64,
            many_f32: peer.many_f32,
            many_flags: peer.many_flags,
            many_texts: peer.many_texts,
            many_bytes: peer.many_bytes,
            many_inner: all(&peer.many_inner)?,
            maybe_u32: peer.maybe_u32,
            maybe_text: peer.maybe_text,
            maybe_bytes: peer.maybe_bytes,
            maybe_inner: maybe(&peer.maybe_inner)?,
            maybe_f64: peer.maybe_f64,
            by_name: peer.by_name,
            by_number: peer.by_number.iter().map(|(k, v)| Some((*k, v.ours()?))).collect::<Option<_>>()?,
            by_flag: peer.by_flag,
            colors: peer.colors.into_iter().map(|(k, v)| (k, v.into())).collect(),
            color: peer.color.into(),
            many_colors: peer.many_colors.into_iter().map(Color::from).collect(),
            maybe_color: peer.maybe_color.map(Color::from),
            at: peer.at.as_ref().map(|at| at.time()).transposed()?,
            lasts: peer.lasts.as_ref().map(|lasts| span(lasts.total())).transposed()?,
            interval: span(peer.interval.into())?,
            maybe_interval: peer.maybe_interval.map(|nanos| span(nanos.into())).transposed()?,
            inner: peer.inner.as_ref()?.ours()?,
            lenient: maybe(&peer.lenient)?.unwrap_or_default(),
            choice: maybe(&peer.choice)?,
            u8: peer.u8.try_into().ok()?,
            u16: peer.u16.try_into().ok()?,
            i8: peer.i8.try_into().ok()?,
            i16: peer.i16.try_into().ok()?,
            char: peer.char.try_into().ok()?,
            four: peer.four.map_or(Some([0; 4]), |four| four.try_into().ok())?,
            digest: peer.digest.map(|digest| digest.try_into().ok().map(Digest)).transposed()?,
            digests: peer.digests.into_iter().map(|d| d.try_into().ok().map(Digest)).collect::<Option<_>>()?,
            oracles: peer.oracles.into_iter().map(|id| id.try_into().ok().map(OracleId)).collect::<Option<_>>()?,
            many_u16: peer.many_u16.into_iter().map(|n| n.try_into().ok()).collect::<Option<_>>()?,
            args: maybe(&peer.args)?,
            tree: maybe(&peer.tree)?.map(Box::new),
            expression: maybe(&peer.expression)?,
            local: 0,
            largest: peer.largest,
        })
    }
}

fn all<T, P: Ours<T>>(peers: &[P]) -> Option<Vec<T>> {
    peers.iter().map(Ours::ours).collect()
}

fn maybe<T, P: Ours<T>>(peer: &Option<P>) -> Option<Option<T>> {
    peer.as_ref().map(Ours::ours).transposed()
}

/// `None` outside: refused.
trait Transposed<T> {
    fn transposed(self) -> Option<Option<T>>;
}

impl<T> Transposed<T> for Option<Option<T>> {
    fn transposed(self) -> Option<Option<T>> {
        match self {
            Some(Some(value)) => Some(Some(value)),
            Some(None) => None,
            None => Some(None),
        }
    }
}

fn span(nanos: i128) -> Option<Duration> {
    let seconds = u64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    Some(Duration::new(seconds, nanos.rem_euclid(1_000_000_000) as u32))
}

impl peer::Seconds {
    fn total(&self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanos)
    }

    fn time(&self) -> Option<SystemTime> {
        let total = self.total();
        let distance = span(total.abs())?;
        match total < 0 {
            true => SystemTime::UNIX_EPOCH.checked_sub(distance),
            false => SystemTime::UNIX_EPOCH.checked_add(distance),
        }
    }
}

impl Ours<Inner> for peer::Inner {
    fn ours(&self) -> Option<Inner> {
        let deeper = match &self.deeper {
            Some(deeper) => Some(Box::new(deeper.ours()?)),
            None => None,
        };
        Some(Inner { name: self.name.clone(), values: self.values.clone(), deeper })
    }
}

impl Ours<Tree> for peer::Tree {
    fn ours(&self) -> Option<Tree> {
        Some(Tree { label: self.label, children: all(&self.children)? })
    }
}

impl Ours<Choice> for peer::Choice {
    fn ours(&self) -> Option<Choice> {
        Some(match self {
            Self::Count(count) => Choice::Count(*count),
            Self::Name(name) => Choice::Name(name.clone()),
            Self::Inner(inner) => Choice::Inner(inner.ours()?),
            Self::Nothing(_) => Choice::Nothing,
            Self::Range(range) => Choice::Range { from: range.from, to: range.to },
            Self::Bytes(bytes) => Choice::Bytes(bytes.clone()),
            Self::Float(float) => Choice::Float(*float),
        })
    }
}

impl Ours<Expression> for peer::Expression {
    fn ours(&self) -> Option<Expression> {
        Some(match &self.evaluator {
            None => Expression::Unset,
            Some(peer::Evaluator::Primitive(name)) => Expression::Primitive(name.clone()),
            Some(peer::Evaluator::All(all)) => Expression::All(Box::new(Expressions { expr: self::all(&all.expr)? })),
        })
    }
}

impl Ours<Struct> for peer::Struct {
    fn ours(&self) -> Option<Struct> {
        let fields = self.fields.iter().map(|(name, value)| Some((name.clone(), value.ours()?)));
        Some(Struct { fields: fields.collect::<Option<_>>()? })
    }
}

impl Ours<StructValue> for peer::Value {
    fn ours(&self) -> Option<StructValue> {
        Some(match &self.kind {
            None | Some(peer::Kind::Null(_)) => StructValue::Null,
            Some(peer::Kind::Number(number)) => StructValue::Number(*number),
            Some(peer::Kind::String(text)) => StructValue::String(text.clone()),
            Some(peer::Kind::Bool(flag)) => StructValue::Bool(*flag),
            Some(peer::Kind::Struct(fields)) => StructValue::Struct(fields.ours()?),
            Some(peer::Kind::List(list)) => StructValue::List(all(&list.values)?),
        })
    }
}
