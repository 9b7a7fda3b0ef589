//! What this process uses of the system, read from `/proc`.

use std::io;

use super::super::usage::Usage;

pub(crate) fn usage() -> io::Result<Usage> {
    let odd = || io::Error::from(io::ErrorKind::InvalidData);
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok()).ok_or_else(odd);
    let memory = std::fs::read_to_string("/proc/self/statm")?;
    let pages = number(memory.split(' ').nth(1))?;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The program's name stands in brackets before the numbers and may hold anything.
    let mut fields = stat.rsplit_once(") ").ok_or_else(odd)?.1.split(' ').skip(11);
    let ticks = number(fields.next())? + number(fields.next())?;
    // Reading the directory opens it.
    let descriptors = std::fs::read_dir("/proc/self/fd")?.count().saturating_sub(1);
    Ok(Usage {
        resident: pages * rustix::param::page_size() as f64,
        descriptors: descriptors as f64,
        cpu: ticks / rustix::param::clock_ticks_per_second() as f64,
    })
}
