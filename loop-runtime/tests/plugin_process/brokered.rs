//! Connections beside the main one, as the plugin announces them.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tonic::codegen::tokio_stream::wrappers::ReceiverStream;

use crate::client::{Client, Number, Two, two};
use crate::process::{Start, soon};
use crate::proto::plugin::grpc_broker_client::GrpcBrokerClient;

/// A group that this process may change files to, as gid and name.
fn group() -> (u32, String) {
    let own = tempfile::tempdir().unwrap().path().metadata().unwrap().gid();
    let table = std::fs::read_to_string("/etc/group").unwrap();
    let groups = table.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((fields.nth(1)?.parse().ok()?, name))
    });
    // Only root may use groups that it is not a member of; for any other user it is its own one.
    let is_root = rustix::process::geteuid().is_root();
    let mut may_give = groups.filter(|(gid, _)| if is_root { *gid != own } else { *gid == own });
    may_give.next().expect("a group with a name")
}

#[tokio::test]
async fn what_is_made_lies_in_the_hosts_directory_for_its_group() {
    let (gid, name) = group();
    for value in [gid.to_string(), name] {
        let host = tempfile::tempdir().unwrap();
        let start = Start::new("").env("PLUGIN_UNIX_SOCKET_DIR", host.path().to_str().unwrap());
        let mut plugin = start.env("PLUGIN_UNIX_SOCKET_GROUP", &value).up().await;
        let client = plugin.client().await;
        let (_announce, announcements) = tokio::sync::mpsc::channel(1);
        let mut broker = GrpcBrokerClient::new(client.clone());
        let stream = broker.start_stream(ReceiverStream::new(announcements));
        let mut announced = soon("headers", stream).await.unwrap().into_inner();
        for id in 1..=2 {
            let made: Number = client.call("/probe.Probe/NewThing", Number { n: 40 + id }).await.unwrap();
            assert_eq!(made.n, id, "ids count from 1");
            let info = soon("an announcement", announced.message()).await.unwrap().unwrap();
            assert_eq!((u64::from(info.service_id), info.network.as_str(), info.knock), (id, "unix", None));
            assert_eq!(Path::new(&info.address).parent(), Some(host.path()));
            let seen = std::fs::metadata(&info.address).unwrap();
            assert_eq!((seen.mode() & 0o777, seen.gid()), (0o660, gid), "{value}");
            // Go clients disconnect when they are idle, and redial.
            for _ in 0..3 {
                let thing = Client::connect(&info.address).await;
                let number: Number = thing.call("/probe.Thing/Number", two("", "")).await.unwrap();
                assert_eq!(number.n, 40 + id);
            }
        }
        let echo: Two = client.call("/probe.Probe/Echo", two("alive", "")).await.unwrap();
        assert_eq!(echo.one, b"alive");
        plugin.shut_down().await;
        assert_eq!(plugin.ended().await.0, Some(0));
        assert_eq!(std::fs::read_dir(host.path()).unwrap().count(), 0);
    }
}
