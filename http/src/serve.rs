//! The accept loop. axum's own has no deadline for a request's head, so a client that sends one byte a minute
//! would hold a connection, and a shutdown, for ever.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::Semaphore, time};
use tokio_util::sync::CancellationToken;

/// The bounds of one listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServeLimits {
    /// How long a client may take for the head of a request, and how long a connection may be idle between two.
    pub header_deadline_ms: u64,
    /// Connections at once; further ones wait in the system's queue.
    pub connections_max: usize,
    /// How long requests in flight may take to finish after the service was told to stop.
    pub drain_deadline_ms: u64,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self { header_deadline_ms: 30_000, connections_max: 10_000, drain_deadline_ms: 10_000 }
    }
}

/// Serves until `shutdown` is cancelled, then lets requests in flight finish within the drain deadline.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServeLimits,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    // hyper-util's builder that tells HTTP/1 from HTTP/2 waits for a first byte without any deadline.
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_millis(limits.header_deadline_ms));
    let connections = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();

    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = async {
                // The cap comes before `accept`, so that what is over it is not taken and then dropped.
                let permit = connections.clone().acquire_owned().await.map_err(std::io::Error::other)?;
                listener.accept().await.map(|(stream, peer)| (stream, peer, permit))
            } => accepted,
        };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, most likely: it passes, and must not end the loop nor spin it.
                tracing::warn!(%error, "a connection could not be accepted");
                time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
        let service = tower::ServiceBuilder::new()
            .map_request(move |mut request: http::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
                request
            })
            .service(router.clone());
        let connection =
            graceful.watch(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                // A client that hangs up or is too slow is no event for the log of a quiet evening.
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }

    drop(listener);
    let drain = Duration::from_millis(limits.drain_deadline_ms);
    if time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            drain_deadline_ms = limits.drain_deadline_ms,
            "requests in flight were cut off at the end"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        sync::Notify,
    };

    async fn start(router: Router, limits: ServeLimits) -> (SocketAddr, CancellationToken, JoinHandle) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(serve(listener, router, limits, shutdown.clone()));
        (address, shutdown, task)
    }

    type JoinHandle = tokio::task::JoinHandle<std::io::Result<()>>;

    async fn read_to_end(stream: &mut TcpStream) -> String {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn a_head_that_does_not_come_is_not_waited_for() {
        let limits = ServeLimits { header_deadline_ms: 100, ..ServeLimits::default() };
        let (address, _, _) = start(Router::new().route("/", get(|| async { "hello" })), limits).await;
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow").await.unwrap();
        let mut silent = TcpStream::connect(address).await.unwrap();
        // Both reads end only because the server hangs up.
        assert!(!read_to_end(&mut half).await.contains("hello"));
        assert_eq!(read_to_end(&mut silent).await, "");
    }

    #[tokio::test]
    async fn a_request_in_flight_is_finished_before_the_end() {
        let (entered, released) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let handler = {
            let (entered, released) = (entered.clone(), released.clone());
            move || async move {
                entered.notify_one();
                released.notified().await;
                "finished"
            }
        };
        let router = Router::new().route("/", get(handler));
        let (address, shutdown, task) = start(router, ServeLimits::default()).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        entered.notified().await;
        shutdown.cancel();
        released.notify_one();
        assert!(read_to_end(&mut client).await.ends_with("finished"));
        task.await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_request_that_does_not_finish_is_cut_at_the_drain_deadline() {
        let entered = Arc::new(Notify::new());
        let handler = {
            let entered = entered.clone();
            move || async move {
                entered.notify_one();
                std::future::pending::<()>().await;
            }
        };
        let limits = ServeLimits { drain_deadline_ms: 50, ..ServeLimits::default() };
        let (address, shutdown, task) = start(Router::new().route("/", get(handler)), limits).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        entered.notified().await;
        shutdown.cancel();
        task.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_connection_over_the_cap_waits_for_its_turn() {
        let limits = ServeLimits { connections_max: 1, ..ServeLimits::default() };
        let (address, _, _) = start(Router::new().route("/", get(|| async { "hello" })), limits).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut byte = [0];
        first.read_exact(&mut byte).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        drop(first);
        assert!(read_to_end(&mut second).await.ends_with("hello"));
    }
}
