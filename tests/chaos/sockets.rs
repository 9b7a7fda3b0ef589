//! Cuts connections of this process, as a broken peer would.

use std::path::Path;

use rustix::net::sockopt::socket_acceptconn;
use rustix::net::{Shutdown, SocketAddrUnix, getpeername, getsockname, shutdown};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

use crate::random::Random;

/// Which connections.
pub(crate) enum Which {
    One,
    All,
}

/// Shuts connections down that run over sockets in a plugin's directory below `dir`: main ones, objects', lent ones.
/// Returns how many.
pub(crate) fn cut(dir: &Path, which: Which, random: &mut Random) -> usize {
    let this = pidfd_open(getpid(), PidfdFlags::empty()).expect("this process");
    let fds = std::fs::read_dir("/proc/self/fd").expect("Linux").flatten();
    let numbers: Vec<i32> = fds.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let mut ours = Vec::new();
    for number in numbers {
        let Ok(socket) = pidfd_getfd(&this, number, PidfdGetfdFlags::empty()) else { continue };
        if socket_acceptconn(&socket).unwrap_or(true) {
            continue;
        }
        let here = getsockname(&socket).ok().and_then(|name| SocketAddrUnix::try_from(name).ok());
        let there = getpeername(&socket).ok().flatten().and_then(|name| SocketAddrUnix::try_from(name).ok());
        let is_ours = |name: &SocketAddrUnix| {
            let path = name.path_bytes().map(|path| String::from_utf8_lossy(path).into_owned());
            path.is_some_and(|path| Path::new(&path).starts_with(dir))
        };
        if [here, there].iter().flatten().any(is_ours) {
            ours.push(socket);
        }
    }
    if matches!(which, Which::One) && !ours.is_empty() {
        let one = ours.swap_remove(random.below(ours.len() as u64) as usize);
        ours = vec![one];
    }
    ours.iter().filter(|socket| shutdown(socket, Shutdown::Both).is_ok()).count()
}
