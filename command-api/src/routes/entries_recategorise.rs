use std::{fmt, marker::PhantomData};

use axum::{extract::State, response::Response};
use domain::{
    Command,
    command::EntryFilter,
    entry::{CategoryKind, EntryKind},
    event::Weekday,
    id::{AccountId, CategoryId},
};
use http_kit::{
    json::{Json, Path},
    problem::{FieldError, Problem},
    resources,
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IntoDeserializer},
};
use utoipa::ToSchema;

use crate::{
    ApiState,
    fields::{Date, SignedAmount},
    writes::{Write, book_in_path},
};

const TEXT_LETTERS_MAX: usize = 200;
const VALUES_MAX: usize = 50;
const ACCOUNTS_MAX: usize = 500;

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recategorisation {
    filter: Filter,
    /// Where the entries shall be sorted. Only what is in a category of the same kind goes there.
    #[schema(value_type = String)]
    category: CategoryId,
}

/// Which entries are meant, in the words and with the meaning of the list of entries: what `GET …/entries` lists is
/// what changes. At least one field is needed; an entry has to fit all that are given. Where there may be several
/// values, one may be given without a list.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EntriesMeant)]
pub struct Filter {
    /// The first day.
    #[schema(value_type = Option<String>, format = Date)]
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Date>,
    /// The last day, included.
    #[schema(value_type = Option<String>, format = Date)]
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Date>,
    /// Accounts that money went into or out of; any of several.
    #[schema(value_type = OneOrSeveral)]
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    account: Values<AccountId>,
    /// Categories with all below them; any of several. Of a split only these parts change.
    #[schema(value_type = OneOrSeveral)]
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    category: Values<CategoryId>,
    /// `expense` or `income`.
    #[schema(value_type = OneOrSeveral)]
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    category_kind: Values<CategoryKind>,
    /// `expense`, `income`, `refund`, `transfer`, `balanced` or `opening_balance`; any of several.
    #[schema(value_type = OneOrSeveral)]
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    kind: Values<EntryKind>,
    /// Exactly this payee; empty for entries without one; any of several.
    #[schema(value_type = OneOrSeveral)]
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    payee: Values<String>,
    /// Exactly this tag; empty for entries without any; all of several.
    #[schema(value_type = OneOrSeveral)]
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    tag: Values<String>,
    /// Words that are each somewhere in payee, notes or tags, in whatever case.
    #[schema(max_length = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The least amount, held against each currency for itself.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_min: Option<SignedAmount>,
    /// The largest amount, included.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_max: Option<SignedAmount>,
    /// ISO 4217: only entries that moved money in this currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// `monday` to `sunday`.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    weekday: Option<Weekday>,
}

// How OpenAPI shows the one below.
/// One value, or a list of several.
#[derive(ToSchema)]
#[serde(untagged)]
#[allow(dead_code)]
enum OneOrSeveral {
    One(String),
    Several(Vec<String>),
}

/// Several values, or one without a list around it.
#[derive(Serialize)]
struct Values<T>(Vec<T>);

impl<T> Values<T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Values<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
                T::deserialize(text.into_deserializer()).map(|value| vec![value])
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(values)
            }
        }
        deserializer.deserialize_any(Visitor(PhantomData)).map(Self)
    }
}

impl Filter {
    fn read(&self) -> Result<EntryFilter, Problem> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, detail: String| {
            faults.push(FieldError { pointer: format!("/filter/{field}"), code: "invalid_value", detail });
        };
        for (field, count, count_max) in [
            ("account", self.account.0.len(), ACCOUNTS_MAX),
            ("category", self.category.0.len(), VALUES_MAX),
            ("category_kind", self.category_kind.0.len(), VALUES_MAX),
            ("kind", self.kind.0.len(), VALUES_MAX),
            ("payee", self.payee.0.len(), VALUES_MAX),
            ("tag", self.tag.0.len(), VALUES_MAX),
        ] {
            if count > count_max {
                fault(field, format!("A filter has at most {count_max} of these."));
            }
        }
        let text = self.text.as_deref().unwrap_or_default();
        if text.chars().count() > TEXT_LETTERS_MAX {
            fault("text", format!("The text has at most {TEXT_LETTERS_MAX} letters."));
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from.0 > to.0
        {
            fault("to", "The last day lies before the first.".to_owned());
        }
        if !faults.is_empty() {
            return Err(Problem::from_fields(faults));
        }
        Ok(EntryFilter {
            from: self.from.map(|day| day.0),
            to: self.to.map(|day| day.0),
            accounts: self.account.0.clone(),
            categories: self.category.0.clone(),
            category_kinds: self.category_kind.0.clone(),
            kinds: self.kind.0.clone(),
            payees: self.payee.0.clone(),
            tags: self.tag.0.clone(),
            words: text.split_whitespace().map(str::to_owned).collect(),
            currency: self.currency.clone(),
            amount_min: self.amount_min.map(|amount| amount.0),
            amount_max: self.amount_max.map(|amount| amount.0),
            weekday: self.weekday,
        })
    }
}

#[derive(Serialize, ToSchema)]
pub struct EntriesRecategorised {
    /// The version of the book that this write made.
    pub version: u64,
    /// How many entries changed.
    pub entries: u64,
    pub category: resources::Category,
}

/// Sorts all entries that a filter means into one category, by one commit that is undone as one.
///
/// Of an entry the parts change that are in a category of the same kind; where the filter names categories, only the
/// parts that are in these. Removed entries stay as they are. At most 10,000 entries change at once
/// (`too_many_entries`).
#[utoipa::path(
    post,
    path = "/books/{book}/entries/recategorise",
    operation_id = "recategorise_entries",
    tag = "entries",
    params(
        ("book" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    request_body = Recategorisation,
    responses((status = 200, description = "How many entries changed.", body = EntriesRecategorised)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path(book): Path<String>,
    Json(wanted): Json<Recategorisation>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let (filter, category) = (wanted.filter.read()?, wanted.category);
    write.submit(&api, book, &wanted, Command::RecategoriseEntries { filter, category }).await
}
