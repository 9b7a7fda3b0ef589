//! Ends in order: by the plugin itself, by a restart, for another program.

use std::time::Duration;

use super::super::settled;
use super::world::World;
use super::{Action, EndCause, EventKind, Input, LaunchError, RestartPolicy, Root, State, missing, policy, world};
use crate::host::Exit;

#[test]
fn what_shuts_down_by_itself_has_its_time() {
    for exits in [true, false] {
        let mut world = World::running(policy());
        let leaving = world.lose(1, EndCause::ShutDown);
        assert!(matches!(leaving.last(), Some(Action::Retire { generation: 1 })), "{leaving:?}");
        assert!(world.lose(1, EndCause::ConnectionLost).is_empty(), "that belongs to it");
        assert!(world.tick().is_empty());
        if exits {
            world.exits_with(Exit::new(Some(0), None));
            assert!(matches!(&world.exit(1)[..], [Action::End { .. }]));
        } else {
            let left = policy().shutdown_timeout - Duration::from_millis(200);
            assert_eq!(world.tick_until(|action| matches!(action, Action::End { .. })), left);
            world.exits_with(Exit::new(None, Some(libc::SIGKILL)));
        }
        let why = if exits { EndCause::ShutDown } else { EndCause::ConnectionLost };
        let reaped = world.settle_one();
        assert!(matches!(&reaped[..], [Action::Discard { ended, .. }] if ended.cause == why), "{reaped:?}");
        let told = world.settle_until_waiting();
        assert!(
            matches!(&told[..], [.., EventKind::Backoff { in_a_row: 1, .. }, EventKind::Launching { .. }]),
            "it counts"
        );
    }
}

#[test]
fn how_a_process_exited_says_more_than_what_was_noticed_first() {
    let (zero, three) = (Some(Exit::new(Some(0), None)), Some(Exit::new(Some(3), None)));
    let by = |signal| Some(Exit::new(None, Some(signal)));
    for (noticed, exit, why) in [
        (EndCause::Exited, zero, EndCause::ShutDown),
        (EndCause::Exited, three, EndCause::Exited),
        (EndCause::Exited, by(libc::SIGTERM), EndCause::ShutDown),
        (EndCause::Exited, by(libc::SIGKILL), EndCause::Exited),
        (EndCause::Exited, Some(Exit::new(None, None)), EndCause::Exited),
        (EndCause::BrokerLost, zero, EndCause::ShutDown),
        (EndCause::ConnectionLost, by(libc::SIGABRT), EndCause::Exited),
        (EndCause::ConnectionLost, by(libc::SIGKILL), EndCause::ConnectionLost),
        (EndCause::ConnectionLost, None, EndCause::ConnectionLost),
        (EndCause::ShutDown, three, EndCause::Exited),
        (EndCause::ShutDown, by(libc::SIGKILL), EndCause::ConnectionLost),
        (EndCause::ShutDown, None, EndCause::ConnectionLost),
        (EndCause::Hung, zero, EndCause::Hung),
        (EndCause::Restart, zero, EndCause::Restart),
        (EndCause::Closed, by(libc::SIGTERM), EndCause::Closed),
    ] {
        assert_eq!(settled(noticed, exit), why, "{noticed:?} {exit:?}");
    }
}

#[test]
fn a_restart_lets_calls_end_then_asks_then_launches_at_once() {
    let mut world = World::running(policy());
    let draining = world.input(Input::Restart { replaced: false });
    assert!(matches!(
        &draining[..],
        [
            Action::Uninstall,
            Action::Root(Root::Making),
            Action::State(State::Stopping { generation: 1 }),
            Action::Retire { generation: 1 },
            Action::Drain { generation: 1 },
        ]
    ));
    assert!(matches!(&world.settle_one()[..], [Action::ShutDown { generation: 1 }]));
    assert!(world.lose(1, EndCause::ShutDown).is_empty(), "as asked");
    assert!(matches!(&world.exit(1)[..], [Action::End { .. }]));
    let told = world.settle_until_waiting();
    assert!(
        matches!(&told[..], [EventKind::Ended(ended), EventKind::Launching { attempt: 1 }]
            if ended.cause == EndCause::Restart && ended.in_a_row == 0),
        "{told:?}"
    );
}

#[test]
fn calls_under_way_hold_a_restart_up_for_the_drain_time_only() {
    let mut world = World::running(policy());
    world.input(Input::Restart { replaced: false });
    assert_eq!(world.tick_until(|action| matches!(action, Action::ShutDown { .. })), policy().restart_drain_timeout);
    assert_eq!(world.tick_until(|action| matches!(action, Action::End { .. })), policy().shutdown_timeout);

    let mut world = World::running(policy());
    world.input(Input::Restart { replaced: false });
    world.input(Input::Close { by_call: true });
    assert_eq!(world.tick_until(|action| matches!(action, Action::ShutDown { .. })), policy().timeouts.drain_timeout);
}

#[test]
fn what_crashes_while_it_is_drained_has_crashed() {
    let mut world = World::running(policy());
    world.input(Input::Restart { replaced: false });
    world.exits_with(Exit::new(None, Some(libc::SIGABRT)));
    world.exit(1);
    let reaped = world.input(world.answers[1].clone());
    assert!(
        matches!(&reaped[..], [Action::Discard { ended, .. }] if ended.cause == EndCause::Exited && ended.in_a_row == 1)
    );
}

#[test]
fn another_program_is_launched_whatever_the_last_one_did() {
    let replace = || Input::Restart { replaced: true };
    let breaker = RestartPolicy { max_restarts: Some(0), ..policy() };
    // While the breaker is open.
    let mut world = World::running(breaker.clone());
    world.exit(1);
    world.settle();
    assert!(matches!(world.input(replace()).last(), Some(Action::Launch { generation: 2 })));
    // While the old one is launched: it is replaced when it is up, or not counted when it fails.
    assert!(world.input(replace()).is_empty());
    let failed = world.fail(missing());
    assert!(matches!(failed.last(), Some(Action::Launch { generation: 2 })), "{failed:?}");
    world.input(replace());
    let started = world.start();
    assert!(matches!(started.last(), Some(Action::Drain { generation: 2 })), "{started:?}");
    // While the old one ends.
    let mut world = World::running(breaker);
    world.exit(1);
    world.input(replace());
    assert!(matches!(world.settle().last(), Some(Action::Launch { generation: 2 })));
    // Without another program there is nothing to be replaced.
    assert!(world.input(Input::Restart { replaced: false }).is_empty());
}

#[test]
fn after_a_success_a_program_that_is_missing_is_being_replaced() {
    for error in [
        missing(),
        LaunchError::NotExecutable { program: "plugin".into() },
        LaunchError::WrongFormat { program: "plugin".into() },
    ] {
        let mut world = World::running(policy());
        world.exit(1);
        world.settle();
        let failed = world.fail(error);
        assert!(matches!(&failed[0], Action::Tell(EventKind::LaunchFailed { permanent: false, .. })), "{failed:?}");
        assert!(matches!(world.state(), Some(State::Backoff { .. })));
        world.run_again();
    }
    let mut world = world();
    world.begin();
    let failed = world.fail(missing());
    assert!(
        matches!(&failed[0], Action::Tell(EventKind::LaunchFailed { permanent: true, .. })),
        "the first time it is told"
    );
}
