//! Two processes for a moment.

use super::world::World;
use super::{Action, EndCause, EventKind, Input, LaunchError, Ownership, RestartPolicy, State, missing, policy};
use crate::host::Exit;

/// One whose next process is being made ready.
fn preparing() -> World {
    let mut world = World::running(policy());
    let begun = world.input(Input::Upgrade);
    assert!(matches!(
        &begun[..],
        [
            Action::Tell(EventKind::Upgrading { generation: 1 }),
            Action::Tell(EventKind::Launching { attempt: 1 }),
            Action::LaunchBeside { generation: 2 },
        ]
    ));
    assert!(matches!(&world.start()[..], [Action::Prepare { generation: 2 }]));
    assert!(matches!(world.state(), Some(State::Running { generation: 1, .. })));
    world
}

fn is_aborted(told: &[EventKind]) -> bool {
    matches!(told, [.., EventKind::LaunchFailed { .. }, EventKind::UpgradeAborted { generation: 1, .. }])
}

#[test]
fn the_next_process_takes_over_in_one_step_and_the_old_one_ends_in_order() {
    let mut world = preparing();
    let committed = world.settle_one();
    assert!(
        matches!(
            &committed[..],
            [
                Action::Retire { generation: 1 },
                Action::Commit { generation: 2 },
                Action::State(State::Running { generation: 2, pid: 2 }),
                Action::Tell(EventKind::Started { generation: 2, .. }),
                Action::Tell(EventKind::Upgraded { from: 1, to: 2 }),
                Action::Upgraded(Ok(())),
                Action::Caution(false),
                Action::Drain { generation: 1 },
            ]
        ),
        "{committed:?}"
    );
    assert!(matches!(&world.settle_one()[..], [Action::ShutDown { generation: 1 }]));
    world.exits_with(Exit::new(Some(0), None));
    assert!(matches!(&world.exit(1)[..], [Action::End { generation: 1, .. }]));
    let told = world.settle_until_waiting();
    assert!(
        matches!(&told[..], [EventKind::Ended(ended)] if ended.cause == EndCause::Upgrade && ended.generation == 1)
    );
    assert!(matches!(world.state(), Some(State::Running { generation: 2, .. })));
}

#[test]
fn an_upgrade_that_fails_changes_nothing() {
    // It does not start.
    let mut world = World::running(policy());
    world.input(Input::Upgrade);
    world.fail(missing());
    assert!(world.upgrades[0].is_err());
    // Something cannot be made in it.
    let mut refused = preparing();
    refused.refuse();
    assert!(matches!(&refused.settle_one()[..], [Action::Retire { generation: 2 }, Action::Drain { generation: 2 }]));
    assert!(matches!(&refused.settle_one()[..], [Action::ShutDown { generation: 2 }]));
    refused.exit(2);
    assert!(is_aborted(&refused.settle_until_waiting()));
    // It dies.
    let mut died = preparing();
    assert!(matches!(&died.exit(2)[..], [Action::End { generation: 2, .. }]));
    died.answers.retain(|answer| !matches!(answer, Input::Prepared { .. }));
    assert!(is_aborted(&died.settle_until_waiting()));
    for world in [&mut world, &mut refused, &mut died] {
        assert_eq!(world.upgrades.len(), 1);
        assert!(matches!(world.state(), Some(State::Running { generation: 1, .. })));
        assert_eq!(world.alive(), [1]);
        assert!(matches!(world.input(Input::Upgrade).last(), Some(Action::LaunchBeside { generation: 2 })), "again");
    }
}

#[test]
fn a_death_of_the_old_process_gives_the_upgrade_up_and_is_a_crash() {
    let mut world = preparing();
    let dead = world.exit(1);
    assert!(dead.iter().any(|action| matches!(action, Action::Retire { generation: 2 })), "{dead:?}");
    world.settle();
    assert!(!world.is_launching(), "the other process is still there");
    assert!(matches!(world.state(), Some(State::Starting { attempt: 1 })));
    world.exit(2);
    let told = world.settle_until_waiting();
    assert!(
        matches!(
            &told[..],
            [EventKind::LaunchFailed { .. }, EventKind::UpgradeAborted { .. }, EventKind::Launching { attempt: 1 }]
        ),
        "{told:?}"
    );
    assert_eq!(world.upgrades.len(), 1);
}

#[test]
fn a_death_after_the_commit_is_an_ordinary_one_but_waits_for_the_old_process() {
    let mut world = preparing();
    world.settle_one();
    world.exit(2);
    while !world.answers.is_empty() {
        world.settle_one();
    }
    assert!(!world.is_launching(), "two at a time, not three");
    world.exit(1);
    let told = world.settle_until_waiting();
    assert!(matches!(&told[..], [EventKind::Ended(_), EventKind::Launching { attempt: 1 }]), "{told:?}");
}

#[test]
fn a_call_longer_than_the_drain_holds_the_old_process_up_no_longer() {
    let mut world = preparing();
    world.settle_one();
    assert_eq!(world.tick_until(|action| matches!(action, Action::ShutDown { .. })), policy().restart_drain_timeout);
    assert_eq!(world.tick_until(|action| matches!(action, Action::End { .. })), policy().shutdown_timeout);
}

#[test]
fn the_next_upgrade_waits_until_the_old_process_is_gone() {
    for dies in [false, true] {
        let mut world = preparing();
        world.settle_one();
        world.input(Input::Upgrade);
        if dies {
            let dead = world.exit(2);
            assert!(dead.iter().any(|action| matches!(action, Action::Upgraded(Err(_)))), "{dead:?}");
            continue;
        }
        world.settle_one();
        world.exit(1);
        let told = world.settle_until_waiting();
        assert!(matches!(
            &told[..],
            [EventKind::Ended(_), EventKind::Upgrading { generation: 2 }, EventKind::Launching { .. }]
        ));
        world.start();
        world.settle_one();
        assert_eq!((world.generation(), world.upgrades), (3, vec![Ok(()), Ok(())]));
    }
}

#[test]
fn closing_ends_both() {
    for commits in [false, true] {
        let mut world = preparing();
        if commits {
            world.settle_one();
        }
        world.input(Input::Close { by_call: true });
        world.come_to_rest();
        assert!(world.is_finished());
        assert_eq!(world.upgrades.len(), 1);
    }
    // While the next one starts.
    let mut world = World::running(policy());
    world.input(Input::Upgrade);
    let closing = world.input(Input::Close { by_call: true });
    assert!(matches!(&closing[0], Action::CallOff));
    while !world.answers.is_empty() || world.deadline().is_some() {
        if world.answers.is_empty() { drop(world.tick()) } else { drop(world.settle_one()) }
    }
    assert!(!world.is_finished());
    world.fail(LaunchError::called_off());
    assert!(world.is_finished());
}

#[test]
fn only_what_runs_and_is_ours_is_upgraded_and_once_at_a_time() {
    let refused = |world: &mut World| {
        let actions = world.input(Input::Upgrade);
        assert!(matches!(&actions[..], [Action::Upgraded(Err(_))]), "{actions:?}");
    };
    let mut world = World::new(policy(), Ownership::Attached);
    world.begin();
    refused(&mut world);
    world.start();
    refused(&mut world);
    refused(&mut preparing());
    let mut leaving = preparing();
    leaving.settle_one();
    assert!(leaving.input(Input::Upgrade).is_empty(), "it waits");
    refused(&mut leaving);
    let mut open = World::running(RestartPolicy { max_restarts: Some(0), ..policy() });
    open.exit(1);
    open.settle();
    refused(&mut open);
}
