//! The message that protobuf's conformance suite sends for proto3, declared with the derive.

use std::collections::BTreeMap;
use std::time::SystemTime;

use loop_runtime::LoopMessage;
use loop_runtime::wire::{Any, FieldMask, ListValue, SignedDuration, Struct, StructValue, UnknownFields};

/// A field of each kind, and what came beside them.
#[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
#[message(package = "protobuf_test_messages.proto3", reserved(501..=510))]
pub(crate) struct TestAllTypesProto3 {
    #[wire(1)]
    optional_int32: i32,
    #[wire(2)]
    optional_int64: i64,
    #[wire(3)]
    optional_uint32: u32,
    #[wire(4)]
    optional_uint64: u64,
    #[wire(5, sint)]
    optional_sint32: i32,
    #[wire(6, sint)]
    optional_sint64: i64,
    #[wire(7, fixed)]
    optional_fixed32: u32,
    #[wire(8, fixed)]
    optional_fixed64: u64,
    #[wire(9, fixed)]
    optional_sfixed32: i32,
    #[wire(10, fixed)]
    optional_sfixed64: i64,
    #[wire(11)]
    optional_float: f32,
    #[wire(12)]
    optional_double: f64,
    #[wire(13)]
    optional_bool: bool,
    #[wire(14)]
    optional_string: String,
    #[wire(15)]
    optional_bytes: Vec<u8>,
    #[wire(18)]
    optional_nested_message: Option<Box<NestedMessage>>,
    #[wire(19)]
    optional_foreign_message: Option<ForeignMessage>,
    #[wire(21)]
    optional_nested_enum: NestedEnum,
    #[wire(22)]
    optional_foreign_enum: ForeignEnum,
    #[wire(23)]
    optional_aliased_enum: AliasedEnum,
    #[wire(24)]
    optional_string_piece: String,
    #[wire(25)]
    optional_cord: String,
    #[wire(27)]
    recursive_message: Option<Box<TestAllTypesProto3>>,
    #[wire(31)]
    repeated_int32: Vec<i32>,
    #[wire(32)]
    repeated_int64: Vec<i64>,
    #[wire(33)]
    repeated_uint32: Vec<u32>,
    #[wire(34)]
    repeated_uint64: Vec<u64>,
    #[wire(35, sint)]
    repeated_sint32: Vec<i32>,
    #[wire(36, sint)]
    repeated_sint64: Vec<i64>,
    #[wire(37, fixed)]
    repeated_fixed32: Vec<u32>,
    #[wire(38, fixed)]
    repeated_fixed64: Vec<u64>,
    #[wire(39, fixed)]
    repeated_sfixed32: Vec<i32>,
    #[wire(40, fixed)]
    repeated_sfixed64: Vec<i64>,
    #[wire(41)]
    repeated_float: Vec<f32>,
    #[wire(42)]
    repeated_double: Vec<f64>,
    #[wire(43)]
    repeated_bool: Vec<bool>,
    #[wire(44)]
    repeated_string: Vec<String>,
    #[wire(45)]
    repeated_bytes: Vec<Vec<u8>>,
    #[wire(48)]
    repeated_nested_message: Vec<NestedMessage>,
    #[wire(49)]
    repeated_foreign_message: Vec<ForeignMessage>,
    #[wire(51)]
    repeated_nested_enum: Vec<NestedEnum>,
    #[wire(52)]
    repeated_foreign_enum: Vec<ForeignEnum>,
    #[wire(54)]
    repeated_string_piece: Vec<String>,
    #[wire(55)]
    repeated_cord: Vec<String>,
    #[wire(56)]
    map_int32_int32: BTreeMap<i32, i32>,
    #[wire(57)]
    map_int64_int64: BTreeMap<i64, i64>,
    #[wire(58)]
    map_uint32_uint32: BTreeMap<u32, u32>,
    #[wire(59)]
    map_uint64_uint64: BTreeMap<u64, u64>,
    #[wire(60, key = sint, sint)]
    map_sint32_sint32: BTreeMap<i32, i32>,
    #[wire(61, key = sint, sint)]
    map_sint64_sint64: BTreeMap<i64, i64>,
    #[wire(62, key = fixed, fixed)]
    map_fixed32_fixed32: BTreeMap<u32, u32>,
    #[wire(63, key = fixed, fixed)]
    map_fixed64_fixed64: BTreeMap<u64, u64>,
    #[wire(64, key = fixed, fixed)]
    map_sfixed32_sfixed32: BTreeMap<i32, i32>,
    #[wire(65, key = fixed, fixed)]
    map_sfixed64_sfixed64: BTreeMap<i64, i64>,
    #[wire(66)]
    map_int32_float: BTreeMap<i32, f32>,
    #[wire(67)]
    map_int32_double: BTreeMap<i32, f64>,
    #[wire(68)]
    map_bool_bool: BTreeMap<bool, bool>,
    #[wire(69)]
    map_string_string: BTreeMap<String, String>,
    #[wire(70)]
    map_string_bytes: BTreeMap<String, Vec<u8>>,
    #[wire(71)]
    map_string_nested_message: BTreeMap<String, NestedMessage>,
    #[wire(72)]
    map_string_foreign_message: BTreeMap<String, ForeignMessage>,
    #[wire(73)]
    map_string_nested_enum: BTreeMap<String, NestedEnum>,
    #[wire(74)]
    map_string_foreign_enum: BTreeMap<String, ForeignEnum>,
    #[wire(75)]
    packed_int32: Vec<i32>,
    #[wire(76)]
    packed_int64: Vec<i64>,
    #[wire(77)]
    packed_uint32: Vec<u32>,
    #[wire(78)]
    packed_uint64: Vec<u64>,
    #[wire(79, sint)]
    packed_sint32: Vec<i32>,
    #[wire(80, sint)]
    packed_sint64: Vec<i64>,
    #[wire(81, fixed)]
    packed_fixed32: Vec<u32>,
    #[wire(82, fixed)]
    packed_fixed64: Vec<u64>,
    #[wire(83, fixed)]
    packed_sfixed32: Vec<i32>,
    #[wire(84, fixed)]
    packed_sfixed64: Vec<i64>,
    #[wire(85)]
    packed_float: Vec<f32>,
    #[wire(86)]
    packed_double: Vec<f64>,
    #[wire(87)]
    packed_bool: Vec<bool>,
    #[wire(88)]
    packed_nested_enum: Vec<NestedEnum>,
    #[wire(89, unpacked)]
    unpacked_int32: Vec<i32>,
    #[wire(90, unpacked)]
    unpacked_int64: Vec<i64>,
    #[wire(91, unpacked)]
    unpacked_uint32: Vec<u32>,
    #[wire(92, unpacked)]
    unpacked_uint64: Vec<u64>,
    #[wire(93, sint, unpacked)]
    unpacked_sint32: Vec<i32>,
    #[wire(94, sint, unpacked)]
    unpacked_sint64: Vec<i64>,
    #[wire(95, fixed, unpacked)]
    unpacked_fixed32: Vec<u32>,
    #[wire(96, fixed, unpacked)]
    unpacked_fixed64: Vec<u64>,
    #[wire(97, fixed, unpacked)]
    unpacked_sfixed32: Vec<i32>,
    #[wire(98, fixed, unpacked)]
    unpacked_sfixed64: Vec<i64>,
    #[wire(99, unpacked)]
    unpacked_float: Vec<f32>,
    #[wire(100, unpacked)]
    unpacked_double: Vec<f64>,
    #[wire(101, unpacked)]
    unpacked_bool: Vec<bool>,
    #[wire(102, unpacked)]
    unpacked_nested_enum: Vec<NestedEnum>,
    #[wire(oneof)]
    oneof_field: Option<OneofField>,
    #[wire(201, wrapped)]
    optional_bool_wrapper: Option<bool>,
    #[wire(202, wrapped)]
    optional_int32_wrapper: Option<i32>,
    #[wire(203, wrapped)]
    optional_int64_wrapper: Option<i64>,
    #[wire(204, wrapped)]
    optional_uint32_wrapper: Option<u32>,
    #[wire(205, wrapped)]
    optional_uint64_wrapper: Option<u64>,
    #[wire(206, wrapped)]
    optional_float_wrapper: Option<f32>,
    #[wire(207, wrapped)]
    optional_double_wrapper: Option<f64>,
    #[wire(208, wrapped)]
    optional_string_wrapper: Option<String>,
    #[wire(209, wrapped)]
    optional_bytes_wrapper: Option<Vec<u8>>,
    #[wire(211, wrapped)]
    repeated_bool_wrapper: Vec<bool>,
    #[wire(212, wrapped)]
    repeated_int32_wrapper: Vec<i32>,
    #[wire(213, wrapped)]
    repeated_int64_wrapper: Vec<i64>,
    #[wire(214, wrapped)]
    repeated_uint32_wrapper: Vec<u32>,
    #[wire(215, wrapped)]
    repeated_uint64_wrapper: Vec<u64>,
    #[wire(216, wrapped)]
    repeated_float_wrapper: Vec<f32>,
    #[wire(217, wrapped)]
    repeated_double_wrapper: Vec<f64>,
    #[wire(218, wrapped)]
    repeated_string_wrapper: Vec<String>,
    #[wire(219, wrapped)]
    repeated_bytes_wrapper: Vec<Vec<u8>>,
    #[wire(301)]
    optional_duration: Option<SignedDuration>,
    #[wire(302)]
    optional_timestamp: Option<SystemTime>,
    #[wire(303)]
    optional_field_mask: Option<FieldMask>,
    #[wire(304)]
    optional_struct: Option<Struct>,
    #[wire(305)]
    optional_any: Option<Any>,
    #[wire(306)]
    optional_value: Option<StructValue>,
    #[wire(307)]
    optional_null_value: NullValue,
    #[wire(311)]
    repeated_duration: Vec<SignedDuration>,
    #[wire(312)]
    repeated_timestamp: Vec<SystemTime>,
    #[wire(313)]
    repeated_fieldmask: Vec<FieldMask>,
    #[wire(324)]
    repeated_struct: Vec<Struct>,
    #[wire(315)]
    repeated_any: Vec<Any>,
    #[wire(316)]
    repeated_value: Vec<StructValue>,
    #[wire(317)]
    repeated_list_value: Vec<ListValue>,
    #[wire(401, name = "fieldname1")]
    field_name1: i32,
    #[wire(402, name = "field_name2")]
    field_name2: i32,
    #[wire(403)]
    field_name3: i32,
    #[wire(404, name = "field__name4_")]
    field_name4: i32,
    #[wire(405, name = "field0name5")]
    field_name5: i32,
    #[wire(406, name = "field_0_name6")]
    field_name6: i32,
    #[wire(407, name = "fieldName7")]
    field_name7: i32,
    #[wire(408, name = "FieldName8")]
    field_name8: i32,
    #[wire(409, name = "field_Name9")]
    field_name9: i32,
    #[wire(410, name = "Field_Name10")]
    field_name10: i32,
    #[wire(411, name = "FIELD_NAME11")]
    field_name11: i32,
    #[wire(412, name = "FIELD_name12")]
    field_name12: i32,
    #[wire(413)]
    field_name13: i32,
    #[wire(414)]
    field_name14: i32,
    #[wire(415, name = "field__name15")]
    field_name15: i32,
    #[wire(416, name = "field__Name16")]
    field_name16: i32,
    #[wire(417, name = "field_name17__")]
    field_name17: i32,
    #[wire(418, name = "Field_name18__")]
    field_name18: i32,
    unknown: UnknownFields,
}

