//! How to find a plugin that is already running: go-plugin's reattach configuration.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::transport::{Address, AddressError};

/// The address of a running plugin, for [`Host::reattach`](crate::host::Host::reattach).
///
/// It comes from a plugin in [test mode](crate::plugin::Plugin::test_mode), from a host that launched one
/// ([`Supervisor::reattach_config`](crate::host::Supervisor::reattach_config)), from the same in Go, or from the
/// environment: Terraform's `TF_REATTACH_PROVIDERS` and its copies hold a JSON object of them, by name.
///
/// ```
/// use loop_runtime::host::Reattach;
///
/// let providers = r#"{"kv": {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": 4711, "Test": true,
///                            "Addr": {"Network": "unix", "String": "/tmp/plugin42"}}}"#;
/// let mut all = Reattach::from_json(providers)?;
/// let kv = all.remove("kv").expect("a provider of that name");
/// assert_eq!((kv.pid, kv.address.as_str()), (4711, "/tmp/plugin42"));
/// # Ok::<(), loop_runtime::host::ReattachError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reattach {
    /// The plugin's protocol: always `grpc`.
    pub protocol: String,
    /// The application protocol version that it serves. 0 if unknown: Go's hosts report it only in test mode.
    pub protocol_version: u32,
    /// Its process id.
    pub pid: u32,
    /// Whether it is in test mode: then no host ends its process, and none watches it.
    pub test: bool,
    /// `unix` or `tcp`.
    pub network: String,
    /// The path of its socket, `@` and an abstract name, or `host:port`.
    pub address: String,
}

/// Why a text does not hold reattach configurations.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no reattach configurations: {0}")]
pub struct ReattachError(String);

impl Reattach {
    /// The plugin that runs as process `pid` and listens at `address`: the path of a socket if `network` is `unix`,
    /// `host:port` if it is `tcp`. It is not in test mode, and its version is not known.
    pub fn new(network: impl Into<String>, address: impl Into<String>, pid: u32) -> Self {
        let (network, address) = (network.into(), address.into());
        Self { protocol: "grpc".to_owned(), protocol_version: 0, pid, test: false, network, address }
    }

    pub(crate) fn at(address: &Address, pid: u32) -> Self {
        Self::new(address.network(), address.to_string(), pid)
    }

    pub(crate) fn parsed_address(&self) -> Result<Address, AddressError> {
        Address::parse(&self.network, &self.address)
    }

    /// Reads a JSON object of configurations by name, as `TF_REATTACH_PROVIDERS` holds it. Absent members are 0, false
    /// or empty, as in Go; unknown ones are ignored.
    ///
    /// # Errors
    ///
    /// The text is not such an object. The error names the member.
    pub fn from_json(text: &str) -> Result<BTreeMap<String, Self>, ReattachError> {
        let all: Map<String, Value> = serde_json::from_str(text).map_err(|why| ReattachError(why.to_string()))?;
        all.into_iter()
            .map(|(name, it)| match Self::from_value(&it) {
                Ok(it) => Ok((name, it)),
                Err(member) => Err(ReattachError(format!("{name:?} has no good {member}"))),
            })
            .collect()
    }

    fn from_value(it: &Value) -> Result<Self, &'static str> {
        fn member<T: Default>(
            of: &Value,
            name: &'static str,
            read: impl FnOnce(&Value) -> Option<T>,
        ) -> Result<T, &'static str> {
            match of.get(name) {
                None | Some(Value::Null) => Ok(T::default()),
                Some(value) => read(value).ok_or(name),
            }
        }
        let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let addr = it.as_object().and_then(|it| it.get("Addr")).ok_or("Addr")?;
        Ok(Self {
            protocol: member(it, "Protocol", text)?,
            protocol_version: member(it, "ProtocolVersion", number)?,
            pid: member(it, "Pid", number)?,
            test: member(it, "Test", Value::as_bool)?,
            network: member(addr, "Network", text)?,
            address: member(addr, "String", text)?,
        })
    }

    /// Writes what [`Reattach::from_json`] and Terraform read.
    pub fn to_json<'a>(all: impl IntoIterator<Item = (&'a str, &'a Self)>) -> String {
        let value = |it: &Self| {
            json!({
                "Protocol": it.protocol,
                "ProtocolVersion": it.protocol_version,
                "Pid": it.pid,
                "Test": it.test,
                "Addr": { "Network": it.network, "String": it.address },
            })
        };
        let all: Map<String, Value> = all.into_iter().map(|(name, it)| (name.to_owned(), value(it))).collect();
        Value::Object(all).to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As Terraform's documentation has it.
    const TERRAFORM: &str = r#"{"registry.terraform.io/hashicorp/null":{"Protocol":"grpc","ProtocolVersion":5,"Pid":3382870,"Test":true,"Addr":{"Network":"unix","String":"/tmp/plugin713096927"}}}"#;

    #[test]
    fn what_terraform_writes_is_read_and_written() {
        let all = Reattach::from_json(TERRAFORM).unwrap();
        let (name, it) = all.first_key_value().unwrap();
        assert_eq!((all.len(), name.as_str()), (1, "registry.terraform.io/hashicorp/null"));
        let expected = Reattach {
            protocol: "grpc".into(),
            protocol_version: 5,
            pid: 3_382_870,
            test: true,
            network: "unix".into(),
            address: "/tmp/plugin713096927".into(),
        };
        assert_eq!(it, &expected);
        assert_eq!(it.parsed_address().unwrap().to_string(), "/tmp/plugin713096927");
        let written: Value = serde_json::from_str(&Reattach::to_json([(name.as_str(), it)])).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(TERRAFORM).unwrap());
    }

    #[test]
    fn what_is_absent_has_gos_defaults() {
        let all = Reattach::from_json(r#"{"p": {"Addr": {"Network": "tcp", "String": ":1"}, "New": [1]}}"#).unwrap();
        let it = &all["p"];
        assert_eq!((it.protocol.as_str(), it.protocol_version, it.pid, it.test), ("", 0, 0, false));
        assert!(Reattach::from_json("{}").unwrap().is_empty());
    }

    #[test]
    fn mistakes_are_named() {
        for (text, says) in [
            ("", "EOF"),
            ("[]", "invalid type"),
            (r#"{"p": 1}"#, r#""p" has no good Addr"#),
            (r#"{"p": {}}"#, "Addr"),
            (r#"{"p": {"Addr": {"Network": 1}}}"#, "Network"),
            (r#"{"p": {"Addr": {}, "Pid": -1}}"#, "Pid"),
            (r#"{"p": {"Addr": {}, "Pid": "1"}}"#, "Pid"),
            (r#"{"p": {"Addr": {}, "Test": 1}}"#, "Test"),
            (r#"{"p": {"Addr": {}, "ProtocolVersion": 4294967296}}"#, "ProtocolVersion"),
        ] {
            let error = Reattach::from_json(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            all in prop::collection::btree_map(
                ".{0,8}",
                (".{0,8}", any::<u32>(), any::<u32>(), any::<bool>(), ".{0,8}", ".{0,30}"),
                0..4,
            ),
        ) {
            let all: BTreeMap<String, Reattach> = all
                .into_iter()
                .map(|(name, (protocol, protocol_version, pid, test, network, address))| {
                    (name, Reattach { protocol, protocol_version, pid, test, network, address })
                })
                .collect();
            let text = Reattach::to_json(all.iter().map(|(name, it)| (name.as_str(), it)));
            prop_assert_eq!(Reattach::from_json(&text), Ok(all));
        }
    }
}
