//! Entries that a filter means, sorted anew.

use serde_json::{Value, json};

use crate::world::{Home, Reply, World};

struct Scene {
    world: World,
    home: Home,
    bread: String,
    rent: String,
    split: String,
}

impl Scene {
    /// Three expenses, one of them split and one removed, and an income.
    async fn set() -> Self {
        let world = World::new();
        let home = world.home().await;
        let category = async |name: &str, parent: Option<&str>| {
            let new = json!({"name": name, "kind": "expense", "parent": parent});
            world.post(&format!("{}/categories", home.at), new).await.id()
        };
        let (bread, rent) = (category("Bread", Some(&home.groceries)).await, category("Rent", None).await);
        let mut shop = home.expense("5");
        shop["payee"] = json!("Corner Shop");
        shop["tags"] = json!(["weekly"]);
        world.post(&home.entries(), shop.clone()).await.id();
        let removed = world.post(&home.entries(), shop.clone()).await.id();
        world.call(&format!("DELETE {}/{removed}", home.entries())).send().await;
        let split = json!({"kind": "expense", "occurred_on": "2026-11-20", "account": home.cash, "amount": "7", "splits": [
            {"category": bread, "amount": "4"}, {"category": rent, "amount": "3", "note": "a share"}]});
        let split = world.post(&home.entries(), split).await.id();
        let income = json!({"kind": "income", "occurred_on": "2026-11-01", "account": home.bank, "amount": "2500", "category": home.salary});
        world.post(&home.entries(), income).await.id();
        Self { world, home, bread, rent, split }
    }

    async fn sort(&self, filter: Value, category: &str) -> Reply {
        let path = format!("{}/recategorise", self.home.entries());
        self.world.post(&path, json!({"filter": filter, "category": category})).await
    }
}

#[tokio::test]
async fn what_the_filter_means_goes_to_the_category_by_one_commit() {
    let scene = Scene::set().await;
    let (home, world) = (&scene.home, &scene.world);
    let reply = scene.sort(json!({"category": home.groceries}), &scene.rent).await;
    assert_eq!((reply.status, &reply.json()["entries"]), (200, &json!(2)), "{}", reply.body);
    assert_eq!(reply.json()["category"]["name"], "Rent");
    assert_eq!(reply.header("etag"), Some(format!("\"{}\"", reply.version()).as_str()));
    // Only the parts in the categories named, here by their parent; what was removed stays as it is.
    let one = world.patch(&format!("{}/{}", home.entries(), scene.split), json!({"note": "x"})).await;
    let categories = [&one.json()["entry"]["splits"][0], &one.json()["entry"]["splits"][1]]
        .map(|split| split["category"].as_str().unwrap().to_owned());
    assert_eq!(categories, [scene.rent.clone(), scene.rent.clone()]);
    let commits = world.commits();
    let commit = commits.iter().find(|commit| commit.command == "recategorise_entries").unwrap();
    assert_eq!(commit.events.len(), 2);

    let reply = scene.sort(json!({"category": [scene.rent]}), &scene.rent).await;
    assert_eq!(reply.refusal(), "422 nothing_to_change");
    let reply =
        scene.sort(json!({"text": "SHOP corner", "tag": "weekly", "from": "2026-11-23"}), &scene.bread).await;
    assert_eq!(reply.json()["entries"], 1, "{}", reply.body);
    // All that is in a category of the same kind; an income is in none.
    let reply = scene.sort(json!({"to": "2026-11-30"}), &home.groceries).await;
    assert_eq!(reply.json()["entries"], 2, "{}", reply.body);
    world.verify();
}

#[tokio::test]
async fn a_sorting_that_cannot_be_meant_is_refused() {
    let scene = Scene::set().await;
    let home = &scene.home;
    let no_category = "cat_01kb0d5j6hf2xv9d6q8m4r7t3a";
    let no_account = "acc_01kb0d5j6hf2xv9d6q8m4r7t3a";
    for (filter, category, expected) in [
        (json!({}), scene.rent.as_str(), "422 field_missing /filter"),
        (json!({"account": []}), &scene.rent, "422 field_missing /filter"),
        (json!({"payee": "nobody"}), &scene.rent, "422 nothing_to_change"),
        (json!({"kind": "income"}), &scene.rent, "422 nothing_to_change"),
        (json!({"payee": "nobody"}), no_category, "422 unknown_category /category"),
        (json!({"category": no_category}), &scene.rent, "422 unknown_category /filter/category"),
        (json!({"account": [home.bank, no_account]}), &scene.rent, "422 unknown_account /filter/account"),
        (json!({"account": [home.bank, "x"]}), &scene.rent, "422 id_malformed /filter/account/1"),
        (json!({"kind": ["gift"]}), &scene.rent, "422 unknown_value /filter/kind/0"),
        (json!({"kind": "gift"}), &scene.rent, "422 unknown_value /filter/kind"),
        (json!({"payee": 7}), &scene.rent, "422 wrong_type /filter/payee"),
        (json!({"amount_min": "much"}), &scene.rent, "422 amount_malformed /filter/amount_min"),
        (json!({"from": "2026-12-01", "to": "2026-11-01"}), &scene.rent, "422 invalid_value /filter/to"),
        (json!({"text": "x".repeat(201)}), &scene.rent, "422 invalid_value /filter/text"),
        (json!({"removed": true}), &scene.rent, "422 unknown_field /filter/removed"),
    ] {
        let reply = scene.sort(filter.clone(), category).await;
        assert_eq!(reply.refusal(), expected, "{filter}\n{}", reply.body);
    }
    let archive = format!("POST {}/categories/{}/archive", home.at, scene.rent);
    assert_eq!(scene.world.call(&archive).send().await.status, 200);
    let reply = scene.sort(json!({"kind": "expense"}), &scene.rent).await;
    assert_eq!(reply.refusal(), "422 category_archived /category");
}
