//! The real router over a fresh database, and a clock that tests can move.

use std::{
    future::Future,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{Router, body::Body, extract::ConnectInfo};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{Duration, Utc};
use http::{HeaderMap, Method, Request, request};
use http_body_util::BodyExt;
use http_kit::layers;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{config::Config, identity::Identity};

pub const PASSWORD: &str = "correct horse battery";

pub struct Fixture {
    pub identity: Arc<Identity>,
    router: Router,
    ahead_seconds: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

pub struct Ask {
    router: Router,
    request: request::Builder,
}

impl Fixture {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config {
            database: folder.path().join("identity.sqlite"),
            keys_dir: folder.path().join("keys"),
            ..Config::default()
        };
        change(&mut config);
        let ahead_seconds = Arc::new(AtomicI64::new(0));
        let clock = {
            let ahead_seconds = ahead_seconds.clone();
            Arc::new(move || Utc::now() + Duration::seconds(ahead_seconds.load(Ordering::SeqCst)))
        };
        let requests = config.requests;
        let identity = Identity::open_with_clock(config, clock).unwrap();
        let router = layers::wrap(crate::router(&identity).0, requests);
        Self { identity, router, ahead_seconds, _folder: folder }
    }

    /// Access tokens issued afterwards are from the future for the layer that verifies them.
    pub fn advance_seconds(&self, seconds: i64) {
        self.ahead_seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn get(&self, path: &str) -> Ask {
        self.ask(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Ask {
        self.ask(Method::POST, path)
    }

    pub fn patch(&self, path: &str) -> Ask {
        self.ask(Method::PATCH, path)
    }

    pub fn delete(&self, path: &str) -> Ask {
        self.ask(Method::DELETE, path)
    }

    fn ask(&self, method: Method, path: &str) -> Ask {
        let peer: SocketAddr = "192.0.2.1:40000".parse().unwrap();
        let request = Request::builder().method(method).uri(path).extension(ConnectInfo(peer));
        Ask { router: self.router.clone(), request }
    }

    pub async fn sign_up(&self, email: &str) -> Answer {
        let body = json!({"email": email, "password": PASSWORD, "name": "Somebody"});
        let answer = self.post("/api/v1/auth/sign-up").json(body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer
    }

    pub async fn log_in(&self, email: &str) -> Answer {
        let body = json!({"email": email, "password": PASSWORD});
        let answer = self.post("/api/v1/auth/log-in").json(body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    }

    /// Signs whatever is wanted with the service's own key.
    pub fn sign(&self, token_type: &str, claims: &Value) -> String {
        let keys_dir: &PathBuf = &self.identity.config.keys_dir;
        let path = std::fs::read_dir(keys_dir).unwrap().next().unwrap().unwrap().path();
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(token_type.to_owned());
        header.kid = Some(path.file_stem().unwrap().to_str().unwrap().to_owned());
        let key = EncodingKey::from_ed_der(&std::fs::read(path).unwrap());
        jsonwebtoken::encode(&header, claims, &key).unwrap()
    }
}

impl Ask {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// The futures own what they need, so that tests can join them.
    pub fn json(self, body: Value) -> impl Future<Output = Answer> + use<> {
        self.text(&body.to_string())
    }

    pub fn text(self, body: &str) -> impl Future<Output = Answer> + use<> {
        let body = body.to_owned();
        self.header("content-type", "application/json").with_body(Body::from(body))
    }

    pub fn send(self) -> impl Future<Output = Answer> + use<> {
        self.with_body(Body::empty())
    }

    async fn with_body(self, body: Body) -> Answer {
        let response = self.router.oneshot(self.request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes).unwrap(),
        };
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

impl Answer {
    /// Status and code, of an answer that has all that a problem has.
    pub fn problem(&self) -> (u16, &str) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.body);
        let code = self.body["code"].as_str().unwrap();
        assert_eq!(self.body["type"], format!("/problems/{code}"));
        assert_eq!(self.body["status"], self.status);
        assert_eq!(self.body["request_id"].as_str(), self.headers["x-request-id"].to_str().ok());
        assert!(self.body["title"].is_string() && self.body["detail"].is_string());
        (self.status, code)
    }

    pub fn access_token(&self) -> String {
        self.body["access_token"].as_str().unwrap().to_owned()
    }

    pub fn refresh_token(&self) -> String {
        self.body["refresh_token"].as_str().unwrap().to_owned()
    }

    pub fn cookie_token(&self) -> String {
        let line = self.headers["set-cookie"].to_str().unwrap();
        let (pair, _) = line.split_once(';').unwrap();
        pair.strip_prefix("daybook_refresh=").unwrap().to_owned()
    }

    pub fn session(&self) -> String {
        claims_of(&self.access_token())["sid"].as_str().unwrap().to_owned()
    }
}

pub fn base64url(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

pub fn claims_of(token: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}
