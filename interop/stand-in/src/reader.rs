//! The contract reader, of a provider and by itself.

use loop_runtime::{Error, Result};
use loop_services::contract_reader::{
    BoundContract, ContractBatch, ContractBatchResult, ContractKeyFilter, Sequence, SequenceWithKey,
};
use loop_services::prelude::*;
use loop_services::query::{Confidence, LimitAndSort, QueryKeyFilter};
use loop_services::relayer::Head;

use crate::values;

/// Reads one value.
pub(crate) struct Reader;

/// By itself it is only made and closed.
impl Lifecycle for Reader {}

impl ContractReaderService for Reader {}

impl ContractReader for Reader {
    async fn get_latest_value(
        &self,
        read_identifier: &str,
        _: Confidence,
        params: &VersionedBytes,
        _: bool,
    ) -> Result<VersionedBytes> {
        if read_identifier != values::READ_IDENTIFIER {
            let text = format!("expected report context {} but got {read_identifier}", values::READ_IDENTIFIER);
            return Err(Error::invalid_argument(format!("invalid type: {text}")));
        }
        let [cbor, json] = values::READS;
        // Go's encoders write one form of a value, so that bytes can be compared.
        let (expected, value) = match params.version {
            VersionedBytes::CBOR => cbor,
            VersionedBytes::JSON | VersionedBytes::JSON_STRINGS => json,
            version => {
                let text = format!("unsupported encoding version {version} for versionedData {:?}", params.data);
                return Err(Error::unknown(text));
            }
        };
        if params.data != expected {
            let text = format!("invalid encoding: expected params {expected:?} but got {:?}", params.data);
            return Err(Error::invalid_argument(text));
        }
        Ok(VersionedBytes { version: params.version, data: value.to_vec() })
    }

    async fn get_latest_value_with_head_data(
        &self,
        _: &str,
        _: Confidence,
        _: &VersionedBytes,
        _: bool,
    ) -> Result<(VersionedBytes, Option<Head>)> {
        Err(not_asked())
    }

    async fn batch_get_latest_values(&self, _: &[ContractBatch]) -> Result<Vec<ContractBatchResult>> {
        Err(not_asked())
    }

    async fn query_key(
        &self,
        _: &BoundContract,
        _: &QueryKeyFilter,
        _: &LimitAndSort,
        _: bool,
    ) -> Result<Vec<Sequence>> {
        Err(not_asked())
    }

    async fn query_keys(&self, _: &[ContractKeyFilter], _: &LimitAndSort) -> Result<Vec<SequenceWithKey>> {
        Err(not_asked())
    }

    async fn bind(&self, _: &[BoundContract]) -> Result<()> {
        Err(not_asked())
    }

    async fn unbind(&self, _: &[BoundContract]) -> Result<()> {
        Err(not_asked())
    }
}

fn not_asked() -> Error {
    Error::unknown("no test asks for this")
}
