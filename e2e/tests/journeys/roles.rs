//! Who may do what: every route of the running program, asked by everybody, each time in a way that nothing but the
//! asker can be the reason of a refusal. A route that has no row here fails the test.

use std::{
    collections::BTreeSet,
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use daybook_e2e::{Client, Options, Server};
use domain::event::Role;
use futures::future::join_all;
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::contract;

/// Who a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    Anybody,
    LoggedIn,
    /// Members of the book with at least this role.
    Member(Role),
}

use May::{Anybody, LoggedIn, Member};
use Role::{Editor, Owner, Viewer};

/// Every operation and who may. In brackets stands which of several ways it is asked in.
const TABLE: &[(&str, May)] = &[
    ("POST /api/v1/auth/sign-up", Anybody),
    ("POST /api/v1/auth/log-in", Anybody),
    ("POST /api/v1/auth/refresh", Anybody),
    ("POST /api/v1/auth/log-out", LoggedIn),
    ("POST /api/v1/auth/log-out-everywhere", LoggedIn),
    ("POST /api/v1/auth/change-password", LoggedIn),
    ("GET /api/v1/me", LoggedIn),
    ("PATCH /api/v1/me", LoggedIn),
    ("GET /api/v1/me/sessions", LoggedIn),
    ("DELETE /api/v1/me/sessions/{session}", LoggedIn),
    ("GET /.well-known/jwks.json", Anybody),
    ("GET /problems/{code}", Anybody),
    ("GET /api/v1/books", LoggedIn),
    ("POST /api/v1/books", LoggedIn),
    ("GET /api/v1/books/{book}", Member(Viewer)),
    ("PATCH /api/v1/books/{book}", Member(Owner)),
    ("GET /api/v1/books/{book}/members", Member(Viewer)),
    ("PATCH /api/v1/books/{book}/members/{user}", Member(Owner)),
    ("DELETE /api/v1/books/{book}/members/{user}", Member(Viewer)),
    ("DELETE /api/v1/books/{book}/members/{user} (another)", Member(Owner)),
    ("GET /api/v1/books/{book}/invitations", Member(Owner)),
    ("POST /api/v1/books/{book}/invitations", Member(Owner)),
    ("DELETE /api/v1/books/{book}/invitations/{invitation}", Member(Owner)),
    ("POST /api/v1/invitations/accept", LoggedIn),
    ("GET /api/v1/books/{book}/accounts", Member(Viewer)),
    ("POST /api/v1/books/{book}/accounts", Member(Editor)),
    ("GET /api/v1/books/{book}/accounts/{account}", Member(Viewer)),
    ("PATCH /api/v1/books/{book}/accounts/{account}", Member(Editor)),
    ("POST /api/v1/books/{book}/accounts/{account}/close", Member(Editor)),
    ("POST /api/v1/books/{book}/accounts/{account}/reopen", Member(Editor)),
    ("GET /api/v1/books/{book}/categories", Member(Viewer)),
    ("POST /api/v1/books/{book}/categories", Member(Editor)),
    ("GET /api/v1/books/{book}/categories/{category}", Member(Viewer)),
    ("PATCH /api/v1/books/{book}/categories/{category}", Member(Editor)),
    ("POST /api/v1/books/{book}/categories/{category}/archive", Member(Editor)),
    ("POST /api/v1/books/{book}/categories/{category}/restore", Member(Editor)),
    ("POST /api/v1/books/{book}/categories/{category}/merge", Member(Editor)),
    ("GET /api/v1/books/{book}/entries", Member(Viewer)),
    ("POST /api/v1/books/{book}/entries", Member(Editor)),
    ("POST /api/v1/books/{book}/entries/bulk", Member(Editor)),
    ("POST /api/v1/books/{book}/entries/recategorise", Member(Editor)),
    ("GET /api/v1/books/{book}/entries/{entry}", Member(Viewer)),
    ("PATCH /api/v1/books/{book}/entries/{entry}", Member(Editor)),
    ("DELETE /api/v1/books/{book}/entries/{entry}", Member(Editor)),
    ("POST /api/v1/books/{book}/entries/{entry}/restore", Member(Editor)),
    ("GET /api/v1/books/{book}/entries/{entry}/history", Member(Viewer)),
    ("GET /api/v1/books/{book}/payees", Member(Viewer)),
    ("GET /api/v1/books/{book}/tags", Member(Viewer)),
    ("GET /api/v1/books/{book}/imports", Member(Viewer)),
    ("POST /api/v1/books/{book}/imports", Member(Editor)),
    ("GET /api/v1/books/{book}/imports/{import}", Member(Viewer)),
    ("GET /api/v1/books/{book}/imports/{import}/progress", Member(Viewer)),
    ("POST /api/v1/books/{book}/imports/{import}/revert", Member(Editor)),
    ("GET /api/v1/books/{book}/export", Member(Viewer)),
    ("GET /api/v1/books/{book}/overview", Member(Viewer)),
    ("GET /api/v1/books/{book}/reports/spending", Member(Viewer)),
    ("GET /api/v1/books/{book}/reports/cash-flow", Member(Viewer)),
    ("GET /api/v1/books/{book}/reports/net-worth", Member(Viewer)),
    ("GET /api/v1/books/{book}/reports/statistics", Member(Viewer)),
    ("GET /api/v1/books/{book}/history", Member(Viewer)),
    ("GET /api/v1/books/{book}/history/{version}", Member(Viewer)),
    ("POST /api/v1/books/{book}/history/{version}/undo", Member(Editor)),
    ("GET /api/v1/books/{book}/live", Member(Viewer)),
    ("GET / (the front page)", Anybody),
    ("GET /openapi.json (the description itself)", Anybody),
    ("GET /health/live (operations)", Anybody),
    ("GET /health/ready (operations)", Anybody),
    ("GET /metrics (operations)", Anybody),
];

