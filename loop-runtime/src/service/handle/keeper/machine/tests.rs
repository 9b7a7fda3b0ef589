use super::*;

const RULES: Rules = Rules {
    owned: true,
    once: false,
    lazy: false,
    retry: Duration::from_millis(100),
    retry_max: Duration::from_secs(5),
    steady: Duration::from_secs(10),
    seed: 1,
};

/// A live handle that has answered calls, under the parent's object 1.
const LIVE: View = View {
    closed: false,
    adopted: false,
    link: LinkState::Usable,
    answered: true,
    age: Duration::ZERO,
    session_over: false,
    session_ended: false,
    object_lives: true,
    made_under: 1,
    parent: Some(1),
    quarantined: false,
    resets: 0,
};

/// Only its connection has ended.
const LOST: View = View { link: LinkState::Ended, ..LIVE };

/// The plugin has ended.
const ENDED: View =
    View { link: LinkState::Ended, session_over: true, session_ended: true, object_lives: false, parent: None, ..LIVE };

const OVER: Over = Over { parent: 2, session: 2, usable: true };

const WAIT: Step = Step::Wait { until: None, wish: false };

struct Keeper {
    machine: Machine,
    now: Instant,
    effects: Vec<Effect>,
}

impl Keeper {
    fn new(rules: Rules) -> Self {
        Self { machine: Machine::new(rules, 0), now: Instant::now(), effects: Vec::new() }
    }

    fn next(&mut self, view: View) -> Step {
        self.machine.next(&view, self.now, &mut self.effects)
    }

