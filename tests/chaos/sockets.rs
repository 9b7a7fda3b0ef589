//! Breaks connections, as a faulty peer would.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::net::sockopt::socket_acceptconn;
use rustix::net::{SendFlags, Shutdown, SocketAddrUnix, getpeername, getsockname, send, shutdown};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

use crate::random::Random;

/// Which connections.
pub(crate) enum Which {
    One,
    All,
}

/// The connections of a process that run over sockets below `dir`: main ones, objects', lent ones.
fn connections(of: Pid, dir: &Path) -> Vec<OwnedFd> {
    let Ok(process) = pidfd_open(of, PidfdFlags::empty()) else { return Vec::new() };
    let fds = std::fs::read_dir(format!("/proc/{of}/fd")).into_iter().flatten().flatten();
    let numbers: Vec<i32> = fds.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let mut found = Vec::new();
    for number in numbers {
        let Ok(socket) = pidfd_getfd(&process, number, PidfdGetfdFlags::empty()) else { continue };
        if socket_acceptconn(&socket).unwrap_or(true) {
            continue;
        }
        let here = getsockname(&socket).ok().and_then(|name| SocketAddrUnix::try_from(name).ok());
        let there = getpeername(&socket).ok().flatten().and_then(|name| SocketAddrUnix::try_from(name).ok());
        let is_below = |name: &SocketAddrUnix| {
            let path = name.path_bytes().map(|path| String::from_utf8_lossy(path).into_owned());
            path.is_some_and(|path| Path::new(&path).starts_with(dir))
        };
        if [here, there].iter().flatten().any(is_below) {
            found.push(socket);
        }
    }
    found
}

fn one(mut of: Vec<OwnedFd>, random: &mut Random) -> Option<OwnedFd> {
    (!of.is_empty()).then(|| of.swap_remove(random.below(of.len() as u64) as usize))
}

/// Shuts connections of this process down.
pub(crate) fn cut(dir: &Path, which: Which, random: &mut Random) {
    let all = connections(getpid(), dir);
    let some = match which {
        Which::One => one(all, random).into_iter().collect(),
        Which::All => all,
    };
    for socket in some {
        // It may be going down already.
        let _ = shutdown(&socket, Shutdown::Both);
    }
}

/// The header of a frame of 1 MiB, which is not too large.
const UNFINISHED: &[u8] = &[0x10, 0, 0, 0, 0, 0, 0, 0, 1];

/// Begins a frame on a connection of this process, and does not end it.
pub(crate) fn hold_up(dir: &Path, random: &mut Random) {
    if let Some(socket) = one(connections(getpid(), dir), random) {
        let _ = send(&socket, UNFINISHED, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    }
}

/// GOAWAY with NO_ERROR and the highest stream id, as a server sends that takes no new calls.
const GO_AWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// Sends a GOAWAY over a connection of `from`.
pub(crate) fn go_away(from: u32, dir: &Path, random: &mut Random) {
    let from = i32::try_from(from).ok().and_then(Pid::from_raw).expect("a process");
    if let Some(socket) = one(connections(from, dir), random) {
        let _ = send(&socket, GO_AWAY, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    }
}

/// Sends invalid HTTP/2 over a connection of `from`, between two frames of its own.
pub(crate) fn garble(from: u32, dir: &Path, random: &mut Random) {
    let from = i32::try_from(from).ok().and_then(Pid::from_raw).expect("a process");
    let Some(socket) = one(connections(from, dir), random) else { return };
    let noise: Vec<u8> = (0..64).map(|_| random.next() as u8).collect();
    let garbage = match random.below(4) {
        0 => &noise,
        1 => &b"GET / HTTP/1.1\r\nhost: nobody\r\n\r\n"[..],
        2 => UNFINISHED,
        // The header of a frame of 16 MiB that never comes.
        _ => &[0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1],
    };
    let _ = send(&socket, garbage, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
}
