//! What the run tells its reader: one line for each thing that happened, and a bar of progress below them.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

/// What kind of thing happened; decides the colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The run goes on.
    Plain,
    /// A report reached the chain, or a fault is over.
    Good,
    /// Something is missing, and the run bears it.
    Warning,
    /// A process was killed.
    Fault,
    /// Details for those who look for them.
    Faint,
}

impl Tone {
    /// Parameters of the terminal's sequence for this colour.
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "0",
            Self::Good => "32",
            Self::Warning => "33",
            Self::Fault => "31;1",
            Self::Faint => "2",
        }
    }
}

/// How the story may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With colours.
    pub colour: bool,
    /// With a bar that is drawn over again.
    pub progress: bool,
    /// Only the end.
    pub quiet: bool,
}

impl Style {
    /// As standard output can bear it: colours and progress only on a terminal that understands them, and no colours
    /// where the user has set `NO_COLOR`.
    pub fn of_stdout(quiet: bool) -> Self {
        let able = io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let colourless = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colour: able && !colourless, progress: able && !quiet, quiet }
    }
}

/// Tells the story. May be shared: lines come out whole.
pub struct Story {
    style: Style,
    out: Mutex<Out>,
}

struct Out {
    sink: Box<dyn Write + Send>,
    /// The bar that is on the screen now, if any.
    bar: Option<(u64, u64)>,
}

/// A number of things: `1 oracle`, `2 oracles`.
pub fn counted(count: u64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// Columns of a line's label.
const LABEL: usize = 10;
/// Columns of the bar.
const BAR: u64 = 30;

impl Story {
    /// To standard output.
    pub fn to_stdout(style: Style) -> Self {
        Self::new(style, Box::new(io::stdout()))
    }

    /// To anything else.
    pub fn new(style: Style, sink: Box<dyn Write + Send>) -> Self {
        Self { style, out: Mutex::new(Out { sink, bar: None }) }
    }

    /// One line: what it is about, and what happened. Not told when quiet.
    pub fn tell(&self, tone: Tone, label: impl Display, text: impl Display) {
        if !self.style.quiet {
            self.line(tone, &label.to_string(), &text.to_string());
        }
    }

    /// One line of the end, which is told in any case.
    pub fn conclude(&self, tone: Tone, label: impl Display, text: impl Display) {
        self.line(tone, &label.to_string(), &text.to_string());
    }

    /// How far the run is. Shown on a terminal only, until the next call; `done == total` takes it away.
    pub fn progress(&self, done: u64, total: u64) {
        if self.style.progress {
            self.write(|out| {
                out.bar = (done < total).then_some((done, total));
                Ok(())
            });
        }
    }

    fn line(&self, tone: Tone, label: &str, text: &str) {
        self.write(|out| {
            for (index, line) in text.lines().enumerate() {
                let label = if index == 0 { label } else { "" };
                if self.style.colour {
                    writeln!(out.sink, "\x1b[2m{label:>LABEL$}\x1b[0m  \x1b[{}m{line}\x1b[0m", tone.code())?;
                } else {
                    writeln!(out.sink, "{label:>LABEL$}  {line}")?;
                }
            }
            Ok(())
        });
    }

    /// Writes between taking the bar away and drawing it again. A reader who has left is no reason to stop the run.
    fn write(&self, tell: impl FnOnce(&mut Out) -> io::Result<()>) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = (|| {
            if out.bar.is_some() {
                write!(out.sink, "\r\x1b[K")?;
            }
            tell(&mut out)?;
            if let Some((done, total)) = out.bar {
                let filled = usize::try_from(done * BAR / total.max(1)).unwrap_or_default();
                let width = BAR as usize;
                write!(out.sink, "{:>LABEL$}  {:·<width$} {done} of {total}", "", "█".repeat(filled))?;
            }
            out.sink.flush()
        })();
    }
}
