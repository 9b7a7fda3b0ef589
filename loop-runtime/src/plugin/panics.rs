//! The panic hook.
//!
//! Two kinds of panics are distinguished. One in a task of the runtime, as in a handler, is caught and answered, and
//! the process lives: it is one record of the log, at error level. Any other may be the end of the process, and is text
//! that begins `panic: `, as in Go: hosts take that for the cause of the end, and hosts in Go take all plain text that
//! ever comes after it for errors, which is right only then.

use std::backtrace::Backtrace;
use std::panic::PanicHookInfo;
use std::thread;

use crate::stdio::writer::{error_line, write_stderr};

/// Replaces the process's panic hook.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|info| {
        let panic = Panic::new(info, wants_frames(std::env::var_os("RUST_BACKTRACE").as_deref()));
        // The runtime catches what panics in a task, unless panics abort.
        let is_caught = cfg!(panic = "unwind") && tokio::task::try_id().is_some();
        write_stderr(&if is_caught { panic.record() } else { panic.text() });
    }));
}

/// As Rust's own hook has it.
fn wants_frames(variable: Option<&std::ffi::OsStr>) -> bool {
    variable.is_some_and(|value| value != "0")
}

struct Panic {
    message: String,
    thread: String,
    place: String,
    frames: Option<String>,
}

impl Panic {
    fn new(info: &PanicHookInfo<'_>, with_frames: bool) -> Self {
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
        Self {
            message: text.unwrap_or("(the payload is not text)").to_owned(),
            thread: thread::current().name().unwrap_or("unnamed").to_owned(),
            place: info.location().map(ToString::to_string).unwrap_or_default(),
            frames: with_frames.then(|| Backtrace::force_capture().to_string()),
        }
    }

    /// One line of the log.
    fn record(&self) -> Vec<u8> {
        let mut pairs = vec![("at", self.place.as_str()), ("thread", self.thread.as_str())];
        pairs.extend(self.frames.as_deref().map(|frames| ("backtrace", frames)));
        error_line(&format!("panic: {}", self.message), "panic", &pairs)
    }

    fn text(&self) -> Vec<u8> {
        let Self { message, thread, place, .. } = self;
        let mut text = format!("panic: {message}\n    at {place}, in the thread '{thread}'\n");
        if let Some(frames) = &self.frames {
            text.push('\n');
            text.push_str(frames.trim_end());
            text.push('\n');
        }
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stdio::fatal::Kind;
    use crate::stdio::hclog::{Parser, Record};
    use crate::stdio::lines::{LINE_MAX, Lines};

    fn panic(frames: Option<&str>) -> Panic {
        let [message, thread, place] = ["no\nluck", "main", "src/main.rs:3:5"].map(str::to_owned);
        Panic { message, thread, place, frames: frames.map(str::to_owned) }
    }

    /// As a host reads it.
    fn read(text: &[u8]) -> Vec<Record> {
        let (mut parser, mut lines, mut records) = (Parser::default(), Lines::new(LINE_MAX), Vec::new());
        let mut out = |record| records.push(record);
        lines.feed(text, |piece| parser.feed(piece, &mut out));
        parser.settle(&mut out);
        records
    }

    #[test]
    fn a_caught_panic_is_one_record_and_no_cause_of_an_end() {
        let records = read(&panic(Some("   0: main\n   1: start\n")).record());
        let [record] = records.as_slice() else { panic!("{records:?}") };
        assert_eq!((record.level, record.message.as_str()), (tracing::Level::ERROR, "panic: no\nluck"));
        assert_eq!(record.fatal, None);
        assert!(
            record.pairs.to_string().contains("0: main") && record.pairs.to_string().contains("at=src/main.rs:3:5")
        );
        assert!(!read(&panic(None).record())[0].pairs.to_string().contains("backtrace"));
    }

    #[test]
    fn another_is_text_that_a_host_puts_together() {
        for frames in [None, Some("   0: main\n             at ./src/main.rs:3:5\n   1: start\n")] {
            let text = [panic(frames).text(), b"next\n".to_vec()].concat();
            let records = read(&text);
            // Without frames, nothing but time says where it ends.
            let fatal = records[0].fatal.as_ref().unwrap();
            let begins = ["panic: no", "luck", "    at src/main.rs:3:5, in the thread 'main'"];
            assert_eq!((fatal.kind, &fatal.message[..3]), (Kind::Panic, begins.map(str::to_owned).as_slice()));
            assert_eq!(records.len(), if frames.is_some() { 2 } else { 1 });
        }
    }

    #[test]
    fn frames_are_wanted_as_rust_has_it() {
        assert_eq!(
            [None, Some("0"), Some("1"), Some("full")].map(|value| wants_frames(value.map(str::as_ref))),
            [false, false, true, true]
        );
    }
}
