use crate::story::{Story, Style, Tone, counted};
use std::io::Write;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn told(style: Style) -> String {
    let sink = Sink::default();
    let story = Story::new(style, Box::new(sink.clone()));
    story.progress(1, 4);
    story.tell(Tone::Fault, "round 3", "relayer killed\nby us");
    story.progress(4, 4);
    story.conclude(Tone::Good, "ledger", "2 transactions");
    let told = sink.0.lock().unwrap().clone();
    String::from_utf8(told).unwrap()
}

#[test]
fn one_thing_is_no_plural() {
    assert_eq!([0, 1, 2].map(|count| counted(count, "report")), ["0 reports", "1 report", "2 reports"]);
}

#[test]
fn every_tone_has_a_colour_of_its_own() {
    let tones = [Tone::Plain, Tone::Good, Tone::Warning, Tone::Fault, Tone::Faint];
    let told = tones.map(|tone| {
        let sink = Sink::default();
        let story = Story::new(Style { colour: true, progress: false, quiet: false }, Box::new(sink.clone()));
        story.tell(tone, "", "x");
        sink.0.lock().unwrap().clone()
    });
    assert_eq!(told.iter().collect::<std::collections::BTreeSet<_>>().len(), tones.len());
}

#[test]
fn a_file_gets_plain_lines() {
    let plain = Style { colour: false, progress: false, quiet: false };
    assert_eq!(told(plain), "   round 3  relayer killed\n            by us\n    ledger  2 transactions\n");
    assert_eq!(told(Style { quiet: true, ..plain }), "    ledger  2 transactions\n");
}

#[test]
fn a_terminal_gets_colours_and_a_bar_that_goes_away() {
    let told = told(Style { colour: true, progress: true, quiet: false });
    assert!(told.contains("\x1b[31;1mrelayer killed\x1b[0m\n"), "{told:?}");
    assert_eq!(told.matches(" 1 of 4").count(), 2, "{told:?}");
    assert_eq!(told.matches("\r\x1b[K").count(), 2, "{told:?}");
    assert!(told.ends_with("\x1b[32m2 transactions\x1b[0m\n"), "{told:?}");
}

#[test]
fn tests_have_no_terminal_to_colour() {
    use std::io::IsTerminal;
    let style = Style::of_stdout(false);
    assert!(!style.colour || std::io::stdout().is_terminal());
    let _ = Story::to_stdout(style);
}
