//! Values of types that only configuration knows, and the codec that gives them the chain's form.

use loop_runtime::{LoopMessage, Result, loop_service};

/// A value in one of the encodings that LOOP knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, LoopMessage)]
#[message(package = "codec")]
pub struct VersionedBytes {
    /// The encoding: [`JSON`](Self::JSON), [`JSON_STRINGS`](Self::JSON_STRINGS), [`CBOR`](Self::CBOR) or
    /// [`VALUES`](Self::VALUES). Kept as it came; who decodes refuses what it does not know.
    #[wire(1)]
    pub version: u32,
    /// The encoded value.
    #[wire(2)]
    pub data: Vec<u8>,
}

impl VersionedBytes {
    /// JSON.
    pub const JSON: u32 = 0;
    /// JSON with numbers as strings.
    pub const JSON_STRINGS: u32 = 1;
    /// CBOR in its core deterministic form, which Go uses by default.
    pub const CBOR: u32 = 2;
    /// The protobuf messages of the package `values`.
    pub const VALUES: u32 = 3;

    /// `data`, which is CBOR.
    pub fn cbor(data: impl Into<Vec<u8>>) -> Self {
        Self { version: Self::CBOR, data: data.into() }
    }

    /// `data`, which is JSON.
    pub fn json(data: impl Into<Vec<u8>>) -> Self {
        Self { version: Self::JSON, data: data.into() }
    }
}

/// Gives values the form that the chain reads, by the name of their type in the configuration.
#[loop_service(package = "codec")]
pub trait Codec {
    /// `params` in the chain's form of `item_type`.
    #[rpc(idempotent, reply = "GetEncodingResponse", returns(retVal = 1))]
    async fn get_encoding(
        &self,
        params: &VersionedBytes,
        #[wire(name = "itemType")] item_type: &str,
    ) -> Result<Vec<u8>>;

    /// The value within `encoded`, which is the chain's form of `item_type`, in the encoding `wire_encoding_version`.
    ///
    /// Go asks this of every new provider, with everything empty, to learn whether there is a codec: answer anything but
    /// `Unimplemented`.
    #[rpc(idempotent, reply = "GetDecodingResponse", returns(retVal = 1))]
    async fn get_decoding(
        &self,
        encoded: &[u8],
        #[wire(name = "itemType")] item_type: &str,
        #[wire(name = "wireEncodingVersion")] wire_encoding_version: u32,
    ) -> Result<VersionedBytes>;

    /// The length in bytes of the longest `item_type` in the chain's form, its lists having `n` items each: of what
    /// [`get_encoding`](Self::get_encoding) gives if `for_encoding`, else of what [`get_decoding`](Self::get_decoding)
    /// takes.
    #[rpc(idempotent, reply = "GetMaxSizeResponse", returns(sizeInBytes = 1))]
    async fn get_max_size(
        &self,
        n: i32,
        #[wire(name = "itemType")] item_type: &str,
        #[wire(name = "forEncoding")] for_encoding: bool,
    ) -> Result<i32>;
}
