use loop_runtime::LoopMessage;

/// A type that the wire does not know.
struct Celsius(f64);

mod in_kelvin {
    pub(crate) type Wire = f64;

    pub(crate) fn to_wire(value: &super::Celsius) -> Wire {
        value.0 + 273.15
    }

    pub(crate) fn from_wire(wire: Wire) -> Result<super::Celsius, String> {
        if wire < 0.0 { Err("below zero".to_owned()) } else { Ok(super::Celsius(wire - 273.15)) }
    }
}

#[derive(LoopMessage)]
struct Sample {
    #[wire(1, with = in_kelvin)]
    inside: Celsius,
    #[wire(2, with = in_kelvin)]
    outside: Vec<Celsius>,
    #[wire(3, with = in_kelvin)]
    wanted: f64,
}

#[derive(LoopMessage)]
struct Other {
    #[wire(1)]
    inside: Celsius,
}

fn main() {
    loop_runtime::wire::encode(&Sample { inside: Celsius(20.0), outside: Vec::new(), wanted: 21.0 });
    loop_runtime::wire::encode(&Other { inside: Celsius(20.0) });
}
