use http_kit::resources::instant;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store;

/// A person, as they see themselves.
#[derive(Serialize, ToSchema)]
pub struct User {
    #[schema(example = "usr_01kb0d5j6hf2xv9d6q8m4r7t3a")]
    pub id: String,
    #[schema(example = "ada@example.org")]
    pub email: String,
    pub name: String,
    #[schema(example = "de-CH")]
    pub locale: Option<String>,
    #[schema(example = "Europe/Zurich")]
    pub time_zone: Option<String>,
    pub created_at: String,
}

impl User {
    pub fn of(user: store::User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email,
            name: user.profile.name,
            locale: user.profile.locale,
            time_zone: user.profile.time_zone,
            created_at: instant(&user.created_at),
        }
    }
}
