//! The panic hook.
//!
//! A handler's panic is caught per call and the process lives; the hook is what puts it on record. Go hosts raise to
//! error level what follows a line that begins `panic: `, which Rust's own hook never prints.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::thread;

use crate::stdio::writer::write_stderr;

/// Replaces the process's panic hook.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|info| {
        // Frames are shown unless they were switched off: a plugin's host rarely passes RUST_BACKTRACE on.
        let off = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value == "0");
        let frames = if off { Backtrace::disabled() } else { Backtrace::force_capture() };
        write_stderr(report(info, &frames).as_bytes());
    }));
}

fn report(info: &PanicHookInfo<'_>, frames: &Backtrace) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("(the payload is no text)");
    let current = thread::current();
    let thread = current.name().unwrap_or("unnamed");
    let place = info.location().map(|place| format!(" at {place}")).unwrap_or_default();
    let mut out = format!("panic: {message}\n\nthread '{thread}'{place}\n");
    if frames.status() == BacktraceStatus::Captured {
        out.push_str(&frames.to_string());
        if !out.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}
