use crate::job;
use std::path::Path;

pub(crate) const GOOD: &str = r#"name = "ETH / USD"
decimals = 8
deviation = "0.5%"
heartbeat = "1h30m"
min = "1"
max = "1000000"

[[price]]
file = "prices.csv"
column = "kraken"

[juels_per_fee_coin]
fixed = "137.5"
decimals = 18

[gas_price]
url = "http://localhost:1/"
path = "fast"
decimals = 0
"#;

fn load(text: &str) -> Result<job::Job, String> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("prices.csv"), "time,kraken\n1,2\n").unwrap();
    std::fs::write(dir.path().join("empty.csv"), "time,kraken\n").unwrap();
    let path = dir.path().join("job.toml");
    std::fs::write(&path, text).unwrap();
    job::load(&path).map_err(|error| error.to_string().replace(&format!("{}/", dir.path().display()), ""))
}

#[test]
fn the_job_that_ships_is_good() {
    let job = job::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/job.toml"))).unwrap();
    assert_eq!((job.name.as_str(), job.decimals, job.prices.len()), ("ETH / USD", 8, 4));
    assert_eq!((job.deviation_ppb, job.heartbeat.as_secs()), (5_000_000, 3600));
    assert_eq!((job.min, job.max), (100_000_000.into(), 100_000_000_000_000_i64.into()));
}

#[test]
fn a_job_is_read() {
    let job = load(GOOD).unwrap();
    assert_eq!(job.heartbeat.as_secs(), 5400);
    assert_eq!((&*job.prices[0].name, &*job.gas_price.name), ("price", "gas_price"));
    assert_eq!(job.juels_per_fee_coin.name, "juels_per_fee_coin");
    assert_eq!((job.ledger, job.deviation_function), (None, None));
    let job = load(&GOOD.replace("[juels", "[deviation_function]\ntype = \"pendle\"\n[juels")).unwrap();
    assert_eq!(job.deviation_function, Some(serde_json::json!({"type": "pendle"})));
}

/// What is changed in the good file, and what is said of it.
#[test]
fn mistakes_are_named_with_line_and_help() {
    for (from, to, said) in [
        ("decimals = 8", "decimals = 39", "job.toml:2: too many decimals\n  help: use 0 to 38"),
        (
            "\"0.5%\"",
            "\"0.5\"",
            "job.toml:3: \"0.5\" is no percentage\n  help: write it like \"0.5%\", with at most 7 digits after the point",
        ),
        (
            "\"0.5%\"",
            "\"0.00000001%\"",
            "job.toml:3: \"0.00000001%\" is no percentage\n  help: write it like \"0.5%\", with at most 7 digits after the point",
        ),
        (
            "1h30m",
            "90",
            "job.toml:4: \"90\" is no duration\n  help: write it like \"500ms\", \"90s\", \"15m\" or \"1h30m\"",
        ),
        (
            "1h30m",
            "2562048h",
            "job.toml:4: \"2562048h\" is no duration\n  help: write it like \"500ms\", \"90s\", \"15m\" or \"1h30m\"",
        ),
        ("\"1\"", "\"one\"", "job.toml:5: \"one\" is no decimal number\n  help: write it like \"1883.40\""),
        ("\"1\"", "\"1000001\"", "job.toml:5: min is greater than max\n  help: swap the two"),
        (
            "\"1000000\"",
            "\"1e60\"",
            "job.toml:6: this does not fit into the contract's 192 bits\n  help: use a smaller number",
        ),
        (
            "prices.csv",
            "price.csv",
            "job.toml:9: price.csv cannot be read: No such file or directory (os error 2)\n  help: paths are taken from where the job file is",
        ),
        (
            "prices.csv",
            "empty.csv",
            "job.toml:9: empty.csv has no rows\n  help: a price file has a line per round, in CSV after a line of column names",
        ),
        (
            "\"kraken\"",
            "\"krakn\"",
            "job.toml:10: prices.csv has no column \"krakn\", only time, kraken\n  help: name one of the columns in the file's first line",
        ),
        (
            "column = \"kraken\"",
            "",
            "job.toml:8: \"price\" has no column\n  help: add a line such as column = \"price\" (or path = .. for JSON lines)",
        ),
        (
            "column = \"kraken\"",
            "column = \"kraken\"\npath = \"usd\"",
            "job.toml:11: \"price\" has a column and a path\n  help: a CSV file has columns, a file of JSON lines has paths: keep one of them",
        ),
        (
            "column = \"kraken\"",
            "url = \"http://a/\"",
            "job.toml:8: \"price\" has more than one source\n  help: keep one of file, url and fixed",
        ),
        (
            "http://localhost:1/",
            "localhost:1",
            "job.toml:16: \"localhost:1\" is no address\n  help: addresses begin with http:// or https://",
        ),
        (
            "\"fast\"",
            "\"fast[\"",
            "job.toml:18: \"fast[\" is no path\n  help: write names and positions, like \"data.prices[0].usd\"",
        ),
        (
            "path = \"fast\"",
            "",
            "job.toml:16: \"gas_price\" has no path\n  help: add a line such as path = \"data.price\"",
        ),
        (
            "fixed = \"137.5\"",
            "",
            "job.toml:12: \"juels_per_fee_coin\" has no source\n  help: add a line such as file = \"prices.csv\" or url = \"https://..\"",
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        assert_eq!(load(&GOOD.replacen(from, to, 1)).unwrap_err(), said);
    }
}

#[test]
fn what_is_no_toml_or_no_job_is_named_with_its_line() {
    for (from, to, line, word) in [
        ("decimals = 8", "decimals = eight", "job.toml:2: ", "help: the keys"),
        ("decimals = 8", "decimals = \"8\"", "job.toml:2: ", "invalid type: string"),
        ("column =", "colum =", "job.toml:10: ", "unknown field `colum`"),
        ("name = \"ETH / USD\"", "", "job.toml", "missing field `name`"),
        ("[[price]]", "[price]", "job.toml:8: ", "invalid type: map"),
    ] {
        let said = load(&GOOD.replacen(from, to, 1)).unwrap_err();
        assert!(said.starts_with(line) && said.contains(word), "{said}");
    }
    let said = job::load(Path::new("no/such.toml")).unwrap_err().to_string();
    assert!(said.starts_with("no/such.toml: cannot be read: ") && said.contains("help: --job takes"), "{said}");
}
