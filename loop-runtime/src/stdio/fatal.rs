//! The last words of a program: panics, aborts, and what a loader says of a program that does not start.
//!
//! They are text, in the forms that Go, Rust, C and their runtimes write. What belongs together is put together here, a
//! panic with its backtrace for instance, within bounds.

/// What wrote a message, which tells how the process ends after it if it ends by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `thread '..' panicked at`, of Rust's own hook: it ends a thread, and only some threads end the process.
    ThreadPanic,
    /// `panic: ` or `fatal error: `: Go's, and those of this crate's panic hook that nobody catches.
    Panic,
    /// The process is about to abort: no memory, a stack that overflowed, a broken heap, C++'s `terminate`.
    Abort,
    /// A report of a sanitizer.
    Sanitizer,
    /// The dynamic loader cannot start the program.
    Loader,
}

/// A message with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fatal {
    pub(crate) kind: Kind,
    /// What it says, without frames and advice: a few lines.
    pub(crate) message: Vec<String>,
    /// All of it, within [`TEXT_MAX`].
    pub(crate) text: String,
}

/// Bytes that are kept of one message and its backtrace.
pub(crate) const TEXT_MAX: usize = 16 * 1024;
/// How far into a line it is looked for: paths and names of threads come before it.
const LOOK: usize = 512;
/// Lines that are kept of what it says.
const MESSAGE_LINES: usize = 8;
/// Lines that wait for a sign of whether they belong to a message.
const UNDECIDED: usize = 16;

/// Whether a line begins such a message.
pub(crate) fn begins(line: &str) -> Option<Kind> {
    let starts = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    let head = line.char_indices().nth(LOOK).map_or(line, |(end, _)| &line[..end]);
    let has = |parts: &[&str]| parts.iter().all(|part| head.contains(part));
    if has(&["thread '", " panicked at "]) && line.starts_with("thread '") {
        return Some(Kind::ThreadPanic);
    }
    if starts(&["panic: ", "fatal error: ", "SIGSEGV: ", "SIGABRT: ", "SIGBUS: ", "SIGFPE: ", "SIGQUIT: "])
        || (line.starts_with("goroutine ") && line.ends_with("]:"))
    {
        return Some(Kind::Panic);
    }
    if has(&["==ERROR: ", "Sanitizer: "]) || has(&["WARNING: ThreadSanitizer: "]) || has(&[": runtime error: "]) {
        return Some(Kind::Sanitizer);
    }
    if has(&["error while loading shared libraries: "])
        || has(&["symbol lookup error: "])
        || has(&["version `", "' not found (required by "])
    {
        return Some(Kind::Loader);
    }
    let aborts = has(&["memory allocation of ", " bytes failed"])
        || has(&["thread '", "has overflowed its stack"])
        || has(&["Assertion `", "' failed."])
        || starts(&["fatal runtime error: ", "terminate called ", "*** stack smashing detected ***"])
        || starts(&["free(): ", "malloc(): ", "realloc(): ", "double free or corruption", "corrupted "])
        || (starts(&["thread "]) && line.ends_with(" aborting."));
    aborts.then_some(Kind::Abort)
}

/// A message of which more may come.
#[derive(Debug)]
pub(crate) struct Open {
    fatal: Fatal,
    part: Part,
    /// Lines that belong to it only if what follows them says so.
    undecided: Vec<String>,
    left_out: usize,
}

/// Which part of a message comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// What it says.
    Message,
    /// A backtrace.
    Frames,
    /// The goroutines of a Go program, which says nothing else any more.
    Goroutines,
}

impl Open {
    pub(crate) fn new(kind: Kind, line: String) -> Self {
        let part = if line.starts_with("goroutine ") { Part::Goroutines } else { Part::Message };
        let fatal = Fatal { kind, message: vec![line.clone()], text: line };
        Self { fatal, part, undecided: Vec::new(), left_out: 0 }
    }

    /// Takes the next line, or gives it back: it is another matter, and the message has ended.
    pub(crate) fn take(&mut self, line: String) -> Option<String> {
        // The first line of what a panic of Rust's says may be anything.
        let expected = self.fatal.kind == Kind::ThreadPanic && self.fatal.message.len() == 1;
        if !expected && !line.starts_with("goroutine ") && begins(&line).is_some() {
            return Some(line);
        }
        match (self.fatal.kind, self.part) {
            (_, Part::Goroutines) => self.keep(&line, false),
            (Kind::Abort | Kind::Loader, _) => return Some(line),
            (Kind::Panic, _) if line.starts_with("goroutine ") => {
                self.part = Part::Goroutines;
                self.keep(&line, false);
            }
            (_, Part::Frames) if is_frame(&line) => self.keep(&line, false),
            (_, Part::Frames) => return Some(line),
            (Kind::Panic, Part::Message) if line.is_empty() => {
                self.part = Part::Frames;
                self.keep(&line, false);
            }
            (Kind::Panic, Part::Message) => self.keep(&line, true),
            (Kind::Sanitizer, Part::Message) => {
                let is_last = line.starts_with("SUMMARY: ");
                self.keep(&line, is_last);
                if is_last {
                    self.part = Part::Frames;
                }
            }
            (Kind::ThreadPanic, Part::Message) => return self.after_rusts_first_line(line),
        }
        None
    }

    /// A panic of Rust's has at least one line of text, and the next ones are its own if a backtrace, or the advice to ask
    /// for one, comes after them.
    fn after_rusts_first_line(&mut self, line: String) -> Option<String> {
        if self.fatal.message.len() == 1 {
            self.keep(&line, true);
        } else if line == "stack backtrace:" || line.starts_with("note: ") {
            for line in std::mem::take(&mut self.undecided) {
                self.keep(&line, true);
            }
            self.keep(&line, false);
            self.part = Part::Frames;
        } else if self.undecided.len() == UNDECIDED {
            return Some(line);
        } else {
            self.undecided.push(line);
        }
        None
    }

    fn keep(&mut self, line: &str, says: bool) {
        let room = TEXT_MAX.saturating_sub(self.fatal.text.len() + 1);
        if line.len() > room {
            self.left_out += 1;
        } else {
            self.fatal.text.push('\n');
            self.fatal.text.push_str(line);
        }
        if says && self.fatal.message.len() < MESSAGE_LINES {
            self.fatal.message.push(line.to_owned());
        }
    }

    /// The message, and the lines after it that are none of it.
    pub(crate) fn close(mut self) -> (Fatal, Vec<String>) {
        let end = self.fatal.text.trim_end().len();
        self.fatal.text.truncate(end);
        if self.left_out > 0 {
            self.fatal.text.push_str(&format!("\n(and {} more lines)", self.left_out));
        }
        (self.fatal, self.undecided)
    }
}

/// A line of a backtrace, in Rust's, Go's or a sanitizer's form, or the advice after it.
fn is_frame(line: &str) -> bool {
    let text = line.trim_start();
    let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    text.is_empty()
        || (number.len() < text.len() && number.starts_with(": "))
        || (text.len() < line.len() && (text.starts_with("at ") || text.starts_with('#')))
        || text.starts_with("note: ")
        || text == "stack backtrace:"
}

#[cfg(test)]
#[path = "fatal_tests.rs"]
mod tests;
