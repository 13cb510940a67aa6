//! What the operations listener answers: is the process alive, is it ready, what has it counted.

use std::sync::Arc;

use axum::{Json, Router, extract::State, http::header, response::IntoResponse, routing::get};
use http_kit::problem::Problem;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};

/// Named questions, each asked anew whenever somebody wants to know. An answer is "ready" or the reason why not.
#[derive(Default)]
pub struct Readiness {
    checks: Vec<(&'static str, Check)>,
}

type Check = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

impl Readiness {
    pub fn new() -> Self {
        Self::default()
    }

    /// `is_ready` answers at once; it looks at what is known and asks nobody else.
    pub fn check(
        mut self,
        name: &'static str,
        is_ready: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.checks.push((name, Box::new(is_ready)));
        self
    }

    /// Name and reason of everything that is not ready.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let faults = self.checks.iter().filter_map(|(name, is_ready)| Some((*name, is_ready().err()?)));
        faults.collect()
    }
}

#[derive(Clone)]
struct Operations {
    readiness: Arc<Readiness>,
    metrics: PrometheusHandle,
}

pub fn router(readiness: Arc<Readiness>, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(render_metrics))
        .with_state(Operations { readiness, metrics })
}

/// Answering at all is the proof.
async fn live() -> Json<Value> {
    Json(json!({"status": "live"}))
}

async fn ready(State(operations): State<Operations>) -> Result<Json<Value>, Problem> {
    let faults = operations.readiness.faults();
    if faults.is_empty() {
        return Ok(Json(json!({"status": "ready"})));
    }
    let told: Vec<String> = faults.iter().map(|(name, reason)| format!("{name}: {reason}")).collect();
    let members: Vec<Value> =
        faults.iter().map(|(name, reason)| json!({"name": name, "reason": reason})).collect();
    Err(Problem::new("unavailable").detail(told.join("; ")).with("not_ready", members).retry_after(1))
}

async fn render_metrics(State(operations): State<Operations>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], operations.metrics.render())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{
        body::{Body, to_bytes},
        http::Request,
        response::Response,
    };
    use metrics_exporter_prometheus::PrometheusBuilder;
    use std::sync::atomic::{AtomicBool, Ordering};
    use tower::ServiceExt;

    async fn ask(router: &Router, path: &str) -> (u16, Response<()>, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        (parts.status.as_u16(), Response::from_parts(parts, ()), String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_is_not_ready_is_named_until_it_is() {
        let caught_up = Arc::new(AtomicBool::new(false));
        let seen = caught_up.clone();
        let readiness = Readiness::new().check("journal", || Ok(())).check("projector", move || {
            if seen.load(Ordering::Relaxed) { Ok(()) } else { Err("12 commits behind".to_owned()) }
        });
        let router = router(Arc::new(readiness), PrometheusBuilder::new().build_recorder().handle());

        let (status, response, body) = ask(&router, "/health/ready").await;
        assert_eq!(status, 503);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["retry-after"], "1");
        let document: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(document["detail"], "projector: 12 commits behind");
        assert_eq!(document["not_ready"], json!([{"name": "projector", "reason": "12 commits behind"}]));
        assert_eq!(ask(&router, "/health/live").await.0, 200);

        caught_up.store(true, Ordering::Relaxed);
        let (status, _, body) = ask(&router, "/health/ready").await;
        assert_eq!((status, body.as_str()), (200, r#"{"status":"ready"}"#));
    }

    #[tokio::test]
    async fn metrics_are_prometheus_text() {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || metrics::counter!("commits_total").increment(3));
        let router = router(Arc::new(Readiness::new()), recorder.handle());
        let (status, response, body) = ask(&router, "/metrics").await;
        assert_eq!(status, 200);
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        assert!(body.contains("commits_total 3"), "{body}");
    }
}
