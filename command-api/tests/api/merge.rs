//! A category that goes into another one.

use serde_json::{Value, json};

use crate::world::{Home, Reply, World};

async fn category(world: &World, home: &Home, name: &str, parent: Option<&str>) -> String {
    let new = json!({"name": name, "kind": "expense", "parent": parent});
    world.post(&format!("{}/categories", home.at), new).await.id()
}

async fn merge(world: &World, home: &Home, category: &str, into: &str) -> Reply {
    world.post(&format!("{}/categories/{category}/merge", home.at), json!({"into": into})).await
}

#[tokio::test]
async fn what_was_in_a_category_and_below_it_goes_to_the_other_one() {
    let world = World::new();
    let home = world.home().await;
    let food = category(&world, &home, "Food", None).await;
    let bread = category(&world, &home, "Bread", Some(&home.groceries)).await;
    let live = world.post(&home.entries(), home.expense("5")).await.id();
    let removed = world.post(&home.entries(), home.expense("6")).await.id();
    world.call(&format!("DELETE {}/{removed}", home.entries())).send().await;

    let reply = merge(&world, &home, &home.groceries, &food).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.id(), home.groceries);
    let told = &reply.json()["category"];
    assert_eq!((&told["archived"], &told["merged_into"]), (&json!(true), &json!(food)));
    let chart = world.owners.chart(home.id(), crate::world::ann()).await.unwrap();
    assert_eq!(chart.categories[&bread.parse().unwrap()].parent, Some(food.parse().unwrap()));
    for (entry, verb, path) in [(live, "DELETE", ""), (removed, "POST", "/restore")] {
        let reply = world.call(&format!("{verb} {}/{entry}{path}", home.entries())).send().await;
        assert_eq!(reply.json()["entry"]["category"], food, "{}", reply.body);
    }

    let again = merge(&world, &home, &home.groceries, &food).await;
    assert_eq!(again.refusal(), "422 category_archived");
    let restore = format!("POST {}/categories/{}/restore", home.at, home.groceries);
    let restored = world.call(&restore).send().await;
    let told = &restored.json()["category"];
    assert_eq!((&told["archived"], &told["merged_into"]), (&json!(false), &Value::Null));
    assert_eq!(world.post(&home.entries(), home.expense("7")).await.status, 201);
    world.verify();
}

#[tokio::test]
async fn a_merge_that_makes_no_sense_is_refused() {
    let world = World::new();
    let home = world.home().await;
    let food = category(&world, &home, "Food", None).await;
    let below = category(&world, &home, "Bread", Some(&home.groceries)).await;
    category(&world, &home, "bread", Some(&food)).await;
    let archived = category(&world, &home, "Old", None).await;
    world.call(&format!("POST {}/categories/{archived}/archive", home.at)).send().await;
    let mut deepest = category(&world, &home, "Level 1", None).await;
    for level in 2..=8 {
        deepest = category(&world, &home, &format!("Level {level}"), Some(&deepest)).await;
    }
    let unknown = "cat_01kb0d5j6hf2xv9d6q8m4r7t3a";
    for (from, into, expected) in [
        (home.groceries.as_str(), home.groceries.as_str(), "422 category_cycle /into"),
        (&home.groceries, &below, "422 category_cycle /into"),
        (&home.groceries, &home.salary, "422 category_kind_mismatch /into"),
        (&home.groceries, unknown, "422 unknown_category /into"),
        (&home.groceries, &archived, "422 category_archived /into"),
        (&home.groceries, &food, "422 name_taken /into"),
        (&home.groceries, &deepest, "422 category_too_deep /into"),
        (unknown, &food, "404 category_not_found"),
        ("nonsense", &food, "404 category_not_found"),
    ] {
        let reply = merge(&world, &home, from, into).await;
        assert_eq!(reply.refusal(), expected, "{}", reply.body);
    }
    let reply = merge(&world, &home, &home.groceries, &food).await;
    assert!(reply.json()["detail"].as_str().unwrap().starts_with("Bread below it cannot move along"));
    // What was archived before is archived all the same.
    assert_eq!(merge(&world, &home, &archived, &food).await.status, 200);
}