    fn ran(&mut self, ran: Ran) {
        self.machine.ran(ran, OVER, self.now, &mut self.effects);
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// When it resumes, if it waits for nothing but the time.
    fn waits_until(&mut self, view: View) -> Instant {
        match self.next(view) {
            Step::Wait { until: Some(until), wish: false } => until,
            step => panic!("{step:?}"),
        }
    }
}

#[test]
fn a_lost_connection_is_dialled_again_and_a_lost_object_made_again() {
    let mut keeper = Keeper::new(RULES);
    assert_eq!(keeper.next(LIVE), WAIT);
    assert_eq!(keeper.next(LOST), Step::Dial);
    assert_eq!(keeper.effects(), [Effect::Unusable, Effect::Lost]);
    keeper.machine.dialled(true, &mut keeper.effects);
    assert_eq!(keeper.effects(), [Effect::Live { run: 0, redialled: true, tell: true }]);

    assert_eq!(keeper.next(LOST), Step::Dial);
    keeper.machine.dialled(false, &mut keeper.effects);
    assert_eq!(keeper.next(LOST), Step::Settle);
    keeper.machine.settled();
    assert_eq!(keeper.next(LOST), Step::Displace);
    keeper.machine.displaced(&mut keeper.effects);
    assert_eq!(keeper.next(LOST), Step::Run);
    keeper.effects();
    keeper.ran(Ran::Made);
    assert_eq!(keeper.effects(), [Effect::Live { run: 1, redialled: false, tell: true }]);
    assert_eq!(keeper.next(LIVE), WAIT);
}

#[test]
fn after_the_end_of_the_plugin_it_waits_for_the_parent() {
    let mut keeper = Keeper::new(RULES);
    assert_eq!(keeper.next(ENDED), Step::Wait { until: None, wish: true });
    assert_eq!(keeper.next(View { parent: Some(2), ..ENDED }), Step::Run);
    keeper.effects();
    // The next generation ended while the recipe ran.
    let over = Over { usable: false, session: 7, ..OVER };
    keeper.machine.ran(Ran::MayHaveRun, over, keeper.now, &mut keeper.effects);
    assert_eq!(keeper.effects(), [Effect::CutOff { session: 7 }, Effect::Vacant]);
    assert_eq!(keeper.next(View { parent: Some(3), ..ENDED }), Step::Run, "not counted");
}

#[test]
fn a_refusal_backs_off_and_a_permanent_one_is_asked_once_under_each_parent() {
    let mut keeper = Keeper::new(RULES);
    let made_anew = View { parent: Some(2), ..ENDED };
    assert_eq!(keeper.next(made_anew), Step::Run);
    let mut last = Duration::ZERO;
    for in_a_row in 1..=10 {
        keeper.effects();
        keeper.ran(Ran::Refused { permanent: false });
        let Some(Effect::Failed(failed)) = keeper.effects().pop() else { panic!("not told") };
        assert_eq!((failed.in_a_row, failed.permanent, failed.parent), (in_a_row, false, 2));
        let wait = keeper.waits_until(made_anew) - keeper.now;
        assert!(wait >= last / 2 && wait <= RULES.retry_max, "{wait:?} after {last:?}");
        last = wait;
        keeper.now += wait;
        assert_eq!(keeper.next(made_anew), Step::Run);
    }
    keeper.ran(Ran::Refused { permanent: true });
    keeper.now += Duration::from_secs(3600);
    assert_eq!(keeper.next(made_anew), WAIT);
    assert_eq!(keeper.next(View { parent: Some(3), ..ENDED }), Step::Run, "a new program may differ");
    assert_eq!(keeper.next(View { resets: 1, ..made_anew }), Step::Run);
}

#[test]
fn a_reset_forgets_a_refusal_and_tells_waiters() {
    let mut keeper = Keeper::new(RULES);
    let made_anew = View { parent: Some(2), ..ENDED };
    keeper.next(made_anew);
    keeper.ran(Ran::Refused { permanent: true });
    keeper.effects();
    assert_eq!(keeper.next(View { resets: 1, ..made_anew }), Step::Run);
    assert_eq!(keeper.effects(), [Effect::Vacant]);
    keeper.ran(Ran::Refused { permanent: true });
    assert_eq!(keeper.next(View { resets: 1, ..made_anew }), WAIT, "each counts once");
}

/// A socket that accepts and drops would be dialled thousands of times a second.
#[test]
fn a_link_that_ends_unanswered_is_a_failure_from_the_second_in_a_row_on() {
    let unanswered = View { answered: false, ..LOST };
    let mut keeper = Keeper::new(RULES);
    let mut dials = 0;
    let end = keeper.now + Duration::from_secs(3);
    while keeper.now < end {
        match keeper.next(unanswered) {
            Step::Dial => {
                dials += 1;
                keeper.machine.dialled(true, &mut keeper.effects);
            }
            Step::Wait { until: Some(until), .. } => keeper.now = until,
            step => panic!("{step:?}"),
        }
    }
    assert!((4..=8).contains(&dials), "{dials}");
    // An answer clears it, and so does a link that lived long enough.
    for steady in [LOST, View { age: RULES.steady, ..unanswered }] {
        let mut keeper = Keeper::new(RULES);
        for _ in 0..3 {
            assert_eq!(keeper.next(unanswered), Step::Dial);
            keeper.machine.dialled(true, &mut keeper.effects);
            assert_eq!(keeper.next(steady), Step::Dial);
            keeper.machine.dialled(true, &mut keeper.effects);
        }
    }
}

#[test]
fn a_retired_link_is_replaced_and_not_lost() {
    let mut keeper = Keeper::new(RULES);
    let retired = View { link: LinkState::Retired, answered: false, ..LIVE };
    assert_eq!(keeper.next(retired), Step::Dial);
    assert_eq!(keeper.effects(), [Effect::Unusable]);
    keeper.machine.dialled(true, &mut keeper.effects);
    assert_eq!(keeper.effects(), [Effect::Live { run: 0, redialled: true, tell: false }]);
    for _ in 0..3 {
        assert_eq!(keeper.next(retired), Step::Dial, "nobody failed");
        keeper.machine.dialled(true, &mut keeper.effects);
    }
    // Its server takes no new connections either: then the object is lost after all.
    keeper.effects();
    keeper.next(retired);
    keeper.machine.dialled(false, &mut keeper.effects);
    keeper.next(retired);
    keeper.machine.settled();
    assert_eq!(keeper.next(retired), Step::Displace);
    keeper.machine.displaced(&mut keeper.effects);
    assert_eq!(keeper.effects(), [Effect::Unusable, Effect::Lost]);
}

#[test]
fn a_prepared_link_is_adopted_and_what_was_not_prepared_is_left_and_made_again() {
    let retired = View { link: LinkState::Retired, session_over: true, parent: None, ..LIVE };
    let mut keeper = Keeper::new(RULES);
    assert_eq!(keeper.next(retired), Step::Wait { until: None, wish: true });
    assert_eq!(keeper.next(View { adopted: true, ..retired }), Step::Adopt);
    keeper.machine.adopts(&mut keeper.effects);
    keeper.machine.adopted(&mut keeper.effects);
    let live = Effect::Live { run: 1, redialled: false, tell: true };
    assert_eq!(keeper.effects(), [Effect::Unusable, Effect::Lost, live], "another object");
    assert_eq!(keeper.next(View { made_under: 2, ..LIVE }), WAIT);

    let mut keeper = Keeper::new(RULES);
    let under_the_next = View { parent: Some(2), ..retired };
    assert_eq!(keeper.next(under_the_next), Step::Leave);
    keeper.machine.displaced(&mut keeper.effects);
    assert_eq!(keeper.next(under_the_next), Step::Run);
}

#[test]
fn what_is_made_once_is_dialled_again_and_never_made_again() {
    let once = Rules { once: true, ..RULES };
    let mut keeper = Keeper::new(once);
    assert_eq!(keeper.next(LOST), Step::Dial);
    keeper.machine.dialled(true, &mut keeper.effects);
    assert_eq!(keeper.next(ENDED), WAIT);
    assert_eq!(keeper.effects().last(), Some(&Effect::Gone));
    assert_eq!(keeper.next(View { parent: Some(2), resets: 7, ..ENDED }), WAIT);
    assert_eq!(keeper.effects(), [], "told once");

    let mut keeper = Keeper::new(once);
    keeper.next(LOST);
    keeper.machine.dialled(false, &mut keeper.effects);
    keeper.machine.settled();
    assert_eq!(keeper.next(LOST), Step::Displace, "what was lent to it is taken back");
    keeper.effects();
    keeper.machine.displaced(&mut keeper.effects);
    assert_eq!(keeper.effects(), [Effect::Gone]);
    assert_eq!(keeper.next(LOST), WAIT);
}

#[test]
fn what_was_lent_can_be_dialled_and_ends_with_its_session() {
    let lent = Rules { owned: false, ..RULES };
    let view = View { made_under: 0, parent: None, ..LOST };
    for (over, step) in [(view, Step::Dial), (View { session_ended: true, ..view }, WAIT)] {
        let mut keeper = Keeper::new(lent);
        assert_eq!(keeper.next(over), step);
    }
    let mut keeper = Keeper::new(lent);
    keeper.next(view);
    assert_eq!(keeper.effects(), [Effect::Unusable, Effect::Lost]);
    keeper.machine.dialled(false, &mut keeper.effects);
    assert_eq!(keeper.next(view), WAIT);
    assert_eq!(keeper.effects(), [Effect::Gone]);
    assert_eq!(keeper.next(View { closed: true, ..view }), Step::Release);
}

#[test]
fn a_lazy_handle_is_made_again_when_somebody_asks() {
    let mut keeper = Keeper::new(Rules { lazy: true, ..RULES });
    let made_anew = View { parent: Some(2), ..ENDED };
    assert_eq!(keeper.next(made_anew), WAIT);
    keeper.machine.wish();
    assert_eq!(keeper.next(made_anew), Step::Run);
    keeper.ran(Ran::Refused { permanent: false });
    assert_eq!(keeper.next(made_anew), WAIT, "who had asked was told");
    keeper.machine.wish();
    assert!(matches!(keeper.next(made_anew), Step::Wait { until: Some(_), .. }));
}

#[test]
fn a_quarantined_handle_whose_object_lives_is_dialled_again() {
    let quarantined = View { quarantined: true, ..LOST };
    let mut keeper = Keeper::new(RULES);
    assert_eq!(keeper.next(quarantined), Step::Dial);
    assert_eq!(keeper.effects(), [Effect::Unusable, Effect::Lost]);
    let mut keeper = Keeper::new(RULES);
    assert_eq!(keeper.next(View { object_lives: false, ..quarantined }), WAIT, "that needs a run");
}

#[test]
fn a_quarantined_handle_is_told_once_and_waits_for_a_reset() {
    let mut keeper = Keeper::new(RULES);
    let quarantined = View { parent: Some(2), quarantined: true, ..ENDED };
    assert_eq!(keeper.next(quarantined), WAIT);
    assert!(matches!(
        keeper.effects()[..],
        [_, Effect::Lost, Effect::Failed(Failure { why: FailureKind::Quarantined, .. })]
    ));
    assert_eq!(keeper.next(quarantined), WAIT);
    assert_eq!(keeper.effects(), []);
    assert_eq!(keeper.next(View { quarantined: false, resets: 1, ..quarantined }), Step::Run);
}

#[test]
fn a_closed_handle_is_released_whatever_else_is_true() {
    for view in [LIVE, LOST, ENDED, View { adopted: true, quarantined: true, ..LOST }] {
        assert_eq!(Keeper::new(RULES).next(View { closed: true, ..view }), Step::Release);
    }
    let mut keeper = Keeper::new(RULES);
    keeper.next(ENDED);
    keeper.effects();
    keeper.ran(Ran::TooLate);
    assert_eq!(keeper.effects(), [Effect::Vacant], "closed while it ran");
}

#[test]
fn calls_that_ended_nobody_knows_how_are_counted_for_each_session() {
    let mut keeper = Keeper::new(RULES);
    let mut counts = Vec::new();
    for session in [2, 2, 3] {
        keeper.effects();
        keeper.machine.ran(Ran::MayHaveRun, Over { session, ..OVER }, keeper.now, &mut keeper.effects);
        counts.extend(keeper.effects().iter().filter_map(|effect| match effect {
            Effect::DuplicatePossible { session, count } => Some((*session, *count)),
            _ => None,
        }));
    }
    assert_eq!(counts, [(2, 1), (2, 2), (3, 1)]);
}

#[test]
fn a_call_that_was_cut_off_counts_once_its_session_is_seen_to_go_on() {
    let cut_off = Over { usable: false, session: 2, ..OVER };
    for (session, duplicates) in [(2, 1), (3, 0)] {
        let mut keeper = Keeper::new(RULES);
        keeper.machine.ran(Ran::MayHaveRun, cut_off, keeper.now, &mut keeper.effects);
        keeper.machine.ran(Ran::NotBegun, Over { session, ..OVER }, keeper.now, &mut keeper.effects);
        assert_eq!(keeper.effects(), [Effect::CutOff { session: 2 }, Effect::Vacant], "it may be about to end");
        keeper.machine.ran(Ran::Made, Over { session, ..OVER }, keeper.now, &mut keeper.effects);
        let told = keeper.effects();
        let told = told.iter().filter(|effect| **effect == Effect::DuplicatePossible { session: 2, count: 1 });
        assert_eq!(told.count(), duplicates);
    }
}

#[test]
fn what_does_not_come_back_is_not_brought_back_by_a_reset() {
    let mut keeper = Keeper::new(Rules { once: true, ..RULES });
    keeper.ran(Ran::Refused { permanent: false });
    assert_eq!(keeper.next(ENDED), WAIT);
    assert_eq!(keeper.effects().last(), Some(&Effect::Gone));
    assert_eq!(keeper.next(View { resets: 1, ..ENDED }), WAIT);
    assert_eq!(keeper.effects(), [], "callers are told at once as before");
}
