use std::fmt::Display;

use reqwest::{Method, header::HeaderMap, multipart::Form};
use serde_json::{Value, json};

/// A person at the API, logged in or not. Clones share connections and log-in.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    user: String,
}

/// What the API answered, whatever it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{} {:?} is no JSON: {error}", self.status, self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The number in `ETag: "<n>"`.
    pub fn version(&self) -> Option<u64> {
        self.header("etag")?.trim_matches('"').parse().ok()
    }

    /// Of a problem: its stable code.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The answer itself, if its status is the expected one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

impl Client {
    /// Nobody yet.
    pub fn new(base: &str) -> Self {
        Self { http: reqwest::Client::new(), base: base.to_owned(), token: None, user: String::new() }
    }

    /// A new person; `name` tells them from others and becomes their e-mail address.
    pub async fn sign_up(base: &str, name: &str) -> Self {
        let person = json!({"email": email(name), "password": PASSWORD, "name": name});
        Self::new(base).logged_in("/api/v1/auth/sign-up", 201, &person).await
    }

    /// Somebody who has signed up as `name` before.
    pub async fn log_in(base: &str, name: &str) -> Self {
        let person = json!({"email": email(name), "password": PASSWORD});
        Self::new(base).logged_in("/api/v1/auth/log-in", 200, &person).await
    }

    async fn logged_in(self, path: &str, status: u16, person: &Value) -> Self {
        let answer = self.send(self.request(Method::POST, path).json(person)).await.expect(status).json();
        let token = answer["access_token"].as_str().expect("a log-in answers a token").to_owned();
        let user = answer["user"]["id"].as_str().expect("a log-in answers who it is").to_owned();
        Self { token: Some(token), user, ..self }
    }

    /// The same person at a server that listens elsewhere, with connections of its own.
    pub fn at(&self, base: &str) -> Self {
        Self { http: reqwest::Client::new(), base: base.to_owned(), ..self.clone() }
    }

    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// `usr_…`
    pub fn user(&self) -> &str {
        &self.user
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, key: impl Display, body: &Value) -> Answer {
        self.send(self.write(Method::POST, path, key).json(body)).await
    }

    pub async fn patch(&self, path: &str, key: impl Display, body: &Value) -> Answer {
        self.send(self.write(Method::PATCH, path, key).json(body)).await
    }

    pub async fn delete(&self, path: &str, key: impl Display) -> Answer {
        self.send(self.write(Method::DELETE, path, key)).await
    }

    pub async fn post_form(&self, path: &str, key: impl Display, form: Form) -> Answer {
        self.send(self.write(Method::POST, path, key).multipart(form)).await
    }

    /// A request with the log-in on it, to be completed and given to [`Client::send`] or sent by itself.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub fn write(&self, method: Method, path: &str, key: impl Display) -> reqwest::RequestBuilder {
        self.request(method, path).header("idempotency-key", key.to_string())
    }

    /// For those who expect an answer, be it a refusal.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        try_send(request).await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }
}

/// For those who expect that the server may go away.
pub async fn try_send(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, body: response.text().await? })
}

const PASSWORD: &str = "a long pass phrase";

fn email(name: &str) -> String {
    let local: String = name.to_lowercase().split_whitespace().collect::<Vec<_>>().join(".");
    format!("{local}@example.org")
}
