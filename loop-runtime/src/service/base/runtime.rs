//! The tokio runtime to which the connections to a peer belong.

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Sockets and timers are registered with the runtime in which they are made, and end with it. So whatever makes some on
/// behalf of a peer runs in one runtime, whichever thread calls.
#[derive(Debug)]
pub(crate) struct Runtime(Option<Handle>);

impl Runtime {
    /// The current runtime.
    pub(crate) fn current() -> Self {
        Self(Handle::try_current().ok())
    }

    /// Whether the caller is inside it.
    pub(crate) fn is_current(&self) -> bool {
        match (&self.0, Handle::try_current()) {
            (Some(ours), Ok(current)) => ours.id() == current.id(),
            _ => false,
        }
    }

    /// Runs `future` inside it, from anywhere; `None` if the runtime has ended. Dropping the returned future drops `future`.
    pub(crate) async fn run<F>(&self, future: F) -> Option<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        AbortOnDrop(self.0.as_ref()?.spawn(future)).await
    }
}

struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Future for AbortOnDrop<T> {
    type Output = Option<T>;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<T>> {
        std::pin::Pin::new(&mut self.0).poll(context).map(|joined| match joined {
            Ok(output) => Some(output),
            Err(why) => match why.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => None,
            },
        })
    }
}
