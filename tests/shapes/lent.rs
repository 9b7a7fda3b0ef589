//! Services as arguments: they are lent, called back, and dropped.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use loop_runtime::plugin::Plugin;
use loop_runtime::{Code, Result, loop_service};

use crate::journal::{Journal, Lines};
use crate::peer::{Peer, both, refused};

/// What is lent.
#[loop_service(package = "shapes.lent")]
pub(crate) trait Tool {
    /// Its name.
    #[rpc(idempotent)]
    async fn name(&self) -> Result<String>;
    /// Must never be called by who borrows.
    #[rpc(release)]
    async fn close(&self) -> Result<()>;
}

/// Who borrows.
#[loop_service(package = "shapes.lent")]
pub(crate) trait Borrower {
    /// Uses one.
    async fn use_one(&self, tool: Arc<dyn Tool>) -> Result<String>;
    /// Uses one by reference.
    async fn use_borrowed(&self, tool: &Arc<dyn Tool>, and: &str) -> Result<String>;
    /// Uses one that may be missing.
    async fn use_maybe(&self, tool: Option<Arc<dyn Tool>>) -> Result<Option<String>>;
    /// Uses several, between data.
    async fn use_all(&self, before: u32, tools: Vec<Arc<dyn Tool>>, after: &str) -> Result<(u32, Vec<String>, String)>;
    /// Uses two kinds.
    async fn use_both(&self, tool: Arc<dyn Tool>, journal: Arc<dyn Journal>) -> Result<()>;
    /// Keeps one for later.
    async fn keep(&self, tool: Arc<dyn Tool>) -> Result<()>;
    /// Uses what was kept.
    async fn use_kept(&self) -> Result<String>;
    /// Gives up what was kept.
    async fn give_up(&self) -> Result<()>;
    /// Lends the borrower itself back.
    async fn call_back(&self, depth: u32, other: Arc<dyn Borrower>) -> Result<u32>;
    /// Calls what was lent from many tasks at once.
    async fn crowd(&self, tool: Arc<dyn Tool>, calls: u32) -> Result<u32>;
}

/// A tool of the host, which reports its calls and its drop.
struct Hammer {
    name: String,
    lines: Lines,
}

impl Hammer {
    fn lend(name: &str, lines: &Lines) -> Arc<dyn Tool> {
        Arc::new(Self { name: name.to_owned(), lines: lines.clone() })
    }
}

impl Tool for Hammer {
    async fn name(&self) -> Result<String> {
        Ok(self.name.clone())
    }

    async fn close(&self) -> Result<()> {
        self.lines.add(format!("{} closed", self.name));
        Ok(())
    }
}

impl Drop for Hammer {
    fn drop(&mut self) {
        self.lines.add(format!("{} dropped", self.name));
    }
}

#[derive(Default)]
struct Neighbour(Mutex<Option<Arc<dyn Tool>>>);

impl Borrower for Neighbour {
    async fn use_one(&self, tool: Arc<dyn Tool>) -> Result<String> {
        tool.name().await
    }

    async fn use_borrowed(&self, tool: &Arc<dyn Tool>, and: &str) -> Result<String> {
        Ok(tool.name().await? + and)
    }

    async fn use_maybe(&self, tool: Option<Arc<dyn Tool>>) -> Result<Option<String>> {
        match tool {
            Some(tool) => tool.name().await.map(Some),
            None => Ok(None),
        }
    }

    async fn use_all(&self, before: u32, tools: Vec<Arc<dyn Tool>>, after: &str) -> Result<(u32, Vec<String>, String)> {
        let mut names = Vec::new();
        for tool in tools {
            names.push(tool.name().await?);
        }
        Ok((before, names, after.to_owned()))
    }

    async fn use_both(&self, tool: Arc<dyn Tool>, journal: Arc<dyn Journal>) -> Result<()> {
        journal.note(&tool.name().await?).await
    }

    async fn keep(&self, tool: Arc<dyn Tool>) -> Result<()> {
        *self.0.lock().unwrap() = Some(tool);
        Ok(())
    }

    async fn use_kept(&self) -> Result<String> {
        let kept = self.0.lock().unwrap().clone();
        kept.ok_or("nothing kept")?.name().await
    }

    async fn give_up(&self) -> Result<()> {
        self.0.lock().unwrap().take();
        Ok(())
    }

    async fn call_back(&self, depth: u32, other: Arc<dyn Borrower>) -> Result<u32> {
        match depth {
            0 => Ok(0),
            _ => Ok(1 + other.call_back(depth - 1, Arc::new(Self::default())).await?),
        }
    }

