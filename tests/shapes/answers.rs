//! Errors as answers: codes and texts in both directions, and panics.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use loop_runtime::plugin::Plugin;
use loop_runtime::{Code, Error, ErrorKind, Result, loop_service};

use crate::peer::{Peer, both, refused};

/// Refuses.
#[loop_service(package = "shapes.answers")]
pub(crate) trait Answers {
    /// Answers with this code and text. Might be repeated, and is not: an answer is an answer.
    #[rpc(idempotent)]
    async fn refuse(&self, code: i32, text: &str) -> Result<()>;
    /// A plain text as an error.
    async fn plain(&self) -> Result<String>;
    /// Panics, with a text or without.
    async fn panic(&self, text: Option<String>) -> Result<()>;
    /// Panics before its first await.
    async fn panic_at_once(&self) -> Result<()>;
    /// How many calls there were.
    async fn calls(&self) -> Result<u32>;
    /// Passes the answer of `other` on.
    async fn ask(&self, other: Arc<dyn Answers>, code: i32, text: &str) -> Result<()>;
    /// Lets `other` panic.
    async fn let_panic(&self, other: Arc<dyn Answers>) -> Result<()>;
}

#[derive(Default)]
struct Stubborn(AtomicU32);

impl Answers for Stubborn {
    async fn refuse(&self, code: i32, text: &str) -> Result<()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(Error::new(Code::from_i32(code), text))
    }

    async fn plain(&self) -> Result<String> {
        Err("just a text")?
    }

    async fn panic(&self, text: Option<String>) -> Result<()> {
        tokio::task::yield_now().await;
        match text {
            Some(text) => panic!("{text}"),
            None => std::panic::panic_any(7),
        }
    }

    async fn panic_at_once(&self) -> Result<()> {
        let nothing: [u8; 0] = [];
        Err(format!("{}", nothing[self.0.load(Ordering::Relaxed) as usize]))?
    }

    async fn calls(&self) -> Result<u32> {
        Ok(self.0.load(Ordering::Relaxed))
    }

    async fn ask(&self, other: Arc<dyn Answers>, code: i32, text: &str) -> Result<()> {
        other.refuse(code, text).await
    }

    async fn let_panic(&self, other: Arc<dyn Answers>) -> Result<()> {
        other.panic(Some("at home".to_owned())).await
    }
}

pub(crate) async fn plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn Answers>(Arc::<Stubborn>::default()).await
}

fn answers(case: impl AsyncFn(&Peer, Arc<dyn Answers>)) {
    both::<dyn Answers>(
        "answers",
        || Arc::<Stubborn>::default(),
        async |peer: &Peer| {
            case(peer, peer.get().await).await;
        },
    );
}

#[test]
fn every_code_and_text_arrives_as_it_was_said() {
    answers(async |_, answers| {
        for n in 1..=16 {
            for text in ["", "no", "two\nlines", "100 % grüße\t\u{7f}\0 🦀"] {
                let error = answers.refuse(n, text).await.unwrap_err();
                assert_eq!((error.code(), error.message()), (Code::from_i32(n), text));
                assert_eq!((error.kind(), error.loss()), (&ErrorKind::Answer, None), "{n} is an answer");
            }
        }
        assert_eq!(answers.calls().await.unwrap(), 16 * 4, "an answer is never repeated");
        let long = "long ".repeat(50_000);
        assert_eq!(refused(answers.refuse(5, &long).await), (Code::NotFound, long));
        assert_eq!(refused(answers.plain().await), (Code::Unknown, "just a text".to_owned()));
    });
}

#[test]
fn answers_of_what_was_lent_go_both_ways() {
    answers(async |_, answers| {
        let ours = Arc::new(Stubborn::default());
        for n in 1..=16 {
            let said = refused(answers.ask(ours.clone(), n, "said at home").await);
            assert_eq!(said, (Code::from_i32(n), "said at home".to_owned()));
        }
        assert_eq!(ours.calls().await.unwrap(), 16);
    });
}

#[test]
fn a_panic_is_answered_and_the_process_lives() {
    answers(async |peer, answers| {
        let before = match peer {
            Peer::Process(plugin) => plugin.pid(),
            Peer::Pair(_) => None,
        };
        for (outcome, method, text) in [
            (answers.panic(Some("said before".into())).await, "Panic", "said before"),
            (answers.panic(None).await, "Panic", "a panic without a text"),
            (answers.panic_at_once().await, "PanicAtOnce", "index out of bounds: the len is 0 but the index is 0"),
        ] {
            let (code, said) = refused(outcome);
            assert_eq!(code, Code::Internal);
            let ending = format!(" panicked in /shapes.answers.Answers/{method}: {text}");
            assert!(said.starts_with("plugin ") && said.ends_with(&ending), "{said}");
        }
        assert_eq!(answers.calls().await.unwrap(), 0);
        if let Peer::Process(plugin) = peer {
            assert_eq!(plugin.pid(), before);
        }
    });
}

#[test]
fn a_panic_of_what_was_lent_is_answered_too() {
    answers(async |_, answers| {
        let (code, said) = refused(answers.let_panic(Arc::<Stubborn>::default()).await);
        assert_eq!(code, Code::Internal);
        assert_eq!(said, "the host panicked in /shapes.answers.Answers/Panic: at home");
    });
}
