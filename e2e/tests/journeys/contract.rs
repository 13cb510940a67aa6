//! What the program says of itself: the description of the API, and the pages that explain its refusals.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use daybook_e2e::{Client, Options, Server};
use http_kit::problem_codes::{PROBLEM_CODES, ProblemCode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::desk;

pub fn committed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas/openapi.json")
}

/// Every operation of the API: method and path with its parameters in braces.
pub fn operations(api: &Value) -> BTreeSet<(String, String)> {
    let methods = ["get", "post", "put", "patch", "delete"];
    let paths = api["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let known = methods.into_iter().filter(|method| item[*method].is_object());
            known.map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect()
}

#[test]
fn the_committed_description_of_the_api_is_the_one_printed() {
    let printed = desk::run(&["openapi"]).expect(0).out;
    if env::var_os("UPDATE").is_some() {
        fs::write(committed(), &printed).unwrap();
    }
    let kept = fs::read_to_string(committed()).unwrap();
    assert!(
        kept == printed,
        "schemas/openapi.json differs from what `daybook openapi` prints; run with UPDATE=1"
    );
}

#[tokio::test]
async fn a_running_server_describes_itself_and_explains_every_code() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let anybody = Client::new(server.base());
    let served = anybody.get("/openapi.json").await.expect(200).json();
    assert_eq!(served, serde_json::from_str::<Value>(&fs::read_to_string(committed()).unwrap()).unwrap());

    for ProblemCode { code, status, title, explanation } in PROBLEM_CODES {
        let path = format!("/problems/{code}");
        let told = anybody.get(&path).await.expect(200).json();
        let expected = json!({"code": code, "status": status, "title": title, "explanation": explanation});
        assert_eq!(told, expected);
        let page = anybody.request(Method::GET, &path).header("accept", "text/html,application/xhtml+xml");
        let page = anybody.send(page).await.expect(200);
        assert!(page.header("content-type").unwrap().starts_with("text/html"), "{code}");
        assert!(page.body.contains(title) && page.body.contains(explanation), "{code}: {}", page.body);
    }

    let live = Client::new(server.operations()).get("/health/live").await.expect(200).json();
    assert_eq!(live, json!({"status": "live"}));
    let metrics = Client::new(server.operations()).get("/metrics").await.expect(200).body;
    assert!(metrics.contains("http_requests_total{"), "{metrics}");
}
