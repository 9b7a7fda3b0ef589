//! Random values of the peer's type, all of which ours can hold.

use proptest::collection::{btree_map, hash_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::peer;

pub fn everything() -> impl Strategy<Value = peer::Everything> {
    (scalars(), lists(), options(), maps(), colors_and_times(), messages(), narrow())
        .prop_map(|(a, b, c, d, e, f, g)| {
            let mut all = a;
            for part in [b, c, d, e, f, g] {
                prost::Message::merge(&mut all, prost::Message::encode_to_vec(&part).as_slice()).unwrap();
            }
            // Ours requires it.
            all.inner.get_or_insert_default();
            all
        })
        .boxed()
}

type Peer = peer::Everything;

fn text() -> impl Strategy<Value = String> {
    // Lengths on both sides of one length byte.
    prop_oneof![9 => "\\PC{0,12}", 1 => "[a-z]{120,140}"]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![9 => vec(any::<u8>(), 0..20), 1 => vec(any::<u8>(), 120..140)]
}

fn u64s() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), 0_u64..300, Just(0), Just(u64::MAX)]
}

fn scalars() -> impl Strategy<Value = Peer> {
    (
        (any::<bool>(), any::<u32>(), u64s(), any::<i32>(), any::<i64>(), any::<f32>(), any::<f64>()),
        (text(), bytes(), bytes(), any::<bool>()),
    )
        .prop_map(|((flag, u32, u64, i32, i64, f32, f64), (text, bytes, shared, largest))| Peer {
            flag,
            u32,
            u64,
            i32,
            i64,
            f32,
            f64,
            text,
            bytes,
            shared: shared.into(),
            largest,
            ..Peer::default()
        })
}

fn lists() -> impl Strategy<Value = Peer> {
    (
        vec(any::<u32>(), 0..40),
        vec(any::<i64>(), 0..40),
        vec(any::<f64>(), 0..5),
        vec(any::<f32>(), 0..5),
        vec(any::<bool>(), 0..5),
        vec(text(), 0..4),
        vec(bytes(), 0..4),
        vec(inner(), 0..4),
    )
        .prop_map(|(many_u32, many_i64, many_f64, many_f32, many_flags, many_texts, many_bytes, many_inner)| {
            Peer {
                many_u32,
                many_i64,
                many_f64,
                many_f32,
                many_flags,
                many_texts,
                many_bytes,
                many_inner,
                ..Peer::default()
            }
        })
}

fn options() -> impl Strategy<Value = Peer> {
    (
        option::of(prop_oneof![any::<u32>(), Just(0)]),
        option::of(text()),
        option::of(bytes()),
        option::of(inner()),
        option::of(prop_oneof![any::<f64>(), Just(0.0)]),
    )
        .prop_map(|(maybe_u32, maybe_text, maybe_bytes, maybe_inner, maybe_f64)| Peer {
            maybe_u32,
            maybe_text,
            maybe_bytes,
            maybe_inner,
            maybe_f64,
            ..Peer::default()
        })
}

fn maps() -> impl Strategy<Value = Peer> {
    (
        hash_map(text(), u64s(), 0..4),
        btree_map(any::<i32>(), inner(), 0..4),
        btree_map(any::<bool>(), bytes(), 0..3),
        btree_map(text(), color(), 0..4),
    )
        .prop_map(|(by_name, by_number, by_flag, colors)| Peer {
            by_name,
            by_number,
            by_flag,
            colors,
            ..Peer::default()
        })
}

fn color() -> impl Strategy<Value = i32> {
    prop_oneof![0..4_i32, any::<i32>()]
}

fn colors_and_times() -> impl Strategy<Value = Peer> {
    // The years that protobuf allows: 1 to 9999.
    let at = (-62_135_596_800..253_402_300_800_i64, 0..1_000_000_000_i32);
    let lasts = (0..315_576_000_001_i64, 0..1_000_000_000_i32);
    let seconds = |(seconds, nanos)| peer::Seconds { seconds, nanos };
    (
        color(),
        vec(color(), 0..5),
        option::of(color()),
        option::of(at.prop_map(seconds)),
        option::of(lasts.prop_map(seconds)),
        prop_oneof![0..i64::MAX, Just(0)],
        option::of(prop_oneof![0..i64::MAX, Just(0)]),
    )
        .prop_map(|(color, many_colors, maybe_color, at, lasts, interval, maybe_interval)| Peer {
            color,
            many_colors,
            maybe_color,
            at,
            lasts,
            interval,
            maybe_interval,
            ..Peer::default()
        })
}

