//! A busy hour of a few households: random commands, the same from the same seed.

use daybook_e2e::{Answer, Client};
use futures::future::join_all;
use rand::{Rng, SeedableRng, rngs::Xoshiro256PlusPlus};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

/// Several books at once, `commands` to each; answers their paths. What is refused stays refused, nothing may fail.
pub async fn busy_hour(client: &Client, seed: u64, books: u64, commands: u32) -> Vec<String> {
    println!("the households' seed is {seed}");
    join_all((0..books).map(|number| async move {
        let mut household = Household::found(client, seed, number).await;
        for _ in 0..commands {
            household.do_something().await;
        }
        household.book
    }))
    .await
}

struct Household<'a> {
    client: &'a Client,
    dice: Xoshiro256PlusPlus,
    seed: u64,
    book: String,
    keys: u32,
    accounts: Vec<Value>,
    expenses: Vec<Value>,
    incomes: Vec<Value>,
    entries: Vec<String>,
    imports: Vec<String>,
}

impl<'a> Household<'a> {
    async fn found(client: &'a Client, seed: u64, number: u64) -> Self {
        // With two decimals, none and three.
        let currency = ["EUR", "JPY", "KWD"][number as usize % 3];
        let new = json!({"name": format!("Household {number}"), "currency": currency});
        let key = format!("household-{seed}-{number}");
        let made = client.post("/api/v1/books", key, &new).await.expect(201).json();
        let book = format!("/api/v1/books/{}", made["id"].as_str().unwrap());
        let list = async |what: &str| {
            let list = client.get(&format!("{book}/{what}?min_version=1")).await.expect(200).json();
            list["data"].as_array().unwrap().clone()
        };
        let ids = |things: &[Value], kind: &str| -> Vec<Value> {
            things.iter().filter(|thing| thing["kind"] == kind).map(|thing| thing["id"].clone()).collect()
        };
        let categories = list("categories").await;
        let accounts = list("accounts").await.iter().map(|account| account["id"].clone()).collect();
        Self {
            client,
            dice: Xoshiro256PlusPlus::seed_from_u64(seed ^ (number << 32)),
            seed,
            keys: 0,
            accounts,
            expenses: ids(&categories, "expense"),
            incomes: ids(&categories, "income"),
            entries: Vec::new(),
            imports: Vec::new(),
            book,
        }
    }

    async fn do_something(&mut self) {
        match self.below(125) {
            0..55 => self.add().await,
            55..70 => {
                let change = match self.below(4) {
                    0 => json!({"amount": self.amount()}),
                    1 => json!({"occurred_on": self.day(), "note": "It was another day."}),
                    2 => json!({"category": self.pick(|own| &own.expenses), "tags": ["corrected"]}),
                    _ => json!({"payee": null, "account": self.pick(|own| &own.accounts)}),
                };
                let path = self.entry();
                self.write(reqwest::Method::PATCH, &path, Some(change)).await;
            }
            70..80 => {
                let path = self.entry();
                self.write(reqwest::Method::DELETE, &path, None).await;
            }
            80..86 => {
                let path = format!("{}/restore", self.entry());
                self.write(reqwest::Method::POST, &path, None).await;
            }
            86..88 => {
                let account = self.pick(|own| &own.accounts);
                let what = ["close", "reopen"][self.below(2) as usize];
                let path = format!("/accounts/{}/{what}", account.as_str().unwrap());
                self.write(reqwest::Method::POST, &path, None).await;
            }
            88..90 => {
                let new = json!({"name": format!("Account {}", self.keys), "kind": "other", "opened_on": self.day(),
                    "opening_balance": "-12"});
                let made = self.write(reqwest::Method::POST, "/accounts", Some(new)).await;
                self.accounts.extend(made.status.eq(&201).then(|| made.json()["id"].clone()));
            }
            90..92 => {
                let category = self.pick(|own| &own.expenses);
                let what = ["archive", "restore"][self.below(2) as usize];
                let path = format!("/categories/{}/{what}", category.as_str().unwrap());
                self.write(reqwest::Method::POST, &path, None).await;
            }
            92..94 => {
                let parent = self.pick(|own| &own.expenses);
                let new =
                    json!({"name": format!("Category {}", self.keys), "kind": "expense", "parent": parent});
                let made = self.write(reqwest::Method::POST, "/categories", Some(new)).await;
                self.expenses.extend(made.status.eq(&201).then(|| made.json()["id"].clone()));
            }
            94..96 => {
                let category = self.pick(|own| &own.expenses);
                let path = format!("/categories/{}", category.as_str().unwrap());
                let change = json!({"parent": self.pick(|own| &own.expenses), "icon": "star"});
                self.write(reqwest::Method::PATCH, &path, Some(change)).await;
            }
            96..97 => {
                let change =
                    json!({"name": format!("Renamed {}", self.keys), "month_starts_on": 1 + self.below(28)});
                self.write(reqwest::Method::PATCH, "", Some(change)).await;
            }
            97..99 => self.import().await,
            99..104 => self.add_many().await,
            104..109 => {
                let path = format!("/history/{}/undo", 1 + self.below(1 + u64::from(self.keys)));
                self.write(reqwest::Method::POST, &path, None).await;
            }
            109..112 => {
                let order = json!({"filter": {"category": [self.pick(|own| &own.expenses)]},
                    "category": self.pick(|own| &own.expenses)});
                self.write(reqwest::Method::POST, "/entries/recategorise", Some(order)).await;
            }
            112..114 => {
                let merged = self.pick(|own| &own.expenses);
                let path = format!("/categories/{}/merge", merged.as_str().unwrap());
                let into = json!({"into": self.pick(|own| &own.expenses)});
                self.write(reqwest::Method::POST, &path, Some(into)).await;
            }
            114..117 => {
                let new = json!({"name": format!("Abroad {}", self.keys), "kind": "bank", "currency": "USD"});
                let made = self.write(reqwest::Method::POST, "/accounts", Some(new)).await;
                self.accounts.extend(made.status.eq(&201).then(|| made.json()["id"].clone()));
            }
            117..120 => {
                let amount = self.amount();
                let entry = json!({"kind": "balanced", "occurred_on": self.day(), "postings": [
                    {"account": self.pick(|own| &own.accounts), "amount": format!("-{amount}")},
                    {"category": self.pick(|own| &own.expenses), "amount": amount}]});
                self.write(reqwest::Method::POST, "/entries", Some(entry)).await;
            }
            120..123 => {
                let invitation = json!({"email": "somebody@example.org", "role": "viewer"});
                self.write(reqwest::Method::POST, "/invitations", Some(invitation)).await;
            }
            _ => {
                let Some(import) = self.imports.pop() else { return };
                let path = format!("/imports/{import}/revert");
                self.write(reqwest::Method::POST, &path, None).await;
            }
        }
    }