/// What is served beside what the description describes.
const BESIDE: [&str; 5] =
    ["GET /", "GET /openapi.json", "GET /health/live", "GET /health/ready", "GET /metrics"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    /// Logged in, and never was a member.
    Stranger,
    Viewer,
    Editor,
    Owner,
    /// Was an owner.
    Removed,
}

const EVERYBODY: [Who; 6] = [Who::Nobody, Who::Stranger, Who::Viewer, Who::Editor, Who::Owner, Who::Removed];

const DONE: &str = "done";
const LOGIN_REQUIRED: &str = "401 login_required";
const ROLE_FORBIDS: &str = "403 role_forbids";
const BOOK_NOT_FOUND: &str = "404 book_not_found";

fn expected(may: May, who: Who) -> &'static str {
    let least = match may {
        Anybody => return DONE,
        LoggedIn | Member(_) if who == Who::Nobody => return LOGIN_REQUIRED,
        LoggedIn => return DONE,
        Member(least) => least,
    };
    match who {
        Who::Nobody => LOGIN_REQUIRED,
        Who::Stranger | Who::Removed => BOOK_NOT_FOUND,
        Who::Viewer if Viewer < least => ROLE_FORBIDS,
        Who::Editor if Editor < least => ROLE_FORBIDS,
        Who::Viewer | Who::Editor | Who::Owner => DONE,
    }
}

/// A row as it was met, in the order of [`EVERYBODY`].
struct Met {
    operation: &'static str,
    may: May,
    answers: [String; 6],
}

/// The table as text, with what was expected wherever it was not met; `None` if all of it was.
fn faults(rows: &[Met]) -> Option<String> {
    let mut text = format!("{:75}", "");
    let mut is_as_expected = true;
    for who in EVERYBODY {
        write!(text, "{:20}", format!("{who:?}")).unwrap();
    }
    for Met { operation, may, answers } in rows {
        write!(text, "\n{operation:75}").unwrap();
        for (who, met) in EVERYBODY.into_iter().zip(answers) {
            write!(text, "{met:20}").unwrap();
            if met != expected(*may, who) {
                is_as_expected = false;
                write!(text, "<- NOT {}  ", expected(*may, who)).unwrap();
            }
        }
    }
    (!is_as_expected).then_some(text)
}

