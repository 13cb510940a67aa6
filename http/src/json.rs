//! Reading requests: bodies, queries and paths, with refusals that say which field is wrong and why.
//!
//! serde stops at the first fault. People who mend a form want all of them, so a body that does not fit is read
//! again with each fault replaced by a harmless value until nothing new is found. Only refusals pay for that.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use domain::id::{AccountId, BookId, CategoryId, EntryId, ImportId, UserId};
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use serde_path_to_error::{Path as FaultPath, Segment};

use crate::{
    problem::{FieldError, Problem},
    problem_codes,
};

/// No request is told more faults than this at once.
const FAULTS_MAX: usize = 32;

/// A JSON body, in and out.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new("unsupported_media_type"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::new("body_too_large"),
                _ => Problem::new("body_incomplete"),
            }
        })?;
        parse(&bytes).map(Self)
    }
}

/// A body that may be left out: without a media type there is none.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        if !request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads a body already in hand, with the same refusals as the extractor.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // serde would also fill a struct from an array, by position; nobody means that.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
            Ok(_) => {
                Problem::new("wrong_type").field("", "wrong_type", "The body is a JSON object, not an array.")
            }
            Err(error) => malformed(&error),
        });
    }
    serde_json::from_slice(bytes).map_err(|error| diagnose::<T>(bytes, &error))
}

/// Makes an error that comes out as a fault with this code, from inside a `Deserialize` of one's own.
pub fn fault<E: serde::de::Error>(code: &'static str, detail: &str) -> E {
    debug_assert!(
        problem_codes::find(code).is_some(),
        "the problem code {code:?} is not in problem_codes.rs"
    );
    E::custom(format_args!("[{code}] {detail}"))
}

fn diagnose<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error) -> Problem {
    let Ok(mut body) = serde_json::from_slice::<Value>(bytes) else {
        return malformed(error);
    };
    let mut faults = Vec::new();
    let mut next = first_fault::<T>(&body);
    while let Some(fault) = next.take() {
        if faults.len() < FAULTS_MAX {
            next = beyond::<T>(&mut body, &fault);
        }
        faults.push(FieldError { pointer: fault.pointer(), code: fault.code, detail: fault.detail });
    }
    // A `Value` keeps the last of two equal names; only the strict reading sees the repetition.
    if faults.is_empty() {
        return malformed(error);
    }
    Problem::from_fields(faults)
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new("malformed_json").detail(format!("The body is not valid JSON: {error}."))
}

struct Fault {
    path: Vec<String>,
    code: &'static str,
    detail: String,
    /// Values that this place might accept, to look past the fault.
    placeholders: Vec<Value>,
}

impl Fault {
    fn pointer(&self) -> String {
        self.path.iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect()
    }
}

fn first_fault<T: DeserializeOwned>(body: &Value) -> Option<Fault> {
    let error = serde_path_to_error::deserialize::<_, T>(body).err()?;
    let mut path = names_of(error.path());
    let message = error.inner().to_string();
    let quoted = || message.split('`').nth(1).unwrap_or_default().to_owned();
    let name_or = |path: &[String]| path.last().cloned().unwrap_or_default();

    if message.starts_with("unknown field") {
        let name = quoted();
        if path.last() != Some(&name) {
            path.push(name);
        }
        let detail = format!("There is no field {:?} here.", name_or(&path));
        return Some(Fault { path, code: "unknown_field", detail, placeholders: Vec::new() });
    }
    if message.starts_with("missing field") {
        path.push(quoted());
        let detail = format!("{:?} is required.", name_or(&path));
        return Some(Fault { path, code: "field_missing", detail, placeholders: plain_placeholders() });
    }

    let (code, detail) = if let Some((code, detail)) = coded(&message) {
        (code, detail.to_owned())
    } else if message.starts_with("invalid type") {
        let found = path.iter().try_fold(body, |value, name| match value {
            Value::Array(items) => name.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => value.get(name),
        });
        let is_number = found.is_some_and(Value::is_number);
        if is_number && is_amount(&name_or(&path)) {
            ("amount_not_a_string", "An amount is a string such as \"12.50\", not a JSON number.".to_owned())
        } else {
            ("wrong_type", sentence(&message))
        }
    } else if message.starts_with("unknown variant") {
        ("unknown_value", sentence(&message))
    } else if message.starts_with("an id here looks like") {
        ("id_malformed", sentence(&message))
    } else {
        ("invalid_value", sentence(&message))
    };

    let mut placeholders = plain_placeholders();
    // "expected one of `cash`, `bank`": any of them is a way past an enum.
    let expected = message.rsplit_once("expected ").map_or("", |(_, expected)| expected);
    placeholders.extend(expected.split('`').nth(1).map(Value::from));
    Some(Fault { path, code, detail, placeholders })
}

