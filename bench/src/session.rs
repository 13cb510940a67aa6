//! The set-up's side of the API: whole JSON answers, one at a time. Load runs use `http_client` alone.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use crate::http_client::Connection;

const BUSY_RETRIES: u32 = 150;
const BUSY_PAUSE: Duration = Duration::from_millis(200);

pub struct Api {
    connection: Connection,
    authorization: Option<HeaderValue>,
}

impl Api {
    pub fn new(address: SocketAddr, authorization: Option<HeaderValue>) -> Self {
        Self { connection: Connection::to(address), authorization }
    }

    pub async fn get(&mut self, path: &str) -> Result<Value> {
        let answer = self.call(Method::GET, path, String::new()).await?;
        serde_json::from_slice(&answer).with_context(|| format!("GET {path} did not answer JSON"))
    }

    /// How long an answer is, for a bare handler that has to send as much.
    pub async fn body_bytes(&mut self, path: &str) -> Result<usize> {
        Ok(self.call(Method::GET, path, String::new()).await?.len())
    }

    pub async fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.call(Method::POST, path, body.to_string()).await?;
        serde_json::from_slice(&answer).with_context(|| format!("POST {path} did not answer JSON"))
    }

    /// Tries again while the server says that it is busy or has not shown a version yet; the key makes that safe.
    async fn call(&mut self, method: Method, path: &str, body: String) -> Result<Vec<u8>> {
        let key = format!("bench-{:032x}", rand::random::<u128>());
        for _ in 0..BUSY_RETRIES {
            let mut request = Request::builder()
                .method(&method)
                .uri(path)
                .header(HOST, "localhost")
                .header(CONTENT_TYPE, "application/json")
                .header("idempotency-key", &key);
            if let Some(authorization) = &self.authorization {
                request = request.header(AUTHORIZATION, authorization);
            }
            let request =
                request.body(Full::from(body.clone())).with_context(|| format!("{method} {path}"))?;
            let response = self.connection.send(request).await.with_context(|| format!("{method} {path}"))?;
            let status = response.status();
            let answer = response.into_body().collect().await.with_context(|| format!("{method} {path}"))?;
            let answer = answer.to_bytes().to_vec();
            if status.is_success() {
                return Ok(answer);
            }
            if status != StatusCode::SERVICE_UNAVAILABLE && status != StatusCode::TOO_MANY_REQUESTS {
                bail!("{method} {path} answered {status}: {}", String::from_utf8_lossy(&answer));
            }
            tokio::time::sleep(BUSY_PAUSE).await;
        }
        bail!("{method} {path} was still refused as busy after {BUSY_RETRIES} tries")
    }
}

/// One signed-up person. The access token lives minutes, a whole run longer: ask for `authorization` before each step.
pub struct Session {
    pub address: SocketAddr,
    authorization: HeaderValue,
    refresh_token: String,
    lives: Duration,
    issued_at: Instant,
}

impl Session {
    pub async fn sign_up(address: SocketAddr) -> Result<Self> {
        let person = json!({
            "email": format!("bench-{:016x}@example.org", rand::random::<u64>()),
            "password": format!("{:032x}", rand::random::<u128>()),
            "name": "Bench",
        });
        let answer = Api::new(address, None).post("/api/v1/auth/sign-up", &person).await?;
        Self::from_answer(address, &answer)
    }

    pub async fn authorization(&mut self) -> Result<HeaderValue> {
        if self.issued_at.elapsed() > self.lives / 2 {
            let token = json!({ "refresh_token": self.refresh_token });
            let answer = Api::new(self.address, None).post("/api/v1/auth/refresh", &token).await?;
            *self = Self::from_answer(self.address, &answer)?;
        }
        Ok(self.authorization.clone())
    }

    pub async fn api(&mut self) -> Result<Api> {
        Ok(Api::new(self.address, Some(self.authorization().await?)))
    }

    fn from_answer(address: SocketAddr, answer: &Value) -> Result<Self> {
        let bearer = format!("Bearer {}", text(answer, "access_token")?);
        Ok(Self {
            address,
            authorization: bearer.try_into().context("the access token does not fit a header")?,
            refresh_token: text(answer, "refresh_token")?,
            lives: Duration::from_secs(answer["expires_in"].as_u64().context("expires_in is no number")?),
            issued_at: Instant::now(),
        })
    }
}

pub fn text(answer: &Value, field: &str) -> Result<String> {
    let value = answer[field].as_str();
    Ok(value.with_context(|| format!("the answer has no text in {field:?}: {answer}"))?.to_owned())
}
