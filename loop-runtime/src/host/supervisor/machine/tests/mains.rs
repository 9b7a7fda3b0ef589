//! The plugin retires its main connection, and lives on or does not.

use super::world::World;
use super::{Action, EndCause, EventKind, Input, State, policy};
use crate::host::Exit;

/// One whose main connection was retired and replaced; `carries` is what was asked for.
fn moved(carries: Option<bool>) -> World {
    let mut world = World::running(policy());
    if let Some(carries) = carries {
        world.input(Input::Dispensed { carries });
    }
    assert!(matches!(&world.input(Input::Retired { generation: 1 })[..], [Action::Redial { generation: 1 }]));
    assert!(world.input(Input::Retired { generation: 1 }).is_empty(), "once");
    assert!(matches!(&world.settle_one()[..], [Action::Move { generation: 1 }]));
    world
}

#[test]
fn calls_move_to_another_connection_as_often_as_need_be() {
    let mut world = moved(None);
    for _ in 0..3 {
        assert!(matches!(&world.input(Input::Retired { generation: 1 })[..], [Action::Redial { generation: 1 }]));
        assert!(matches!(&world.settle_one()[..], [Action::Move { generation: 1 }]));
    }
    assert!(matches!(world.state(), Some(State::Running { generation: 1, .. })));
    assert!(world.input(Input::Redialled { generation: 1 }).is_empty(), "nobody asked");
    // The connection of the moment is what it cannot do without.
    assert!(matches!(world.lose(1, EndCause::ConnectionLost).last(), Some(Action::Cut { .. })));
}

#[test]
fn without_announcements_it_serves_on_if_no_service_needs_them() {
    let mut world = moved(Some(false));
    assert!(matches!(
        &world.lose(1, EndCause::BrokerLost)[..],
        [Action::Tell(EventKind::BrokerLost { generation: 1 })]
    ));
    assert!(world.input(Input::Dispensed { carries: false }).is_empty());
    let replaced = world.input(Input::Dispensed { carries: true });
    assert!(matches!(replaced.last(), Some(Action::Drain { generation: 1 })), "{replaced:?}");
}

#[test]
fn without_announcements_it_is_replaced_in_order_if_services_may_need_them() {
    for carries in [None, Some(true)] {
        let mut world = moved(carries);
        assert!(matches!(world.lose(1, EndCause::BrokerLost).last(), Some(Action::Drain { generation: 1 })));
        assert!(matches!(&world.settle_one()[..], [Action::ShutDown { generation: 1 }]));
        world.exits_with(Exit::new(Some(0), None));
        world.exit(1);
        let reaped = world.settle_one();
        let says_so =
            |action: &Action| matches!(action, Action::Discard { ended, .. } if ended.cause == EndCause::BrokerLost);
        assert!(reaped.iter().any(says_so), "it exited because it was asked to: {reaped:?}");
    }
}

#[test]
fn what_takes_no_connections_any_more_answers_and_shuts_down() {
    let mut world = World::running(policy());
    world.input(Input::Retired { generation: 1 });
    world.refuse();
    let leaving = world.settle_one();
    assert!(matches!(leaving.last(), Some(Action::Drain { generation: 1 })), "{leaving:?}");
    assert!(matches!(&world.settle_one()[..], [Action::LetGo { generation: 1 }]), "a server in Go waits for that");
    assert_eq!(world.tick_until(|action| matches!(action, Action::End { .. })), policy().shutdown_timeout);

    // One of ours ends the streams itself, and its calls have ended by then.
    let mut world = World::running(policy());
    world.input(Input::Retired { generation: 1 });
    world.refuse();
    world.settle_one();
    assert!(world.lose(1, EndCause::ShutDown).is_empty());
    world.exits_with(Exit::new(Some(0), None));
    assert!(matches!(&world.exit(1)[..], [Action::End { .. }]));
    world.answers.clear();
    let reaped = world.input(Input::Reaped {
        generation: 1,
        remains: super::super::Remains { exit: Some(Exit::new(Some(0), None)), ..Default::default() },
    });
    assert!(matches!(&reaped[..], [Action::Discard { ended, .. }] if ended.cause == EndCause::ShutDown), "{reaped:?}");
}

#[test]
fn what_dies_while_it_is_dialled_has_died() {
    let mut world = World::running(policy());
    world.input(Input::Retired { generation: 1 });
    assert!(matches!(world.exit(1).last(), Some(Action::End { generation: 1, .. })));
    assert!(world.settle_one().is_empty(), "the connection came too late");
}
