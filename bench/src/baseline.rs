//! A server that does as little as one can: no rules, no login, no read model. It runs as a process of its own, as
//! Daybook does, so that both share the cores with the load generator in the same way.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{self, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use hyper::body::Bytes;
use tokio::net::TcpListener;

use crate::group_commit::{GroupCommit, record};

/// About what Daybook answers to an accepted entry.
const WRITE_ANSWER_BYTES: usize = 700;
pub const READ_ANSWER_BYTES_MAX: usize = 1_000_000;

struct Baseline {
    commits: GroupCommit,
    record: Bytes,
    /// Filler that answers of any length are cut from.
    answer: Bytes,
}

pub fn router(commits: GroupCommit, record_bytes: usize) -> Router {
    let state = Baseline { commits, record: record(record_bytes), answer: record(READ_ANSWER_BYTES_MAX) };
    Router::new().route("/write", post(write)).route("/read/{bytes}", get(read)).with_state(Arc::new(state))
}

/// Reads the body as Daybook must, then commits as many bytes as Daybook's journal would.
async fn write(State(baseline): State<Arc<Baseline>>, _body: Bytes) -> Response {
    match baseline.commits.append(baseline.record.clone()).await {
        Ok(_) => (StatusCode::CREATED, json(baseline.answer.slice(..WRITE_ANSWER_BYTES))).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn read(State(baseline): State<Arc<Baseline>>, extract::Path(bytes): extract::Path<usize>) -> Response {
    json(baseline.answer.slice(..bytes.min(READ_ANSWER_BYTES_MAX))).into_response()
}

fn json(body: Bytes) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], body)
}

/// Serves until the process is ended, and says where in the words that Daybook uses.
pub async fn serve(directory: &Path, record_bytes: usize) -> Result<()> {
    let (commits, _writer) = GroupCommit::open(directory)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(address).await.context("binding a loopback port")?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // Without it answers wait for acknowledgements, and the limit would be the kernel's patience.
        stream.set_nodelay(true).ok();
    });
    axum::serve(listener, router(commits, record_bytes)).await.context("serving the baseline")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closed_loop::{self, Until};
    use crate::http_client::HttpClient;
    use crate::load::Load;
    use crate::workload::{Rendered, Workload};

    async fn load(workload: Workload) -> Load {
        let directory = tempfile::tempdir().unwrap();
        let (commits, _writer) = GroupCommit::open(directory.path()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(axum::serve(listener, router(commits, 300)).into_future());
        let load = closed_loop::run(HttpClient::many(4, address, &workload), Until::Requests(100)).await;
        serving.abort();
        load
    }

    #[tokio::test]
    async fn the_generator_writes_to_the_baseline_over_http() {
        let load = load(Workload::writes(vec![Rendered::new("/write", "{}").unwrap()].into())).await;
        assert_eq!((load.completed, load.failed, load.first_failure), (100, 0, None));
    }

    #[tokio::test]
    async fn the_generator_reads_answers_of_the_length_it_asks_for() {
        let load = load(Workload::reads(&["/read/20000".to_owned()]).unwrap()).await;
        assert_eq!((load.completed, load.failed, load.first_failure), (100, 0, None));
    }

    #[tokio::test]
    async fn an_unexpected_status_is_a_failure_with_its_answer() {
        let load = load(Workload::reads(&["/nowhere".to_owned()]).unwrap()).await;
        assert_eq!((load.completed, load.failed), (0, 100));
        assert!(load.first_failure.unwrap().starts_with("404 Not Found"));
    }
}
