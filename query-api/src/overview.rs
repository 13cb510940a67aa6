use std::{collections::HashMap, sync::Arc};

use axum::{extract::State, response::Response};
use chrono::NaiveDate;
use domain::{
    entry::CategoryKind,
    money::{Currency, Money},
};
use http_kit::{
    json::Query,
    problem::Problem,
    resources::{Account, Entry},
};
use read_model::queries::{
    Connection, accounts,
    books::Standing,
    categories::{self, Tree},
    entries::{self, Sort},
    filter::EntryFilter,
    spending::{self, Sums},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{QueryApi, Reader, Refusal, View, is_no_part_of_the_view},
    filter::{Day, EntriesParameters},
    groups::{Group, GroupBy, GroupWriter, ReportPeriod, tops},
    periods::{Calendar, Period, PeriodKind},
    tally,
    totals::{Total, TotalWriter},
};

const TOP_CATEGORIES: usize = 5;
const LATEST_ENTRIES: usize = 10;

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The day that counts as today. Default today, where the people of the book live.
    #[param(value_type = Option<String>, format = Date)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
    /// Wait, up to two seconds, until the book has this version.
    #[serde(skip_serializing_if = "is_no_part_of_the_view")]
    pub min_version: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Overview {
    pub version: u64,
    /// The day that the periods hold.
    #[schema(format = Date)]
    pub on: String,
    pub week: PeriodTotals,
    pub month: PeriodTotals,
    pub year: PeriodTotals,
    /// What most was spent on in the month: the five largest at the root of the tree, with all below them.
    pub top_categories: Vec<Group>,
    /// What all accounts hold together, by currency, the book's own first.
    pub balances: Vec<Balance>,
    pub accounts: Vec<Account>,
    /// The ten newest by day.
    pub latest_entries: Vec<Entry>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PeriodTotals {
    pub period: ReportPeriod,
    pub totals: Vec<Total>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Balance {
    pub currency: String,
    /// Signed.
    #[schema(example = "1204.50")]
    pub amount: String,
    /// Lists the entries behind `amount`. They add up by their `postings` in this currency to accounts.
    pub entries_url: String,
}

/// What a first page needs, in one call.
#[utoipa::path(
    get,
    path = "/books/{book}/overview",
    tag = "reports",
    params(("book" = String, Path), Parameters),
    responses(
        (status = 200, description = "`ETag` is the book's version; where `on` is left out, the version and today's date, as in `\"12-2026-11-23\"`, because today changes without the book.", body = Overview),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn get_overview(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<Parameters>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let view = View::of("overview", &asked);
    let (view, on) = match asked.on {
        Some(on) => (view, on.0),
        None => {
            let today = api.today(&standing);
            (view.today(today), today)
        }
    };
    api.answer(&reader, standing, view, move |conn, standing| overview(conn, standing, on)).await
}

fn overview(conn: &Connection, standing: &Standing, on: NaiveDate) -> Result<Overview, Refusal> {
    let book = standing.book;
    let calendar = Calendar::of(&standing.settings);
    let tree = categories::tree(conn, book)?;
    let own = standing.settings.currency;
    let writer = TotalWriter { book, own, entries: EntriesParameters::default() };
    let sums = |kind: PeriodKind| -> Result<(Period, Sums), Refusal> {
        let period = calendar.containing(kind, on);
        Ok((period, spending::sums(conn, book, (period.span.from, period.span.to))?))
    };
    let totals = |(period, sums): &(Period, Sums)| PeriodTotals {
        period: ReportPeriod::of(calendar, *period),
        totals: writer.totals(tally::sides(&tree, sums), period.span),
    };
    let month = sums(PeriodKind::Month)?;

    let accounts: Vec<Account> =
        accounts::all(conn, book)?.iter().map(|(id, account)| Account::of(*id, account)).collect();
    let latest =
        entries::list(conn, book, &tree, &EntryFilter::default(), Sort::Newest, None, LATEST_ENTRIES)?;
    Ok(Overview {
        version: standing.version,
        on: on.to_string(),
        week: totals(&sums(PeriodKind::Week)?),
        month: totals(&month),
        year: totals(&sums(PeriodKind::Year)?),
        top_categories: top_categories(standing, &tree, calendar, on, &month.1),
        balances: balances(conn, standing)?,
        accounts,
        latest_entries: latest.entries.iter().map(Entry::of).collect(),
    })
}

fn top_categories(
    standing: &Standing,
    tree: &Tree,
    calendar: Calendar,
    on: NaiveDate,
    sums: &Sums,
) -> Vec<Group> {
    let kind = CategoryKind::Expense;
    let mut drafts = tally::by_category(tree, &tops(tree, &[]), kind, sums, None);
    drafts.retain(|draft| draft.now.minor > 0);
    for draft in &mut drafts {
        draft.children.clear();
    }
    let writer = GroupWriter {
        book: standing.book,
        tree,
        calendar,
        span: calendar.containing(PeriodKind::Month, on).span,
        other: None,
        kind,
        group_by: GroupBy::Category,
        whole: tally::sides(tree, sums),
        account_names: HashMap::new(),
        entries: EntriesParameters::default(),
    };
    let mut groups = writer.groups(drafts);
    groups.truncate(TOP_CATEGORIES);
    groups
}

fn balances(conn: &Connection, standing: &Standing) -> Result<Vec<Balance>, Refusal> {
    let own = standing.settings.currency;
    let mut sums: HashMap<Currency, i64> = HashMap::from([(own, 0)]);
    for (_, account) in accounts::all(conn, standing.book)? {
        let sum = sums.entry(account.currency).or_default();
        *sum = sum.saturating_add(account.balance_minor);
    }
    let mut sums: Vec<(Currency, i64)> = sums.into_iter().collect();
    sums.sort_by_key(|(currency, _)| (*currency != own, *currency));
    let balances = sums.into_iter().map(|(currency, minor)| Balance {
        currency: currency.code().to_owned(),
        amount: Money { minor, currency }.decimal(),
        entries_url: EntriesParameters {
            currency: Some(currency.code().to_owned()),
            ..EntriesParameters::default()
        }
        .url(standing.book),
    });
    Ok(balances.collect())
}