/// Mends the fault in `body` and finds the next one that is not a consequence of the mending.
fn beyond<T: DeserializeOwned>(body: &mut Value, fault: &Fault) -> Option<Fault> {
    let name = fault.path.last()?;
    let pointer = fault.pointer();
    let (parent, _) = pointer.rsplit_once('/')?;
    if fault.code == "unknown_field" {
        body.pointer_mut(parent)?.as_object_mut()?.remove(name)?;
        return first_fault::<T>(body);
    }
    let below = format!("{pointer}/");
    for placeholder in &fault.placeholders {
        match body.pointer_mut(parent)? {
            Value::Object(fields) => drop(fields.insert(name.clone(), placeholder.clone())),
            Value::Array(items) => *items.get_mut(name.parse::<usize>().ok()?)? = placeholder.clone(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
        }
        let next = first_fault::<T>(body)?;
        let next_pointer = next.pointer();
        if next_pointer != pointer && !next_pointer.starts_with(&below) {
            return Some(next);
        }
    }
    None
}

fn plain_placeholders() -> Vec<Value> {
    let mut placeholders =
        vec![json!("a"), json!(1), json!(false), json!([]), json!({}), json!(null), json!("2000-01-01")];
    // An amount, a currency, a time zone, an e-mail address.
    placeholders.extend(["1", "EUR", "UTC", "a@b"].map(Value::from));
    let prefixes = [
        UserId::PREFIX,
        BookId::PREFIX,
        AccountId::PREFIX,
        CategoryId::PREFIX,
        EntryId::PREFIX,
        ImportId::PREFIX,
    ];
    placeholders.extend(prefixes.map(|prefix| json!(format!("{prefix}_{}", "0".repeat(26)))));
    placeholders
}

fn names_of(path: &FaultPath) -> Vec<String> {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(key.clone()),
            Segment::Enum { variant } => Some(variant.clone()),
            Segment::Unknown => None,
        })
        .collect()
}

/// Reads back what [`fault`] wrote.
fn coded(message: &str) -> Option<(&'static str, &str)> {
    let (code, detail) = message.strip_prefix('[')?.split_once("] ")?;
    Some((problem_codes::find(code)?.code, detail))
}

fn is_amount(field: &str) -> bool {
    field == "amount" || field.ends_with("_amount") || field.ends_with("_balance")
}

/// serde's words as a sentence, without the names of our types and without echoing a megabyte.
fn sentence(message: &str) -> String {
    const LETTERS_MAX: usize = 240;
    let message =
        match message.split_once("expected struct ").or_else(|| message.split_once("expected enum ")) {
            Some((found, _)) => format!("{found}expected an object"),
            None => message.to_owned(),
        };
    let mut letters = message.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let rest: String = letters.by_ref().take(LETTERS_MAX).collect();
    let end = if letters.next().is_some() { "…" } else { "." };
    format!("{first}{rest}{end}")
}

/// The query string; a repeated parameter fills a `Vec`.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let reader = serde_html_form::Deserializer::from_bytes(query.as_bytes());
        serde_path_to_error::deserialize(reader).map(Self).map_err(|error| {
            let message = error.inner().to_string();
            let quoted = || message.split('`').nth(1).unwrap_or_default().to_owned();
            if message.starts_with("unknown field") {
                return Problem::new("unknown_parameter")
                    .detail(format!("There is no parameter {:?} here.", quoted()))
                    .with("parameter", quoted());
            }
            if message.starts_with("missing field") {
                return Problem::new("invalid_parameter")
                    .detail(format!("The parameter {:?} is required.", quoted()))
                    .with("parameter", quoted());
            }
            let name = names_of(error.path()).into_iter().next().unwrap_or_default();
            invalid_parameter(name, &message)
        })
    }
}

