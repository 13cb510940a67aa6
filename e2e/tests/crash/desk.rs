//! The books that are written to, as those who write know them.

use daybook_e2e::Client;
use domain::id::{BookId, UserId};
use serde_json::{Value, json};

use crate::writer::{Content, Sent, Taken};

pub struct Person {
    pub name: &'static str,
    pub user: UserId,
    pub client: Client,
}

impl Person {
    pub async fn sign_up(base: &str, name: &'static str) -> Self {
        let client = Client::sign_up(base, name).await;
        Self { name, user: client.user().parse().unwrap(), client }
    }
}

/// A book and what an entry of it can name.
#[derive(Debug)]
pub struct Desk {
    pub book: BookId,
    /// Whose it is; nobody else may write to it.
    pub person: usize,
    pub accounts: Vec<String>,
    pub expenses: Vec<String>,
    pub incomes: Vec<String>,
}

impl Desk {
    pub fn path(&self) -> String {
        format!("/api/v1/books/{}", self.book)
    }

    /// Makes a book, and says what was answered.
    pub async fn open(people: &[Person], person: usize, name: &str) -> (Self, Taken) {
        let Person { client, user, .. } = &people[person];
        let body = json!({"name": name, "currency": "EUR"});
        let key = format!("the book {name}").replace(' ', "-");
        let answer = client.post("/api/v1/books", &key, &body).await.expect(201);
        let book = command_api::book_id(*user, &key);
        assert_eq!(answer.json()["id"], book.to_string());

        let path = format!("/api/v1/books/{book}");
        let accounts = client.get(&format!("{path}/accounts?min_version=1")).await.expect(200).json();
        let categories = client.get(&format!("{path}/categories")).await.expect(200).json();
        let ids = |list: &Value, kind: Option<&str>| -> Vec<String> {
            let all = list["data"].as_array().unwrap().iter();
            let of_kind = all.filter(|thing| kind.is_none_or(|kind| thing["kind"] == kind));
            of_kind.map(|thing| thing["id"].as_str().unwrap().to_owned()).collect()
        };
        let desk = Self {
            book,
            person,
            accounts: ids(&accounts, None),
            expenses: ids(&categories, Some("expense")),
            incomes: ids(&categories, Some("income")),
        };
        let sent = Sent {
            key,
            user: *user,
            book,
            method: reqwest::Method::POST,
            path: "/api/v1/books".to_owned(),
            content: Content::Json(body),
        };
        (desk, Taken::of(sent, 1, answer))
    }
}
