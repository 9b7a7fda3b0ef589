//! What a launch needs of its runtime.

use std::time::{Duration, Instant};

use super::LaunchError;

/// Longer than one step of any clock.
const STEP: Duration = Duration::from_micros(2);

/// Looks for a runtime whose timers follow real time.
///
/// With the clock paused, tokio advances it to the next timer as soon as no task can run, and waiting for a process is
/// just that: every timeout of that wait passes within a millisecond. A launch could be made to wait in real time, but
/// not all that follows, the health checks first of all; so it is refused.
pub(super) fn check() -> Result<(), LaunchError> {
    tokio::runtime::Handle::try_current().map_err(|_| LaunchError::NoRuntime)?;
    let (real, timers) = (Instant::now(), tokio::time::Instant::now());
    while real.elapsed() < STEP {
        std::hint::spin_loop();
    }
    if timers.elapsed().is_zero() { Err(LaunchError::ClockPaused) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::Handshake;
    use crate::host::{Command, Host, Reattach, Supervisor};

    const HANDSHAKE: Handshake = Handshake::new("TEST_COOKIE", "crumbs").version(1);

    fn at_once<T>(future: impl Future<Output = Result<T, LaunchError>>) -> LaunchError {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(error)) => error,
            Poll::Ready(Ok(_)) => panic!("it was launched"),
            Poll::Pending => panic!("it waits"),
        }
    }

    fn both() -> [LaunchError; 2] {
        let host = Host::new(HANDSHAKE);
        let plugin = Reattach::at(&crate::transport::Address::Unix("/no/such/socket".into()), 1);
        [at_once::<Supervisor>(host.launch(Command::new("/bin/true"))), at_once::<Supervisor>(host.reattach(plugin))]
    }

    #[test]
    fn without_a_runtime_it_is_an_error_and_no_panic() {
        for error in both() {
            assert!(matches!(error, LaunchError::NoRuntime) && error.is_permanent(), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_is_told_and_one_that_runs_will_do() {
        for error in both() {
            assert!(matches!(error, LaunchError::ClockPaused) && error.is_permanent(), "{error}");
        }
        tokio::time::resume();
        assert!(check().is_ok());
    }

    #[tokio::test]
    async fn a_runtime_will_do() {
        assert!(check().is_ok());
    }
}
