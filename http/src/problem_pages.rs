//! `/problems/<code>`: what an error means, for people.

use axum::{
    Json,
    extract::Path,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderMap, header};
use utoipa_axum::routes;

use crate::{
    problem::Problem,
    problem_codes::{self, ProblemCode},
    routes::{Policy, Routes},
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> Routes<S> {
    Routes::new().route(Policy::Public, routes!(explain_problem))
}

/// What the code of a problem document means and what to do about it.
#[utoipa::path(
    get,
    path = "/problems/{code}",
    tag = "problems",
    params(("code" = String, Path, description = "the `code` of a problem document")),
    responses((status = 200, description = "HTML where the client accepts it, else JSON", body = ProblemCode)),
)]
async fn explain_problem(Path(code): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let found = problem_codes::find(&code).ok_or_else(|| Problem::new("route_not_found"))?;
    let wants_html = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if !wants_html {
        return Ok(Json(found).into_response());
    }
    let ProblemCode { code, status, title, explanation } = found;
    Ok(Html(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body><h1>{title}</h1><p>{explanation}</p><p><code>{code}</code>, status {status}</p></body></html>\n"
    ))
    .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn page(path: &str, accept: &str) -> (u16, String) {
        let (router, _) = routes().finish(crate::testing::access_keys(), ());
        let request = Request::get(path).header("accept", accept).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_code_is_explained_in_html_or_json() {
        let (status, html) = page("/problems/book_not_found", "text/html,*/*").await;
        assert_eq!(status, 200);
        assert!(html.starts_with("<!doctype html>") && html.contains("book_not_found"), "{html}");
        let (status, json) = page("/problems/book_not_found", "*/*").await;
        assert_eq!(status, 200);
        assert!(json.starts_with(r#"{"code":"book_not_found","status":404"#), "{json}");
    }

    #[tokio::test]
    async fn an_unknown_code_is_not_found() {
        assert_eq!(page("/problems/nonsense", "*/*").await.0, 404);
    }
}
