//! Tells a hung process from a busy one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::generation::Generation;
use super::supervisor::Pulse;
use crate::proto::grpc::health::v1::HealthCheckRequest;
use crate::proto::grpc::health::v1::health_check_response::ServingStatus;
use crate::proto::grpc::health::v1::health_client::HealthClient;
use crate::service::Session;
use crate::transport::Connection;

/// Silent ticks before the plugin is asked.
const QUIET: u32 = 2;
/// Silent ticks before it is suspect.
const SUSPECT: u32 = 3;
/// Silent ticks before it is hung.
const HUNG: u32 = 10;

/// Watches one generation.
pub(super) struct Watchdog {
    session: Arc<Session>,
    connection: Connection,
    tick: Duration,
}

impl Watchdog {
    pub(super) fn new(generation: &Generation, tick: Duration) -> Self {
        Self { session: generation.session.clone(), connection: generation.connection().clone(), tick }
    }

    /// Returns when the generation has given no sign of life for ten ticks, and has said so.
    ///
    /// Any answer, refusals included, is a sign of life; a log line is not. Ticks are counted, and ticks that the host
    /// itself slept through count once: it wakes with all timers due, and the plugin deserves its time.
    pub(super) async fn run(self, tell: impl Fn(Pulse)) {
        let family = self.session.family().clone();
        let mut ticks = interval_at(Instant::now() + self.tick, self.tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut signs, mut silent) = (family.signs_of_life(), 0);
        let mut check = None;
        let mut serving = true;
        loop {
            ticks.tick().await;
            let seen = family.signs_of_life();
            if seen != signs {
                if silent >= SUSPECT {
                    tell(Pulse::Recovered);
                }
                (signs, silent) = (seen, 0);
                continue;
            }
            silent += 1;
            if silent >= QUIET && check.as_ref().is_none_or(tokio::task::JoinHandle::is_finished) {
                if let Some(done) = check.take() {
                    // A check that panicked or was cancelled says nothing.
                    let now = matches!(done.await, Ok(true) | Err(_));
                    if serving && !now {
                        tell(Pulse::NotServing);
                    }
                    serving = now;
                }
                let (connection, family) = (self.connection.clone(), family.clone());
                let ended = self.session.ended().clone();
                check = Some(self.session.tasks().spawn(async move {
                    let asked = async {
                        let request = HealthCheckRequest { service: "plugin".to_owned() };
                        let answer = HealthClient::new(connection).check(request).await;
                        // A refusal is an answer; a connection that is gone is noticed elsewhere.
                        family.alive();
                        answer.map_or(true, |answer| answer.get_ref().status() == ServingStatus::Serving)
                    };
                    ended.run_until_cancelled(asked).await.unwrap_or(true)
                }));
            }
            if silent == SUSPECT {
                tell(Pulse::Suspect { silent });
            }
            if silent >= HUNG {
                return tell(Pulse::Hung);
            }
        }
    }
}
