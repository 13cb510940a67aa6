//! How far the read model has come, as known in this process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::id::BookId;
use tokio::sync::watch;

/// Shared by the projector, which reports, and by queries that wait for a version.
pub struct Progress {
    partitions: watch::Sender<Vec<Partition>>,
    /// The books that somebody follows. Who follows one is not woken for another.
    followed: Mutex<HashMap<BookId, watch::Sender<()>>>,
    head: Box<dyn Fn(u32) -> Option<u64> + Send + Sync>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Partition {
    /// The last record of the journal that queries can see the rows of.
    pub applied: u64,
    /// Whether the projector has reached the journal's end since it started.
    pub caught_up: bool,
}

impl Progress {
    /// `head` tells the position of the last record of a partition, as far as this process knows: 0 where there is
    /// none, `None` where it does not know.
    pub fn new(partitions: u32, head: impl Fn(u32) -> Option<u64> + Send + Sync + 'static) -> Arc<Self> {
        let none = vec![Partition::default(); partitions as usize];
        let partitions = watch::Sender::new(none);
        Arc::new(Self { partitions, followed: Mutex::default(), head: Box::new(head) })
    }

    /// From now on tells whenever queries may see more of this book.
    pub fn follow(self: &Arc<Self>, book: BookId) -> Followed {
        let changes = self.followed().entry(book).or_default().subscribe();
        Followed { progress: Arc::clone(self), book, changes }
    }

    /// Queries see more of these books than before.
    pub fn tell_followers(&self, books: impl IntoIterator<Item = BookId>) {
        let followed = self.followed();
        if followed.is_empty() {
            return;
        }
        for changes in books.into_iter().filter_map(|book| followed.get(&book)) {
            changes.send_replace(());
        }
    }

    /// Queries see more than before, of which books is not known.
    pub fn tell_all_followers(&self) {
        for changes in self.followed().values() {
            changes.send_replace(());
        }
    }

    fn followed(&self) -> MutexGuard<'_, HashMap<BookId, watch::Sender<()>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every partition, by its number. Can be awaited: changes whenever queries see more than before.
    pub fn applied(&self) -> watch::Receiver<Vec<Partition>> {
        self.partitions.subscribe()
    }

    /// Whether queries see everything that is in the journal at this moment, as far as this process knows.
    pub fn is_current(&self) -> bool {
        // The heads are asked first: a record that comes in meanwhile then counts as not yet there.
        let heads: Vec<Option<u64>> = (0..).map(&self.head).take(self.partitions.borrow().len()).collect();
        let partitions = self.partitions.borrow();
        partitions
            .iter()
            .zip(heads)
            .all(|(partition, head)| head.is_some_and(|head| partition.applied >= head))
    }

    pub fn is_caught_up(&self) -> bool {
        self.partitions.borrow().iter().all(|partition| partition.caught_up)
    }

    pub fn set_applied(&self, partition: u32, position: u64) {
        self.change(partition, |partition| partition.applied = partition.applied.max(position));
    }

    pub fn set_caught_up(&self, partition: u32) {
        self.change(partition, |partition| partition.caught_up = true);
    }

    fn change(&self, partition: u32, change: impl FnOnce(&mut Partition)) {
        self.partitions.send_if_modified(|partitions| {
            let Some(partition) = partitions.get_mut(partition as usize) else { return false };
            let before = *partition;
            change(partition);
            before != *partition
        });
    }
}

/// Somebody who wants to know when queries see more of a book.
pub struct Followed {
    progress: Arc<Progress>,
    book: BookId,
    changes: watch::Receiver<()>,
}

impl Followed {
    /// Returns once there may be more than there was when this returned last, at once if there is by now.
    pub async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            // Does not happen: the sender stays for as long as somebody follows.
            std::future::pending().await
        }
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let mut followed = self.progress.followed();
        // Nobody can begin to follow while the lock is held, and this one is still counted.
        if followed.get(&self.book).is_some_and(|changes| changes.receiver_count() == 1) {
            followed.remove(&self.book);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_current_when_every_partition_has_reached_a_known_head() {
        let progress = Progress::new(2, |partition| [Some(3), Some(0)][partition as usize]);
        let mut changes = progress.applied();
        assert!(!progress.is_current());
        progress.set_applied(0, 2);
        assert!(!progress.is_current());
        progress.set_applied(0, 3);
        assert!(progress.is_current());
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        progress.set_applied(0, 1);
        assert_eq!(changes.borrow()[0].applied, 3, "what queries have seen they do not lose");
        assert!(!changes.has_changed().unwrap());
    }

    #[tokio::test]
    async fn followers_are_told_of_their_own_book_and_forgotten_when_they_leave() {
        let progress = Progress::new(1, |_| None);
        let [mine, other] = [1, 2].map(|number| BookId::from_uuid(uuid::Uuid::from_u128(number)));
        let (mut first, mut second) = (progress.follow(mine), progress.follow(mine));
        progress.tell_followers([other]);
        assert!(!first.changes.has_changed().unwrap());
        progress.tell_followers([other, mine]);
        progress.tell_followers([mine]);
        first.changed().await;
        assert!(!first.changes.has_changed().unwrap(), "told twice is woken once");
        drop(first);
        second.changed().await;
        progress.tell_all_followers();
        second.changed().await;
        assert_eq!(progress.followed().len(), 1);
        drop(second);
        assert_eq!(progress.followed().len(), 0);
    }

    #[test]
    fn it_is_not_current_where_the_head_is_unknown() {
        let progress = Progress::new(1, |_| None);
        progress.set_applied(0, 100);
        assert!(!progress.is_current());
    }
}
