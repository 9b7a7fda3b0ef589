//! What several threads decide concurrently, under a model checker: a link is installed and a service lent while a
//! session ends, and callers observe.
//!
//! The files are those of the library, compiled here with loom's primitives instead of the standard library's. Loom runs
//! a test once for every interleaving of the threads that can make a difference, and for every value that a load may
//! see under the memory model. Only keepers write links; a session is ended by its supervisor, an object
//! by its keeper or its parent's, a connection by its driver.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code, reason = "tests, of parts of the files")]

mod service;
mod sync;

use std::sync::Arc;

use loom::thread;
use service::base::{EndTree, LinkCell};
use service::session::lease::Lease;
use service::session::object::Object;
use sync::{AtomicUsize, Ordering};

/// A link, reduced to its end.
struct Link(Arc<EndTree>);

impl Link {
    fn of(object: &Object) -> Arc<Self> {
        Arc::new(Self(object.ended().child()))
    }

    fn is_usable(&self) -> bool {
        !self.0.is_over()
    }
}

/// The root object of a new session.
fn session() -> Arc<Object> {
    Arc::new(Object::root(&EndTree::new(), &EndTree::new()))
}

/// Whoever has seen the next generation finds nothing usable of the last one, however late it was installed.
#[test]
fn nothing_of_an_ended_session_is_usable() {
    loom::model(|| {
        let (root, link_cell, newest) = (session(), Arc::new(LinkCell::empty()), Arc::new(AtomicUsize::new(1)));
        let keeper = thread::spawn({
            let (root, link_cell) = (root.clone(), link_cell.clone());
            // The constructor's reply was received: connect, install.
            move || {
                let object = root.child();
                link_cell.put(Link::of(&object));
                object
            }
        });
        let supervisor = thread::spawn({
            let newest = newest.clone();
            move || {
                root.end();
                newest.store(2, Ordering::Release);
            }
        });
        let seen = newest.load(Ordering::Acquire);
        let found = link_cell.get(Link::is_usable);
        assert!(seen == 1 || found.is_none(), "a link of generation 1 while {seen} runs");
        supervisor.join().unwrap();
        keeper.join().unwrap();
        assert!(link_cell.get(Link::is_usable).is_none());
        assert!(link_cell.take().is_some(), "the keeper takes it away");
    });
}

/// A link of a session that may be retired while it lives, when another one replaces it.
struct Retirable {
    session: u64,
    ended: Arc<EndTree>,
    retired: Arc<EndTree>,
}

impl Retirable {
    fn of(session: u64, object: &Object, retired: &Arc<EndTree>) -> Arc<Self> {
        Arc::new(Self { session, ended: object.ended().child(), retired: retired.clone() })
    }

    fn is_usable(&self) -> bool {
        !self.ended.is_over() && !self.retired.is_over()
    }
}

/// All handles move to another process at once: the old session is retired, then each keeper installs its new link. From
/// the moment any caller finds a link of the new one, none finds a usable link of the old.
#[test]
fn nothing_begins_in_a_session_once_anything_has_begun_in_the_next() {
    loom::model(|| {
        let (old, new) = (session(), session());
        let (old_retired, new_retired) = (EndTree::new(), EndTree::new());
        let places: [Arc<LinkCell<Retirable>>; 2] = [Arc::new(LinkCell::empty()), Arc::new(LinkCell::empty())];
        places.iter().for_each(|link_cell| link_cell.put(Retirable::of(1, &old, &old_retired)));
        let upgrade = thread::spawn({
            let (places, old_retired) = (places.clone(), old_retired.clone());
            move || {
                old_retired.end();
                places.iter().for_each(|link_cell| link_cell.put(Retirable::of(2, &new, &new_retired)));
            }
        });
        let caller = thread::spawn({
            let places = places.clone();
            move || {
                let found =
                    |link_cell: &LinkCell<Retirable>| link_cell.get(Retirable::is_usable).map(|link| link.session);
                (found(&places[0]), found(&places[1]))
            }
        });
        let (first, second) = caller.join().unwrap();
        assert!(!(first == Some(2) && second == Some(1)), "a call in each of the two");
        upgrade.join().unwrap();
        assert!(
            places.iter().all(|link_cell| link_cell.get(Retirable::is_usable).is_some_and(|link| link.session == 2))
        );
        assert!(!old.has_ended(), "what is under way there goes on");
    });
}

/// An object that its keeper ends while its session ends has ended for both when they continue.
#[test]
fn who_ends_second_waits_for_the_first() {
    loom::model(|| {
        let root = session();
        let object = Arc::new(root.child());
        let link = Link::of(&object);
        let cut = object.leases_cut().child();
        let keeper = thread::spawn({
            let object = object.clone();
            move || object.end()
        });
        root.end();
        assert!(!link.is_usable() && cut.is_over(), "the next process would start now");
        keeper.join().unwrap();
    });
}

/// If a link is seen as ended, what was lent for it is cut already: a dying process can call nothing new.
#[test]
fn leases_are_cut_before_links_end() {
    loom::model(|| {
        let root = session();
        let object = root.child();
        let (link, cut) = (Link::of(&object), object.leases_cut().child());
        let supervisor = thread::spawn(move || root.end());
        if !link.is_usable() {
            assert!(cut.is_over(), "lent to what has ended");
        }
        supervisor.join().unwrap();
    });
}

/// A service that is lent while the object ends is dropped, once.
#[test]
fn what_is_lent_too_late_is_let_go() {
    loom::model(|| {
        let object = Arc::new(session().child());
        let dropped = Arc::new(AtomicUsize::new(0));
        let caller = thread::spawn({
            let (object, dropped) = (object.clone(), dropped.clone());
            move || {
                let lease = Lease { cut: object.leases_cut().child(), dropped };
                object.keep(vec![lease]);
            }
        });
        object.end();
        caller.join().unwrap();
        assert_eq!(dropped.load(Ordering::Acquire), 1);
    });
}

/// A connection that ends by itself while a newer one replaces it: the newer one stays.
#[test]
fn the_end_of_a_link_touches_no_other() {
    loom::model(|| {
        let object = session().child();
        let link_cell = Arc::new(LinkCell::empty());
        let first = Link::of(&object);
        link_cell.put(first.clone());
        let driver = thread::spawn(move || first.0.end());
        let caller = thread::spawn({
            let link_cell = link_cell.clone();
            move || link_cell.get(Link::is_usable).is_some()
        });
        let second = Link::of(&object);
        link_cell.put(second.clone());
        driver.join().unwrap();
        caller.join().unwrap();
        assert!(Arc::ptr_eq(&link_cell.get(Link::is_usable).expect("the second"), &second));
    });
}