/// The variables of the path. An id that cannot be one is `invalid_parameter`, as in a query.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        use axum::extract::path::ErrorKind;
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(variables)) => Ok(Self(variables)),
            Err(PathRejection::FailedToDeserializePathParams(failed)) => match failed.into_kind() {
                ErrorKind::DeserializeError { key, message, .. } => Err(invalid_parameter(key, &message)),
                ErrorKind::InvalidUtf8InPathParam { key } => Err(invalid_parameter(key, "not UTF-8")),
                ErrorKind::ParseErrorAtKey { key, expected_type, .. } => {
                    Err(invalid_parameter(key, &format!("expected {expected_type}")))
                }
                ErrorKind::Message(message) => Err(invalid_parameter(String::new(), &message)),
                other => Err(invalid_parameter(String::new(), &other.to_string())),
            },
            Err(other) => Err(Problem::internal("read the path's variables", &other)),
        }
    }
}

fn invalid_parameter(name: String, message: &str) -> Problem {
    let detail = coded(message).map_or_else(|| sentence(message), |(_, detail)| detail.to_owned());
    let problem = Problem::new("invalid_parameter");
    match name.as_str() {
        "" => problem.detail(detail),
        _ => problem.detail(format!("{name}: {detail}")).with("parameter", name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, routing::get};
    use http_body_util::BodyExt;
    use serde::Deserialize;
    use tower::ServiceExt;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Sample {
        id: Option<EntryId>,
        kind: Kind,
        amount: String,
        count: u8,
        #[serde(default)]
        splits: Vec<Split>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Expense,
        Income,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Split {
        category: CategoryId,
        amount: Option<String>,
    }

    fn faults(body: Value) -> Vec<(String, &'static str)> {
        let problem = parse::<Sample>(body.to_string().as_bytes()).unwrap_err();
        problem.errors().iter().map(|error| (error.pointer.clone(), error.code)).collect()
    }

    #[test]
    fn every_fault_is_named_at_once_with_its_pointer() {
        let found = faults(json!({
            "id": "ent_nonsense",
            "kind": "loan",
            "amount": 12.5,
            "colour": "red",
            "splits": [{"category": 7, "amount": 3}, {"categori": "x"}],
        }));
        let expected = [
            ("/id", "id_malformed"),
            ("/kind", "unknown_value"),
            ("/amount", "amount_not_a_string"),
            ("/colour", "unknown_field"),
            ("/splits/0/category", "wrong_type"),
            ("/splits/0/amount", "amount_not_a_string"),
            ("/splits/1/categori", "unknown_field"),
            ("/splits/1/category", "field_missing"),
            ("/count", "field_missing"),
        ];
        let mut found: Vec<_> = found.iter().map(|(pointer, code)| (pointer.as_str(), *code)).collect();
        found.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_single_fault_gives_the_answer_its_code() {
        let code = |body: &str| parse::<Sample>(body.as_bytes()).unwrap_err().code();
        assert_eq!(code(r#"{"kind":"expense","amount":5,"count":1}"#), "amount_not_a_string");
        assert_eq!(code(r#"{"kind":"expense","amount":"5","count":300}"#), "invalid_value");
        assert_eq!(code(r#"{"kind":"expense","amount":"5","count":"1"}"#), "wrong_type");
        assert_eq!(code(r#"{"kind":"expense","amount":"5"}"#), "field_missing");
        assert_eq!(code(r#"{"kind":"expense","amount":"5","count":1,"x/y":1}"#), "unknown_field");
        assert_eq!(code("[]"), "wrong_type");
        assert_eq!(code(r#""text""#), "wrong_type");
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for body in [
            b"".as_slice(),
            b"{",
            b"{\"amount\": NaN}",
            b"{\"kind\": \"\xff\"}",
            br#"{"kind":"expense","kind":"income","amount":"1","count":1}"#,
        ] {
            assert_eq!(parse::<Sample>(body).unwrap_err().code(), "malformed_json", "{body:?}");
        }
        assert_eq!(parse::<Sample>("[".repeat(100_000).as_bytes()).unwrap_err().code(), "malformed_json");
    }

    #[test]
    fn a_refusal_names_no_type_of_ours_and_stays_short() {
        let problem = parse::<Sample>(b"7").unwrap_err();
        assert!(!problem.to_string().contains("Sample"), "{problem}");
        let body = json!({"kind": "expense", "amount": "5", "count": "x".repeat(100_000)});
        let problem = parse::<Sample>(body.to_string().as_bytes()).unwrap_err();
        assert!(problem.document(None).to_string().len() < 1_000);
    }

    #[test]
    fn a_deserialize_of_ones_own_may_name_its_code() {
        #[derive(Debug)]
        struct Odd;
        impl<'de> Deserialize<'de> for Odd {
            fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                Err(fault("amount_malformed", "It is odd."))
            }
        }
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct Holder {
            odd: Odd,
        }
        let problem = parse::<Holder>(br#"{"odd": 1}"#).unwrap_err();
        assert_eq!(problem.code(), "amount_malformed");
        assert_eq!(problem.errors()[0].detail, "It is odd.");
    }

    async fn body_code(content_type: Option<&str>, body: Vec<u8>) -> Result<(), &'static str> {
        let mut request = Request::builder().method("POST");
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let request = request.body(Body::from(body)).unwrap();
        <Json<Value> as FromRequest<()>>::from_request(request, &())
            .await
            .map(|_| ())
            .map_err(|problem| problem.code())
    }

    #[tokio::test]
    async fn a_body_has_a_media_type_and_a_size() {
        let good = b"{}".to_vec();
        for media_type in
            ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
        {
            assert_eq!(body_code(Some(media_type), good.clone()).await, Ok(()), "{media_type}");
        }
        for media_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
            assert_eq!(body_code(media_type, good.clone()).await, Err("unsupported_media_type"));
        }
        let large = body_code(Some("application/json"), vec![b' '; 3_000_000]).await;
        assert_eq!(large, Err("body_too_large"));
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        limit: Option<u16>,
        #[serde(default)]
        tag: Vec<String>,
    }

    #[tokio::test]
    async fn a_query_refuses_unknown_and_wrong_parameters() {
        let read = |query: &'static str| async move {
            let request = Request::get(format!("/x?{query}")).body(()).unwrap();
            Query::<Filter>::from_request_parts(&mut request.into_parts().0, &()).await
        };
        let Query(filter) = read("limit=5&tag=a&tag=b%20c").await.unwrap();
        assert_eq!((filter.limit, filter.tag), (Some(5), vec!["a".to_owned(), "b c".to_owned()]));
        let unknown = read("limitt=5").await.unwrap_err();
        assert_eq!((unknown.code(), unknown.status().as_u16()), ("unknown_parameter", 400));
        let wrong = read("limit=many").await.unwrap_err();
        assert_eq!(wrong.code(), "invalid_parameter");
        assert_eq!(wrong.document(None)["parameter"], "limit");
    }

    #[tokio::test]
    async fn a_path_with_an_impossible_id_is_refused() {
        async fn handler(Path((book, entry)): Path<(BookId, EntryId)>) -> String {
            format!("{book} {entry}")
        }
        let router: Router = Router::new().route("/{book}/{entry}", get(handler));
        let ask = |path: String| {
            let router = router.clone();
            async move {
                let response = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
                let status = response.status().as_u16();
                let body = response.into_body().collect().await.unwrap().to_bytes();
                (status, String::from_utf8_lossy(&body).into_owned())
            }
        };
        let zeros = "0".repeat(26);
        assert_eq!(ask(format!("/book_{zeros}/ent_{zeros}")).await.0, 200);
        let (status, body) = ask(format!("/book_{zeros}/banana")).await;
        assert_eq!(status, 400);
        assert!(body.contains("invalid_parameter") && body.contains("ent_"), "{body}");
    }
}
