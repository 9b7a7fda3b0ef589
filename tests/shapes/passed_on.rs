//! A service of one plugin lent to another, through the host: three processes, or two pairs in one.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use loop_runtime::plugin::Plugin;
use loop_runtime::testing::Pair;
use loop_runtime::{Call, CallOptions, Code, Result, loop_service};

use crate::journal::{Journal, Lines};
use crate::peer::{Peer, refused};
use crate::support;

/// Carries no services: it is forwarded unread. As the host knows it.
#[loop_service(package = "shapes.passed")]
pub(crate) trait Reader {
    /// Who reads, and what.
    #[rpc(idempotent)]
    async fn read(&self, page: u64) -> Result<String>;
    /// Metadata and milliseconds left, as they arrive.
    async fn came(&self, name: &str) -> Result<(Option<String>, Option<u64>)>;
    /// Nobody needs it any more.
    #[rpc(release)]
    async fn close(&self) -> Result<()>;
}

/// The same, as the two plugins know it: newer than the host.
#[loop_service(package = "shapes.passed", name = "Reader")]
pub(crate) trait NewReader {
    /// With one more field on either side.
    #[rpc(idempotent)]
    async fn read(&self, #[wire(1)] page: u64, #[wire(9)] colour: &str) -> Result<(String, u64)>;
    /// As in the other.
    async fn came(&self, name: &str) -> Result<(Option<String>, Option<u64>)>;
    /// A method that the host does not know.
    async fn newer(&self, text: &str) -> Result<String>;
    /// Refuses.
    async fn refuse(&self, code: i32, text: &str) -> Result<()>;
    /// Never answers.
    async fn wait(&self) -> Result<()>;
    /// As in the other.
    #[rpc(release)]
    async fn close(&self) -> Result<()>;
}

/// A component.
#[loop_service(package = "shapes.passed")]
pub(crate) trait Catalogue {
    /// How many pages there are.
    #[rpc(idempotent)]
    async fn pages(&self) -> Result<u64>;
}

/// Carries services: it is served again by the host.
#[loop_service(package = "shapes.passed")]
pub(crate) trait Library {
    /// Makes a reader.
    async fn new_reader(&self, name: &str, journal: Arc<dyn Journal>) -> Result<Arc<dyn Reader>>;
    /// Writes into a journal of who calls.
    async fn visit(&self, journal: Arc<dyn Journal>) -> Result<()>;
    /// Where readers note that they were closed.
    #[rpc(replay)]
    async fn watch(&self, journal: Arc<dyn Journal>) -> Result<()>;
    /// A component, on the same connection.
    fn catalogue(&self) -> Arc<dyn Catalogue>;
}

/// As the plugin has it.
#[loop_service(package = "shapes.passed", name = "Library")]
pub(crate) trait NewLibrary {
    /// Makes a reader.
    async fn new_reader(&self, name: &str, journal: Arc<dyn Journal>) -> Result<Arc<dyn NewReader>>;
    /// As in the other.
    async fn visit(&self, journal: Arc<dyn Journal>) -> Result<()>;
    /// As in the other.
    #[rpc(replay)]
    async fn watch(&self, journal: Arc<dyn Journal>) -> Result<()>;
    /// As in the other.
    fn catalogue(&self) -> Arc<dyn Catalogue>;
}

/// Works with what others have. As the host knows it.
#[loop_service(package = "shapes.passed")]
pub(crate) trait Worker {
    /// Reads.
    async fn read(&self, reader: Arc<dyn Reader>, page: u64) -> Result<String>;
    /// What came along with a call to the reader.
    async fn came(&self, reader: Arc<dyn Reader>, name: &str) -> Result<(Option<String>, Option<u64>)>;
    /// Uses what the host does not know.
    async fn newer(&self, reader: Arc<dyn Reader>, text: &str) -> Result<String>;
    /// Passes a refusal on.
    async fn refuse(&self, reader: Arc<dyn Reader>, code: i32, text: &str) -> Result<()>;
    /// Waits for ever.
    async fn wait(&self, reader: Arc<dyn Reader>) -> Result<()>;
    /// Closes what it borrows.
    async fn close(&self, reader: Arc<dyn Reader>) -> Result<()>;
    /// Counts pages, then tries a door that is not its own.
    async fn sneak(&self, catalogue: Arc<dyn Catalogue>) -> Result<u64>;
    /// Has a reader made by a library, and reads; visits it with a journal of its own.
    async fn borrow(&self, library: Arc<dyn Library>, journal: Arc<dyn Journal>) -> Result<(String, Vec<String>)>;
    /// Has a reader made by a library and hands it over.
    async fn fetch(&self, library: Arc<dyn Library>, journal: Arc<dyn Journal>) -> Result<Arc<dyn Reader>>;
}

/// As the plugin has it: with other ideas of what is lent.
#[loop_service(package = "shapes.passed", name = "Worker")]
pub(crate) trait NewWorker {
    /// Reads.
    async fn read(&self, reader: Arc<dyn NewReader>, page: u64) -> Result<String>;
    /// As above.
    async fn came(&self, reader: Arc<dyn NewReader>, name: &str) -> Result<(Option<String>, Option<u64>)>;
    /// As above.
    async fn newer(&self, reader: Arc<dyn NewReader>, text: &str) -> Result<String>;
    /// As above.
    async fn refuse(&self, reader: Arc<dyn NewReader>, code: i32, text: &str) -> Result<()>;
    /// As above.
    async fn wait(&self, reader: Arc<dyn NewReader>) -> Result<()>;
    /// As above.
    async fn close(&self, reader: Arc<dyn NewReader>) -> Result<()>;
    /// Takes the catalogue for the library that it is a part of.
    async fn sneak(&self, catalogue: Arc<dyn Library>) -> Result<u64>;
    /// As above.
    async fn borrow(&self, library: Arc<dyn Library>, journal: Arc<dyn Journal>) -> Result<(String, Vec<String>)>;
    /// As above.
    async fn fetch(&self, library: Arc<dyn Library>, journal: Arc<dyn Journal>) -> Result<Arc<dyn Reader>>;
}

#[derive(Clone, Default)]
struct Shelf {
    watched: Arc<Mutex<Option<Arc<dyn Journal>>>>,
}

struct Book {
    name: String,
    journal: Arc<dyn Journal>,
    shelf: Shelf,
}

/// Reports when a call is cancelled.
struct GivenUp(Arc<dyn Journal>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        let journal = self.0.clone();
        tokio::spawn(async move { journal.note("given up").await });
    }
}

