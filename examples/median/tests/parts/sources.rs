use crate::decimal;
use crate::prices::{self, JsonPath, Place, Source};
use num_bigint::BigInt;
use proptest::prelude::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[test]
fn decimals_are_exact() {
    for (text, decimals, number) in [
        ("1883.40", 8, Some((188_340_000_000_i64, false))),
        ("-0.5", 1, Some((-5, false))),
        ("+.5", 1, Some((5, false))),
        ("5.", 0, Some((5, false))),
        ("1.999", 2, Some((199, true))),
        ("-1.999", 2, Some((-199, true))),
        ("1.5e3", 0, Some((1500, false))),
        ("15E-1", 2, Some((150, false))),
        ("0", 38, Some((0, false))),
    ] {
        assert_eq!(decimal::scaled(text, decimals), number.map(|(it, cut)| (BigInt::from(it), cut)), "{text}");
    }
    for text in ["", ".", "-", "1,5", "n/a", "1e", "1e101", "e5", "0x10", "1_000", " 1", "--1", "NaN", "inf"] {
        assert_eq!(decimal::scaled(text, 8), None, "{text}");
    }
}

#[test]
fn numbers_read_as_people_write_them() {
    for (number, decimals, text) in
        [(188_340_000_000_i64, 8, "1883.40"), (-5, 1, "-0.5"), (7, 0, "7"), (123_456, 5, "1.23456"), (0, 8, "0.00")]
    {
        assert_eq!(decimal::text(&number.into(), decimals), text);
    }
}

proptest! {
    #[test]
    fn decimals_come_back(number: i128, decimals in 0_u32..38) {
        let text = decimal::text(&number.into(), decimals);
        prop_assert_eq!(decimal::scaled(&text, decimals), Some((number.into(), false)));
    }

    #[test]
    fn no_text_panics(text in "[-+0-9.eE]{0,12}|.{0,12}", decimals in 0_u32..38) {
        let _ = decimal::scaled(&text, decimals);
        let _ = JsonPath::parse(&text);
    }
}

fn file(contents: &str, place: Place) -> Source {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("prices");
    std::fs::write(&path, contents).unwrap();
    Source::file("test".to_owned(), prices::rows(&path, std::fs::read_to_string(&path), &place).unwrap(), 2)
}

fn path(text: &str) -> JsonPath {
    JsonPath::parse(text).unwrap()
}

#[tokio::test]
async fn a_file_gives_one_row_per_round_and_starts_over() {
    let source = file("time, usd\n1, 1.00\n2, 2.00\n3, 3.00\n", Place::Column("usd".into())).open(1);
    assert_eq!(source.name(), "test");
    for (round, cents) in [((1, 1), 200), ((1, 1), 200), ((1, 2), 300), ((2, 1), 100), ((2, 1), 100), ((2, 2), 200)] {
        assert_eq!(source.observe(round).await.unwrap(), cents.into());
    }
}

#[tokio::test]
async fn bad_cells_are_errors_of_their_rounds() {
    let source = file("time,usd\n1,n/a\n2\n3,\n4,4\n", Place::Column("usd".into())).open(0);
    let mut said = Vec::new();
    for round in 1..=4 {
        said.push(match source.observe((1, round)).await {
            Ok(number) => number.to_string(),
            Err(error) => error.to_string().rsplit_once('/').map_or_else(String::new, |(_, said)| said.to_owned()),
        });
    }
    // The first one ends within `n/a`, which has a slash too.
    assert_eq!(
        said,
        [
            "a\", which is no decimal number",
            "prices:3 has nothing at \"usd\"",
            "prices:4 has nothing at \"usd\"",
            "400"
        ]
    );
}

#[tokio::test]
async fn json_lines_are_read_at_a_path() {
    let lines = "{\"at\":1,\"p\":[{\"usd\":1.10}]}\n\n{\"p\":[{\"usd\":\"2.5\"}]}\n{\"p\":[]}\nnonsense\n";
    let source = file(lines, Place::Path(path("$.p[0].usd"))).open(0);
    assert_eq!(source.observe((1, 1)).await.unwrap(), 110.into());
    assert_eq!(source.observe((1, 2)).await.unwrap(), 250.into());
    let missing = source.observe((1, 3)).await.unwrap_err().to_string();
    assert!(missing.ends_with("prices:4 has nothing at \"$.p[0].usd\""), "{missing}");
    let nonsense = source.observe((1, 4)).await.unwrap_err().to_string();
    assert!(nonsense.ends_with("prices:5 holds \"nonsense\", which is no decimal number"), "{nonsense}");
}

#[test]
fn paths_are_names_and_positions() {
    for text in ["", ".", "a.", "a[", "a]", "a[x]", "a[0", "[0]", "a[0]b"] {
        assert!(JsonPath::parse(text).is_none(), "{text}");
    }
    for text in ["a", "$.a", "a.b[0][12].c", "X-Y z.Ü"] {
        assert!(JsonPath::parse(text).is_some(), "{text}");
    }
}

/// Answers every request with the same bytes, and says where.
async fn server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    format!("http://{address}/price")
}

fn ok(body: &str) -> &'static str {
    let length = body.len();
    Box::leak(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}").into_boxed_str())
}

async fn ask(url: &str) -> Result<BigInt, String> {
    let source = Source::http("test".to_owned(), url.to_owned(), path("data.price"), Duration::from_secs(5), 2);
    source.open(0).observe((1, 1)).await.map_err(|error| error.to_string().replace(url, "URL"))
}

#[tokio::test]
async fn an_address_answers_json() {
    let url = server(ok(r#"{"data":{"price":"1883.405","more":[1,{}]}}"#)).await;
    assert_eq!(ask(&url).await, Ok(188_340.into()));
    let url = server(ok(r#"{"data":{"price":18834050000000000000.25}}"#)).await;
    assert_eq!(ask(&url).await, Ok("1883405000000000000025".parse().unwrap()));
}

#[tokio::test]
async fn bad_answers_say_what_came() {
    for (answer, said) in [
        (ok("{\"data\":{}}"), "URL has nothing at \"data.price\""),
        (ok("{\"data\":{\"price\":null}}"), "URL holds \"null\", which is no decimal number"),
        (ok("<html>"), "URL holds \"<html>\", which is no decimal number"),
        ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", "URL: answered with status 503"),
        ("", "URL: no answer: "),
        ("nonsense\r\n\r\n", "URL: no answer: "),
    ] {
        let came = ask(&server(answer).await).await.unwrap_err();
        assert!(came.starts_with(said), "{came}");
    }
}

#[tokio::test]
async fn a_dead_address_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let came = ask(&url).await.unwrap_err();
    assert!(came.starts_with("URL: no answer: "), "{came}");
}

#[tokio::test]
async fn silence_ends_with_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let source = Source::http("test".to_owned(), url, path("p"), Duration::from_millis(100), 0).open(0);
    let came = source.observe((1, 1)).await.unwrap_err().to_string();
    assert!(came.contains("no answer: timeout"), "{came}");
}