/// Routes without a row, rows without a route, and rows that say something else than the description.
fn gaps(table: &[(&str, May)], api: &Value) -> Vec<String> {
    let mut gaps = Vec::new();
    let described = contract::operations(api);
    for (method, path) in &described {
        let name = format!("{method} {path}");
        let operation = &api["paths"][path][method.to_lowercase()];
        let said = match (operation["x-daybook-role"].as_str(), operation["security"] == json!([{}])) {
            (Some(role), _) => Member(Role::parse(role).unwrap()),
            (None, true) => Anybody,
            (None, false) => LoggedIn,
        };
        match table.iter().find(|(row, _)| *row == name) {
            None => gaps.push(format!(
                "{name} has no row: add it to TABLE in e2e/tests/journeys/roles.rs with who may, and to Scene::request \
                 with a way to ask it that succeeds"
            )),
            Some((_, may)) if *may != said => {
                gaps.push(format!("{name} is for {said:?} by its description and for {may:?} by its row"));
            }
            Some(_) => {}
        }
    }
    let known: BTreeSet<String> = described.iter().map(|(method, path)| format!("{method} {path}")).collect();
    for (row, _) in table {
        let operation = row.split(" (").next().unwrap();
        if !known.contains(operation) && !BESIDE.contains(&operation) {
            gaps.push(format!("{row} is a row for a route that is gone: take it out"));
        }
    }
    gaps
}

/// A book with somebody of each role, and what they ask about.
struct Scene {
    base: String,
    operations: String,
    nobody: Client,
    stranger: Client,
    viewer: Client,
    editor: Client,
    owner: Client,
    removed: Client,
    /// `/api/v1/books/<the book>`
    book: String,
    account: String,
    category: String,
    entry: String,
    import: String,
    mapping: String,
    numbers: AtomicU64,
}

/// A request that would be fine if it were anybody's to make.
struct Request {
    method: Method,
    path: String,
    body: Body,
    /// Instead of the person asked for, where the request changes who they are.
    by: Option<Client>,
}

enum Body {
    None,
    Json(Value),
    Form(Form),
}

impl Request {
    fn by(self, client: Client) -> Self {
        Self { by: Some(client), ..self }
    }
}

fn get(path: impl Into<String>) -> Request {
    Request { method: Method::GET, path: path.into(), body: Body::None, by: None }
}

fn delete(path: impl Into<String>) -> Request {
    Request { method: Method::DELETE, ..get(path) }
}

fn command(path: impl Into<String>) -> Request {
    Request { method: Method::POST, ..get(path) }
}

fn post(path: impl Into<String>, body: Value) -> Request {
    Request { body: Body::Json(body), ..command(path) }
}

fn patch(path: impl Into<String>, body: Value) -> Request {
    Request { method: Method::PATCH, ..post(path, body) }
}

const PASSWORD: &str = "a long pass phrase";

