use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::load::Client;
use crate::workload::Workload;

/// No call waits longer, so that a server that hangs ends the run with a failure and not never.
pub const CALL_LIMIT: Duration = Duration::from_secs(10);

/// Where the load goes: a server on this machine, since a load generator pointed elsewhere is an attack.
pub fn loopback_address(url: &str) -> Result<SocketAddr> {
    let uri: Uri = url.parse().with_context(|| format!("{url} is not a URL"))?;
    ensure!(uri.scheme_str() == Some("http"), "{url} must begin with http://");
    let host = uri.host().with_context(|| format!("{url} names no host"))?;
    let host = if host == "localhost" { "127.0.0.1" } else { host.trim_matches(['[', ']']) };
    let Ok(ip) = host.parse::<std::net::IpAddr>() else { bail!("{url} must name a loopback address") };
    ensure!(ip.is_loopback(), "{url} must name a loopback address: load is sent to this machine only");
    Ok(SocketAddr::new(ip, uri.port_u16().unwrap_or(80)))
}

/// One kept-alive HTTP/1.1 connection, opened again when the server has closed it.
pub struct Connection {
    address: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    pub fn to(address: SocketAddr) -> Self {
        Self { address, sender: None }
    }

    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>> {
        let mut sender = match self.sender.take() {
            Some(sender) if !sender.is_closed() => sender,
            Some(_) | None => self.open().await?,
        };
        // The last answer's end reaches the connection's own task a moment after it reached us.
        sender.ready().await.context("the server closed the connection")?;
        let response = timeout(CALL_LIMIT, sender.send_request(request)).await;
        let response = response.context("no answer in time")?.context("the connection broke")?;
        self.sender = Some(sender);
        Ok(response)
    }

    async fn open(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.address).await;
        let stream = stream.with_context(|| format!("cannot connect to {}", self.address))?;
        stream.set_nodelay(true).context("cannot set TCP_NODELAY")?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.context("HTTP handshake")?;
        // A broken connection shows as an error of the request on it; nobody needs to hear of it twice.
        tokio::spawn(async move { connection.await.ok() });
        Ok(sender)
    }
}

/// A client of a load run: sends what its workload renders and checks the status of every answer.
pub struct HttpClient {
    connection: Connection,
    workload: Workload,
}

impl HttpClient {
    /// `clients` of them, all taking from the same workload.
    pub fn many(clients: usize, address: SocketAddr, workload: &Workload) -> Vec<HttpClient> {
        let one = |_| HttpClient { connection: Connection::to(address), workload: workload.clone() };
        (0..clients).map(one).collect()
    }
}

impl Client for HttpClient {
    async fn call(&mut self) -> Result<(), String> {
        let request = self.workload.next_request();
        let response = self.connection.send(request).await.map_err(|error| format!("{error:#}"))?;
        let status = response.status();
        if status == self.workload.expected() {
            // The body is taken off the connection and thrown away; only set-up reads what answers say.
            let mut body = response.into_body();
            while let Some(frame) = body.frame().await {
                frame.map_err(|error| format!("the answer broke off: {error}"))?;
            }
            return Ok(());
        }
        Err(describe(status, response).await)
    }
}

async fn describe(status: StatusCode, response: Response<Incoming>) -> String {
    let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let text: String = String::from_utf8_lossy(&body).chars().take(300).collect();
    format!("{status}: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_accepted() {
        for (url, expected) in [
            ("http://127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("http://127.9.9.9", Some("127.9.9.9:80")),
            ("http://localhost:99/", Some("127.0.0.1:99")),
            ("http://[::1]:8080", Some("[::1]:8080")),
            ("https://127.0.0.1:8080", None),
            ("http://10.0.0.1:8080", None),
            ("http://example.org", None),
            ("127.0.0.1:8080", None),
        ] {
            let accepted = loopback_address(url).ok().map(|address| address.to_string());
            assert_eq!(accepted.as_deref(), expected, "{url}");
        }
    }
}
