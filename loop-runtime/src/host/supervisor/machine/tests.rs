//! One way through the machine each, and then a great many at random.

mod mains;
mod orderly;
mod random;
mod upgrade;
mod world;

use std::sync::Arc;
use std::time::Duration;

use super::{Action, Input, Ownership, Pulse, Root};
use crate::host::event::{EndCause, EventKind, State};
use crate::host::{LaunchError, RestartPolicy};
use world::World;

fn policy() -> RestartPolicy {
    RestartPolicy { jitter: 0.0, ..RestartPolicy::default() }
}

fn world() -> World {
    World::new(policy(), Ownership::Ours)
}

fn missing() -> LaunchError {
    LaunchError::NotFound { program: "plugin".into(), what: "no such file" }
}

#[test]
fn the_first_launch_is_told_in_full() {
    let mut world = world();
    let began = world.begin();
    assert!(matches!(
        &began[..],
        [
            Action::State(State::Starting { attempt: 1 }),
            Action::Root(Root::Making),
            Action::Tell(EventKind::Launching { attempt: 1 }),
            Action::Launch { generation: 1 },
        ]
    ));
    let started = world.start();
    assert!(matches!(
        &started[..],
        [
            Action::Install { generation: 1 },
            Action::State(State::Running { generation: 1, pid: 1 }),
            Action::Tell(EventKind::Started { generation: 1, pid: 1, .. }),
        ]
    ));
}

#[test]
fn a_first_launch_that_fails_is_the_end() {
    let mut world = world();
    world.begin();
    let failed = world.fail(LaunchError::called_off());
    assert!(matches!(
        &failed[..],
        [Action::Tell(EventKind::LaunchFailed { permanent: false, .. }), Action::CloseHandles]
    ));
    let closed = world.settle();
    assert!(matches!(
        &closed[..],
        [Action::Root(Root::Closed), Action::Tell(EventKind::Closed { .. }), Action::Finish]
    ));
}

#[test]
fn what_exits_is_reaped_discarded_and_launched_again_at_once() {
    let mut world = World::running(policy());
    let exited = world.exit(1);
    assert!(matches!(
        &exited[..],
        [
            Action::Uninstall,
            Action::Root(Root::Making),
            Action::State(State::Stopping { generation: 1 }),
            Action::Retire { generation: 1 },
            Action::End { generation: 1, leave: false },
        ]
    ));
    let reaped = world.settle_one();
    assert!(
        matches!(&reaped[..], [Action::Discard { ended, .. }] if ended.cause == EndCause::Exited && ended.in_a_row == 1)
    );
    let next = world.settle_one();
    assert!(matches!(
        &next[..],
        [
            Action::Caution(false),
            Action::Tell(EventKind::Ended(_)),
            Action::Root(Root::Failed { at_once: false, .. }),
            Action::State(State::Backoff { .. }),
            Action::Tell(EventKind::Backoff { in_a_row: 1, .. }),
            Action::State(State::Starting { attempt: 1 }),
            Action::Root(Root::Making),
            Action::Tell(EventKind::Launching { attempt: 1 }),
            Action::Launch { generation: 2 },
        ]
    ));
}

#[test]
fn end_and_backoff_say_the_same_number_in_a_row() {
    let mut world = World::running(policy());
    for (uptime, expected) in [(0, 1), (0, 2), (0, 3), (60, 1), (0, 2)] {
        world.pass(Duration::from_secs(uptime));
        world.exit(world.generation());
        let told = world.settle_until_waiting();
        let ended = told.iter().find_map(|what| match what {
            EventKind::Ended(ended) => Some(ended.in_a_row),
            _ => None,
        });
        let backoff = told.iter().find_map(|what| match what {
            EventKind::Backoff { in_a_row, .. } => Some(*in_a_row),
            _ => None,
        });
        assert_eq!((ended, backoff), (Some(expected), Some(expected)));
        world.run_again();
    }
}

