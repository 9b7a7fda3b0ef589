//! The node's keys, lent to a relayer.

use loop_runtime::{Result, loop_service};

/// Signs and decrypts with keys that never leave the host.
///
/// Go's adapters put `failed to get accounts: ` or `failed to sign data for account: <account>: ` before the error of the
/// implementation, on both sides; here an error crosses as it is.
#[loop_service(package = "loop")]
pub trait Keystore {
    /// The accounts that have a key, in the chain's notation.
    #[rpc(idempotent, request = "google.protobuf.Empty", returns(accounts = 1))]
    async fn accounts(&self) -> Result<Vec<String>>;

    /// Signs `data` with the key of `account`. Empty `data` asks whether there is such a key: the answer is then empty, and
    /// an error if there is none.
    #[rpc(returns(signedData = 1))]
    async fn sign(&self, account: &str, data: &[u8]) -> Result<Vec<u8>>;

    /// Decrypts `data` with the key of `account`.
    #[rpc(returns(decryptedData = 1))]
    async fn decrypt(&self, account: &str, data: &[u8]) -> Result<Vec<u8>>;
}
