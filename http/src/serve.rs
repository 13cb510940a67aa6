//! The accept loop. axum's own has no deadline for a request's head, so a client that sends one byte a minute
//! would hold a connection, and a shutdown, for ever.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, FromRequestParts},
};
use http::request::Parts;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::Semaphore, time};
use tokio_util::sync::CancellationToken;

use crate::unread_body::{UnreadLimits, body_of};

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
    /// Of a body that a client goes on sending after it was answered, so many bytes are thrown away before the
    /// connection is closed on it.
    pub unread_bytes_max: u64,
    /// How long that may take.
    pub unread_deadline_ms: u64,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            header_deadline_ms: 30_000,
            connections_max: 10_000,
            drain_deadline_ms: 10_000,
            unread_bytes_max: 64 << 20,
            unread_deadline_ms: 5_000,
        }
    }
}

/// Cancelled when the service is told to stop. For answers that would go on for ever: they are to end then, and
/// not be waited for.
#[derive(Debug, Clone, Default)]
pub struct Stopping(pub CancellationToken);

/// A router that nobody serves is not told to stop either.
impl<S: Send + Sync> FromRequestParts<S> for Stopping {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
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
    let unread = UnreadLimits {
        bytes_max: limits.unread_bytes_max,
        deadline: Duration::from_millis(limits.unread_deadline_ms),
    };

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
        let stopping = Stopping(shutdown.clone());
        let service = tower::ServiceBuilder::new()
            .map_request(move |request: http::Request<hyper::body::Incoming>| {
                let (mut parts, incoming) = request.into_parts();
                parts.extensions.insert(ConnectInfo::<SocketAddr>(peer));
                parts.extensions.insert(stopping.clone());
                let body = body_of(&parts.headers, incoming, unread);
                http::Request::from_parts(parts, body)
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
    use axum::routing::{get, post};
    use http::StatusCode;
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

    const MIB: usize = 1 << 20;

    /// Refuses whatever is sent, without looking at it.
    async fn start_refusing(limits: ServeLimits) -> SocketAddr {
        let router =
            Router::new().route("/", post(|| async { (StatusCode::PAYLOAD_TOO_LARGE, "too large") }));
        start(router, limits).await.0
    }

    fn head(length: usize, more: &str) -> Vec<u8> {
        format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{more}\r\n").into_bytes()
    }

    #[tokio::test]
    async fn a_client_that_sends_all_before_it_reads_gets_its_refusal() {
        let address = start_refusing(ServeLimits::default()).await;
        let body = vec![b'x'; 20 * MIB];
        for _ in 0..50 {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(&head(body.len(), "connection: close\r\n")).await.unwrap();
            client.write_all(&body).await.unwrap();
            let answer = read_to_end(&mut client).await;
            assert!(answer.starts_with("HTTP/1.1 413 ") && answer.ends_with("too large"), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_connection_serves_on_after_a_body_that_nobody_read() {
        let address = start_refusing(ServeLimits::default()).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        for more in ["", "connection: close\r\n"] {
            client.write_all(&head(MIB, more)).await.unwrap();
            client.write_all(&vec![b'x'; MIB]).await.unwrap();
        }
        let answers = read_to_end(&mut client).await;
        assert_eq!(answers.matches("HTTP/1.1 413 ").count(), 2, "{answers}");
    }

    #[tokio::test]
    async fn a_client_that_sends_for_ever_is_cut_at_the_bound() {
        let bytes_max = MIB as u64;
        let address = start_refusing(ServeLimits { unread_bytes_max: bytes_max, ..Default::default() }).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(&head(1 << 40, "")).await.unwrap();
        let chunk = vec![b'x'; MIB];
        let mut sent = 0;
        while client.write_all(&chunk).await.is_ok() {
            sent += 1;
        }
        // The system's own buffers hold some more.
        assert!(sent < 64, "{sent} MiB were taken");
    }

    #[tokio::test]
    async fn a_client_that_stops_sending_is_cut_at_the_deadline() {
        let address = start_refusing(ServeLimits { unread_deadline_ms: 50, ..Default::default() }).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(&head(MIB, "")).await.unwrap();
        // This ends only because the server hangs up.
        assert!(read_to_end(&mut client).await.ends_with("too large"));
    }

    #[tokio::test]
    async fn a_client_that_waits_to_be_asked_is_not_asked_for_what_nobody_reads() {
        let address = start_refusing(ServeLimits::default()).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(&head(MIB, "expect: 100-continue\r\n")).await.unwrap();
        let answer = read_to_end(&mut client).await;
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.ends_with("too large"), "{answer}");
    }
}
