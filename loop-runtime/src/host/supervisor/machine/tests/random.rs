//! Whatever comes, in whatever order. The world checks each step; here is what must hold of all of them.

use std::time::Duration;

use proptest::prelude::*;

use super::world::World;
use super::{EndCause, Input, LaunchError, Ownership, Pulse, RestartPolicy, State};

/// What may happen next, as far as it can at that moment.
#[derive(Clone, Debug)]
enum Happening {
    Answer(usize),
    Start,
    Fail { permanent: bool },
    Exit(usize),
    Lose(usize, EndCause),
    Hang,
    Retire,
    Upgrade,
    Refuse,
    Dispense(bool),
    Tick,
    Time(u64),
    Restart { replaced: bool },
    Reset,
    Close(bool),
    Making(Vec<u64>),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        20 => (0..4usize).prop_map(Happening::Answer),
        10 => Just(Happening::Start),
        4 => prop::bool::weighted(0.1).prop_map(|permanent| Happening::Fail { permanent }),
        5 => (0..2usize).prop_map(Happening::Exit),
        5 => (0..2usize, prop::sample::select(vec![EndCause::BrokerLost, EndCause::ConnectionLost, EndCause::ShutDown]))
            .prop_map(|(at, why)| Happening::Lose(at, why)),
        2 => Just(Happening::Hang),
        3 => Just(Happening::Upgrade),
        3 => Just(Happening::Retire),
        1 => Just(Happening::Refuse),
        1 => any::<bool>().prop_map(Happening::Dispense),
        15 => Just(Happening::Tick),
        5 => (0..100_000u64).prop_map(Happening::Time),
        2 => any::<bool>().prop_map(|replaced| Happening::Restart { replaced }),
        1 => Just(Happening::Reset),
        1 => prop::bool::weighted(0.5).prop_map(Happening::Close),
        2 => prop::collection::vec(0..3u64, 0..3).prop_map(Happening::Making),
    ]
}

fn policies() -> impl Strategy<Value = RestartPolicy> {
    (prop::option::of(0..6u32), prop::option::of(1..4u32), 0.0..=1.0).prop_map(|(budget, give_up_after, jitter)| {
        RestartPolicy { max_restarts: budget, give_up_after, jitter, ..RestartPolicy::default() }
    })
}

fn ownerships() -> impl Strategy<Value = Ownership> {
    prop_oneof![3 => Just(Ownership::Ours), 1 => Just(Ownership::Attached), 1 => Just(Ownership::AttachedForTest)]
}

fn happen(world: &mut World, happening: Happening) {
    let alive = world.alive();
    match happening {
        Happening::Answer(at) => {
            if let Some(answer) = world.answers.remove(at) {
                world.input(answer);
            }
        }
        Happening::Start if world.is_launching() => drop(world.start()),
        Happening::Fail { permanent } if world.is_launching() => {
            drop(world.fail(if permanent {
                LaunchError::Reattach { why: String::new() }
            } else {
                LaunchError::called_off()
            }));
        }
        Happening::Exit(at) => drop(alive.get(at).map(|generation| world.exit(*generation))),
        Happening::Lose(at, why) => drop(alive.get(at).map(|generation| world.lose(*generation, why))),
        Happening::Hang => drop(world.pulse(Pulse::Hung)),
        Happening::Upgrade => drop(world.input(Input::Upgrade)),
        Happening::Retire => drop(world.input(Input::Retired { generation: world.generation() })),
        Happening::Refuse => world.refuse(),
        Happening::Dispense(carries) => drop(world.input(Input::Dispensed { carries })),
        Happening::Tick if world.deadline().is_some() => drop(world.tick()),
        Happening::Time(millis) => world.pass(Duration::from_millis(millis)),
        Happening::Restart { replaced } => drop(world.input(Input::Restart { replaced })),
        Happening::Reset => drop(world.input(Input::Reset)),
        Happening::Close(by_call) => drop(world.input(Input::Close { by_call })),
        Happening::Making(making) => world.making(making),
        Happening::Start | Happening::Fail { .. } | Happening::Tick => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn everything_recovers_and_everything_ends(
        policy in policies(),
        ownership in ownerships(),
        happenings in prop::collection::vec(happening(), 0..120),
    ) {
        let mut world = World::new(policy, ownership);
        world.begin();
        for happening in happenings {
            if world.is_finished() {
                break;
            }
            happen(&mut world, happening);
        }
        world.come_to_rest();
        if world.is_finished() {
            return Ok(());
        }
        if let Some(State::GivenUp { .. }) = world.state() {
            world.input(Input::Reset);
            world.come_to_rest();
        }
        prop_assert!(matches!(world.state(), Some(State::Running { .. })), "{:?}", world.state());
        world.input(Input::Close { by_call: true });
        world.come_to_rest();
        prop_assert!(world.is_finished());
    }

    /// Whatever dies and fails, and when, launches stay within what the policy says.
    #[test]
    fn launches_stay_within_the_budget(
        deaths in prop::collection::vec((any::<bool>(), 0..20_000u64), 1..200),
    ) {
        let mut world = World::new(RestartPolicy::default(), Ownership::Ours);
        world.begin();
        world.start();
        let mut launches = Vec::new();
        for (fails, millis) in deaths {
            if world.is_launching() {
                launches.push(world.now);
                if fails {
                    world.fail(LaunchError::called_off());
                } else {
                    world.start();
                    world.pass(Duration::from_millis(millis));
                    world.exit(world.generation());
                }
            } else if !world.answers.is_empty() {
                world.settle_one();
            } else if world.deadline().is_some() {
                world.tick();
            } else {
                world.exit(world.generation());
            }
        }
        let window = Duration::from_secs(60);
        for (at, launch) in launches.iter().enumerate() {
            let within = launches[at..].iter().take_while(|later| **later - *launch < window).count();
            prop_assert!(within <= 8, "{within} launches in a minute");
        }
    }
}