impl NewReader for Book {
    async fn read(&self, page: u64, colour: &str) -> Result<(String, u64)> {
        Ok((format!("{} {page}{colour}, process {}", self.name, std::process::id()), page + 1))
    }

    async fn came(&self, name: &str) -> Result<(Option<String>, Option<u64>)> {
        let left = Call::current().deadline().map(|at| at.saturating_duration_since(Instant::now()).as_millis() as u64);
        Ok((Call::current().metadata(name).map(str::to_owned), left))
    }

    async fn newer(&self, text: &str) -> Result<String> {
        Ok(text.to_uppercase())
    }

    async fn refuse(&self, code: i32, text: &str) -> Result<()> {
        Err(loop_runtime::Error::new(Code::from_i32(code), text))
    }

    async fn wait(&self) -> Result<()> {
        let _given_up = GivenUp(self.journal.clone());
        self.journal.note("waiting").await?;
        std::future::pending().await
    }

    async fn close(&self) -> Result<()> {
        let watched = self.shelf.watched.lock().unwrap().clone();
        watched.ok_or("nobody watches")?.note(&format!("{} closed", self.name)).await
    }
}

impl Catalogue for Shelf {
    async fn pages(&self) -> Result<u64> {
        Ok(99)
    }
}

impl NewLibrary for Shelf {
    async fn new_reader(&self, name: &str, journal: Arc<dyn Journal>) -> Result<Arc<dyn NewReader>> {
        Ok(Arc::new(Book { name: name.to_owned(), journal, shelf: self.clone() }))
    }

    async fn visit(&self, journal: Arc<dyn Journal>) -> Result<()> {
        journal.note("a visit").await
    }

    async fn watch(&self, journal: Arc<dyn Journal>) -> Result<()> {
        *self.watched.lock().unwrap() = Some(journal);
        Ok(())
    }

    fn catalogue(&self) -> Arc<dyn Catalogue> {
        Arc::new(self.clone())
    }
}

struct Clerk;

impl NewWorker for Clerk {
    async fn read(&self, reader: Arc<dyn NewReader>, page: u64) -> Result<String> {
        let (text, next) = reader.read(page, " in red").await?;
        Ok(format!("{text}, then {next}"))
    }

