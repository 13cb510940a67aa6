//! Refusals as clients see them: problem documents as [RFC 9457] describes them, with a stable `code`.
//!
//! [RFC 9457]: https://www.rfc-editor.org/rfc/rfc9457

use std::{error::Error, fmt};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::problem_codes::{self, ProblemCode};

/// One answer that refuses. `Problem::new("book_not_found")` takes status and title from the table; the rest
/// is added by the methods.
#[derive(Debug, Clone)]
pub struct Problem {
    code: &'static ProblemCode,
    detail: Option<String>,
    errors: Vec<FieldError>,
    members: Vec<(&'static str, Value)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What is wrong with one field of a request; `pointer` is a JSON pointer into its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    #[schema(example = "/splits/0/amount")]
    pub pointer: String,
    #[schema(example = "too_many_decimals")]
    pub code: &'static str,
    pub detail: String,
}

/// The document as OpenAPI shows it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// `/problems/<code>`, which explains it to people.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// What went wrong here, for people; never to be parsed.
    pub detail: String,
    /// The stable word to program against.
    pub code: String,
    pub request_id: Option<String>,
    /// All the fields that are wrong, where fields are.
    pub errors: Option<Vec<FieldError>>,
    /// Of a write that was not answered as usual: `applied`, `not_applied` or `unknown`.
    pub outcome: Option<String>,
    /// With `version_conflict`: the version that the book has now.
    pub current_version: Option<u64>,
}

impl Problem {
    /// A code that the table lacks is a mistake of ours: loud in tests, `internal` in a release.
    pub fn new(code: &str) -> Self {
        let found = problem_codes::find(code);
        debug_assert!(found.is_some(), "the problem code {code:?} is not in problem_codes.rs");
        let code = found.unwrap_or(&problem_codes::INTERNAL);
        Self { code, detail: None, errors: Vec::new(), members: Vec::new(), headers: Vec::new() }
    }

    /// One fault gives its own code to the whole answer, several are `invalid_fields`.
    pub fn from_fields(errors: Vec<FieldError>) -> Self {
        let mut problem = match errors.as_slice() {
            [only] => Problem::new(only.code).detail(only.detail.clone()),
            _ => Problem::new("invalid_fields"),
        };
        problem.errors = errors;
        problem
    }

    /// A fault of ours: the cause goes to the log, once, and nothing of it to the client.
    pub fn internal(attempted: &'static str, cause: &(dyn Error + 'static)) -> Self {
        tracing::error!(attempted, error = %Chain(cause), "a request failed for an internal reason");
        Problem::new("internal")
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn field(
        mut self,
        pointer: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        self.errors.push(FieldError { pointer: pointer.into(), code, detail: detail.into() });
        self
    }

    /// Adds a member of its own to the document, such as `outcome` or `current_version`.
    pub fn with(mut self, member: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((member, value.into()));
        self
    }

    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn code(&self) -> &'static str {
        self.code.code
    }

    pub fn status(&self) -> StatusCode {
        // The table's test proves that every status is one.
        StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// The document; `request_id` is known only once the answer passes the layers.
    pub fn document(&self, request_id: Option<&str>) -> Value {
        let mut document = Map::new();
        document.insert("type".into(), format!("/problems/{}", self.code.code).into());
        document.insert("title".into(), self.code.title.into());
        document.insert("status".into(), self.code.status.into());
        document.insert("detail".into(), self.detail.as_deref().unwrap_or(self.code.explanation).into());
        document.insert("code".into(), self.code.code.into());
        if let Some(request_id) = request_id {
            document.insert("request_id".into(), request_id.into());
        }
        if !self.errors.is_empty() {
            document.insert("errors".into(), serde_json::json!(self.errors));
        }
        for (member, value) in &self.members {
            document.insert((*member).into(), value.clone());
        }
        Value::Object(document)
    }

    pub(crate) fn response(&self, request_id: Option<&str>) -> Response {
        let mut response = Response::new(Body::from(self.document(request_id).to_string()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status() == StatusCode::UNAUTHORIZED {
            let challenge = match self.code.code {
                "token_expired" | "token_invalid" => r#"Bearer error="invalid_token""#,
                _ => "Bearer",
            };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.code, self.detail.as_deref().unwrap_or(self.code.explanation))
    }
}

impl Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.response(None);
        // The outermost layer writes the document again with the request's id in it.
        response.extensions_mut().insert(self);
        response
    }
}

/// An error with its causes on one line.
struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_problem_carries_what_the_table_and_the_caller_say() {
        let problem = Problem::new("version_conflict")
            .detail("The book has moved on.")
            .with("current_version", 7)
            .field("/amount", "too_many_decimals", "EUR has 2 decimals.");
        assert_eq!(problem.status(), StatusCode::PRECONDITION_FAILED);
        assert_eq!(
            problem.document(Some("r1")),
            json!({
                "type": "/problems/version_conflict",
                "title": "The book has another version",
                "status": 412,
                "detail": "The book has moved on.",
                "code": "version_conflict",
                "request_id": "r1",
                "errors": [{"pointer": "/amount", "code": "too_many_decimals", "detail": "EUR has 2 decimals."}],
                "current_version": 7,
            })
        );
    }

    #[test]
    fn one_wrong_field_names_the_problem_and_several_are_invalid_fields() {
        let fault = |pointer: &str, code| FieldError { pointer: pointer.into(), code, detail: "x".into() };
        assert_eq!(Problem::from_fields(vec![fault("/name", "name_empty")]).code(), "name_empty");
        let several =
            Problem::from_fields(vec![fault("/name", "name_empty"), fault("/kind", "unknown_value")]);
        assert_eq!(several.code(), "invalid_fields");
        assert_eq!(several.errors().len(), 2);
    }

    #[test]
    fn a_missing_login_names_the_scheme_and_overload_a_time() {
        let response = Problem::new("login_required").into_response();
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let response = Problem::new("overloaded").retry_after(3).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "3");
    }

    #[test]
    fn an_internal_fault_tells_the_client_nothing_of_its_cause() {
        let cause = std::io::Error::other("/var/lib/secret: no such table users");
        let problem = Problem::internal("read the profile", &cause);
        let document = problem.document(None).to_string();
        assert_eq!(problem.code(), "internal");
        assert!(!document.contains("secret") && !document.contains("table"), "{document}");
    }
}
