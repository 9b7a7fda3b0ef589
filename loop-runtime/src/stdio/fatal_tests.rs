use proptest::prelude::*;

use super::*;

/// What a text is put together to: a message, or a line that is none.
#[derive(Debug, PartialEq)]
enum Seen {
    Fatal(Kind, Vec<String>, usize),
    Line(String),
}

fn read(text: &str) -> Vec<Seen> {
    let (mut seen, mut open) = (Vec::new(), None::<Open>);
    let close = |open: Option<Open>, seen: &mut Vec<Seen>| {
        let Some((fatal, others)) = open.map(Open::close) else { return };
        seen.push(Seen::Fatal(fatal.kind, fatal.message, fatal.text.lines().count()));
        seen.extend(others.into_iter().map(Seen::Line));
    };
    for line in text.lines() {
        let rest = match &mut open {
            Some(open) => open.take(line.to_owned()),
            None => Some(line.to_owned()),
        };
        let Some(line) = rest else { continue };
        close(open.take(), &mut seen);
        match begins(&line) {
            Some(kind) => open = Some(Open::new(kind, line)),
            None => seen.push(Seen::Line(line)),
        }
    }
    close(open, &mut seen);
    seen
}

fn fatal(kind: Kind, message: &[&str], lines: usize) -> Seen {
    Seen::Fatal(kind, message.iter().map(|line| (*line).to_owned()).collect(), lines)
}

fn line(text: &str) -> Seen {
    Seen::Line(text.to_owned())
}

#[test]
fn rusts_panics() {
    let head = "thread 'main' (17) panicked at src/main.rs:2:5:";
    let note = "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace";
    assert_eq!(
        read(&format!("{head}\nboom\n{note}\nnext")),
        [fatal(Kind::ThreadPanic, &[head, "boom"], 3), line("next")]
    );
    // Without the note nothing says where the text ends; the first line is its own.
    assert_eq!(read(&format!("{head}\nboom\nnext")), [fatal(Kind::ThreadPanic, &[head, "boom"], 2), line("next")]);
    let frames = "stack backtrace:\n   0: std::panicking\n             at /rustc/std.rs:5:1\n   1: main\n";
    assert_eq!(
        read(&format!("{head}\nleft: 1\n\nright: 2\n{frames}{note}\nnext")),
        [fatal(Kind::ThreadPanic, &[head, "left: 1", "", "right: 2"], 9), line("next")]
    );
    assert_eq!(
        read(&format!("{head}\na\n{head}\nb")),
        [fatal(Kind::ThreadPanic, &[head, "a"], 2), fatal(Kind::ThreadPanic, &[head, "b"], 2)]
    );
}

#[test]
fn gos_panics_and_those_of_this_crate() {
    let go = "panic: a [recovered]\n\tpanic: b\n[signal SIGSEGV: segmentation violation code=0x1]\n\ngoroutine 1 [running]:\n\
              main.main()\n\t/x/main.go:3 +0x1d\n\ngoroutine 7 [chan receive]:\nmain.wait(...)\nexit status 2";
    let message = ["panic: a [recovered]", "\tpanic: b", "[signal SIGSEGV: segmentation violation code=0x1]"];
    assert_eq!(read(go), [fatal(Kind::Panic, &message, 11)]);
    let ours = "panic: ouch\n    at src/main.rs:3:5, in the thread 'main'\n\n   0: main\n             at ./src/main.rs:3:5\nnext";
    let message = ["panic: ouch", "    at src/main.rs:3:5, in the thread 'main'"];
    assert_eq!(read(ours), [fatal(Kind::Panic, &message, 5), line("next")]);
    let fatal_error = "fatal error: all goroutines are asleep - deadlock!";
    assert_eq!(
        read(&format!("{fatal_error}\n\ngoroutine 1 [select]:\nmain.main()")),
        [fatal(Kind::Panic, &[fatal_error], 4)]
    );
}

#[test]
fn aborts_loaders_and_sanitizers() {
    for abort in [
        "memory allocation of 1099511627776 bytes failed",
        "thread 'main' (9) has overflowed its stack",
        "fatal runtime error: stack overflow, aborting",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "double free or corruption (out)",
        "plugin: main.c:7: run: Assertion `fd >= 0' failed.",
        "thread caused non-unwinding panic. aborting.",
    ] {
        assert_eq!(read(&format!("{abort}\nnext")), [fatal(Kind::Abort, &[abort], 1), line("next")]);
    }
    let loader = "./kv: error while loading shared libraries: libfoo.so.3: cannot open shared object file";
    assert_eq!(read(loader), [fatal(Kind::Loader, &[loader], 1)]);
    let version = "./kv: /lib/libc.so.6: version `GLIBC_2.38' not found (required by ./kv)";
    assert_eq!(read(version), [fatal(Kind::Loader, &[version], 1)]);
    let error = "==42==ERROR: AddressSanitizer: heap-use-after-free on address 0x1";
    let summary = "SUMMARY: AddressSanitizer: heap-use-after-free main.c:3";
    assert_eq!(
        read(&format!("{error}\nREAD of size 4\n    #0 0x1 in main main.c:3\n\n{summary}\nnext")),
        [fatal(Kind::Sanitizer, &[error, summary], 5), line("next")]
    );
}

#[test]
fn ordinary_lines_begin_nothing() {
    for line in ["", "panic", "no panic: all is well", "thread 'x' is up", "an error", "fatal", "goroutine leak test"] {
        assert_eq!(begins(line), None, "{line}");
    }
}

proptest! {
    /// Whatever comes, what is kept is bounded, and nothing is lost that is not counted.
    #[test]
    fn any_lines_are_kept_within_bounds(
        lines in prop::collection::vec(
            "panic: .{0,9}|thread 'x' panicked at y:|goroutine 1 \\[x\\]:|stack backtrace:|note: .{0,9}|   1: f|.{0,3000}|", 0..60),
    ) {
        for seen in read(&lines.join("\n")) {
            if let Seen::Fatal(_, message, lines) = seen {
                prop_assert!(message.len() <= MESSAGE_LINES && lines <= 61);
            }
        }
        let mut open = Open::new(Kind::Panic, "panic: x".to_owned());
        for line in lines {
            let _ = open.take(line);
        }
        prop_assert!(open.undecided.len() <= UNDECIDED);
        prop_assert!(open.close().0.text.len() <= TEXT_MAX + 40);
    }
}