#[test]
fn a_broken_connection_is_an_exit_if_that_follows_within_an_instant() {
    for exits in [true, false] {
        let mut world = World::running(policy());
        let broken = world.lose(1, EndCause::ConnectionLost);
        assert!(matches!(&broken[4..], [Action::Cut { generation: 1 }]));
        let ended = if exits { world.exit(1) } else { world.tick() };
        assert!(matches!(&ended[..], [Action::End { generation: 1, leave: false }]));
        let reaped = world.settle_one();
        let why = if exits { EndCause::Exited } else { EndCause::ConnectionLost };
        assert!(matches!(&reaped[..], [Action::Discard { ended, .. }] if ended.cause == why));
    }
}

#[test]
fn hung_is_ended_at_once_and_lesser_findings_are_told() {
    let mut world = World::running(policy());
    assert!(matches!(
        &world.pulse(Pulse::Suspect { silent: 3 })[..],
        [Action::Tell(EventKind::Suspect { silent: 3, .. })]
    ));
    assert!(matches!(&world.pulse(Pulse::Recovered)[..], [Action::Tell(EventKind::Recovered { generation: 1 })]));
    assert!(matches!(&world.pulse(Pulse::NotServing)[..], [Action::Tell(EventKind::NotServing { generation: 1 })]));
    assert!(matches!(&world.pulse(Pulse::Hung)[4..], [Action::End { generation: 1, .. }]));
}

#[test]
fn over_budget_calls_fail_at_once_until_one_start_is_tried() {
    let mut world = World::running(RestartPolicy { max_restarts: Some(0), ..policy() });
    world.exit(1);
    world.settle();
    assert!(matches!(world.root(), Some(Root::Failed { at_once: true, retry_at: Some(_), .. })));
    let trial = world.tick();
    assert!(matches!(&trial[0], Action::Tell(EventKind::BreakerHalfOpen)));
    assert!(matches!(world.root(), Some(Root::Making)));
    world.fail(LaunchError::called_off());
    assert!(matches!(world.root(), Some(Root::Failed { at_once: true, retry_at: Some(_), .. })), "on probation");
}

#[test]
fn a_reset_counts_in_every_state() {
    let breaker = RestartPolicy { max_restarts: Some(0), ..policy() };
    // While the breaker is open.
    let mut world = World::running(breaker.clone());
    world.exit(1);
    world.settle();
    let reset = world.input(Input::Reset);
    assert!(matches!(reset.last(), Some(Action::Launch { generation: 2 })));
    // During a start that then fails.
    assert!(matches!(&world.input(Input::Reset)[..], [Action::Tell(EventKind::Reset)]));
    let failed = world.fail(LaunchError::called_off());
    assert!(matches!(failed.last(), Some(Action::Launch { generation: 2 })));
    world.start();
    // During an end, before and after the process is reaped.
    for answers in [0, 1] {
        world.exit(world.generation());
        for _ in 0..answers {
            world.settle_one();
        }
        world.input(Input::Reset);
        let next = world.settle();
        assert!(matches!(next.last(), Some(Action::Launch { .. })), "{next:?}");
        world.start();
    }
    // While it runs, it is forgotten there and then.
    assert!(matches!(&world.input(Input::Reset)[..], [Action::Tell(EventKind::Reset), Action::Caution(false)]));
    world.exit(world.generation());
    world.settle();
    assert!(matches!(world.root(), Some(Root::Failed { at_once: true, .. })));
}

#[test]
fn what_cannot_change_is_not_tried_again_until_a_reset() {
    let mut world = World::running(policy());
    world.exit(1);
    world.settle_until_waiting();
    let failed = world.fail(LaunchError::Reattach { why: "another plugin".into() });
    assert!(matches!(&failed[0], Action::Tell(EventKind::LaunchFailed { attempt: 1, permanent: true, .. })));
    assert!(matches!(world.root(), Some(Root::Failed { at_once: true, retry_at: None, .. })));
    assert!(world.deadline().is_none());
    assert!(matches!(world.input(Input::Reset).last(), Some(Action::Launch { generation: 2 })));
}