    async fn came(&self, reader: Arc<dyn NewReader>, name: &str) -> Result<(Option<String>, Option<u64>)> {
        reader.came(name).await
    }

    async fn newer(&self, reader: Arc<dyn NewReader>, text: &str) -> Result<String> {
        reader.newer(text).await
    }

    async fn refuse(&self, reader: Arc<dyn NewReader>, code: i32, text: &str) -> Result<()> {
        reader.refuse(code, text).await
    }

    async fn wait(&self, reader: Arc<dyn NewReader>) -> Result<()> {
        reader.wait().await
    }

    async fn close(&self, reader: Arc<dyn NewReader>) -> Result<()> {
        reader.close().await
    }

    async fn sneak(&self, catalogue: Arc<dyn Library>) -> Result<u64> {
        assert_eq!(catalogue.catalogue().pages().await?, 99);
        catalogue.visit(Lines::new().journal()).await?;
        Ok(0)
    }

    async fn borrow(&self, library: Arc<dyn Library>, journal: Arc<dyn Journal>) -> Result<(String, Vec<String>)> {
        let reader = library.new_reader("borrowed", journal).await?;
        let text = reader.read(library.catalogue().pages().await?).await?;
        let lines = Lines::new();
        library.visit(lines.journal()).await?;
        reader.close().await?;
        Ok((text, lines.all()))
    }

    async fn fetch(&self, library: Arc<dyn Library>, journal: Arc<dyn Journal>) -> Result<Arc<dyn Reader>> {
        library.new_reader("fetched", journal).await
    }
}

pub(crate) async fn reader_plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn NewLibrary>(Arc::<Shelf>::default()).await
}

pub(crate) async fn worker_plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn NewWorker>(Arc::new(Clerk)).await
}

/// A host between two plugins.
struct Between {
    library: Arc<dyn Library>,
    worker: Arc<dyn Worker>,
    lines: Lines,
    /// The process of the library.
    process: u32,
}

impl Between {
    async fn reader(&self, name: &str) -> Arc<dyn Reader> {
        self.library.new_reader(name, self.lines.journal()).await.unwrap()
    }
}

async fn run(library: Peer, worker: Peer, process: u32, case: &impl AsyncFn(&Between)) -> Vec<String> {
    let lines = Lines::new();
    let between = Between { library: library.get().await, worker: worker.get().await, lines: lines.clone(), process };
    between.library.watch(lines.journal()).await.unwrap();
    case(&between).await;
    drop(between);
    worker.close().await;
    library.close().await;
    lines.all()
}

/// Runs `case`, and checks at the end, when every handle is dropped, that each object was closed once.
fn between(case: impl AsyncFn(&Between)) {
    between_closing(1, case);
}

fn between_closing(times: usize, case: impl AsyncFn(&Between)) {
    let check = |lines: Vec<String>| {
        let closed = lines.iter().filter(|line| line.ends_with("closed")).count();
        assert!(closed == 0 || closed == times, "{lines:?}");
    };
    support::test(async |lab| {
        let library = Peer::Pair(Pair::serve::<dyn NewLibrary>(Arc::<Shelf>::default()).await.unwrap());
        let worker = Peer::Pair(Pair::serve::<dyn NewWorker>(Arc::new(Clerk)).await.unwrap());
        check(run(library, worker, std::process::id(), &case).await);

        let library = lab.launch("passed on: reader").await;
        let process = library.pid().unwrap();
        let (library, worker) = (Peer::Process(library), Peer::Process(lab.launch("passed on: worker").await));
        check(run(library, worker, process, &case).await);
    });
}

#[test]
fn a_remote_handle_is_forwarded_unread() {
    between(async |it| {
        let reader = it.reader("novel").await;
        let text = it.worker.read(reader.clone(), 7).await.unwrap();
        assert_eq!(
            text,
            format!("novel 7 in red, process {}, then 8", it.process),
            "fields that the host does not know"
        );
        assert_eq!(it.worker.newer(reader.clone(), "louder").await.unwrap(), "LOUDER", "and a method");
        // The host's own calls go on, and the borrower's drop closes nothing.
        assert_eq!(reader.read(1).await.unwrap(), format!("novel 1, process {}", it.process));
        assert_eq!(it.lines.all(), [""; 0]);
        drop(reader);
        it.lines.has("novel closed").await;
    });
}

