use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use daybook_e2e::{Answer, Client, Server};
use reqwest::{
    Method, Response,
    multipart::{Form, Part},
};
use serde_json::Value;

use crate::desk;

/// What all requests of these tests came to.
#[derive(Default)]
pub struct Met {
    codes: Mutex<BTreeSet<String>>,
    done: Mutex<BTreeSet<(String, String)>>,
    keys: AtomicU64,
}

impl Met {
    pub fn codes(&self) -> BTreeSet<String> {
        self.codes.lock().unwrap().clone()
    }

    /// Method and path of all that succeeded.
    pub fn done(&self) -> BTreeSet<(String, String)> {
        self.done.lock().unwrap().clone()
    }
}

/// A request that is not sent yet.
pub struct Request {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Body,
    is_keyed: bool,
    is_logged_in: bool,
}

enum Body {
    None,
    Json(Value),
    Bytes(Vec<u8>),
    Form(Form),
}

impl Request {
    fn new(method: Method, path: &str, body: Body) -> Self {
        let is_of_books = path.starts_with("/api/v1/books") || path.starts_with("/api/v1/invitations");
        let is_keyed = method != Method::GET && is_of_books;
        Self { method, path: path.to_owned(), headers: Vec::new(), body, is_keyed, is_logged_in: true }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn without_key(self) -> Self {
        Self { is_keyed: false, ..self }
    }

    pub fn key(self, key: &str) -> Self {
        self.without_key().header("idempotency-key", key)
    }

    pub fn without_login(self) -> Self {
        Self { is_logged_in: false, ..self }
    }

    pub fn token(self, token: &str) -> Self {
        self.without_login().header("authorization", format!("Bearer {token}"))
    }
}

pub fn get(path: &str) -> Request {
    Request::new(Method::GET, path, Body::None)
}

pub fn delete(path: &str) -> Request {
    Request::new(Method::DELETE, path, Body::None)
}

pub fn put(path: &str, body: Value) -> Request {
    Request::new(Method::PUT, path, Body::Json(body))
}

pub fn patch(path: &str, body: Value) -> Request {
    Request::new(Method::PATCH, path, Body::Json(body))
}

pub fn post(path: &str, body: Value) -> Request {
    Request::new(Method::POST, path, Body::Json(body))
}

/// A command that its path says all of.
pub fn command(path: &str) -> Request {
    Request::new(Method::POST, path, Body::None)
}

/// Any bytes, said to be JSON.
pub fn bytes(path: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::new(Method::POST, path, Body::Bytes(body.into())).header("content-type", "application/json")
}

/// Any bytes, whatever they are.
pub fn typed_bytes(path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::new(Method::POST, path, Body::Bytes(body.into())).header("content-type", content_type)
}

/// A statement, with the further parts of the form.
pub fn statement(book: &str, file: impl Into<Vec<u8>>, parts: &[(&'static str, String)]) -> Request {
    let file = Part::bytes(file.into()).file_name("statement.csv");
    let form = parts
        .iter()
        .fold(Form::new().part("file", file), |form, (name, value)| form.text(*name, value.clone()));
    Request::new(Method::POST, &format!("{book}/imports"), Body::Form(form))
}

/// Somebody who asks, and keeps note of what the answers were.
pub struct Asker {
    pub client: Client,
    nobody: Client,
    pub base: String,
    pub met: Arc<Met>,
    /// Of the server that is asked.
    pub data: PathBuf,
}

impl Asker {
    pub fn new(client: Client, server: &Server, data: &Path, met: Arc<Met>) -> Self {
        let base = server.base().to_owned();
        Self { client: client.at(&base), nobody: Client::new(&base), base, met, data: data.to_owned() }
    }

    /// The same person at the server started after the one before.
    pub fn again_at(&self, server: &Server) -> Self {
        Self::new(self.client.clone(), server, &self.data, Arc::clone(&self.met))
    }

    pub async fn ask(&self, request: Request) -> Answer {
        let Request { method, path, headers, body, is_keyed, is_logged_in } = request;
        let client = if is_logged_in { &self.client } else { &self.nobody };
        let mut built = client.request(method.clone(), &path);
        if is_keyed {
            built =
                built.header("idempotency-key", self.met.keys.fetch_add(1, Ordering::Relaxed).to_string());
        }
        for (name, value) in headers {
            built = built.header(name, value);
        }
        built = match body {
            Body::None => built,
            Body::Json(value) => built.json(&value),
            Body::Bytes(bytes) => built.body(bytes),
            Body::Form(form) => built.multipart(form),
        };
        let answer = client.send(built).await;
        if answer.status < 400 {
            let path = path.split('?').next().unwrap().to_owned();
            self.met.done.lock().unwrap().insert((method.to_string(), path));
        } else {
            assert_eq!(
                answer.header("content-type"),
                Some("application/problem+json"),
                "{path}: {}",
                answer.body
            );
            let code = answer.code();
            assert_eq!(answer.json()["type"], format!("/problems/{code}"));
            assert_eq!(answer.json()["status"], answer.status);
            assert_eq!(answer.json()["request_id"].as_str(), answer.header("x-request-id"));
            self.met.codes.lock().unwrap().insert(code);
        }
        answer
    }

    /// An answer that does not end by itself, with its body to be read.
    pub async fn opened(&self, path: &str) -> Response {
        let response = self.client.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        self.met.done.lock().unwrap().insert((Method::GET.to_string(), path.to_owned()));
        response
    }

    pub async fn done(&self, request: Request, status: u16) -> Answer {
        let what = format!("{} {}", request.method, request.path);
        let answer = self.ask(request).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        answer
    }

    /// Asks for what must be refused so. `pointer` is where the fault is in the body, `None` where it is in no field.
    pub async fn refused(&self, request: Request, status: u16, code: &str, pointer: Option<&str>) -> Answer {
        self.try_refused(request, status, code, pointer)
            .await
            .unwrap_or_else(|difference| panic!("{difference}"))
    }

    /// Says in which way an answer was not as it must be.
    pub async fn try_refused(
        &self,
        request: Request,
        status: u16,
        code: &str,
        pointer: Option<&str>,
    ) -> Result<Answer, String> {
        let asked = format!("{} {}", request.method, request.path);
        let records = desk::records_of(&self.data);
        let answer = self.ask(request).await;
        let told = answer.json();
        let must = |holds: bool, what: &str| match holds {
            true => Ok(()),
            false => Err(format!(
                "{asked} must be {status} {code} at {pointer:?}: {what}: {} {told}",
                answer.status
            )),
        };
        must((answer.status, told["code"].as_str()) == (status, Some(code)), "status or code")?;
        let pointers: Vec<&str> = told["errors"]
            .as_array()
            .map(|errors| errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect())
            .unwrap_or_default();
        let is_there = match pointer {
            // Several faults are told at once.
            None if code == "invalid_fields" => pointers.len() > 1,
            None => pointers.is_empty(),
            Some(pointer) => pointers == [pointer],
        };
        must(is_there, "place")?;
        let is_bearer = |value: &str| value.starts_with("Bearer");
        must(status != 401 || answer.header("www-authenticate").is_some_and(is_bearer), "www-authenticate")?;
        must(!matches!(status, 429 | 503) || answer.header("retry-after").is_some(), "retry-after")?;
        must(desk::records_of(&self.data) == records, "it was refused and wrote all the same")?;
        Ok(answer)
    }
}
