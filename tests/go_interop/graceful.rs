//! Ends that are no crash: connections that take no new calls, servers that stop, processes that exit, limits that are
//! reached. Each case states what may be lost; nothing else is.

mod case;
pub(crate) mod go_host;
mod go_plugin;
mod load;

use libtest_mimic::Trial;

use crate::mode::Mode;

pub(crate) fn trials(mode: Mode) -> impl Iterator<Item = Trial> {
    go_plugin::trials(mode).chain(go_host::trials(mode))
}
