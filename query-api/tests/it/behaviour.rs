//! What all reads of a book have in common.

use std::sync::atomic::Ordering;

use domain::{
    entry::CategoryKind,
    id::{BookId, UserId},
};
use http::StatusCode;
use uuid::Uuid;

use crate::household::{Household, expense, settings};

const PATHS: &[&str] = &[
    "",
    "/accounts",
    "/categories",
    "/members",
    "/payees",
    "/tags",
    "/entries",
    "/overview",
    "/reports/spending",
    "/reports/cash-flow",
    "/reports/net-worth",
    "/reports/statistics",
    "/export?format=json",
    "/history",
    "/imports",
    "/history/1",
];

async fn small() -> Household {
    let mut home = Household::with(settings()).await;
    let cash = home.account("Cash", "EUR", None);
    let food = home.category("Food", CategoryKind::Expense, None);
    home.add(expense("2026-11-23", cash, food, "5"));
    home.project().await;
    home
}

#[tokio::test]
async fn a_book_that_is_not_mine_is_a_book_that_is_not_there() {
    let home = small().await;
    let stranger = UserId::from_uuid(Uuid::from_u128(99));
    let nowhere = BookId::from_uuid(Uuid::from_u128(98));
    for path in PATHS {
        for (user, book) in [
            (stranger, home.id.to_string()),
            (home.owner, nowhere.to_string()),
            (home.owner, "banana".to_owned()),
        ] {
            let answer = home.get_as(user, &format!("/api/v1/books/{book}{path}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(answer.body["code"], "book_not_found", "{path}");
        }
    }
    let books = home.get_as(stranger, "/api/v1/books").await;
    assert_eq!(books.body, serde_json::json!({"data": []}));
}

#[tokio::test]
async fn every_answer_carries_a_tag_and_is_not_sent_twice() {
    let mut home = small().await;
    for path in PATHS {
        let first = home.get(path).await;
        assert_eq!(first.status, StatusCode::OK, "{path}: {}", first.body);
        let tag = first.etag.unwrap();
        assert!(tag.starts_with("\"4"), "{path}: {tag}");
        let again = home.get_if_none_match(path, &format!("\"1\", W/{tag}")).await;
        assert_eq!((again.status, again.etag), (StatusCode::NOT_MODIFIED, Some(tag)), "{path}");
        let from_memory = home.get(path).await;
        assert_eq!(from_memory.body, first.body, "{path}");
    }
    home.account("Bank", "EUR", None);
    home.project().await;
    for path in PATHS {
        let answer = home.get_if_none_match(path, "\"4\", \"4-2026-11-23\"").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.etag.unwrap().starts_with("\"5"), "{path}");
    }
    assert_eq!(home.read("/accounts").await["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_read_waits_for_the_version_it_asks_for() {
    let mut home = small().await;
    assert_eq!(home.get("/accounts?min_version=4").await.status, StatusCode::OK);
    let beyond = home.get("/accounts?min_version=5").await;
    assert_eq!((beyond.status, &beyond.body["code"]), (StatusCode::BAD_REQUEST, &"version_unknown".into()));

    home.account("Bank", "EUR", None);
    let late = home.get("/accounts?min_version=5").await;
    assert_eq!(
        (late.status, &late.body["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"not_yet_visible".into())
    );

    let router = home.router.clone();
    let path = format!("/api/v1/books/{}/accounts?min_version=5", home.id);
    let request = http::Request::get(path)
        .header("authorization", format!("Bearer {}", http_kit::testing::token(home.owner)))
        .body(axum::body::Body::empty())
        .unwrap();
    let waiting = tokio::spawn(tower::ServiceExt::oneshot(router, request));
    tokio::task::yield_now().await;
    home.project().await;
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["etag"], "\"5\"");
}

#[tokio::test]
async fn a_new_book_is_waited_for_and_a_foreign_one_answers_the_same() {
    let mut home = Household::with(settings()).await;
    assert_eq!(home.get("").await.body["code"], "book_not_found");
    assert_eq!(home.get("?min_version=1").await.body["code"], "not_yet_visible");
    let nowhere = BookId::from_uuid(Uuid::from_u128(98));
    let foreign = home.get_absolute(&format!("/api/v1/books/{nowhere}?min_version=1")).await;
    assert_eq!(foreign.body["code"], "not_yet_visible");
    home.project().await;
    assert_eq!(home.get("?min_version=1").await.status, StatusCode::OK);
    let foreign = home.get_absolute(&format!("/api/v1/books/{nowhere}?min_version=1")).await;
    assert_eq!(foreign.body["code"], "book_not_found");
    // Where the journal's end is unknown, waiting is all that can be done.
    home.head.store(u64::MAX, Ordering::SeqCst);
    assert_eq!(home.get("?min_version=2").await.body["code"], "not_yet_visible");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_name() {
    let home = small().await;
    let zeros = "0".repeat(26);
    for (path, code) in [
        ("/entries?limitt=1".to_owned(), "unknown_parameter"),
        ("/entries?limit=0".to_owned(), "invalid_parameter"),
        ("/entries?limit=201".to_owned(), "invalid_parameter"),
        ("/entries?limit=many".to_owned(), "invalid_parameter"),
        ("/entries?from=2026-04-31".to_owned(), "invalid_parameter"),
        ("/entries?from=2026-04-30&to=2026-04-29".to_owned(), "invalid_parameter"),
        ("/entries?kind=loan".to_owned(), "invalid_parameter"),
        ("/entries?account=banana".to_owned(), "invalid_parameter"),
        ("/entries?amount_min=1e3".to_owned(), "invalid_parameter"),
        ("/entries?sort=random".to_owned(), "invalid_parameter"),
        ("/entries?weekday=noday".to_owned(), "invalid_parameter"),
        (format!("/entries?text={}", "a".repeat(201)), "invalid_parameter"),
        (format!("/entries?{}", "tag=a&".repeat(51)), "invalid_parameter"),
        ("/entries?cursor=banana".to_owned(), "cursor_invalid"),
        ("/history?cursor=banana".to_owned(), "cursor_invalid"),
        ("/entries/banana".to_owned(), "entry_not_found"),
        (format!("/entries/ent_{zeros}"), "entry_not_found"),
        (format!("/entries/ent_{zeros}/history"), "entry_not_found"),
        (format!("/accounts/acc_{zeros}"), "account_not_found"),
        (format!("/categories/cat_{zeros}"), "category_not_found"),
        (format!("/imports/imp_{zeros}"), "import_not_found"),
        ("/history/0".to_owned(), "version_unknown"),
        ("/history/5".to_owned(), "version_unknown"),
        ("/history/18446744073709551615".to_owned(), "version_unknown"),
        ("/history/first".to_owned(), "invalid_parameter"),
        ("/overview?on=0000-01-01".to_owned(), "invalid_parameter"),
        ("/reports/spending?from=2026-01-01".to_owned(), "invalid_parameter"),
        ("/reports/spending?from=2026-01-02&to=2026-01-01".to_owned(), "invalid_parameter"),
        ("/reports/spending?from=2026-01-02&to=2026-01-03&period=week".to_owned(), "invalid_parameter"),
        ("/reports/spending?from=0001-01-01&to=9999-12-31".to_owned(), "invalid_parameter"),
        ("/reports/spending?group_by=mood".to_owned(), "invalid_parameter"),
        ("/reports/spending?kind=refund".to_owned(), "invalid_parameter"),
        ("/reports/cash-flow?granularity=quarter".to_owned(), "invalid_parameter"),
        ("/reports/cash-flow?granularity=day&from=2020-01-01&to=2026-01-01".to_owned(), "invalid_parameter"),
        ("/reports/cash-flow?from=2026-01-01".to_owned(), "invalid_parameter"),
        ("/reports/cash-flow?payee=Rewe".to_owned(), "unknown_parameter"),
        ("/reports/net-worth?granularity=week&from=0001-01-01&to=0101-01-01".to_owned(), "invalid_parameter"),
        (format!("/reports/net-worth?{}", format!("account=acc_{zeros}&").repeat(501)), "invalid_parameter"),
        ("/reports/net-worth?category=banana".to_owned(), "unknown_parameter"),
        ("/reports/statistics?period=day".to_owned(), "invalid_parameter"),
        ("/reports/statistics?granularity=day".to_owned(), "unknown_parameter"),
        ("/entries?category_kind=asset".to_owned(), "invalid_parameter"),
    ] {
        let answer = home.get(&path).await;
        assert_eq!(answer.body["code"], code, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_ends_of_time_can_be_asked_about() {
    let home = small().await;
    for on in ["0001-01-01", "9999-12-31"] {
        for period in ["week", "month", "quarter", "year"] {
            for compare in ["previous", "previous_year"] {
                home.read(&format!("/reports/spending?period={period}&on={on}&compare={compare}")).await;
            }
        }
        home.read(&format!("/overview?on={on}")).await;
        for period in ["week", "month", "quarter", "year"] {
            for report in ["statistics", "cash-flow", "net-worth"] {
                home.read(&format!("/reports/{report}?period={period}&on={on}")).await;
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_opens_only_the_list_it_came_from() {
    let mut home = small().await;
    let cash = home.account("Bank", "EUR", None);
    let food = home.category("Rent", CategoryKind::Expense, None);
    home.add(expense("2026-11-22", cash, food, "6"));
    home.project().await;
    let first = home.read("/entries?limit=1").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    // Another limit is the same list.
    assert_eq!(home.get(&format!("/entries?limit=2&cursor={cursor}")).await.status, StatusCode::OK);
    for other in ["/entries?sort=oldest&", "/entries?kind=expense&", "/history?", "/payees?"] {
        let answer = home.get(&format!("{other}cursor={cursor}")).await;
        assert_eq!(answer.body["code"], "cursor_invalid", "{other}");
    }
}

#[tokio::test]
async fn no_route_answers_without_a_login() {
    let home = small().await;
    for path in PATHS {
        let request =
            http::Request::get(format!("/api/v1/books/{}{path}", home.id)).body(axum::body::Body::empty());
        let answer = tower::ServiceExt::oneshot(home.router.clone(), request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn every_route_is_described_with_its_answers() {
    let home = Household::with(settings()).await;
    let paths = home.description["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 25);
    for (path, item) in paths {
        assert!(path.starts_with("/api/v1/books"), "{path}");
        let operation = &item["get"];
        assert!(operation["summary"].is_string(), "{path}");
        let responses = operation["responses"].as_object().unwrap();
        // A stream has no end and so no version that could be known already.
        let is_stream = path.ends_with("/live") || path.ends_with("/progress");
        let content_type = if is_stream { "text/event-stream" } else { "application/json" };
        assert!(responses["200"]["content"][content_type]["schema"].is_object(), "{path}");
        assert!(responses.contains_key("400") && responses.contains_key("503"), "{path}");
        if path != "/api/v1/books" {
            let role = if path.ends_with("/invitations") { "owner" } else { "viewer" };
            assert_eq!(operation["x-daybook-role"], role, "{path}");
            assert!(responses.contains_key("304") != is_stream && responses.contains_key("404"), "{path}");
        }
    }
}