#[test]
fn metadata_and_the_deadline_are_forwarded() {
    between(async |it| {
        let reader = it.reader("novel").await;
        assert_eq!(it.worker.came(reader.clone(), "traceparent").await.unwrap(), (None, None));
        let hour = Instant::now() + Duration::from_secs(3600);
        let options = CallOptions::new().deadline(hour).metadata("traceparent", "00-7").unwrap();
        let (metadata, left) = options.scope(it.worker.came(reader, "traceparent")).await.unwrap();
        assert_eq!(metadata.as_deref(), Some("00-7"));
        assert!((3_400_000..=3_600_000).contains(&left.unwrap()), "{left:?} ms left");
    });
}

#[test]
fn answers_are_forwarded() {
    between(async |it| {
        let reader = it.reader("novel").await;
        for n in 1..=16 {
            let said = refused(it.worker.refuse(reader.clone(), n, "grüße, said behind").await);
            assert_eq!(said, (Code::from_i32(n), "grüße, said behind".to_owned()));
        }
    });
}

#[test]
fn a_caller_who_goes_away_ends_the_call_behind_the_forward() {
    between(async |it| {
        let (reader, worker) = (it.reader("novel").await, it.worker.clone());
        let lent = reader.clone();
        let call = tokio::spawn(async move { worker.wait(lent).await });
        it.lines.has("waiting").await;
        call.abort();
        it.lines.has("given up").await;
    });
}

#[test]
fn a_borrower_may_call_the_release_method_and_it_is_an_ordinary_call() {
    between_closing(2, async |it| {
        let reader = it.reader("novel").await;
        it.worker.close(reader.clone()).await.unwrap();
        assert_eq!(it.lines.all(), ["novel closed"]);
    });
}

#[test]
fn lending_a_component_does_not_lend_the_connection() {
    between(async |it| {
        let (code, text) = refused(it.worker.sneak(it.library.catalogue()).await);
        assert_eq!((code, text.as_str()), (Code::Unimplemented, "unknown service shapes.passed.Library"));
    });
}

#[test]
fn what_carries_services_is_served_again() {
    between(async |it| {
        let (text, visits) = it.worker.borrow(it.library.clone(), it.lines.journal()).await.unwrap();
        assert_eq!(text, format!("borrowed 99, process {}", it.process));
        assert_eq!(visits, ["a visit"], "the library called the worker");
        assert_eq!(it.lines.all(), ["borrowed closed"], "the library called the host, once");
    });
}

#[test]
fn what_was_made_behind_comes_back_through_both() {
    between(async |it| {
        let reader = it.worker.fetch(it.library.clone(), it.lines.journal()).await.unwrap();
        assert_eq!(reader.read(3).await.unwrap(), format!("fetched 3, process {}", it.process));
        reader.close().await.unwrap();
        it.lines.has("fetched closed").await;
    });
}

/// Counts what it forwards.
struct Counting(Arc<dyn Reader>, AtomicU32);

impl Reader for Counting {
    async fn read(&self, page: u64) -> Result<String> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.read(page + 100).await
    }

    async fn came(&self, name: &str) -> Result<(Option<String>, Option<u64>)> {
        self.0.came(name).await
    }

    async fn close(&self) -> Result<()> {
        self.0.close().await
    }
}

#[test]
fn a_decorator_around_a_handle_is_served_not_forwarded() {
    between(async |it| {
        let counting = Arc::new(Counting(it.reader("novel").await, AtomicU32::new(0)));
        let text = it.worker.read(counting.clone(), 7).await.unwrap();
        assert_eq!(
            text,
            format!("novel 107, process {}, then 0", it.process),
            "the host reads, and knows fewer fields"
        );
        assert_eq!(counting.1.load(Ordering::Relaxed), 1);
        let hour = Instant::now() + Duration::from_secs(3600);
        let options = CallOptions::new().deadline(hour).metadata("x-a", "1").unwrap();
        let (metadata, left) = options.scope(it.worker.came(counting.clone(), "x-a")).await.unwrap();
        assert_eq!((metadata.as_deref(), left.is_some()), (Some("1"), true));
        let (code, _) = refused(it.worker.newer(counting, "x").await);
        assert_eq!(code, Code::Unimplemented);
    });
}
