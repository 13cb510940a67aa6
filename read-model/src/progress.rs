//! How far the read model has come, as known in this process.

use std::sync::Arc;

use tokio::sync::watch;

/// Shared by the projector, which reports, and by queries that wait for a version.
pub struct Progress {
    partitions: watch::Sender<Vec<Partition>>,
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
        Arc::new(Self { partitions: watch::Sender::new(none), head: Box::new(head) })
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

    #[test]
    fn it_is_not_current_where_the_head_is_unknown() {
        let progress = Progress::new(1, |_| None);
        progress.set_applied(0, 100);
        assert!(!progress.is_current());
    }
}
