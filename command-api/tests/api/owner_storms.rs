//! Many clients, and a journal that goes wrong at random. The seed is printed; the checker is shown to fail on planted
//! faults.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::Event;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;

use crate::{
    faulty_journal::{Fault, FaultyJournal},
    world::{Home, Place, World, versions},
};

const CLIENTS: usize = 24;
const WRITES: usize = 12;

/// What one client knows of its writes, by the ids it chose.
#[derive(Default)]
struct Knowledge {
    acknowledged: BTreeMap<String, u64>,
    /// Told that they were not applied, and not tried again.
    given_up: BTreeSet<String>,
}

async fn write_through_the_storm(
    world: &World,
    homes: &[Home],
    client: usize,
    mut dice: StdRng,
) -> Knowledge {
    let mut knowledge = Knowledge::default();
    for number in 0..WRITES {
        let home = &homes[dice.random_range(0..homes.len())];
        let id = format!("ent_01kb0d5j6hf2xv9d6q8{:07}", client * 1_000 + number);
        let mut new = home.expense("1.00");
        new["id"] = json!(id);
        let key = format!("{client}-{number}");
        let mut attempts = 0;
        loop {
            attempts += 1;
            let call = world.call(&format!("POST {}", home.entries())).json(&new).key(&key);
            let reply = call.send().await;
            if reply.status == 201 {
                knowledge.acknowledged.insert(id, reply.version());
                break;
            }
            assert_eq!(reply.status, 503, "{}", reply.body);
            let is_applied_never = reply.outcome().as_deref() == Some("not_applied");
            if is_applied_never && dice.random_bool(0.5) {
                knowledge.given_up.insert(id);
                break;
            }
            assert!(attempts < 100_000, "{key} does not settle");
            tokio::task::yield_now().await;
        }
    }
    knowledge
}

/// Every acknowledged entry is there once, in the version that was told, and no other entry is.
fn check(world: &World, knowledge: &[Knowledge]) -> Result<(), String> {
    let commits = world.commits();
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for commit in &commits {
        for event in &commit.events {
            if let Event::EntryAdded { entry } = event
                && entry.payee.is_none()
                && found.insert(entry.id.to_string(), commit.version).is_some()
            {
                return Err(format!("{} is there twice", entry.id));
            }
        }
    }
    for client in knowledge {
        for (id, version) in &client.acknowledged {
            match found.remove(id) {
                Some(there) if there == *version => {}
                there => {
                    return Err(format!("{id} was acknowledged in version {version}, and is in {there:?}"));
                }
            }
        }
        if let Some(id) = client.given_up.iter().find(|id| found.contains_key(*id)) {
            return Err(format!("{id} is there, though its client was told that it is not"));
        }
    }
    // Left are the opening balances.
    for (book, versions) in versions(&commits) {
        if versions != (1..=versions.len() as u64).collect::<Vec<_>>() {
            return Err(format!("{book} has the versions {versions:?}"));
        }
    }
    Ok(())
}

async fn storm(seed: u64) -> (World, Vec<Home>, Vec<Knowledge>) {
    println!("seed {seed}");
    let place = Place::new();
    let journal = FaultyJournal::around(place.journal());
    let world = World::on(place, Arc::clone(&journal) as _, |config| {
        (config.in_flight_max, config.hot_books_max, config.save_every_commits) = (8, 2, 5);
    });
    let homes = vec![world.home().await, world.home().await, world.home().await];
    let mut dice = StdRng::seed_from_u64(seed);
    journal.plan((0..150).map(|_| match dice.random_range(0..12) {
        0 => Fault::Refuse,
        1 => Fault::LoseAnswer,
        2 => Fault::LoseAll,
        3 => Fault::ForeignClaim,
        _ => Fault::None,
    }));
    let clients = (0..CLIENTS).map(|client| {
        let dice = StdRng::seed_from_u64(seed * 1_000 + client as u64);
        write_through_the_storm(&world, &homes, client, dice)
    });
    let knowledge = futures::future::join_all(clients).await;
    assert!(journal.faults_left() < 120, "the storm was none");
    (world, homes, knowledge)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_in_a_storm_is_there_once_and_what_is_refused_is_not() {
    for seed in 1..=6 {
        let (world, homes, knowledge) = storm(seed).await;
        check(&world, &knowledge).unwrap();
        world.verify();
        // The owner's own state agrees, and is what a replay comes to.
        let mut balances = Vec::new();
        for home in &homes {
            balances.push(world.balance(&home.book, &home.bank).await);
        }
        let world = world.restarted(|place| std::fs::remove_dir_all(place.decisions()).unwrap());
        for (home, balance) in homes.iter().zip(&balances) {
            assert_eq!(&world.balance(&home.book, &home.bank).await, balance);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_sees_a_lost_a_doubled_and_a_false_answer() {
    let (world, homes, mut knowledge) = storm(7).await;
    check(&world, &knowledge).unwrap();

    let client = knowledge.iter().position(|client| !client.acknowledged.is_empty()).unwrap();
    let (id, version) = knowledge[client].acknowledged.pop_first().unwrap();
    knowledge[client].given_up.insert(id.clone());
    assert!(check(&world, &knowledge).unwrap_err().contains("told that it is not"));
    knowledge[client].given_up.remove(&id);

    knowledge[client].acknowledged.insert(id.clone(), version + 1);
    assert!(check(&world, &knowledge).unwrap_err().contains("was acknowledged in version"));
    knowledge[client].acknowledged.insert(id, version);

    let invented = "ent_01kb0d5j6hf2xv9d6q89999999".to_owned();
    knowledge[client].acknowledged.insert(invented.clone(), 3);
    assert!(check(&world, &knowledge).unwrap_err().contains(&invented));
    drop(homes);
}
