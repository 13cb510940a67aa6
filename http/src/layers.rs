//! What surrounds every request: an id, a span, metrics, a net under panics, bounds for bodies, and problem
//! documents where the router itself refuses.

use std::{any::Any, time::Duration, time::Instant};

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use serde::{Deserialize, Serialize};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{DefaultPredicate, Predicate, SizeAbove},
    },
    timeout::RequestBodyDeadlineLayer,
};
use tracing::Instrument;
use uuid::Uuid;

use crate::problem::Problem;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_LEN_MAX: usize = 64;
/// Below this many bytes compressing costs more than it saves.
const COMPRESSED_LEN_MIN: u64 = 1_024;

/// The bounds of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestLimits {
    /// The largest body of a request in bytes; a route may ask for another (imports do).
    pub body_bytes_max: usize,
    /// How long a client may take to send a body.
    pub body_deadline_ms: u64,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self { body_bytes_max: 1_000_000, body_deadline_ms: 30_000 }
    }
}

/// The id of a request, which its answer and its log lines carry.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Wraps the whole router of a listener, once: after merging the services, before serving.
pub fn wrap(router: Router, limits: RequestLimits) -> Router {
    let compressed = DefaultPredicate::new().and(SizeAbove::new(COMPRESSED_LEN_MIN)).and(may_be_compressed);
    router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(route_not_found)
        .layer(DefaultBodyLimit::max(limits.body_bytes_max))
        .layer(RequestBodyDeadlineLayer::new(Duration::from_millis(limits.body_deadline_ms)))
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(middleware::from_fn(observe))
        .layer(CompressionLayer::new().compress_when(compressed))
}

async fn route_not_found() -> Problem {
    Problem::new("route_not_found")
}

async fn method_not_allowed() -> Problem {
    Problem::new("method_not_allowed")
}

/// An answer that holds a secret beside words of the caller must not tell its length (the BREACH attack); those
/// answers are also the ones that must not be stored.
fn may_be_compressed(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    headers
        .get(header::CACHE_CONTROL)
        .is_none_or(|value| !value.as_bytes().windows(8).any(|word| word == b"no-store"))
}

/// Whoever installed the panic hook has logged it, with its place.
fn answer_panic(_: Box<dyn Any + Send>) -> Response {
    Problem::new("internal").into_response()
}

async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = request_id_of(request.headers());
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    request.extensions_mut().insert(RequestId(request_id.clone()));

    let span = tracing::info_span!(
        "request",
        method,
        route,
        request_id,
        status = tracing::field::Empty,
        latency_ms = tracing::field::Empty
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        // Only the body is written again: layers further in may have added headers.
        let (mut parts, _) = response.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        response = Response::from_parts(parts, problem.response(Some(&request_id)).into_body());
    }

    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    span.record("status", status);
    span.record("latency_ms", elapsed.as_secs_f64() * 1_000.0);
    span.in_scope(|| tracing::debug!("answered a request"));
    let labels = [("route", route), ("method", method.to_owned()), ("status", status.to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels).record(elapsed.as_secs_f64());

    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::try_from(request_id) {
        headers.insert(REQUEST_ID, value);
    }
    response
}

/// A client or gateway may name the request; what it sends goes to the log, so only a plain word is taken.
fn request_id_of(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|text| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !text.is_empty() && text.len() <= REQUEST_ID_LEN_MAX && text.bytes().all(plain)
    });
    given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// A label has few values, whatever a client sends.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use axum::{
        body::Body,
        routing::{get, post},
    };
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tower::ServiceExt;

    fn router() -> Router {
        let router = Router::new()
            .route("/hello", get(|| async { "hello" }))
            .route("/long", get(|| async { "x".repeat(10_000) }))
            .route("/secret", get(|| async { ([(header::CACHE_CONTROL, "no-store")], "x".repeat(10_000)) }))
            .route("/panic", get(|| async { panic!("the secret of /panic") as &'static str }))
            .route("/read", post(|Json(_): Json<Value>| async { "read" }));
        wrap(
            Router::new().nest("/api/v1", router),
            RequestLimits { body_bytes_max: 100, ..Default::default() },
        )
    }

    async fn ask(request: http::request::Builder, body: impl Into<Body>) -> (http::response::Parts, String) {
        let response = router().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts, String::from_utf8_lossy(&body).into_owned())
    }

    fn problem(answer: &(http::response::Parts, String)) -> (u16, String) {
        assert_eq!(answer.0.headers[header::CONTENT_TYPE], "application/problem+json");
        let document: Value = serde_json::from_str(&answer.1).unwrap();
        assert_eq!(document["request_id"].as_str(), answer.0.headers[REQUEST_ID].to_str().ok());
        (answer.0.status.as_u16(), document["code"].as_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn the_router_itself_refuses_with_problems() {
        let answer = ask(Request::get("/nowhere"), "").await;
        assert_eq!(problem(&answer), (404, "route_not_found".into()));
        let answer = ask(Request::delete("/api/v1/hello"), "").await;
        assert_eq!(problem(&answer), (405, "method_not_allowed".into()));
        assert_eq!(answer.0.headers[header::ALLOW], "GET,HEAD");
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_that_tells_nothing() {
        let answer = ask(Request::get("/api/v1/panic"), "").await;
        assert_eq!(problem(&answer), (500, "internal".into()));
        assert!(!answer.1.contains("secret"), "{}", answer.1);
    }

    #[tokio::test]
    async fn a_body_over_the_bound_is_refused() {
        let json = |request: http::request::Builder| request.header(header::CONTENT_TYPE, "application/json");
        let answer = ask(json(Request::post("/api/v1/read")), " ".repeat(101)).await;
        assert_eq!(problem(&answer), (413, "body_too_large".into()));
        assert_eq!(ask(json(Request::post("/api/v1/read")), "{}").await.1, "read");
    }

    #[tokio::test]
    async fn a_request_keeps_the_plain_id_it_came_with() {
        let answer = ask(Request::get("/api/v1/hello").header(REQUEST_ID, "abc-1"), "").await;
        assert_eq!(answer.0.headers[REQUEST_ID], "abc-1");
        assert_eq!(answer.0.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        for odd in ["", "a b", "<script>", &"a".repeat(65)] {
            let answer = ask(Request::get("/api/v1/hello").header(REQUEST_ID, odd), "").await;
            assert_ne!(answer.0.headers[REQUEST_ID], odd);
            assert_eq!(answer.0.headers[REQUEST_ID].len(), 36);
        }
    }

    #[tokio::test]
    async fn long_answers_are_compressed_unless_they_hold_secrets() {
        let gzip = |path| ask(Request::get(path).header(header::ACCEPT_ENCODING, "gzip"), "");
        assert_eq!(gzip("/api/v1/long").await.0.headers[header::CONTENT_ENCODING], "gzip");
        assert!(!gzip("/api/v1/secret").await.0.headers.contains_key(header::CONTENT_ENCODING));
        assert!(!gzip("/api/v1/hello").await.0.headers.contains_key(header::CONTENT_ENCODING));
    }
}
