use std::{fs, path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use daybook_e2e::{Client, Options, Server};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::asking::{
    Asker, Met, Request, bytes, command, delete, get, patch, post, put, statement, typed_bytes,
};

const UNKNOWN: &str = "00000000000000000000000000";
const ATTEMPTS: u32 = 12;

/// Everything that the requests are about.
struct Scene {
    ada: Asker,
    /// `/api/v1/books/<Ada's book>`
    book: String,
    bank: String,
    cash: String,
    dollars: String,
    closed: String,
    groceries: String,
    food: String,
    salary: String,
    archived: String,
    /// In the book, and removed from it.
    entry: String,
    income: String,
    removed: String,
    /// Imported and reverted.
    reverted: String,
}

pub async fn of_refusals(met: Arc<Met>) {
    let data = tempfile::tempdir().unwrap();
    let settings = vec![
        ("identity.attempts_per_address_per_minute", "100000".to_owned()),
        ("identity.attempts_per_email_per_minute", ATTEMPTS.to_string()),
        ("query_api.live_streams_per_user_max", "1".to_owned()),
    ];
    let server = Server::start(data.path(), &Options { settings, ..Options::default() }).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let ada = Asker::new(client, &server, data.path(), met);

    people(&ada).await;
    let scene = Scene::set(ada).await;
    scene.reads().await;
    scene.refused(scene.outside()).await;
    scene.refused(scene.bodies()).await;
    scene.refused(scene.books()).await;
    scene.refused(scene.charts()).await;
    scene.refused(scene.entries()).await;
    scene.refused(scene.balanced()).await;
    scene.refused(scene.many()).await;
    scene.refused(scene.statements()).await;
    scene.refused(scene.lists()).await;
    scene.tokens(data.path()).await;
    scene.cursors().await;
    scene.live().await;
    scene.members().await;
    scene.undoing().await;
    let told = scene.ada.ask(get(&format!("{}/accounts?min_version=9999", scene.book))).await;
    assert_eq!((told.status, told.code().as_str()), (400, "version_unknown"));
}

type Row = (Request, u16, &'static str, Option<&'static str>);

/// All rows are tried, and all differences told at once.
async fn refused(asker: &Asker, rows: Vec<Row>) {
    let mut differences = Vec::new();
    for (request, status, code, pointer) in rows {
        differences.extend(asker.try_refused(request, status, code, pointer).await.err());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Sign-up to log-out, and what can go wrong between.
async fn people(ada: &Asker) {
    let auth = |what: &str| format!("/api/v1/auth/{what}");
    let person = json!({"email": "grace@example.org", "password": "another pass phrase", "name": "Grace"});
    let with = |field: &str, value: Value| {
        let mut person = person.clone();
        person["email"] = json!("somebody@example.org");
        person[field] = value;
        post(&auth("sign-up"), person).without_login()
    };
    let signed_up = ada.done(post(&auth("sign-up"), person.clone()).without_login(), 201).await.json();
    let login = json!({"email": "grace@example.org", "password": "another pass phrase"});
    let logged_in = ada.done(post(&auth("log-in"), login.clone()).without_login(), 200).await.json();
    let token = logged_in["access_token"].as_str().unwrap().to_owned();
    let as_grace = |request: Request| request.token(&token);

    let wrong = |email: &str| {
        post(&auth("log-in"), json!({"email": email, "password": "wrong words"})).without_login()
    };
    let rows: Vec<Row> = vec![
        (with("email", json!("no address")), 422, "email_malformed", Some("/email")),
        (with("email", json!("GRACE@example.org")), 422, "email_taken", Some("/email")),
        (with("password", json!("short")), 422, "password_too_short", Some("/password")),
        (with("password", json!("x".repeat(1_025))), 422, "password_too_long", Some("/password")),
        (with("locale", json!("not a language")), 422, "locale_malformed", Some("/locale")),
        (with("time_zone", json!("Europe/Atlantis")), 422, "unknown_time_zone", Some("/time_zone")),
        (with("name", json!(" ")), 422, "name_empty", Some("/name")),
        (with("session", json!("pocket")), 422, "unknown_value", Some("/session")),
        (
            with("session", json!("cookie")).header("sec-fetch-site", "cross-site"),
            403,
            "cross_site_refused",
            None,
        ),
        (wrong("grace@example.org"), 401, "login_failed", None),
        (wrong("nobody@example.org"), 401, "login_failed", None),
        (post(&auth("refresh"), json!({})).without_login(), 422, "field_missing", Some("/refresh_token")),
        (
            post(&auth("refresh"), json!({"refresh_token": "made up"})).without_login(),
            401,
            "refresh_invalid",
            None,
        ),
        (as_grace(patch("/api/v1/me", json!({}))), 422, "nothing_to_change", None),
        (
            as_grace(patch("/api/v1/me", json!({"name": "x".repeat(101)}))),
            422,
            "name_too_long",
            Some("/name"),
        ),
        (as_grace(delete(&format!("/api/v1/me/sessions/ses_{UNKNOWN}"))), 404, "session_not_found", None),
        (as_grace(delete("/api/v1/me/sessions/nonsense")), 400, "invalid_parameter", None),
        (
            as_grace(post(
                &auth("change-password"),
                json!({"current_password": "wrong words", "new_password": "new pass phrase"}),
            )),
            422,
            "password_wrong",
            Some("/current_password"),
        ),
    ];
    refused(ada, rows).await;

    ada.done(get("/.well-known/jwks.json").without_login(), 200).await;
    ada.done(get("/problems/login_failed").without_login(), 200).await;
    ada.done(as_grace(get("/api/v1/me")), 200).await;
    ada.done(as_grace(patch("/api/v1/me", json!({"locale": "en"}))), 200).await;
    let sessions = ada.done(as_grace(get("/api/v1/me/sessions")), 200).await.json();
    let other =
        sessions["data"].as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    let other = format!("/api/v1/me/sessions/{}", other["id"].as_str().unwrap());
    ada.done(as_grace(delete(&other)), 204).await;
    let ended = json!({"refresh_token": signed_up["refresh_token"]});
    ada.refused(post(&auth("refresh"), ended).without_login(), 401, "refresh_invalid", None).await;

    let change = json!({"current_password": "another pass phrase", "new_password": "a new pass phrase"});
    ada.done(as_grace(post(&auth("change-password"), change)), 204).await;
    let once = json!({"refresh_token": logged_in["refresh_token"]});
    ada.done(post(&auth("refresh"), once.clone()).without_login(), 200).await;
    ada.refused(post(&auth("refresh"), once).without_login(), 401, "refresh_reused", None).await;
    ada.done(as_grace(command(&auth("log-out"))), 204).await;
    ada.done(as_grace(command(&auth("log-out-everywhere"))), 204).await;

    for _ in 0..ATTEMPTS {
        ada.refused(wrong("guessed@example.org"), 401, "login_failed", None).await;
    }
    ada.refused(wrong("guessed@example.org"), 429, "rate_limited", None).await;
}

impl Scene {
    /// Every write of a book, done once.
    async fn set(ada: Asker) -> Self {
        let new = json!({"name": "Home", "currency": "EUR", "time_zone": "Europe/Berlin"});
        let made = ada.done(post("/api/v1/books", new), 201).await.json();
        let book = format!("/api/v1/books/{}", made["id"].as_str().unwrap());
        let at = |rest: &str| format!("{book}/{rest}");
        let id = |answer: daybook_e2e::Answer| answer.json()["id"].as_str().unwrap().to_owned();
        let accounts = ada.done(get(&at("accounts?min_version=1")), 200).await.json();
        let categories = ada.done(get(&at("categories")), 200).await.json();
        let find = |list: &Value, name: &str| {
            let found = list["data"].as_array().unwrap().iter().find(|thing| thing["name"] == name);
            found.unwrap()["id"].as_str().unwrap().to_owned()
        };
        let (bank, cash) = (find(&accounts, "Bank account"), find(&accounts, "Cash"));
        let (food, groceries, salary) =
            (find(&categories, "Food"), find(&categories, "Groceries"), find(&categories, "Salary"));

        ada.done(patch(&book, json!({"week_starts_on": "sunday"})), 200).await;
        let new = json!({"name": "Dollars", "kind": "bank", "currency": "USD", "opened_on": "2026-01-01"});
        let dollars = id(ada.done(post(&at("accounts"), new), 201).await);
        let new = json!({"name": "Old", "kind": "other", "opened_on": "2026-01-01"});
        let closed = id(ada.done(post(&at("accounts"), new), 201).await);
        ada.done(patch(&at(&format!("accounts/{closed}")), json!({"kind": "loan"})), 200).await;
        for what in ["close", "reopen", "close"] {
            ada.done(command(&at(&format!("accounts/{closed}/{what}"))), 200).await;
        }
        let new = json!({"name": "Former", "kind": "expense"});
        let archived = id(ada.done(post(&at("categories"), new), 201).await);
        ada.done(patch(&at(&format!("categories/{archived}")), json!({"icon": "box"})), 200).await;
        for what in ["archive", "restore", "archive"] {
            ada.done(command(&at(&format!("categories/{archived}/{what}"))), 200).await;
        }

        let expense = json!({"kind": "expense", "occurred_on": "2026-11-23", "account": cash, "amount": "12.50",
            "category": groceries, "payee": "Market hall", "tags": ["weekly"]});
        let entry = id(ada.done(post(&at("entries"), expense.clone()).key("market"), 201).await);
        let income = json!({"kind": "income", "occurred_on": "2026-11-20", "account": bank, "amount": "2000",
            "category": salary, "payee": "Works"});
        let income = id(ada.done(post(&at("entries"), income), 201).await);
        let removed = id(ada.done(post(&at("entries"), expense), 201).await);
        ada.done(patch(&at(&format!("entries/{removed}")), json!({"amount": "13"})), 200).await;
        ada.done(delete(&at(&format!("entries/{removed}"))), 200).await;
        ada.done(command(&at(&format!("entries/{removed}/restore"))), 200).await;
        ada.done(delete(&at(&format!("entries/{removed}"))), 200).await;

        let mut tagged = json!({"kind": "expense", "occurred_on": "2026-11-22", "account": cash, "amount": "1",
            "category": groceries, "tags": ["sorted anew"]});
        let entries = json!({"mode": "all", "entries": [tagged, tagged]});
        ada.done(post(&at("entries/bulk"), entries), 201).await;
        let good = tagged.clone();
        tagged["amount"] = json!(1);
        let entries = json!({"mode": "each", "entries": [tagged, good]});
        let taken = ada.done(post(&at("entries/bulk"), entries), 200).await.json();
        assert_eq!(taken["results"][0]["problem"]["code"], "amount_not_a_string");
        let wanted = json!({"filter": {"tag": "sorted anew"}, "category": food});
        let sorted = ada.done(post(&at("entries/recategorise"), wanted), 200).await.json();
        assert_eq!(sorted["entries"], 3);
        let passing = json!({"name": "Passing", "kind": "expense"});
        let passing = id(ada.done(post(&at("categories"), passing), 201).await);
        let into = json!({ "into": food });
        ada.done(post(&at(&format!("categories/{passing}/merge")), into), 200).await;

        let file = "Date,Payee,Amount\n2026-11-01,Shop,-5.00\n2026-11-02,Shop,-6.00\n";
        let guess = ada.done(statement(&book, file, &[]), 200).await.json();
        let mapping = guess["guess"]["mapping"].to_string();
        let reverted = id(ada.done(statement(&book, file, &[("mapping", mapping)]), 201).await);
        let last = ada.done(command(&at(&format!("imports/{reverted}/revert"))), 200).await;
        let version = last.version().unwrap();
        // From here on every read shows all of it.
        ada.done(get(&format!("{book}?min_version={version}")), 200).await;
        Self {
            ada,
            bank,
            cash,
            dollars,
            closed,
            groceries,
            food,
            salary,
            archived,
            entry,
            income,
            removed,
            reverted,
            book,
        }
    }

    /// Every read of a book, done once.
    async fn reads(&self) {
        self.ada.done(get("/api/v1/books"), 200).await;
        for path in [
            format!("accounts/{}", self.cash),
            format!("categories/{}", self.food),
            format!("entries?category={}&from=2026-11-01&to=2026-11-30", self.food),
            format!("entries/{}", self.entry),
            format!("entries/{}/history", self.entry),
            format!("imports/{}", self.reverted),
            "members".to_owned(),
            "payees".to_owned(),
            "tags".to_owned(),
            "imports".to_owned(),
            "overview?on=2026-11-23".to_owned(),
            "reports/spending?period=quarter&on=2026-11-23&compare=previous_year".to_owned(),
            "reports/cash-flow?period=quarter&on=2026-11-23&granularity=week".to_owned(),
            format!("reports/net-worth?period=year&on=2026-11-23&account={}", self.cash),
            "reports/statistics?period=month&on=2026-10-23".to_owned(),
            "export?format=csv".to_owned(),
            "history".to_owned(),
            "history/1".to_owned(),
        ] {
            let path = format!("{}/{path}", self.book);
            let answer = self.ada.done(get(&path), 200).await;
            let tag = answer.header("etag").unwrap().to_owned();
            let known = self.ada.done(get(&path).header("if-none-match", tag), 304).await;
            assert_eq!(known.body, "");
        }
        // Of an import that is over the stream of its progress is one event long.
        self.ada.done(get(&self.at(&format!("imports/{}/progress", self.reverted))), 200).await;
    }

    async fn refused(&self, rows: Vec<Row>) {
        refused(&self.ada, rows).await;
    }

    fn at(&self, rest: &str) -> String {
        format!("{}/{rest}", self.book)
    }

    fn expense(&self) -> Value {
        json!({"kind": "expense", "occurred_on": "2026-11-23", "account": self.cash, "amount": "12.50",
            "category": self.groceries})
    }

    /// An expense with one field as it should not be.
    fn with(&self, field: &str, value: Value) -> Request {
        let mut entry = self.expense();
        entry[field] = value;
        post(&self.at("entries"), entry)
    }

    fn without(&self, field: &str) -> Request {
        let mut entry = self.expense();
        entry.as_object_mut().unwrap().remove(field);
        post(&self.at("entries"), entry)
    }

    /// Nothing of the request's body is at fault.
    fn outside(&self) -> Vec<Row> {
        let add = || post(&self.at("entries"), self.expense());
        let foreign = format!("/api/v1/books/book_{UNKNOWN}");
        vec![
            (get("/api/v1/nowhere"), 404, "route_not_found", None),
            (get("/problems/nonsense").without_login(), 404, "route_not_found", None),
            (put(&self.book, json!({})), 405, "method_not_allowed", None),
            (delete("/api/v1/me"), 405, "method_not_allowed", None),
            (get("/api/v1/books").without_login(), 401, "login_required", None),
            (add().without_login(), 401, "login_required", None),
            (get("/api/v1/me").without_login(), 401, "login_required", None),
            (add().without_key(), 400, "idempotency_key_missing", None),
            (add().key("with space"), 400, "idempotency_key_invalid", None),
            (add().key(&"k".repeat(256)), 400, "idempotency_key_invalid", None),
            (add().key("market"), 422, "idempotency_key_reused", None),
            (add().header("if-match", "7"), 400, "if_match_invalid", None),
            (add().header("if-match", "\"1\""), 412, "version_conflict", None),
            (get(&foreign), 404, "book_not_found", None),
            (get("/api/v1/books/nonsense/overview"), 404, "book_not_found", None),
            (patch(&foreign, json!({"name": "Mine"})), 404, "book_not_found", None),
            (post(&format!("{foreign}/entries"), self.expense()), 404, "book_not_found", None),
            (get(&self.at(&format!("accounts/acc_{UNKNOWN}"))), 404, "account_not_found", None),
            (get(&self.at("categories/nonsense")), 404, "category_not_found", None),
            (get(&self.at(&format!("entries/ent_{UNKNOWN}"))), 404, "entry_not_found", None),
            (get(&self.at(&format!("entries/ent_{UNKNOWN}/history"))), 404, "entry_not_found", None),
            (get(&self.at(&format!("imports/imp_{UNKNOWN}"))), 404, "import_not_found", None),
            (get(&self.at("history/9999")), 400, "version_unknown", None),
        ]
    }

    fn bodies(&self) -> Vec<Row> {
        let path = self.at("entries");
        let long = |letters: usize| {
            let mut entry = self.expense();
            entry["note"] = json!("x".repeat(letters));
            entry.to_string()
        };
        // As long as a body may be, and one byte longer.
        let frame = long(0).len();
        vec![
            (bytes(&path, "{"), 400, "malformed_json", None),
            (bytes(&path, ""), 400, "malformed_json", None),
            // A name that stands twice.
            (bytes(&path, long(0).replacen('{', "{\"kind\":\"income\",", 1)), 400, "malformed_json", None),
            (bytes(&path, b"{\"kind\":\"\xff\xfe\"}".to_vec()), 400, "malformed_json", None),
            (bytes(&path, "[1]"), 422, "wrong_type", Some("")),
            (typed_bytes(&path, "text/plain", "{}"), 415, "unsupported_media_type", None),
            (typed_bytes(&self.at("imports"), "application/json", "{}"), 415, "unsupported_media_type", None),
            (bytes(&path, long(1_000_000 - frame)), 422, "text_too_long", Some("/note")),
            (bytes(&path, long(1_000_001 - frame)), 413, "body_too_large", None),
            (
                bytes("/api/v1/auth/sign-up", vec![b' '; 1_000_001]).without_login(),
                413,
                "body_too_large",
                None,
            ),
            (
                typed_bytes(
                    &self.at("imports"),
                    "multipart/form-data; boundary=cut",
                    "--cut\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nDate,Amo",
                ),
                400,
                "body_incomplete",
                None,
            ),
        ]
    }

    fn books(&self) -> Vec<Row> {
        let new = |field: &str, value: Value| {
            let mut book = json!({"name": "Second", "currency": "EUR"});
            book[field] = value;
            post("/api/v1/books", book)
        };
        let change = |field: &str, value: Value| patch(&self.book, json!({ field: value }));
        vec![
            (new("name", json!("")), 422, "name_empty", Some("/name")),
            (new("name", json!("x".repeat(101))), 422, "name_too_long", Some("/name")),
            (new("name", json!("a\u{7}b")), 422, "invalid_value", Some("/name")),
            (new("name", json!(7)), 422, "wrong_type", Some("/name")),
            (new("currency", json!("euro")), 422, "unknown_currency", Some("/currency")),
            (new("currency", json!("XXX")), 422, "unknown_currency", Some("/currency")),
            (new("time_zone", json!("Mars/Olympus")), 422, "unknown_time_zone", Some("/time_zone")),
            (new("week_starts_on", json!("someday")), 422, "unknown_value", Some("/week_starts_on")),
            (new("month_starts_on", json!(29)), 422, "invalid_value", Some("/month_starts_on")),
            (new("curency", json!("EUR")), 422, "unknown_field", Some("/curency")),
            (post("/api/v1/books", json!({"name": "Second"})), 422, "field_missing", Some("/currency")),
            (post("/api/v1/books", json!({"name": "", "currency": 5, "x": 1})), 422, "invalid_fields", None),
            (change("currency", json!("USD")), 422, "unknown_field", Some("/currency")),
            (change("month_starts_on", json!(0)), 422, "invalid_value", Some("/month_starts_on")),
            (patch(&self.book, json!({})), 422, "nothing_to_change", None),
        ]
    }

    /// Accounts and categories.
    fn charts(&self) -> Vec<Row> {
        let open = |body: Value| post(&self.at("accounts"), body);
        let account = |id: &str, rest: &str| self.at(&format!("accounts/{id}{rest}"));
        let add = |body: Value| post(&self.at("categories"), body);
        let category = |id: &str, rest: &str| self.at(&format!("categories/{id}{rest}"));
        let opening = |amount: Value| open(json!({"name": "New", "kind": "bank", "opening_balance": amount}));
        let unknown_account = format!("acc_{UNKNOWN}");
        let unknown_category = format!("cat_{UNKNOWN}");
        vec![
            (open(json!({"name": "cash", "kind": "cash"})), 422, "name_taken", Some("/name")),
            (open(json!({"name": "New", "kind": "purse"})), 422, "unknown_value", Some("/kind")),
            (open(json!({"kind": "cash"})), 422, "field_missing", Some("/name")),
            (
                open(json!({"name": "New", "kind": "bank", "opened_on": "2026-04-31"})),
                422,
                "date_malformed",
                Some("/opened_on"),
            ),
            (opening(json!("1.005")), 422, "too_many_decimals", Some("/opening_balance")),
            (opening(json!(1)), 422, "amount_not_a_string", Some("/opening_balance")),
            (opening(json!("1e3")), 422, "amount_malformed", Some("/opening_balance")),
            (patch(&account(&self.cash, ""), json!({})), 422, "nothing_to_change", None),
            (
                patch(&account(&self.cash, ""), json!({"name": "Bank account"})),
                422,
                "name_taken",
                Some("/name"),
            ),
            (patch(&account(&unknown_account, ""), json!({"name": "X"})), 404, "account_not_found", None),
            (command(&account(&unknown_account, "/close")), 404, "account_not_found", None),
            (command(&account(&self.closed, "/close")), 422, "account_closed", None),
            (command(&account(&self.cash, "/reopen")), 422, "account_not_closed", None),
            (add(json!({"name": "Food", "kind": "expense"})), 422, "name_taken", Some("/name")),
            (add(json!({"name": "X", "kind": "transfer"})), 422, "unknown_value", Some("/kind")),
            (
                add(json!({"name": "X", "kind": "income", "parent": self.food})),
                422,
                "category_kind_mismatch",
                Some("/parent"),
            ),
            (
                add(json!({"name": "X", "kind": "expense", "parent": self.archived})),
                422,
                "category_archived",
                Some("/parent"),
            ),
            (
                add(json!({"name": "X", "kind": "expense", "parent": unknown_category})),
                422,
                "unknown_category",
                Some("/parent"),
            ),
            (
                add(json!({"name": "X", "kind": "expense", "parent": "cat_x"})),
                422,
                "id_malformed",
                Some("/parent"),
            ),
            (
                add(json!({"name": "X", "kind": "expense", "icon": "two words"})),
                422,
                "invalid_value",
                Some("/icon"),
            ),
            (
                patch(&category(&self.food, ""), json!({"parent": self.groceries})),
                422,
                "category_cycle",
                Some("/parent"),
            ),
            (patch(&category(&self.food, ""), json!({})), 422, "nothing_to_change", None),
            (patch(&category(&unknown_category, ""), json!({"name": "X"})), 404, "category_not_found", None),
            (command(&category(&self.archived, "/archive")), 422, "category_archived", None),
            (command(&category(&self.food, "/restore")), 422, "category_not_archived", None),
        ]
    }

    fn entries(&self) -> Vec<Row> {
        let transfer = |to: &str| {
            let entry = json!({"kind": "transfer", "occurred_on": "2026-11-23", "account": self.bank, "amount": "5",
                "to_account": to});
            post(&self.at("entries"), entry)
        };
        let split = |amounts: [&str; 2]| {
            let mut entry = self.expense();
            entry.as_object_mut().unwrap().remove("category");
            let splits = amounts.map(|amount| json!({"category": self.groceries, "amount": amount}));
            entry["splits"] = json!(splits);
            post(&self.at("entries"), entry)
        };
        let one = |id: &str, rest: &str| self.at(&format!("entries/{id}{rest}"));
        let unknown = format!("ent_{UNKNOWN}");
        let mut rows: Vec<Row> = vec![
            (self.with("amount", json!("-1")), 422, "amount_not_positive", Some("/amount")),
            (self.with("amount", json!("0")), 422, "amount_not_positive", Some("/amount")),
            (self.with("amount", json!("12.505")), 422, "too_many_decimals", Some("/amount")),
            (self.with("amount", json!(12.5)), 422, "amount_not_a_string", Some("/amount")),
            (self.with("amount", json!("9".repeat(30))), 422, "amount_out_of_range", Some("/amount")),
            (self.with("amount", json!(null)), 422, "wrong_type", Some("/amount")),
            (self.with("occurred_on", json!("0000-11-23")), 422, "date_out_of_range", Some("/occurred_on")),
            (self.with("occurred_on", json!("10000-11-23")), 422, "date_out_of_range", Some("/occurred_on")),
            (self.with("kind", json!("gift")), 422, "unknown_value", Some("/kind")),
            (self.with("id", json!("ent_nonsense")), 422, "id_malformed", Some("/id")),
            (self.with("id", json!(self.entry)), 422, "id_taken", Some("/id")),
            (self.with("account", json!(self.closed)), 422, "account_closed", Some("/account")),
            (self.with("account", json!(format!("acc_{UNKNOWN}"))), 422, "unknown_account", Some("/account")),
            (self.with("account", json!(self.groceries)), 422, "id_malformed", Some("/account")),
            (self.with("category", json!(self.archived)), 422, "category_archived", Some("/category")),
            (self.with("category", json!(self.salary)), 422, "category_kind_mismatch", Some("/category")),
            (
                self.with("category", json!(format!("cat_{UNKNOWN}"))),
                422,
                "unknown_category",
                Some("/category"),
            ),
            (self.with("currency", json!("USD")), 422, "currency_mismatch", Some("/currency")),
            (self.with("to_account", json!(self.bank)), 422, "field_not_allowed", Some("/to_account")),
            (self.with("refund_of", json!(self.entry)), 422, "field_not_allowed", Some("/refund_of")),
            (self.with("payee", json!("x".repeat(201))), 422, "text_too_long", Some("/payee")),
            (self.with("note", json!("x".repeat(2_001))), 422, "text_too_long", Some("/note")),
            (self.with("tags", json!(["x".repeat(51)])), 422, "text_too_long", Some("/tags/0")),
            (
                self.with("tags", json!((0..21).map(|n| n.to_string()).collect::<Vec<_>>())),
                422,
                "too_many_tags",
                Some("/tags"),
            ),
            (self.with("tags", json!("weekly")), 422, "wrong_type", Some("/tags")),
            (
                self.with("foreign", json!({"amount": "5", "currency": "ZZZ"})),
                422,
                "unknown_currency",
                Some("/foreign/currency"),
            ),
            (
                self.with("foreign", json!({"amount": "5.5", "currency": "JPY"})),
                422,
                "too_many_decimals",
                Some("/foreign/amount"),
            ),
            (self.with("splits", json!([])), 422, "field_not_allowed", Some("/splits")),
            (self.with("ocurred_on", json!("2026-11-23")), 422, "unknown_field", Some("/ocurred_on")),
            (self.without("amount"), 422, "field_missing", Some("/amount")),
            (self.without("category"), 422, "field_missing", Some("/category")),
            (
                self.with("account", json!(7)).header("x-request-id", "my-own-name"),
                422,
                "wrong_type",
                Some("/account"),
            ),
            (post(&self.at("entries"), json!({"kind": 1, "amount": 2, "x": 3})), 422, "invalid_fields", None),
            (split(["1.00", "2.00"]), 422, "splits_do_not_add_up", Some("/splits")),
            (split(["12.50", "0"]), 422, "amount_not_positive", Some("/splits/1/amount")),
            (split(["12.5", "0.001"]), 422, "too_many_decimals", Some("/splits/1/amount")),
            (transfer(&self.bank), 422, "same_account", Some("/to_account")),
            (transfer(&self.dollars), 422, "field_missing", Some("/to_amount")),
            (
                post(
                    &self.at("entries"),
                    json!({"kind": "refund", "occurred_on": "2026-11-23", "account": self.cash,
                    "amount": "1", "category": self.groceries, "refund_of": self.income}),
                ),
                422,
                "unknown_refund_of",
                Some("/refund_of"),
            ),
            (patch(&one(&self.entry, ""), json!({})), 422, "nothing_to_change", None),
            (patch(&one(&self.entry, ""), json!({"id": self.entry})), 422, "unknown_field", Some("/id")),
            (
                patch(&one(&self.entry, ""), json!({"amount": "-2"})),
                422,
                "amount_not_positive",
                Some("/amount"),
            ),
            (
                patch(&one(&self.entry, ""), json!({"account": self.dollars})),
                422,
                "field_missing",
                Some("/amount"),
            ),
            (patch(&one(&self.removed, ""), json!({"amount": "2"})), 422, "entry_removed", None),
            (patch(&one(&unknown, ""), json!({"amount": "2"})), 404, "entry_not_found", None),
            (delete(&one(&self.removed, "")), 422, "entry_removed", None),
            (delete(&one("nonsense", "")), 404, "entry_not_found", None),
            (command(&one(&self.entry, "/restore")), 422, "entry_not_removed", None),
            (command(&one(&unknown, "/restore")), 404, "entry_not_found", None),
        ];
        for wrong in ["1e3", "NaN", "", "12,5", " 1", "0x10", "1_000", "Infinity", "٣"] {
            rows.push((self.with("amount", json!(wrong)), 422, "amount_malformed", Some("/amount")));
        }
        for wrong in ["2026-04-31", "2026-1-1", "23.11.2026", "tomorrow", "2026-11-23T00:00:00Z", ""] {
            rows.push((self.with("occurred_on", json!(wrong)), 422, "date_malformed", Some("/occurred_on")));
        }
        rows
    }

    fn balanced(&self) -> Vec<Row> {
        let balanced = |postings: Value| {
            let entry = json!({"kind": "balanced", "occurred_on": "2026-11-23", "postings": postings});
            post(&self.at("entries"), entry)
        };
        let out = |amount: &str| json!({"account": self.cash, "amount": amount});
        let spent = |amount: &str| json!({"category": self.groceries, "amount": amount});
        let dollars = json!({"account": self.dollars, "amount": "5"});
        vec![
            (balanced(json!([out("-5"), spent("4.99")])), 422, "postings_unbalanced", Some("/postings")),
            (balanced(json!([out("-5"), dollars.clone()])), 422, "postings_unbalanced", Some("/postings")),
            (balanced(json!([out("0"), spent("0")])), 422, "amount_zero", Some("/postings/0/amount")),
            (balanced(json!([])), 422, "field_missing", Some("/postings")),
            (
                balanced(json!([out("-5"), dollars, spent("5")])),
                422,
                "field_missing",
                Some("/postings/2/currency"),
            ),
            (
                balanced(json!([out("-5"), {"category": self.archived, "amount": "5"}])),
                422,
                "category_archived",
                Some("/postings/1/category"),
            ),
            (
                balanced(json!([{"account": self.cash, "amount": "-5", "currency": "USD"}, spent("5")])),
                422,
                "currency_mismatch",
                Some("/postings/0/currency"),
            ),
            (
                balanced(json!([{"amount": "-5"}, spent("5")])),
                422,
                "field_missing",
                Some("/postings/0/account"),
            ),
            (self.with("postings", json!([])), 422, "field_not_allowed", Some("/postings")),
            (self.with("kind", json!("balanced")), 422, "field_missing", Some("/postings")),
        ]
    }

    /// What is done to many entries at once.
    fn many(&self) -> Vec<Row> {
        let bulk = |mode: &str, entries: Value| {
            post(&self.at("entries/bulk"), json!({"mode": mode, "entries": entries}))
        };
        let (good, mut wrong) = (self.expense(), self.expense());
        wrong["amount"] = json!("1e3");
        let sort = |filter: Value| {
            post(&self.at("entries/recategorise"), json!({"filter": filter, "category": self.food}))
        };
        let merge = |from: &str, into: &str| {
            post(&self.at(&format!("categories/{from}/merge")), json!({ "into": into }))
        };
        let unknown = format!("cat_{UNKNOWN}");
        vec![
            (bulk("all", json!([good, wrong])), 422, "bulk_refused", Some("/entries/1/amount")),
            (bulk("all", json!([])), 422, "field_missing", Some("/entries")),
            (bulk("some", json!([good])), 422, "unknown_value", Some("/mode")),
            (bulk("each", json!(vec![&good; 501])), 422, "limit_reached", None),
            (bulk("each", json!([good])).without_key(), 400, "idempotency_key_missing", None),
            (sort(json!({})), 422, "field_missing", Some("/filter")),
            (sort(json!({"payee": "nobody"})), 422, "nothing_to_change", None),
            (sort(json!({"category": unknown})), 422, "unknown_category", Some("/filter/category")),
            (sort(json!({"kind": ["gift"]})), 422, "unknown_value", Some("/filter/kind/0")),
            (sort(json!({"limit": 5})), 422, "unknown_field", Some("/filter/limit")),
            (merge(&self.food, &self.groceries), 422, "category_cycle", Some("/into")),
            (merge(&self.food, &self.salary), 422, "category_kind_mismatch", Some("/into")),
            (merge(&self.food, &self.archived), 422, "category_archived", Some("/into")),
            (merge(&self.food, &unknown), 422, "unknown_category", Some("/into")),
            (merge(&unknown, &self.food), 404, "category_not_found", None),
        ]
    }

    fn statements(&self) -> Vec<Row> {
        let lines = "Date,Payee,Amount\n2026-11-01,Shop,-5.00\n";
        let mapping = |field: &str, value: Value| {
            let mut mapping = json!({"date": "Date", "date_format": "YYYY-MM-DD", "payee": ["Payee"],
                "amount": {"sign": "signed", "column": "Amount"}, "account": self.bank});
            mapping[field] = value;
            ("mapping", mapping.to_string())
        };
        let plain = || mapping("account", json!(self.bank));
        let import = |file: &[u8], parts: &[(&'static str, String)]| statement(&self.book, file, parts);
        let with = |field: &str, value: Value| import(lines.as_bytes(), &[mapping(field, value)]);
        let bad_line = "Date,Payee,Amount\n2026-11-01,Shop,-5.00\nsome day,Shop,-6.00\n";
        let all = ("mode", "all".to_owned());
        let whole = || ("mapping", json!({"format": "daybook"}).to_string());
        let a_book = || {
            let book = json!({"name": "Home", "currency": "EUR", "currency_decimals": 2, "time_zone": "UTC",
                "week_starts_on": "monday", "month_starts_on": 1});
            let file = json!({"format": "daybook.book.v1", "book": book, "accounts": [], "categories": [],
                "entries": []});
            file.to_string().into_bytes()
        };
        let accounts = |count: usize| {
            let lines = (0..count).map(|number| format!("A{number},2026-11-01,S,,,-5,\n"));
            let header = "Account,Date,Payee,Notes,Category,Amount,Cleared\n".to_owned();
            [header].into_iter().chain(lines).collect::<String>().into_bytes()
        };
        let many =
            |line: &str, count: usize| format!("Date,Payee,Amount\n{}", line.repeat(count)).into_bytes();
        vec![
            (import(b"", &[]), 422, "statement_empty", None),
            (
                import(b"Dear customer,\nnothing happened.\n", &[]),
                422,
                "statement_format_not_recognised",
                None,
            ),
            (import(b"%PDF-1.7\n", &[]), 422, "statement_not_text", None),
            (
                import(b"<?xml version=\"1.0\"?>\n<!DOCTYPE a>\n<a/>", &[]),
                422,
                "statement_entity_refused",
                None,
            ),
            (import(b"{\"transactions\": [{}", &[]), 422, "statement_malformed", None),
            (import("<Document>".repeat(100).as_bytes(), &[]), 422, "statement_too_deep", None),
            (import(&accounts(501), &[]), 422, "statement_too_many_accounts", None),
            (import(b"Date,Description,Amount\n", &[]), 422, "statement_without_records", None),
            (import(&vec![b'x'; (16 << 20) + 1], &[]), 422, "statement_too_large", None),
            (import(&vec![b'x'; 66 << 20], &[]), 413, "body_too_large", None),
            (import(&many("2026-11-01,S,1\n", 200_000), &[plain()]), 422, "statement_too_many_records", None),
            (import(&many(&",".repeat(600), 1), &[plain()]), 422, "statement_too_many_columns", None),
            (
                import(b"Date,Payee,Amount\n2026-11-01,Caf\xe9,-5.00\n", &[plain()]),
                422,
                "statement_encoding_invalid",
                None,
            ),
            (with("date", json!("Day")), 422, "statement_column_not_found", None),
            (with("decimal_mark", json!("x")), 422, "statement_mapping_invalid", None),
            (with("account", json!(null)), 422, "field_missing", Some("/mapping/account")),
            (
                with("account", json!(format!("acc_{UNKNOWN}"))),
                422,
                "unknown_account",
                Some("/mapping/account"),
            ),
            (
                with("default_expense_category", json!("cat_x")),
                422,
                "unknown_category",
                Some("/mapping/default_expense_category"),
            ),
            (with("colour", json!("red")), 422, "unknown_field", Some("/mapping/colour")),
            (with("date_format", json!("dd.mm.yyyy")), 422, "invalid_value", Some("/mapping/date_format")),
            (import(lines.as_bytes(), &[("mapping", "{".to_owned())]), 400, "malformed_json", None),
            (
                import(lines.as_bytes(), &[("mappping", "{}".to_owned())]),
                422,
                "unknown_field",
                Some("/mappping"),
            ),
            (
                import(lines.as_bytes(), &[("dry_run", "perhaps".to_owned())]),
                422,
                "unknown_value",
                Some("/dry_run"),
            ),
            (import(lines.as_bytes(), &[("id", "imp_x".to_owned())]), 422, "id_malformed", Some("/id")),
            (import(b"{\"format\": \"daybook.book.v1\"}", &[whole()]), 422, "book_file_invalid", None),
            (import(&a_book(), &[whole()]), 409, "book_not_empty", None),
            (
                import(lines.as_bytes(), &[("mapping", json!({"format": "xls"}).to_string())]),
                422,
                "unknown_value",
                Some("/mapping/format"),
            ),
            (import(bad_line.as_bytes(), &[plain(), all]), 422, "import_refused", Some("/lines/3")),
            (import(lines.as_bytes(), &[plain()]).without_key(), 400, "idempotency_key_missing", None),
            (command(&self.at(&format!("imports/{}/revert", self.reverted))), 409, "import_reverted", None),
            (command(&self.at(&format!("imports/imp_{UNKNOWN}/revert"))), 404, "import_not_found", None),
        ]
    }

    fn lists(&self) -> Vec<Row> {
        let list = |query: &str| get(&self.at(query));
        vec![
            (list("entries?limitt=5"), 400, "unknown_parameter", None),
            (list("overview?until=2026-11-23"), 400, "unknown_parameter", None),
            (list("entries?limit=0"), 400, "invalid_parameter", None),
            (list("entries?limit=201"), 400, "invalid_parameter", None),
            (list("entries?limit=many"), 400, "invalid_parameter", None),
            (list("entries?from=2026-04-31"), 400, "invalid_parameter", None),
            (list("entries?from=2026-12-01&to=2026-11-01"), 400, "invalid_parameter", None),
            (list("entries?amount_min=1e3"), 400, "invalid_parameter", None),
            (list("entries?account=nonsense"), 400, "invalid_parameter", None),
            (list("entries?kind=gift"), 400, "invalid_parameter", None),
            (list("entries?cursor=nonsense"), 400, "cursor_invalid", None),
            (list("history?cursor="), 400, "cursor_invalid", None),
            (list("overview?on=10000-01-01"), 400, "invalid_parameter", None),
            (list("reports/spending?period=decade"), 400, "invalid_parameter", None),
            (list("reports/spending?from=2026-11-01"), 400, "invalid_parameter", None),
            (list("reports/spending?from=0001-01-01&to=9999-12-31"), 400, "invalid_parameter", None),
            (
                list("reports/cash-flow?granularity=day&from=2020-01-01&to=2025-12-31"),
                400,
                "invalid_parameter",
                None,
            ),
            (list("reports/net-worth?granularity=hour"), 400, "invalid_parameter", None),
            (list("reports/statistics?granularity=day"), 400, "unknown_parameter", None),
            (list("export"), 400, "invalid_parameter", None),
            (list("export?format=xlsx"), 400, "invalid_parameter", None),
            (list("export?format=json&from=2026-11-01"), 400, "invalid_parameter", None),
            (list("accounts?min_version=-1"), 400, "invalid_parameter", None),
            (list("live?last_event_id=-1"), 400, "invalid_parameter", None),
            (list("live").header("last-event-id", "nonsense"), 400, "invalid_parameter", None),
            (list("live?last_event_id=9999"), 400, "version_unknown", None),
        ]
    }

    /// One stream for each person, as this server is set.
    async fn live(&self) {
        let path = self.at("live");
        let open = self.ada.opened(&path).await;
        self.ada.refused(get(&path), 429, "too_many_streams", None).await;
        drop(open);
    }

    /// Somebody comes as a viewer, may little, and leaves.
    async fn undoing(&self) {
        let undo = |version: u64| command(&self.at(&format!("history/{version}/undo")));
        let added = self.ada.done(post(&self.at("entries"), self.expense()), 201).await;
        let entry = self.at(&format!("entries/{}", added.json()["id"].as_str().unwrap()));
        let corrected = self.ada.done(patch(&entry, json!({"payee": "Baker"})), 200).await.version().unwrap();
        let added = added.version().unwrap();

        let told = self.ada.refused(undo(added), 409, "undo_conflicts", None).await;
        assert_eq!(told.json()["versions"], json!([corrected]));
        let undone = self.ada.done(undo(corrected), 200).await;
        assert_eq!(undone.json(), json!({"version": corrected + 1, "undoes": corrected}));
        self.refused(vec![
            (undo(corrected), 409, "already_undone", None),
            (undo(1), 422, "commit_not_undoable", None),
            (undo(0), 400, "version_unknown", None),
            (undo(corrected + 2), 400, "version_unknown", None),
            (command(&self.at("history/nonsense/undo")), 400, "version_unknown", None),
            (undo(added).without_key(), 400, "idempotency_key_missing", None),
            (undo(added).without_login(), 401, "login_required", None),
        ])
        .await;
        self.ada.done(undo(added), 200).await;
    }

    async fn members(&self) {
        let vera = Client::sign_up(&self.ada.base, "Vera").await;
        let as_vera = |request: Request| request.token(vera.token().unwrap());
        let invite = |field: &str, value: Value| {
            let mut new = json!({"email": "vera@example.org", "role": "viewer"});
            new[field] = value;
            post(&self.at("invitations"), new)
        };
        let viewer = || invite("role", json!("viewer"));
        let accept = |invited: &Value| post("/api/v1/invitations/accept", json!({"token": invited["token"]}));
        let invitation = |id: &str| self.at(&format!("invitations/{id}"));
        let member = |id: &str| self.at(&format!("members/{id}"));
        let role = |role: &str| json!({ "role": role });

        let invited = self.ada.done(viewer(), 201).await.json();
        let withdrawn = self.ada.done(viewer(), 201).await.json();
        let withdrawn_at = invitation(withdrawn["id"].as_str().unwrap());
        self.ada.done(delete(&withdrawn_at), 200).await;
        self.ada.refused(accept(&invited), 422, "already_member", None).await;
        self.ada.done(as_vera(accept(&invited)), 200).await;
        let last = self.ada.done(viewer(), 201).await;
        let list = self.at(&format!("invitations?min_version={}", last.version().unwrap()));
        let open = self.ada.done(get(&list), 200).await.json();
        assert_eq!(open["data"], json!([last.json()["invitation"]]));

        let (me, ada) = (member(vera.user()), member(self.ada.client.user()));
        let nobody = member(&format!("usr_{UNKNOWN}"));
        self.refused(vec![
            (invite("email", json!("no address")), 422, "email_malformed", Some("/email")),
            (invite("role", json!("king")), 422, "unknown_value", Some("/role")),
            (as_vera(accept(&invited)), 422, "invitation_invalid", None),
            (accept(&withdrawn), 422, "invitation_invalid", None),
            (accept(&json!({"token": "made up"})), 422, "invitation_invalid", None),
            (accept(&last.json()).without_login(), 401, "login_required", None),
            (accept(&last.json()).without_key(), 400, "idempotency_key_missing", None),
            (delete(&withdrawn_at), 422, "invitation_invalid", None),
            (delete(&invitation(&format!("inv_{UNKNOWN}"))), 404, "invitation_not_found", None),
            (as_vera(viewer()), 403, "role_forbids", None),
            (as_vera(get(&self.at("invitations"))), 403, "role_forbids", None),
            (as_vera(post(&self.at("entries"), self.expense())), 403, "role_forbids", None),
            (as_vera(delete(&ada)), 403, "role_forbids", None),
            (patch(&me, role("viewer")), 422, "nothing_to_change", None),
            (patch(&nobody, role("viewer")), 404, "member_not_found", None),
            (delete(&member("nonsense")), 404, "member_not_found", None),
            (patch(&ada, role("viewer")), 422, "last_owner", None),
            (delete(&ada), 422, "last_owner", None),
        ])
        .await;
        self.ada.done(patch(&me, role("editor")), 200).await;
        self.ada.done(as_vera(delete(&me)), 200).await;
        self.ada.refused(as_vera(delete(&me)), 404, "book_not_found", None).await;
    }

    /// A cursor opens the list that it came from, and no other.
    async fn cursors(&self) {
        let mut cursors = Vec::new();
        for list in ["entries?limit=1", "entries?limit=1&removed=true", "history?limit=1"] {
            let page = self.ada.done(get(&self.at(list)), 200).await.json();
            cursors.push((list, page["next_cursor"].as_str().unwrap().to_owned()));
        }
        for (from, cursor) in &cursors {
            for (to, _) in &cursors {
                let request = get(&self.at(&format!("{to}&cursor={cursor}")));
                match from == to {
                    true => drop(self.ada.done(request, 200).await),
                    false => drop(self.ada.refused(request, 400, "cursor_invalid", None).await),
                }
            }
            // One letter changed.
            let first = if cursor.starts_with('A') { 'B' } else { 'A' };
            let changed = format!("{from}&cursor={first}{}", &cursor[1..]);
            self.ada.refused(get(&self.at(&changed)), 400, "cursor_invalid", None).await;
        }
    }

    /// Tokens that are none of ours, or no longer, or not for us; and one of ours, of somebody else.
    async fn tokens(&self, data: &Path) {
        let good = self.ada.client.token().unwrap();
        let part = |at: usize| -> Value {
            let part = good.split('.').nth(at).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let (token_header, claims) = (part(0), part(1));
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(token_header["kid"].as_str().unwrap().to_owned());

        let key = fs::read_dir(data.join("identity-keys")).unwrap().next().unwrap().unwrap().path();
        let key = EncodingKey::from_ed_der(&fs::read(key).unwrap());
        let sign = |claims: &Value| jsonwebtoken::encode(&header, claims, &key).unwrap();
        let with = |claim: &str, value: Value| {
            let mut claims = claims.clone();
            claims[claim] = value;
            sign(&claims)
        };
        // What we sign ourselves is as good as the service's own, so what is refused below is refused for its fault.
        self.ada.done(get("/api/v1/me").token(&sign(&claims)), 200).await;
        let expired = with("exp", json!(claims["iat"].as_i64().unwrap() - 60));

        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let with_alg = |alg: &str| {
            let mut header = token_header.clone();
            header["alg"] = json!(alg);
            header
        };
        let unsigned = format!("{}.{}.", encode(&with_alg("none")), encode(&claims));
        let set = self.ada.ask(get("/.well-known/jwks.json").without_login()).await.json();
        let public = set["keys"][0]["x"].as_str().unwrap();
        let mut symmetric = header.clone();
        symmetric.alg = Algorithm::HS256;
        let secrets = [public.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(public).unwrap()];
        let [by_text, by_bytes] = secrets.map(|secret| {
            jsonwebtoken::encode(&symmetric, &claims, &EncodingKey::from_secret(&secret)).unwrap()
        });
        // Of another Daybook, under the name of our key.
        let others = tempfile::tempdir().unwrap();
        crate::desk::run_on(others.path(), &["keys", "new"]).expect(0);
        let foreign =
            fs::read_dir(others.path().join("identity-keys")).unwrap().next().unwrap().unwrap().path();
        let foreign = EncodingKey::from_ed_der(&fs::read(foreign).unwrap());
        let foreign = jsonwebtoken::encode(&header, &claims, &foreign).unwrap();

        let expected = [
            (expired, "token_expired"),
            (unsigned, "token_invalid"),
            (by_text, "token_invalid"),
            (by_bytes, "token_invalid"),
            (foreign, "token_invalid"),
            (with("aud", json!("elsewhere")), "token_invalid"),
            (with("iss", json!("https://elsewhere.test")), "token_invalid"),
            (with("sub", json!("book_00000000000000000000000000")), "token_invalid"),
            (good[..good.len() - 4].to_owned(), "token_invalid"),
            ("nonsense".to_owned(), "token_invalid"),
        ];
        for (token, code) in &expected {
            for request in [get("/api/v1/me"), get(&self.book), post(&self.at("entries"), self.expense())] {
                self.ada.refused(request.token(token), 401, code, None).await;
            }
        }

        let stranger = Client::sign_up(&self.ada.base, "Eve").await;
        let eve = stranger.token().unwrap();
        for request in [
            get(&self.book),
            get(&self.at("overview")),
            get(&self.at(&format!("entries/{}", self.entry))),
            post(&self.at("entries"), self.expense()),
            delete(&self.at(&format!("entries/{}", self.entry))),
            patch(&self.book, json!({"name": "Mine now"})),
            statement(&self.book, "Date,Payee,Amount\n2026-11-01,Shop,-5.00\n", &[]),
        ] {
            self.ada.refused(request.token(eve), 404, "book_not_found", None).await;
        }
    }
}
