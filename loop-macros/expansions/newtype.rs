/// Written like the array that it wraps.
#[derive(LoopMessage)]
struct Digest([u8; 32]);
