use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Bytes;

/// One request, rendered before the run so that the generator spends its share of the cores on sending.
pub struct Rendered {
    path: Uri,
    body: Bytes,
}

impl Rendered {
    pub fn new(path: &str, body: impl Into<Bytes>) -> Result<Self> {
        let path = path.parse().with_context(|| format!("{path} is not a path"))?;
        Ok(Self { path, body: body.into() })
    }
}

/// What the clients of a run send: picks from a set of rendered requests, evenly and the same in every run.
#[derive(Clone)]
pub struct Workload {
    method: Method,
    requests: Arc<[Rendered]>,
    authorization: Option<HeaderValue>,
    /// Present on writes: the beginning of every Idempotency-Key, different in each workload.
    key_prefix: Option<Arc<str>>,
    sent: Arc<AtomicU64>,
}

impl Workload {
    pub fn reads(paths: &[String]) -> Result<Self> {
        let requests: Result<Vec<_>> = paths.iter().map(|path| Rendered::new(path, Bytes::new())).collect();
        Ok(Self {
            method: Method::GET,
            requests: requests?.into(),
            authorization: None,
            key_prefix: None,
            sent: Arc::default(),
        })
    }

    pub fn writes(requests: Arc<[Rendered]>) -> Self {
        let key_prefix = format!("bench-{:016x}", rand::random::<u64>());
        Self {
            method: Method::POST,
            requests,
            authorization: None,
            key_prefix: Some(key_prefix.into()),
            sent: Arc::default(),
        }
    }

    pub fn authorized(mut self, authorization: HeaderValue) -> Self {
        self.authorization = Some(authorization);
        self
    }

    /// A write makes an entry, a read finds what it asks for.
    pub fn expected(&self) -> StatusCode {
        if self.key_prefix.is_some() { StatusCode::CREATED } else { StatusCode::OK }
    }

    pub fn next_request(&self) -> Request<Full<Bytes>> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let rendered = &self.requests[pick(number, self.requests.len())];
        let mut request = Request::new(Full::new(rendered.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = rendered.path.clone();
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        if let Some(prefix) = &self.key_prefix {
            let key =
                HeaderValue::try_from(format!("{prefix}-{number}")).expect("hexadecimal digits and dashes");
            headers.insert("idempotency-key", key);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        request
    }
}

/// Scatters consecutive numbers evenly over the choices (SplitMix64's finalizer): neighbours in time should not be
/// neighbours in the store, and a run should be repeatable.
fn pick(number: u64, choices: usize) -> usize {
    (scatter(number) % choices as u64) as usize
}

pub fn scatter(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_write_has_a_key_of_its_own() {
        let rendered: Arc<[Rendered]> = vec![Rendered::new("/a", "{}").unwrap()].into();
        let (one, other) = (Workload::writes(Arc::clone(&rendered)), Workload::writes(rendered));
        let keys: HashSet<HeaderValue> = [&one, &other, &one.clone()]
            .into_iter()
            .flat_map(|workload| {
                (0..100).map(|_| workload.next_request().headers()["idempotency-key"].clone())
            })
            .collect();
        assert_eq!(keys.len(), 300);
    }

    #[test]
    fn writes_are_spread_evenly_over_the_books() {
        let mut counts = [0_u32; 1000];
        for number in 0..100_000 {
            counts[pick(number, 1000)] += 1;
        }
        assert!(counts.iter().all(|count| (40..=170).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_read_carries_no_key() {
        let request = Workload::reads(&["/api/v1/books".to_owned()]).unwrap().next_request();
        assert!(!request.headers().contains_key("idempotency-key"));
        assert_eq!(request.method(), Method::GET);
    }
}
