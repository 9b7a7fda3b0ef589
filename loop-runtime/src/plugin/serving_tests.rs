use std::time::Duration;

use tokio::io::{DuplexStream, duplex};
use tokio::time::{Instant, sleep};

use super::*;
use crate::broker::DIAL_TIMEOUT;
use crate::loop_service;
use crate::proto::grpc::health::v1::HealthCheckRequest;
use crate::proto::grpc::health::v1::health_client::HealthClient;
use crate::transport::{Connection, Security};

/// Does nothing.
#[loop_service(package = "idle")]
trait Idle {
    /// Nothing.
    async fn nothing(&self) -> Result<()>;
    /// Nothing, for ever.
    async fn sleep(&self) -> Result<()>;
}

struct Lazy;

impl Idle for Lazy {
    async fn nothing(&self) -> Result<()> {
        Ok(())
    }

    async fn sleep(&self) -> Result<()> {
        std::future::pending().await
    }
}

fn serving(stop: &Stop) -> Arc<Serving> {
    serving_with(stop, Limits::server())
}

fn serving_with(stop: &Stop, limits: Limits) -> Arc<Serving> {
    let options = ServingOptions {
        name: "idle".to_owned(),
        route: BrokerTransport::sockets("/nowhere"),
        security: Security::None,
        hosts: Hosts::One,
        limits,
        dial_timeout: DIAL_TIMEOUT,
        on_call: Vec::new(),
        stdio: Arc::new(Ring::default()),
        stop: stop.clone(),
    };
    let service: Arc<dyn Idle> = Arc::new(Lazy);
    Arc::new(Serving::new(&RootService::new(&service), options).unwrap())
}

fn connect(serving: &Serving) -> DuplexStream {
    let (here, there) = duplex(1 << 16);
    serving.connect(there);
    here
}

async fn call(io: DuplexStream) -> Connection {
    let (connection, driver) = Connection::open(io, &Limits::client()).await.unwrap();
    tokio::spawn(driver);
    HealthClient::new(connection.clone()).check(HealthCheckRequest { service: String::new() }).await.unwrap();
    connection
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn a_host_that_is_gone_for_ten_seconds_is_not_waited_for_any_longer() {
    let stop = Stop::in_process();
    let serving = serving(&stop);
    let watched = serving.clone();
    tokio::spawn(async move { watched.watch_absence().await });
    let asked = || stop.token().is_cancelled();

    sleep(HOUR).await;
    assert!(!asked(), "the first host may take its time");
    drop(connect(&serving));
    sleep(HOUR).await;
    assert!(!asked(), "a probe without a byte is no host");
    let first = call(connect(&serving)).await;
    sleep(HOUR).await;
    assert!(!asked(), "it is there");
    first.close();
    drop(first);
    sleep(ABSENCE - Duration::from_millis(1)).await;
    assert!(!asked());
    let again = connect(&serving);
    sleep(HOUR).await;
    assert!(!asked(), "it came back in time, and its silence is no absence");
    let gone = Instant::now();
    drop(again);
    assert_eq!(stop.requested().await, Reason::Abandoned);
    assert_eq!(gone.elapsed().as_secs(), ABSENCE.as_secs());
}

/// However few of the user's are taken at a time: what the host needs of a plugin is not among them.
#[tokio::test(start_paused = true)]
async fn calls_of_the_user_do_not_keep_the_runtimes_own_out() {
    for at_a_time in [0, 1] {
        let mut limits = Limits::server();
        limits.max_in_flight = at_a_time;
        let stop = Stop::in_process();
        let serving = serving_with(&stop, limits);
        let connection = tokio::time::timeout(HOUR, call(connect(&serving))).await.expect("an answer");
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let connection = connection.clone();
                tokio::spawn(
                    async move { connection.unary("/idle.Idle/Sleep", Default::default(), None, "".into()).await },
                )
            })
            .collect();
        for _ in 0..3 {
            sleep(HOUR).await;
            let request = HealthCheckRequest { service: "plugin".to_owned() };
            let mut client = HealthClient::new(connection.clone());
            tokio::time::timeout(HOUR, client.check(request)).await.expect("an answer").unwrap();
        }
        assert!(calls.iter().all(|call| !call.is_finished()));
    }
}

/// A plugin that ends says so, so that its host takes it for neither dead nor hung.
#[tokio::test(start_paused = true)]
async fn the_end_is_told_to_the_host_before_the_connection_goes() {
    let stop = Stop::in_process();
    let serving = serving(&stop);
    let connection = call(connect(&serving)).await;
    let busy = tokio::spawn({
        let connection = connection.clone();
        async move { connection.unary("/idle.Idle/Sleep", Default::default(), None, "".into()).await }
    });
    // What is sent later comes later.
    tokio::task::yield_now().await;
    HealthClient::new(connection.clone()).check(HealthCheckRequest { service: String::new() }).await.unwrap();
    tokio::time::timeout(HOUR, async {
        let serving = Arc::into_inner(serving).expect("nobody else holds it");
        let retired = connection.retired().clone();
        let told = tokio::spawn(async move {
            retired.cancelled().await;
            Instant::now()
        });
        serving.wind_down(async {}).await;
        assert!(told.await.unwrap() + GRACE / 2 < Instant::now(), "told at once, not at the end");
        connection.ended().cancelled().await;
        busy.await.unwrap().unwrap_err();
    })
    .await
    .expect("an end");
}
