use proptest::prelude::*;

use super::*;
use crate::stdio::hclog::Parser;
use crate::stdio::lines::{LINE_MAX, Lines};

const EXITED: fn(i32) -> Option<Exit> = |status| Some(Exit::new(Some(status), None));
const KILLED: fn(i32) -> Option<Exit> = |signal| Some(Exit::new(None, Some(signal)));

/// The tail of these bursts, each followed by silence.
fn tail_of(bursts: &[&[u8]], exit: Option<Exit>) -> StderrTail {
    let (mut parser, mut lines, mut collector) = (Parser::default(), Lines::new(LINE_MAX), Collector::default());
    let now = Instant::now();
    let mut out = |record: Record| collector.push(&record, now);
    for burst in bursts {
        lines.feed(burst, |piece| parser.feed(piece, &mut out));
        parser.settle(&mut out);
    }
    lines.finish(|piece| parser.feed(piece, &mut out));
    parser.settle(&mut out);
    collector.tail(&"kv".into(), exit, now)
}

fn tail(text: &str, exit: Option<Exit>) -> StderrTail {
    tail_of(&[text.as_bytes()], exit)
}

const RUST: &str = "thread 'main' (1) panicked at src/main.rs:2:5:\nindex out of bounds\n\
                    note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
const GO: &str = "panic: no configuration\n\ngoroutine 1 [running]:\nmain.main()\n\t/x/main.go:3 +0x1d\n";

#[test]
fn a_message_is_the_cause_only_if_the_exit_fits() {
    let memory = "memory allocation of 9 bytes failed\n";
    let loader = "kv: error while loading shared libraries: libx.so: cannot open shared object file\n";
    for (text, exit, is_cause) in [
        (RUST, EXITED(101), true),
        (RUST, KILLED(6), true),
        (RUST, EXITED(134), true),
        (RUST, KILLED(9), false),
        (RUST, KILLED(15), false),
        (RUST, EXITED(0), false),
        (RUST, EXITED(1), false),
        (RUST, None, true),
        (GO, EXITED(2), true),
        (GO, KILLED(6), true),
        (GO, KILLED(9), false),
        (GO, EXITED(1), false),
        (memory, KILLED(6), true),
        (memory, KILLED(9), false),
        (loader, EXITED(127), true),
        (loader, EXITED(0), false),
    ] {
        let tail = tail(text, exit);
        assert_eq!(tail.fatal().is_some(), is_cause, "{text} {exit:?}");
        assert_eq!(tail.to_string().contains("cause: "), is_cause, "{text} {exit:?}");
    }
}

/// It panicked in a handler, answered, and went on; later it ends for another reason.
#[test]
fn a_panic_that_was_survived_is_no_cause() {
    for exit in [None, KILLED(6), KILLED(9), EXITED(0)] {
        let tail = tail_of(&[RUST.as_bytes(), b"all is well\n"], exit);
        assert_eq!(tail.fatal(), None, "{exit:?}");
        assert!(tail.to_string().ends_with("  | all is well"), "{tail}");
    }
    // The last one is what counts, and the end of the main thread may be told after it.
    let later = tail_of(
        &[RUST.as_bytes(), b"on\n", b"panic: second\n    at x.rs:1:1, in the thread 'main'\n", b"bye\n"],
        EXITED(101),
    );
    assert!(later.fatal().unwrap().starts_with("panic: second"), "{later}");
}

#[test]
fn the_cause_comes_first_and_the_lines_before_it_stay_visible() {
    let text = format!("opened kv.db\n\nout of memory, giving up\n{RUST}");
    let tail = tail(&text, EXITED(101));
    assert_eq!(
        tail.to_string(),
        "\ncause: thread 'main' (1) panicked at src/main.rs:2:5: index out of bounds\n\
         last lines on stderr:\n  | opened kv.db\n  | out of memory, giving up"
    );
    assert_eq!(tail.lines().len(), 5);
    assert!(tail.fatal().unwrap().ends_with("to display a backtrace"), "all of it");
}

#[test]
fn old_lines_are_told_as_old() {
    let mut collector = Collector::default();
    let now = Instant::now();
    let mut parser = Parser::default();
    let mut out = |record: Record| collector.push(&record, now);
    parser.feed(crate::stdio::lines::Piece::Line(b"up"), &mut out);
    let tail = collector.tail(&"kv".into(), KILLED(9), now + Duration::from_millis(34_200));
    assert_eq!(tail.to_string(), "\nlast lines on stderr, 34.2 s before the end:\n  | up");
}

#[test]
fn control_characters_reach_no_terminal() {
    let tail = tail("\x1b[31mred\x07\tand blue\n", EXITED(1));
    assert_eq!(tail.lines(), ["\u{fffd}[31mred\u{fffd}\tand blue"]);
    assert_eq!(tail.to_string(), "\nlast lines on stderr:\n  | \u{fffd}[31mred\u{fffd} and blue");
}

proptest! {
    /// However bad it gets: at most eleven lines and some kilobytes, beside which an error says at most four.
    #[test]
    fn any_bytes_give_a_bounded_text(
        bursts in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..4000),
                prop::collection::vec(prop::sample::select(vec![RUST, GO, "x\n", "\n", "\t\u{1F600}", "panic: ", "a\u{2028}b\n"]), 0..60)
                    .prop_map(|parts| parts.concat().into_bytes()),
                (0..3000_usize).prop_map(|n| "\u{1F600}".repeat(n).into_bytes()),
            ],
            0..6,
        ),
        status in 0..140_i32,
    ) {
        let bursts: Vec<&[u8]> = bursts.iter().map(Vec::as_slice).collect();
        for exit in [EXITED(status), KILLED(6), None] {
            let tail = tail_of(&bursts, exit);
            let text = tail.to_string();
            prop_assert!(text.split('\n').count() <= 11, "{}", text);
            prop_assert!(text.len() < 9 * (SHOWN_WIDTH * 4 + 40), "{}", text.len());
            prop_assert!(!text.contains(['\x1b', '\r', '\0']));
            prop_assert!(tail.lines().len() <= LINES);
            prop_assert!(tail.fatal().is_none_or(|text| text.len() <= 3 * (crate::stdio::fatal::TEXT_MAX + 40)));
        }
    }
}