    async fn crowd(&self, tool: Arc<dyn Tool>, calls: u32) -> Result<u32> {
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..calls {
            let tool = tool.clone();
            all.spawn(async move { tool.name().await });
        }
        let mut right = 0;
        while let Some(name) = all.join_next().await {
            right += u32::from(name.map_err(|_| "panicked")?? == "saw");
        }
        Ok(right)
    }
}

pub(crate) async fn plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn Borrower>(Arc::<Neighbour>::default()).await
}

fn borrower(case: impl AsyncFn(Arc<dyn Borrower>, Lines)) {
    both::<dyn Borrower>(
        "lent",
        || Arc::<Neighbour>::default(),
        async |peer: &Peer| {
            case(peer.get().await, Lines::new()).await;
        },
    );
}

#[test]
fn one_none_and_several() {
    borrower(async |borrower, lines| {
        let tool = |name| Hammer::lend(name, &lines);
        assert_eq!(borrower.use_one(tool("axe")).await.unwrap(), "axe");
        assert_eq!(borrower.use_borrowed(&tool("axe"), "!").await.unwrap(), "axe!");
        assert_eq!(borrower.use_maybe(Some(tool("axe"))).await.unwrap().as_deref(), Some("axe"));
        assert_eq!(borrower.use_maybe(None).await.unwrap(), None);
        let all = vec![tool("a"), tool("b"), tool("c")];
        let (before, names, after) = borrower.use_all(7, all, "x").await.unwrap();
        assert_eq!((before, names.join(""), after.as_str()), (7, "abc".to_owned(), "x"));
        assert_eq!(borrower.use_all(0, vec![], "").await.unwrap(), (0, vec![], String::new()));
        let same = tool("same");
        assert_eq!(borrower.use_all(0, vec![same.clone(), same], "").await.unwrap().1, ["same", "same"]);
    });
}

#[test]
fn of_two_kinds() {
    borrower(async |borrower, lines| {
        borrower.use_both(Hammer::lend("both", &lines), lines.journal()).await.unwrap();
        assert_eq!(lines.all()[0], "both");
    });
}

#[test]
fn what_is_lent_for_a_call_is_dropped_after_it_and_never_closed() {
    borrower(async |borrower, lines| {
        borrower.use_one(Hammer::lend("axe", &lines)).await.unwrap();
        lines.has("axe dropped").await;
        borrower.use_all(0, vec![Hammer::lend("a", &lines), Hammer::lend("b", &lines)], "").await.unwrap();
        lines.has("a dropped").await;
        let all = lines.until(|all| all.iter().any(|line| line == "b dropped")).await;
        assert!(!all.iter().any(|line| line.ends_with("closed")), "{all:?}");
    });
}

#[test]
fn what_is_kept_is_held_until_it_is_given_up() {
    borrower(async |borrower, lines| {
        borrower.keep(Hammer::lend("kept", &lines)).await.unwrap();
        for _ in 0..3 {
            assert_eq!(borrower.use_kept().await.unwrap(), "kept");
        }
        assert_eq!(lines.all(), [""; 0]);
        borrower.give_up().await.unwrap();
        lines.has("kept dropped").await;
        assert_eq!(lines.all(), ["kept dropped"]);
        assert_eq!(refused(borrower.use_kept().await), (Code::Unknown, "nothing kept".to_owned()));
    });
}

#[test]
fn a_handle_that_is_lent_is_not_used_up() {
    borrower(async |borrower, lines| {
        let tool = Hammer::lend("mine", &lines);
        for _ in 0..3 {
            assert_eq!(borrower.use_one(tool.clone()).await.unwrap(), "mine");
        }
        assert_eq!(tool.name().await.unwrap(), "mine");
        assert_eq!(lines.all(), [""; 0]);
    });
}

#[test]
fn both_sides_lend_to_each_other() {
    borrower(async |borrower, _| {
        assert_eq!(borrower.call_back(12, Arc::new(Neighbour::default())).await.unwrap(), 12);
    });
}

#[test]
fn what_is_lent_is_called_from_many_tasks() {
    borrower(async |borrower, lines| {
        assert_eq!(borrower.crowd(Hammer::lend("saw", &lines), 500).await.unwrap(), 500);
    });
}

#[test]
fn many_calls_lend_at_the_same_time() {
    borrower(async |borrower, lines| {
        let mut calls = tokio::task::JoinSet::new();
        for n in 0..100 {
            let (borrower, tool) = (borrower.clone(), Hammer::lend(&format!("{n}"), &lines));
            calls.spawn(async move { borrower.use_one(tool).await.unwrap() == format!("{n}") });
        }
        assert!(calls.join_all().await.into_iter().all(|right| right));
        lines.until(|all| all.len() == 100).await;
    });
}