fn messages() -> impl Strategy<Value = Peer> {
    (
        option::of(inner()),
        option::of(inner()),
        option::of(choice()),
        option::of(fields()),
        option::of(tree()),
        option::of(expression()),
    )
        .prop_map(|(inner, lenient, choice, args, tree, expression)| Peer {
            inner,
            lenient,
            choice,
            args,
            tree,
            expression,
            ..Peer::default()
        })
}

fn narrow() -> impl Strategy<Value = Peer> {
    (
        (any::<u8>(), any::<u16>(), any::<i8>(), any::<i16>(), any::<char>()),
        option::of(any::<[u8; 4]>()),
        option::of(any::<[u8; 5]>()),
        vec(any::<[u8; 5]>(), 0..4),
        vec(any::<u8>(), 0..6),
        vec(any::<u16>(), 0..6),
    )
        .prop_map(|((u8, u16, i8, i16, char), four, digest, digests, oracles, many_u16)| Peer {
            u8: u8.into(),
            u16: u16.into(),
            i8: i8.into(),
            i16: i16.into(),
            char: char.into(),
            four: four.map(Vec::from),
            digest: digest.map(Vec::from),
            digests: digests.into_iter().map(Vec::from).collect(),
            oracles: oracles.into_iter().map(u32::from).collect(),
            many_u16: many_u16.into_iter().map(u32::from).collect(),
            ..Peer::default()
        })
}

fn inner() -> impl Strategy<Value = peer::Inner> {
    let leaf = (text(), vec(u64s(), 0..4)).prop_map(|(name, values)| peer::Inner { name, values, deeper: None });
    leaf.prop_recursive(4, 8, 1, |deeper| {
        (text(), option::of(deeper)).prop_map(|(name, deeper)| peer::Inner {
            name,
            values: Vec::new(),
            deeper: deeper.map(Box::new),
        })
    })
}

fn tree() -> impl Strategy<Value = peer::Tree> {
    let leaf = any::<u32>().prop_map(|label| peer::Tree { label, children: Vec::new() });
    leaf.prop_recursive(5, 20, 3, |child| {
        (any::<u32>(), vec(child, 0..3)).prop_map(|(label, children)| peer::Tree { label, children })
    })
}

fn choice() -> impl Strategy<Value = peer::Choice> {
    prop_oneof![
        prop_oneof![any::<u32>(), Just(0)].prop_map(peer::Choice::Count),
        text().prop_map(peer::Choice::Name),
        inner().prop_map(peer::Choice::Inner),
        Just(peer::Choice::Nothing(peer::Empty {})),
        (u64s(), u64s()).prop_map(|(from, to)| peer::Choice::Range(peer::Range { from, to })),
        bytes().prop_map(peer::Choice::Bytes),
        any::<f64>().prop_map(peer::Choice::Float),
    ]
}

fn expression() -> impl Strategy<Value = peer::Expression> {
    let leaf =
        option::of(text().prop_map(peer::Evaluator::Primitive)).prop_map(|evaluator| peer::Expression { evaluator });
    leaf.prop_recursive(4, 12, 3, |expression| {
        vec(expression, 0..3)
            .prop_map(|expr| peer::Expression { evaluator: Some(peer::Evaluator::All(peer::Expressions { expr })) })
    })
}

fn fields() -> impl Strategy<Value = peer::Struct> {
    btree_map(text(), value(), 0..3).prop_map(|fields| peer::Struct { fields })
}

fn value() -> impl Strategy<Value = peer::Value> {
    let leaf = prop_oneof![
        Just(peer::Kind::Null(0)),
        any::<f64>().prop_map(peer::Kind::Number),
        text().prop_map(peer::Kind::String),
        any::<bool>().prop_map(peer::Kind::Bool),
    ]
    .prop_map(|kind| peer::Value { kind: Some(kind) });
    leaf.prop_recursive(3, 10, 3, |value| {
        prop_oneof![
            vec(value.clone(), 0..3).prop_map(|values| peer::Kind::List(peer::List { values })),
            btree_map(text(), value, 0..3).prop_map(|fields| peer::Kind::Struct(peer::Struct { fields })),
        ]
        .prop_map(|kind| peer::Value { kind: Some(kind) })
    })
}