#[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
struct NestedMessage {
    #[wire(1)]
    a: i32,
    #[wire(2)]
    corecursive: Option<Box<TestAllTypesProto3>>,
    unknown: UnknownFields,
}

#[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
struct ForeignMessage {
    #[wire(1)]
    c: i32,
    unknown: UnknownFields,
}

#[derive(Clone, Debug, PartialEq, LoopMessage)]
enum OneofField {
    #[wire(111)]
    Uint32(u32),
    #[wire(112)]
    NestedMessage(Box<NestedMessage>),
    #[wire(113)]
    String(String),
    #[wire(114)]
    Bytes(Vec<u8>),
    #[wire(115)]
    Bool(bool),
    #[wire(116)]
    Uint64(u64),
    #[wire(117)]
    Float(f32),
    #[wire(118)]
    Double(f64),
    #[wire(119)]
    Enum(NestedEnum),
    #[wire(120)]
    NullValue(NullValue),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, LoopMessage)]
enum NestedEnum {
    #[default]
    #[wire(0)]
    Foo,
    #[wire(1)]
    Bar,
    #[wire(2)]
    Baz,
    #[wire(-1)]
    Neg,
    #[wire(unknown)]
    Other(i32),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, LoopMessage)]
enum ForeignEnum {
    #[default]
    #[wire(0)]
    Foo,
    #[wire(1)]
    Bar,
    #[wire(2)]
    Baz,
    #[wire(unknown)]
    Other(i32),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, LoopMessage)]
enum AliasedEnum {
    #[default]
    #[wire(0)]
    Foo,
    #[wire(1)]
    Bar,
    #[wire(2, alias("MOO", "moo", "bAz"))]
    Baz,
    #[wire(unknown)]
    Other(i32),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, LoopMessage)]
enum NullValue {
    #[default]
    #[wire(0)]
    Null,
    #[wire(unknown)]
    Other(i32),
}