    async fn add_many(&mut self) {
        let entries: Vec<Value> = (0..5)
            .map(|_| {
                json!({"kind": "expense", "occurred_on": self.day(), "account": self.pick(|own| &own.accounts),
                    "amount": self.amount(), "category": self.pick(|own| &own.expenses)})
            })
            .collect();
        let mode = ["all", "each"][self.below(2) as usize];
        let bulk = json!({"mode": mode, "entries": entries});
        self.write(reqwest::Method::POST, "/entries/bulk", Some(bulk)).await;
    }

    async fn add(&mut self) {
        let (account, amount) = (self.pick(|own| &own.accounts), self.amount());
        let mut entry = json!({"occurred_on": self.day(), "account": account, "amount": amount});
        match self.below(10) {
            0..6 => {
                entry["kind"] = json!("expense");
                entry["category"] = self.pick(|own| &own.expenses);
                let payee = ["Market hall", "Bäckerei", "駅前の店", ""][self.below(4) as usize];
                entry["payee"] = json!(payee);
            }
            6 => {
                entry["kind"] = json!("expense");
                entry["amount"] = json!("30");
                let parts = ["10", "20"]
                    .map(|amount| json!({"category": self.pick(|own| &own.expenses), "amount": amount, "note": "part"}));
                entry["splits"] = json!(parts);
            }
            7 => {
                entry["kind"] = json!("income");
                entry["category"] = self.pick(|own| &own.incomes);
                entry["tags"] = json!(["one", "two"]);
            }
            8 => {
                entry["kind"] = json!("refund");
                entry["category"] = self.pick(|own| &own.expenses);
            }
            _ => {
                entry["kind"] = json!("transfer");
                entry["to_account"] = self.pick(|own| &own.accounts);
                if self.below(2) == 0 {
                    entry["to_amount"] = json!(self.amount());
                }
            }
        }
        let made = self.write(reqwest::Method::POST, "/entries", Some(entry)).await;
        if made.status == 201 {
            self.entries.push(made.json()["id"].as_str().unwrap().to_owned());
        }
    }

    async fn import(&mut self) {
        let mut file = String::from("Date;Payee;Amount\n");
        for _ in 0..20 {
            file.push_str(&format!("{};Shop {};-{}\n", self.day(), self.below(3), 1 + self.below(5)));
        }
        file.push_str("not a day;Shop;1\n");
        let mapping = json!({"delimiter": ";", "date": "Date", "date_format": "YYYY-MM-DD", "payee": ["Payee"],
            "amount": {"sign": "signed", "column": "Amount"}, "account": self.pick(|own| &own.accounts)});
        let form = Form::new()
            .part("file", Part::text(file).file_name("statement.csv"))
            .text("mapping", mapping.to_string());
        let (key, path) = (self.key(), format!("{}/imports", self.book));
        let made = self.client.post_form(&path, key, form).await;
        assert!(made.status < 500, "{}", made.body);
        if made.status == 201 {
            self.imports.push(made.json()["id"].as_str().unwrap().to_owned());
        }
    }

    async fn write(&mut self, method: reqwest::Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.client.write(method, &format!("{}{path}", self.book), self.key());
        let answer = match body {
            Some(body) => self.client.send(request.json(&body)).await,
            None => self.client.send(request).await,
        };
        assert!(answer.status < 500, "{path}: {}", answer.body);
        answer
    }

    fn key(&mut self) -> String {
        self.keys += 1;
        format!("{}-{}", self.seed, self.keys)
    }

    fn entry(&mut self) -> String {
        match self.entries.len() as u64 {
            0 => "/entries/none".to_owned(),
            count => {
                let at = self.below(count) as usize;
                format!("/entries/{}", self.entries[at])
            }
        }
    }

    fn day(&mut self) -> String {
        format!("2026-{:02}-{:02}", 1 + self.below(12), 1 + self.below(28))
    }

    /// Whole, so that every currency has it.
    fn amount(&mut self) -> String {
        (1 + self.below(500)).to_string()
    }

    fn pick(&mut self, from: impl Fn(&Self) -> &Vec<Value>) -> Value {
        let at = self.dice.next_u64() as usize % from(self).len();
        from(self)[at].clone()
    }

    fn below(&mut self, count: u64) -> u64 {
        self.dice.next_u64() % count
    }
}
