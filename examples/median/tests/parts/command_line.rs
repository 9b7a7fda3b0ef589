use crate::args::{self, Args};

fn parse(line: &str) -> Result<Option<Args>, String> {
    args::parse(line.split_whitespace().map(Into::into)).map_err(|error| error.to_string())
}

#[test]
fn options_are_read() {
    assert_eq!(parse("").unwrap().unwrap(), Args::default());
    let all = parse("--rounds 3 --job=a.toml --ledger a.redb --oracles 31 --no-faults -q").unwrap().unwrap();
    let (job, ledger) = (Some("a.toml".into()), Some("a.redb".into()));
    let expected = Args { rounds: 3, job, ledger, oracles: 31, faults: false, quiet: true };
    assert_eq!(all, expected);
    assert_eq!(parse("--rounds x --help"), Err(refusal("--rounds takes a number from 1 to 4294967295, not x")));
    assert!(parse("--help --rounds x").unwrap().is_none());
}

#[test]
fn less_than_a_third_may_fail() {
    let f = |oracles| Args { oracles, ..Args::default() }.f();
    assert_eq!([4, 6, 7, 31].map(f), [1, 1, 2, 10]);
}

#[test]
fn refusals_say_what_is_possible() {
    for (line, problem) in [
        ("--oracles 3", "--oracles takes a number from 4 to 31, not 3"),
        ("--oracles 32", "--oracles takes a number from 4 to 31, not 32"),
        ("--rounds 0", "--rounds takes a number from 1 to 4294967295, not 0"),
        ("--rounds", "missing argument for option '--rounds'"),
        ("--round 3", "invalid option '--round'"),
        ("seven", "unexpected argument \"seven\""),
    ] {
        assert_eq!(parse(line), Err(refusal(problem)));
    }
}

#[test]
fn a_plugin_can_be_told_the_time() {
    let clock =
        |line: &str| args::parse_clock(line.split_whitespace().map(Into::into)).map_err(|error| error.to_string());
    assert_eq!(clock(""), Ok(None));
    assert_eq!(clock("--clock 1700000000"), Ok(Some((1_700_000_000, 0))));
    assert_eq!(clock("--clock=-1.05"), Ok(Some((-1, 50_000_000))));
    assert_eq!(clock("--clock 4294967297.999999999"), Ok(Some((4_294_967_297, 999_999_999))));
    for refused in ["soon", "1.0000000001", "1.-5", ".5"] {
        let text = format!("--clock takes seconds since 1970, not {refused}");
        assert_eq!(clock(&format!("--clock {refused}")), Err(refusal(&text)));
    }
    assert!(clock("--rounds 3").is_err());
}

#[test]
fn the_help_names_every_option() {
    for option in ["--rounds", "--job", "--ledger", "--oracles", "--no-faults", "--quiet", "--help", "--clock"] {
        assert!(args::HELP.contains(option), "{option}");
    }
    assert!(args::HELP.contains(&format!("({})", Args::default().rounds)));
}

fn refusal(problem: &str) -> String {
    format!("{problem}\nTry --help for the options.")
}
