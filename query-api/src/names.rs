use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use domain::id::UserId;
use serde::Serialize;
use utoipa::ToSchema;

/// What people are called. Their names belong to the identity service, not to any book.
#[async_trait]
pub trait Names: Send + Sync {
    /// Somebody who is gone, or cannot be asked for now, is left out.
    async fn names(&self, users: &[UserId]) -> HashMap<UserId, String>;
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Actor {
    pub id: String,
    /// `null` for somebody who is gone.
    pub name: Option<String>,
}

/// The people behind a page of answers, asked for at once.
pub(crate) struct Named(HashMap<UserId, String>);

impl Named {
    pub async fn ask(names: &dyn Names, users: impl Iterator<Item = UserId>) -> Self {
        let users: Vec<UserId> = users.collect::<BTreeSet<_>>().into_iter().collect();
        Self(names.names(&users).await)
    }

    pub fn actor(&self, user: UserId) -> Actor {
        Actor { id: user.to_string(), name: self.0.get(&user).cloned() }
    }
}
