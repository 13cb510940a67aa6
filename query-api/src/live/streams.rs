use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::id::UserId;
use http_kit::problem::Problem;
use tokio::sync::Semaphore;

use crate::config::Config;

/// How many pages are read for streams at once: the books of thousands of them may change in one moment, and other
/// queries must not be kept waiting by that.
const READS_AT_ONCE: usize = 16;

/// The streams that are open.
pub(crate) struct Streams {
    pub(crate) reads: Semaphore,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    of_user: HashMap<UserId, usize>,
}

/// One open stream; it counts until this is dropped.
pub(crate) struct Place {
    streams: Arc<Streams>,
    user: UserId,
}

impl Streams {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { reads: Semaphore::new(READS_AT_ONCE), open: Mutex::default() })
    }

    pub(crate) fn take(self: &Arc<Self>, user: UserId, config: &Config) -> Result<Place, Problem> {
        let mut open = self.open();
        if open.all >= config.live_streams_max {
            return Err(Problem::new("overloaded").retry_after(5));
        }
        let of_user = open.of_user.entry(user).or_default();
        if *of_user >= config.live_streams_per_user_max {
            return Err(Problem::new("too_many_streams").retry_after(5));
        }
        *of_user += 1;
        open.all += 1;
        metrics::gauge!("live_streams").set(open.all as f64);
        Ok(Place { streams: Arc::clone(self), user })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        open.all -= 1;
        metrics::gauge!("live_streams").set(open.all as f64);
        if let Some(of_user) = open.of_user.get_mut(&self.user) {
            *of_user -= 1;
            if *of_user == 0 {
                open.of_user.remove(&self.user);
            }
        }
    }
}
