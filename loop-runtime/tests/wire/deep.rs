//! Recursive messages of every kind, as wide as messages in practice or wider.

use std::collections::{BTreeMap, HashMap};

use loop_runtime::LoopMessage;
use loop_runtime::wire::{Message, Struct, StructValue};

/// A recursive message.
pub trait Deep: Message + PartialEq + Send {
    /// How many levels one recursion takes.
    const LEVELS: u32 = 1;
    /// The innermost.
    fn leaf() -> Self;
    /// One around `inner`.
    fn around(inner: Self) -> Self;
}

/// A value that recurses `steps` times, made without recursion.
pub fn deep<T: Deep>(steps: u32) -> T {
    (0..steps).fold(T::leaf(), |inner, _| T::around(inner))
}

macro_rules! wide {
    (
        $(#[$meta:meta])* $name:ident { $($recursion:tt)* }
        strings $($string:ident $s:literal)*; maps $($map:ident $m:literal)*;
        $step:expr
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
        #[message(package = "deep.test")]
        pub struct $name {
            $(#[wire($s)] pub $string: String,)*
            $(#[wire($m)] pub $map: HashMap<String, u64>,)*
            $($recursion)*
        }

        impl Deep for $name {
            const LEVELS: u32 = $step.0;

            fn leaf() -> Self {
                Self::default()
            }

            fn around(inner: Self) -> Self {
                let mut outer = Self::default();
                $step.1(&mut outer, inner);
                outer
            }
        }
    };
}

wide! {
    /// In a box.
    Boxed { #[wire(1)] pub next: Option<Box<Boxed>>, }
    strings a 11 b 12 c 13 d 14 e 15 f 16 g 17 h 18 i 19 j 20 k 21 l 22 m 23 n 24 o 25 p 26 q 27 r 28 s 29 t 30 u 31 v 32
        w 33 x 34 y 35;
    maps ma 41 mb 42 mc 43 md 44 me 45 mf 46 mg 47 mh 48 mi 49 mj 50 mk 51 ml 52 mm 53 mn 54 mo 55;
    (1, |outer: &mut Boxed, inner| outer.next = Some(Box::new(inner)))
}

wide! {
    /// In a box, behind eighty maps.
    Maps { #[wire(1)] pub next: Option<Box<Maps>>, }
    strings;
    maps aa 101 ab 102 ac 103 ad 104 ae 105 af 106 ag 107 ah 108 ai 109 aj 110 ba 111 bb 112 bc 113 bd 114 be 115 bf 116
        bg 117 bh 118 bi 119 bj 120 ca 121 cb 122 cc 123 cd 124 ce 125 cf 126 cg 127 ch 128 ci 129 cj 130 da 131 db 132
        dc 133 dd 134 de 135 df 136 dg 137 dh 138 di 139 dj 140 ea 141 eb 142 ec 143 ed 144 ee 145 ef 146 eg 147 eh 148
        ei 149 ej 150 fa 151 fb 152 fc 153 fd 154 fe 155 ff 156 fg 157 fh 158 fi 159 fj 160 ga 161 gb 162 gc 163 gd 164
        ge 165 gf 166 gg 167 gh 168 gi 169 gj 170 ha 171 hb 172 hc 173 hd 174 he 175 hf 176 hg 177 hh 178 hi 179 hj 180;
    (1, |outer: &mut Maps, inner| outer.next = Some(Box::new(inner)))
}

wide! {
    /// In a list.
    Listed { #[wire(1)] pub children: Vec<Listed>, }
    strings a 11 b 12 c 13 d 14 e 15 f 16 g 17 h 18 i 19 j 20;
    maps ma 41 mb 42 mc 43 md 44 me 45 mf 46 mg 47 mh 48 mi 49 mj 50;
    (1, |outer: &mut Listed, inner| outer.children.push(inner))
}

wide! {
    /// As the value of a map, whose entries are a level of their own.
    Mapped { #[wire(1)] pub by_name: HashMap<String, Mapped>, #[wire(2)] pub by_number: BTreeMap<u64, Mapped>, }
    strings a 11 b 12 c 13 d 14 e 15 f 16 g 17 h 18 i 19 j 20;
    maps ma 41 mb 42 mc 43 md 44 me 45 mf 46 mg 47 mh 48 mi 49 mj 50;
    (2, |outer: &mut Mapped, inner| drop(outer.by_name.insert("x".to_owned(), inner)))
}

wide! {
    /// Through a newtype, where absence is the default.
    Linked { #[wire(1, default)] pub next: Option<Link>, }
    strings a 11 b 12 c 13 d 14 e 15 f 16 g 17 h 18 i 19 j 20;
    maps ma 41 mb 42 mc 43 md 44 me 45 mf 46 mg 47 mh 48 mi 49 mj 50;
    (1, |outer: &mut Linked, inner| outer.next = Some(Link(Box::new(inner))))
}

/// A newtype.
#[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
pub struct Link(pub Box<Linked>);

wide! {
    /// As elements that are newtypes.
    Elements { #[wire(1)] pub elements: Vec<Element>, }
    strings a 11 b 12 c 13 d 14 e 15 f 16 g 17 h 18 i 19 j 20;
    maps ma 41 mb 42 mc 43 md 44 me 45 mf 46 mg 47 mh 48 mi 49 mj 50;
    (1, |outer: &mut Elements, inner| outer.elements.push(Element(inner)))
}

/// A newtype, by value.
#[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
pub struct Element(pub Elements);

wide! {
    /// As a case of a oneof that is a field.
    Chosen { #[wire(oneof)] pub choice: Option<Choice>, }
    strings a 11 b 12 c 13 d 14 e 15 f 16 g 17 h 18 i 19 j 20;
    maps ma 41 mb 42 mc 43 md 44 me 45 mf 46 mg 47 mh 48 mi 49 mj 50;
    (1, |outer: &mut Chosen, inner| outer.choice = Some(Choice::Deeper(Box::new(inner))))
}

/// One of several.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "deep.test")]
pub enum Choice {
    #[wire(1)]
    Deeper(Box<Chosen>),
    #[wire(2)]
    Text(String),
}

/// A recursive enum with data: in a case, in a variant with fields, in a list of such.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "deep.test")]
pub enum Expression {
    #[wire(1)]
    Leaf(u64),
    #[wire(2)]
    Not(Box<Expression>),
    #[wire(3)]
    Text(String),
    #[wire(4)]
    Digest([u8; 32]),
    #[wire(5)]
    And {
        #[wire(1)]
        all: Vec<Expression>,
        #[wire(2)]
        a: String,
        #[wire(3)]
        b: String,
        #[wire(4)]
        c: HashMap<String, String>,
    },
    #[wire(6)]
    Nothing,
}

impl Deep for Expression {
    const LEVELS: u32 = 3;

    fn leaf() -> Self {
        Self::Nothing
    }

    fn around(inner: Self) -> Self {
        let all = vec![Self::Not(Box::new(inner))];
        Self::And { all, a: "a".to_owned(), b: String::new(), c: HashMap::new() }
    }
}

/// The well-known type: a value, its list, the value in it.
impl Deep for Struct {
    const LEVELS: u32 = 3;

    fn leaf() -> Self {
        Self::default()
    }

    fn around(inner: Self) -> Self {
        Self { fields: [("x".to_owned(), StructValue::Struct(inner))].into() }
    }
}