impl Scene {
    async fn set(server: &Server) -> Self {
        let base = server.base();
        let people = ["Stranger", "Viewer", "Editor", "Owner", "Removed"];
        let people = join_all(people.map(|name| Client::sign_up(base, name))).await;
        let [stranger, viewer, editor, owner, removed] = <[Client; 5]>::try_from(people).unwrap();
        let mut scene = Self {
            base: base.to_owned(),
            operations: server.operations().to_owned(),
            nobody: Client::new(base),
            stranger,
            viewer,
            editor,
            owner,
            removed,
            book: String::new(),
            account: String::new(),
            category: String::new(),
            entry: String::new(),
            import: String::new(),
            mapping: String::new(),
            numbers: AtomicU64::new(0),
        };
        scene.book = scene.new_book(&scene.owner).await;
        scene.account = scene.new_account().await;
        scene.category = scene.new_category().await;
        scene.entry = scene.new_entry().await;
        let salary = json!({"name": "Salary", "kind": "income"});
        let salary = scene.made(&scene.at("categories"), salary).await;
        scene.mapping = json!({"date": "Date", "date_format": "YYYY-MM-DD", "payee": ["Payee"],
            "amount": {"sign": "signed", "column": "Amount"}, "account": scene.account,
            "default_expense_category": scene.category, "default_income_category": salary})
        .to_string();
        scene.import = scene.new_import().await;
        for (person, role) in
            [(&scene.viewer, "viewer"), (&scene.editor, "editor"), (&scene.removed, "owner")]
        {
            scene.joins(person, &scene.book, &scene.owner, role).await;
        }
        let remove = scene.at(&format!("members/{}", scene.removed.user()));
        let version = scene.owner.delete(&remove, scene.number()).await.expect(200).version().unwrap();
        // From here on every read shows all of it.
        scene.owner.get(&format!("{}?min_version={version}", scene.book)).await.expect(200);
        scene
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Of something that has to have another name than all before it.
    fn name(&self) -> String {
        format!("Number {}", self.number())
    }

    fn at(&self, rest: &str) -> String {
        format!("{}/{rest}", self.book)
    }

    fn person(&self, who: Who) -> &Client {
        match who {
            Who::Nobody => &self.nobody,
            Who::Stranger => &self.stranger,
            Who::Viewer => &self.viewer,
            Who::Editor => &self.editor,
            Who::Owner => &self.owner,
            Who::Removed => &self.removed,
        }
    }

    async fn made(&self, path: &str, body: Value) -> String {
        let made = self.owner.post(path, self.number(), &body).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    async fn new_book(&self, owner: &Client) -> String {
        let new = json!({"name": self.name(), "currency": "EUR", "empty": true});
        let made = owner.post("/api/v1/books", self.number(), &new).await.expect(201).json();
        format!("/api/v1/books/{}", made["id"].as_str().unwrap())
    }

    async fn new_account(&self) -> String {
        self.made(&self.at("accounts"), json!({"name": self.name(), "kind": "cash"})).await
    }

    async fn new_category(&self) -> String {
        self.made(&self.at("categories"), json!({"name": self.name(), "kind": "expense"})).await
    }

    fn expense(&self) -> Value {
        json!({"kind": "expense", "occurred_on": "2026-11-23", "account": self.account, "amount": "12.50",
            "category": self.category, "payee": "Market hall", "tags": ["weekly"]})
    }

    async fn new_entry(&self) -> String {
        self.made(&self.at("entries"), self.expense()).await
    }

    fn statement(&self) -> Form {
        let file = format!("Date,Payee,Amount\n2026-11-01,{},-5.00\n", self.name());
        let form = Form::new().part("file", Part::bytes(file.into_bytes()).file_name("statement.csv"));
        form.text("mapping", self.mapping.clone())
    }

    async fn new_import(&self) -> String {
        let made =
            self.owner.post_form(&self.at("imports"), self.number(), self.statement()).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    async fn invited(&self, book: &str, owner: &Client, role: &str) -> Value {
        let new = json!({"email": "somebody@example.org", "role": role});
        owner.post(&format!("{book}/invitations"), self.number(), &new).await.expect(201).json()
    }

    async fn joins(&self, person: &Client, book: &str, owner: &Client, role: &str) {
        let token = self.invited(book, owner, role).await["token"].clone();
        let accept = json!({ "token": token });
        person.post("/api/v1/invitations/accept", self.number(), &accept).await.expect(200);
    }

    async fn newcomer(&self) -> Client {
        Client::sign_up(&self.base, &self.name()).await
    }

    async fn new_member(&self, role: &str) -> Client {
        let newcomer = self.newcomer().await;
        self.joins(&newcomer, &self.book, &self.owner, role).await;
        newcomer
    }

    /// The e-mail address and the log-in of somebody new, as the API told it.
    async fn new_login(&self) -> (String, Value) {
        let email = format!("{}@example.com", self.number());
        let person = json!({"email": email, "password": PASSWORD, "name": "Somebody"});
        let request = self.nobody.request(Method::POST, "/api/v1/auth/sign-up").json(&person);
        (email, self.nobody.send(request).await.expect(201).json())
    }

    fn as_of(&self, login: &Value) -> Client {
        self.nobody.with_token(login["access_token"].as_str().unwrap())
    }

    /// The way to ask; `who` matters only where it changes what they are.
    async fn request(&self, operation: &str, who: Who) -> Request {
        let auth = |what: &str| format!("/api/v1/auth/{what}");
        match operation {
            "POST /api/v1/auth/sign-up" => {
                let email = format!("{}@example.net", self.number());
                post(auth("sign-up"), json!({"email": email, "password": PASSWORD, "name": "Somebody"}))
            }
            "POST /api/v1/auth/log-in" => {
                let (email, _) = self.new_login().await;
                post(auth("log-in"), json!({"email": email, "password": PASSWORD}))
            }
            "POST /api/v1/auth/refresh" => {
                let (_, login) = self.new_login().await;
                post(auth("refresh"), json!({"refresh_token": login["refresh_token"]}))
            }
            "POST /api/v1/auth/log-out" => command(auth("log-out")).by(self.newcomer().await),
            "POST /api/v1/auth/log-out-everywhere" => {
                command(auth("log-out-everywhere")).by(self.newcomer().await)
            }
            "POST /api/v1/auth/change-password" => {
                let change = json!({"current_password": PASSWORD, "new_password": "another pass phrase"});
                post(auth("change-password"), change).by(self.newcomer().await)
            }
            "GET /api/v1/me" => get("/api/v1/me"),
            "PATCH /api/v1/me" => patch("/api/v1/me", json!({"name": self.name()})),
            "GET /api/v1/me/sessions" => get("/api/v1/me/sessions"),
            "DELETE /api/v1/me/sessions/{session}" => {
                let (_, login) = self.new_login().await;
                let person = self.as_of(&login);
                let sessions = person.get("/api/v1/me/sessions").await.expect(200).json();
                let session = sessions["data"][0]["id"].as_str().unwrap().to_owned();
                delete(format!("/api/v1/me/sessions/{session}")).by(person)
            }
            "GET /.well-known/jwks.json" => get("/.well-known/jwks.json"),
            "GET /problems/{code}" => get("/problems/role_forbids"),

            "GET /api/v1/books" => get("/api/v1/books"),
            "POST /api/v1/books" => {
                post("/api/v1/books", json!({"name": self.name(), "currency": "EUR", "empty": true}))
            }
            "GET /api/v1/books/{book}" => get(&self.book),
            "PATCH /api/v1/books/{book}" => patch(&self.book, json!({"name": self.name()})),
            "GET /api/v1/books/{book}/members" => get(self.at("members")),
            "PATCH /api/v1/books/{book}/members/{user}" => {
                let member = self.new_member("viewer").await;
                patch(self.at(&format!("members/{}", member.user())), json!({"role": "editor"}))
            }
            "DELETE /api/v1/books/{book}/members/{user}" => {
                let leaving = match who {
                    Who::Nobody => self.viewer.clone(),
                    Who::Stranger | Who::Removed => self.person(who).clone(),
                    Who::Viewer => self.new_member("viewer").await,
                    Who::Editor => self.new_member("editor").await,
                    Who::Owner => self.new_member("owner").await,
                };
                delete(self.at(&format!("members/{}", leaving.user()))).by(leaving)
            }
            "DELETE /api/v1/books/{book}/members/{user} (another)" => {
                let member = self.new_member("viewer").await;
                delete(self.at(&format!("members/{}", member.user())))
            }
            "GET /api/v1/books/{book}/invitations" => get(self.at("invitations")),
            "POST /api/v1/books/{book}/invitations" => {
                post(self.at("invitations"), json!({"email": "somebody@example.org", "role": "owner"}))
            }
            "DELETE /api/v1/books/{book}/invitations/{invitation}" => {
                let invited = self.invited(&self.book, &self.owner, "viewer").await;
                delete(self.at(&format!("invitations/{}", invited["id"].as_str().unwrap())))
            }
            "POST /api/v1/invitations/accept" => {
                let host = self.newcomer().await;
                let book = self.new_book(&host).await;
                let token = self.invited(&book, &host, "viewer").await["token"].clone();
                post("/api/v1/invitations/accept", json!({ "token": token }))
            }

            "GET /api/v1/books/{book}/accounts" => get(self.at("accounts")),
            "POST /api/v1/books/{book}/accounts" => {
                post(self.at("accounts"), json!({"name": self.name(), "kind": "bank"}))
            }
            "GET /api/v1/books/{book}/accounts/{account}" => {
                get(self.at(&format!("accounts/{}", self.account)))
            }
            "PATCH /api/v1/books/{book}/accounts/{account}" => {
                patch(self.at(&format!("accounts/{}", self.account)), json!({"name": self.name()}))
            }
            "POST /api/v1/books/{book}/accounts/{account}/close" => {
                command(self.at(&format!("accounts/{}/close", self.new_account().await)))
            }
            "POST /api/v1/books/{book}/accounts/{account}/reopen" => {
                let account = self.new_account().await;
                let close = self.at(&format!("accounts/{account}/close"));
                self.owner.post(&close, self.number(), &json!(null)).await.expect(200);
                command(self.at(&format!("accounts/{account}/reopen")))
            }
            "GET /api/v1/books/{book}/categories" => get(self.at("categories")),
            "POST /api/v1/books/{book}/categories" => {
                post(self.at("categories"), json!({"name": self.name(), "kind": "expense"}))
            }
            "GET /api/v1/books/{book}/categories/{category}" => {
                get(self.at(&format!("categories/{}", self.category)))
            }
            "PATCH /api/v1/books/{book}/categories/{category}" => {
                patch(self.at(&format!("categories/{}", self.category)), json!({"name": self.name()}))
            }
            "POST /api/v1/books/{book}/categories/{category}/archive" => {
                command(self.at(&format!("categories/{}/archive", self.new_category().await)))
            }
            "POST /api/v1/books/{book}/categories/{category}/restore" => {
                let category = self.new_category().await;
                let archive = self.at(&format!("categories/{category}/archive"));
                self.owner.post(&archive, self.number(), &json!(null)).await.expect(200);
                command(self.at(&format!("categories/{category}/restore")))
            }
            "POST /api/v1/books/{book}/categories/{category}/merge" => {
                let path = self.at(&format!("categories/{}/merge", self.new_category().await));
                post(path, json!({"into": self.category}))
            }

            "GET /api/v1/books/{book}/entries" => get(self.at("entries?text=market&limit=3")),
            "POST /api/v1/books/{book}/entries" => post(self.at("entries"), self.expense()),
            "POST /api/v1/books/{book}/entries/bulk" => post(
                self.at("entries/bulk"),
                json!({"mode": "all", "entries": [self.expense(), self.expense()]}),
            ),
            "POST /api/v1/books/{book}/entries/recategorise" => {
                let (mut entry, category) = (self.expense(), self.new_category().await);
                let payee = self.name();
                entry["payee"] = json!(payee);
                self.made(&self.at("entries"), entry).await;
                let change = json!({"filter": {"payee": payee}, "category": category});
                post(self.at("entries/recategorise"), change)
            }
            "GET /api/v1/books/{book}/entries/{entry}" => get(self.at(&format!("entries/{}", self.entry))),
            "PATCH /api/v1/books/{book}/entries/{entry}" => {
                patch(self.at(&format!("entries/{}", self.entry)), json!({"note": self.name()}))
            }
            "DELETE /api/v1/books/{book}/entries/{entry}" => {
                delete(self.at(&format!("entries/{}", self.new_entry().await)))
            }
            "POST /api/v1/books/{book}/entries/{entry}/restore" => {
                let entry = self.at(&format!("entries/{}", self.new_entry().await));
                self.owner.delete(&entry, self.number()).await.expect(200);
                command(format!("{entry}/restore"))
            }
            "GET /api/v1/books/{book}/entries/{entry}/history" => {
                get(self.at(&format!("entries/{}/history", self.entry)))
            }
            "GET /api/v1/books/{book}/payees" => get(self.at("payees")),
            "GET /api/v1/books/{book}/tags" => get(self.at("tags")),

            "GET /api/v1/books/{book}/imports" => get(self.at("imports")),
            "POST /api/v1/books/{book}/imports" => {
                Request { body: Body::Form(self.statement()), ..command(self.at("imports")) }
            }
            "GET /api/v1/books/{book}/imports/{import}" => get(self.at(&format!("imports/{}", self.import))),
            "GET /api/v1/books/{book}/imports/{import}/progress" => {
                get(self.at(&format!("imports/{}/progress", self.import)))
            }
            "POST /api/v1/books/{book}/imports/{import}/revert" => {
                command(self.at(&format!("imports/{}/revert", self.new_import().await)))
            }
            "GET /api/v1/books/{book}/export" => get(self.at("export?format=json")),

            "GET /api/v1/books/{book}/overview" => get(self.at("overview")),
            "GET /api/v1/books/{book}/reports/spending" => get(self.at("reports/spending?period=year")),
            "GET /api/v1/books/{book}/reports/cash-flow" => get(self.at("reports/cash-flow?period=year")),
            "GET /api/v1/books/{book}/reports/net-worth" => get(self.at("reports/net-worth?period=year")),
            "GET /api/v1/books/{book}/reports/statistics" => get(self.at("reports/statistics?period=year")),
            "GET /api/v1/books/{book}/history" => get(self.at("history?limit=3")),
            "GET /api/v1/books/{book}/history/{version}" => get(self.at("history/1")),
            "POST /api/v1/books/{book}/history/{version}/undo" => {
                let added = self.owner.post(&self.at("entries"), self.number(), &self.expense()).await;
                let version = added.expect(201).version().unwrap();
                command(self.at(&format!("history/{version}/undo")))
            }
            "GET /api/v1/books/{book}/live" => get(self.at("live")),

            "GET / (the front page)" => get("/"),
            "GET /openapi.json (the description itself)" => get("/openapi.json"),
            "GET /health/live (operations)" => get("/health/live"),
            "GET /health/ready (operations)" => get("/health/ready"),
            "GET /metrics (operations)" => get("/metrics"),
            _ => panic!("Scene::request does not say how to ask {operation}"),
        }
    }

    /// `done`, or status and code of the refusal.
    async fn ask(&self, operation: &str, who: Who) -> String {
        let Request { method, path, body, by } = self.request(operation, who).await;
        let person = match by {
            Some(client) if who != Who::Nobody => client,
            Some(_) | None => self.person(who).clone(),
        };
        let person = if operation.ends_with(" (operations)") { person.at(&self.operations) } else { person };
        let mut request = person.write(method, &path, self.number());
        request = match body {
            Body::None => request,
            Body::Json(body) => request.json(&body),
            Body::Form(form) => request.multipart(form),
        };
        // What is answered well may be a stream without an end.
        let response = request.send().await.unwrap();
        let status = response.status();
        if status.is_success() {
            return DONE.to_owned();
        }
        let problem: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default();
        format!("{} {}", status.as_u16(), problem["code"].as_str().unwrap_or_default())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_for_those_it_is_for_and_for_nobody_else() {
    let data = tempfile::tempdir().unwrap();
    let settings = vec![
        ("identity.attempts_per_address_per_minute", "100000".to_owned()),
        ("identity.attempts_per_email_per_minute", "100000".to_owned()),
    ];
    let server = Server::start(data.path(), &Options { settings, ..Options::default() }).await;
    let api = Client::new(server.base()).get("/openapi.json").await.expect(200).json();
    let gaps = gaps(TABLE, &api);
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));

    let scene = Scene::set(&server).await;
    let mut rows = Vec::new();
    for (operation, may) in TABLE {
        let answers = join_all(EVERYBODY.map(|who| scene.ask(operation, who))).await;
        rows.push(Met { operation, may: *may, answers: answers.try_into().unwrap() });
    }
    if let Some(table) = faults(&rows) {
        println!("{table}");
        panic!("the answers marked in the table are not those of the role");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_did_stays_under_their_name_when_they_have_left() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let scene = Scene::set(&server).await;
    let owner = &scene.owner;
    let note = json!({"note": "Was it not the baker?"});
    let corrected = scene.editor.patch(&scene.at(&format!("entries/{}", scene.entry)), "note", &note).await;
    let version = corrected.expect(200).version().unwrap();
    let own = scene.at(&format!("members/{}", scene.editor.user()));
    let left = scene.editor.delete(&own, "leave").await.expect(200).version().unwrap();

    let editor = json!({"id": scene.editor.user(), "name": "Editor"});
    let commit =
        owner.get(&scene.at(&format!("history/{version}?min_version={left}"))).await.expect(200).json();
    assert_eq!(commit["actor"], editor);
    let leaving = owner.get(&scene.at(&format!("history/{left}"))).await.expect(200).json();
    assert_eq!((&leaving["actor"], &leaving["command"]), (&editor, &json!("remove_member")));
    let told = owner.get(&scene.at(&format!("entries/{}/history", scene.entry))).await.expect(200).json();
    assert!(told["data"].as_array().unwrap().iter().any(|change| change["actor"] == editor), "{told}");
    let members = owner.get(&scene.at("members")).await.expect(200).json();
    let mut names: Vec<&str> =
        members["data"].as_array().unwrap().iter().map(|member| member["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Owner", "Viewer"]);
}

#[test]
fn one_wrong_answer_in_the_table_is_noticed_wherever_it_is() {
    let rows = || -> Vec<Met> {
        let row = |(operation, may): &(&'static str, May)| Met {
            operation,
            may: *may,
            answers: EVERYBODY.map(|who| expected(*may, who).to_owned()),
        };
        TABLE.iter().map(row).collect()
    };
    assert_eq!(faults(&rows()), None);
    for row in 0..TABLE.len() {
        for (person, who) in EVERYBODY.into_iter().enumerate() {
            for wrong in [DONE, LOGIN_REQUIRED, ROLE_FORBIDS, BOOK_NOT_FOUND, "500 internal"] {
                let mut rows = rows();
                let right = std::mem::replace(&mut rows[row].answers[person], wrong.to_owned());
                let told = faults(&rows);
                assert_eq!(told.is_some(), wrong != right, "{} {:?} {wrong}", TABLE[row].0, who);
                assert!(told.is_none_or(|told| told.contains(&format!("<- NOT {right}"))));
            }
        }
    }
}

#[test]
fn a_route_without_a_row_and_a_row_without_a_route_are_noticed() {
    let api = |role: &str| {
        json!({"paths": {"/api/v1/books/{book}": {
            "get": {"x-daybook-role": role, "security": [{"access_token": []}]},
        }}})
    };
    let row = ("GET /api/v1/books/{book}", Member(Viewer));
    assert_eq!(gaps(&[row], &api("viewer")), Vec::<String>::new());
    let told = |table: &[(&str, May)], api: &Value| gaps(table, api).join("\n");
    assert!(told(&[], &api("viewer")).starts_with("GET /api/v1/books/{book} has no row: add it to TABLE"));
    assert!(
        told(&[row], &api("owner")).contains("for Member(Owner) by its description and for Member(Viewer)")
    );
    let gone = ("GET /api/v1/gone (in another way)", LoggedIn);
    assert!(told(&[row, gone], &api("viewer")).starts_with("GET /api/v1/gone (in another way) is a row for"));
}