#[test]
fn closing_tells_handles_then_waits_for_calls_then_asks_then_kills() {
    let mut world = World::running(policy());
    let closing = world.input(Input::Close { by_call: true });
    assert!(matches!(
        &closing[..],
        [
            Action::Root(Root::Vacant),
            Action::State(State::Closing),
            Action::Tell(EventKind::Closing),
            Action::CloseHandles,
        ]
    ));
    assert!(matches!(&world.settle_one()[..], [Action::Uninstall, Action::Drain { generation: 1 }]));
    assert!(matches!(&world.settle_one()[..], [Action::ShutDown { generation: 1 }]));
    let killed = world.tick_until(|action| matches!(action, Action::End { .. }));
    assert_eq!(killed, policy().shutdown_timeout);
    assert!(matches!(&world.settle_one()[..], [Action::Discard { ended, .. }] if ended.cause == EndCause::Closed));
    let last = world.settle();
    assert!(matches!(
        &last[..],
        [
            Action::CloseHandles,
            Action::Tell(EventKind::Ended(_)),
            Action::Root(Root::Closed),
            Action::Tell(EventKind::Closed { .. }),
            Action::Finish,
        ]
    ));
}

#[test]
fn calls_that_take_longer_than_the_drain_are_cut_off_with_the_process() {
    let mut world = World::running(policy());
    world.input(Input::Close { by_call: true });
    world.input(Input::HandlesClosed);
    assert_eq!(world.tick_until(|action| matches!(action, Action::ShutDown { .. })), policy().timeouts.drain_timeout);
}

#[test]
fn what_belongs_to_somebody_else_is_ended_by_a_call_only() {
    for (ownership, by_call, leaves) in [
        (Ownership::Attached, false, true),
        (Ownership::Attached, true, false),
        (Ownership::AttachedForTest, true, true),
        (Ownership::Ours, false, false),
    ] {
        let mut world = World::new(policy(), ownership);
        world.begin();
        world.start();
        world.input(Input::Close { by_call });
        world.settle_one();
        let drained = world.settle_one();
        match &drained[..] {
            [Action::ShutDown { .. }] => assert!(!leaves),
            [Action::End { leave: true, .. }] => assert!(leaves),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_close_calls_a_start_off_and_ends_one_that_succeeded_all_the_same() {
    for succeeds in [false, true] {
        let mut world = World::running(policy());
        world.exit(1);
        world.settle_until_waiting();
        assert!(matches!(&world.input(Input::Close { by_call: true })[..], [Action::CallOff]));
        assert!(world.input(Input::Close { by_call: false }).is_empty(), "once");
        let last = if succeeds { world.start() } else { world.fail(LaunchError::called_off()) };
        assert!(matches!(last.last(), Some(Action::CloseHandles)));
        world.come_to_rest();
        assert!(world.is_finished());
    }
}

#[test]
fn an_end_that_is_under_way_is_finished_before_the_close() {
    let mut world = World::running(policy());
    world.exit(1);
    assert!(world.input(Input::Close { by_call: true }).is_empty());
    let last = world.settle();
    assert!(!last.iter().any(|action| matches!(action, Action::Launch { .. })));
    assert!(world.is_finished());
}

#[test]
fn a_constructor_that_kills_each_time_is_quarantined() {
    let mut world = World::running(RestartPolicy { max_restarts: None, ..policy() });
    let mut seen = Vec::new();
    for _ in 0..4 {
        world.making(vec![7]);
        world.exit(world.generation());
        let all = world.settle();
        let matters = |action: &&Action| matches!(action, Action::Caution(_) | Action::Quarantine(_));
        seen.extend(all.iter().filter(matters).map(|action| format!("{action:?}")));
        world.run_again();
    }
    assert_eq!(seen, ["Caution(false)", "Caution(false)", "Caution(true)", "Quarantine(7)", "Caution(false)"]);
}

#[test]
fn what_comes_late_is_ignored() {
    let mut world = World::running(policy());
    world.exit(1);
    world.settle_until_waiting();
    world.start();
    for late in [
        Input::Exited { generation: 1 },
        Input::Lost { generation: 1, why: EndCause::BrokerLost },
        Input::Pulse { generation: 1, pulse: Pulse::Hung },
        Input::Drained { generation: 2 },
        Input::HandlesClosed,
        Input::Tick,
        Input::Start,
        Input::StartFailed { error: Arc::new(missing()), unreaped: None },
    ] {
        assert!(world.input(late.clone()).is_empty(), "{late:?}");
    }
}
