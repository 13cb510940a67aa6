use std::{collections::BTreeSet, sync::Arc};

use axum::{extract::State, response::Response};
use domain::{
    entry::CategoryKind,
    id::{AccountId, BookId, CategoryId},
};
use http_kit::{json::Query, problem::Problem};
use read_model::queries::{
    Connection, accounts,
    books::Standing,
    categories::{self, Tree},
    filter::EntryFilter,
    spending::{self, Cell},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{QueryApi, Reader, Refusal, View, is_no_part_of_the_view},
    filter::{Day, EntriesParameters},
    groups::{Group, GroupBy, GroupWriter, ReportPeriod, grouping, tops},
    pages::invalid_parameter,
    periods::{Calendar, Period, PeriodKind, Span},
    tally::{self, Grouping, Total},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeriodName {
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompareWith {
    Previous,
    PreviousYear,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The period of the book's calendar that `on` falls in. Default `month`; not together with `from` and `to`.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<PeriodName>,
    /// Default today, where the people of the book live.
    #[param(value_type = Option<String>, format = Date)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
    /// The first day of a free span.
    #[param(value_type = Option<String>, format = Date)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// The last day of a free span, included.
    #[param(value_type = Option<String>, format = Date)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Day>,
    /// Default `category`.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_by: Option<GroupBy>,
    /// Also tell what each group came to in the period before, or in the same period a year before: for a week the
    /// one 52 weeks before, for a free span as many days just before it. Days, weeks and months are held against
    /// the one in the same place of the other period.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<CompareWith>,
    /// Which side the groups are of: `expense` (refunds taken off) or `income`. Default `expense`.
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<CategoryKind>,
    /// Only what went through this account; repeat for any of several.
    #[param(value_type = Vec<String>, required = false)]
    #[serde(default)]
    pub account: Vec<AccountId>,
    /// Only what was sorted into this category or below it; repeat for any of several. Of an entry that is split,
    /// only the parts that were.
    #[param(value_type = Vec<String>, required = false)]
    #[serde(default)]
    pub category: Vec<CategoryId>,
    /// Exactly this payee; empty for entries without one; repeat for any of several.
    #[param(required = false)]
    #[serde(default)]
    pub payee: Vec<String>,
    /// Exactly this tag; empty for entries without any; repeat for entries that have all of several.
    #[param(required = false)]
    #[serde(default)]
    pub tag: Vec<String>,
    /// Words that are each somewhere in payee, notes or tags, in whatever case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The least amount of the whole entry, a decimal string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_min: Option<String>,
    /// The largest amount of the whole entry, included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_max: Option<String>,
    /// Only this currency (ISO 4217).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Wait, up to two seconds, until the book has this version.
    #[serde(skip_serializing_if = "is_no_part_of_the_view")]
    pub min_version: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SpendingReport {
    pub period: ReportPeriod,
    pub version: u64,
    /// Both sides by currency, the book's own first, whatever the groups are of.
    pub totals: Vec<Total>,
    /// The largest first; days, weeks, months and weekdays in their order.
    pub groups: Vec<Group>,
    /// With `compare`: what it is held against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<ComparedWith>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ComparedWith {
    pub period: ReportPeriod,
    pub totals: Vec<Total>,
}

/// What was spent or earned in a period, and for what.
#[utoipa::path(
    get,
    path = "/books/{book}/reports/spending",
    tag = "reports",
    params(("book" = String, Path), Parameters),
    responses(
        (status = 200, description = "The report. Two currencies are never added; refunds are taken off their category; \
            transfers and opening balances are neither income nor expense. `ETag` is the book's version; where `on` is \
            left out, the version and today's date, as in `\"12-2026-11-23\"`.", body = SpendingReport),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`invalid_parameter`, `unknown_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn spending_report(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<Parameters>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let mut view = View::of("reports/spending", &asked);
    let today = api.today(&standing);
    if asked.on.is_none() && asked.from.is_none() {
        view = view.today(today);
    }
    let period = asked.period(Calendar::of(&standing.settings), today, api.config.report_days_max)?;
    let filter = asked.entries().filter()?;
    api.answer(&reader, standing, view, move |conn, standing| report(conn, standing, &asked, period, &filter))
        .await
}

impl Parameters {
    fn period(&self, calendar: Calendar, today: chrono::NaiveDate, days_max: u32) -> Result<Period, Problem> {
        let (Some(from), Some(to)) = (self.from, self.to) else {
            if self.from.is_some() || self.to.is_some() {
                return Err(invalid_parameter("from", "a free span has both from and to"));
            }
            let kind = match self.period.unwrap_or(PeriodName::Month) {
                PeriodName::Week => PeriodKind::Week,
                PeriodName::Month => PeriodKind::Month,
                PeriodName::Quarter => PeriodKind::Quarter,
                PeriodName::Year => PeriodKind::Year,
            };
            return Ok(calendar.containing(kind, self.on.map_or(today, |day| day.0)));
        };
        if self.period.is_some() || self.on.is_some() {
            return Err(invalid_parameter("period", "a report has either from and to or period and on"));
        }
        let span = Span { from: from.0, to: to.0 };
        if span.days() < 1 {
            return Err(invalid_parameter("to", "it lies before from"));
        }
        if span.days() > i64::from(days_max) {
            return Err(invalid_parameter("to", format!("a report covers at most {days_max} days")));
        }
        Ok(Period { kind: PeriodKind::Free, span })
    }

    /// The list of entries with the same filters.
    fn entries(&self) -> EntriesParameters {
        EntriesParameters {
            account: self.account.clone(),
            category: self.category.clone(),
            payee: self.payee.clone(),
            tag: self.tag.clone(),
            text: self.text.clone(),
            amount_min: self.amount_min.clone(),
            amount_max: self.amount_max.clone(),
            currency: self.currency.clone(),
            ..EntriesParameters::default()
        }
    }

    /// Whether the daily buckets know enough: they know day, category and currency.
    fn fits_buckets(&self) -> bool {
        let is_grouped = match self.group_by.unwrap_or_default() {
            GroupBy::Category | GroupBy::Day | GroupBy::Week | GroupBy::Month | GroupBy::Weekday => true,
            GroupBy::Payee | GroupBy::Account | GroupBy::Tag => false,
        };
        let is_filtered = !self.account.is_empty()
            || !self.payee.is_empty()
            || !self.tag.is_empty()
            || self.text.is_some()
            || self.amount_min.is_some()
            || self.amount_max.is_some();
        is_grouped && !is_filtered
    }
}

fn report(
    conn: &Connection,
    standing: &Standing,
    asked: &Parameters,
    period: Period,
    filter: &EntryFilter,
) -> Result<SpendingReport, Refusal> {
    let calendar = Calendar::of(&standing.settings);
    let tree = categories::tree(conn, standing.book)?;
    let own = standing.settings.currency;
    let other = asked.compare.map(|compare| match compare {
        CompareWith::Previous => calendar.previous(period),
        CompareWith::PreviousYear => calendar.previous_year(period),
    });
    let now = cells(conn, standing.book, &tree, asked, filter, period.span)?;
    let before = match other {
        Some(other) => Some(cells(conn, standing.book, &tree, asked, filter, other.span)?),
        None => None,
    };

    let kind = asked.kind.unwrap_or(CategoryKind::Expense);
    let group_by = asked.group_by.unwrap_or_default();
    let drafts = match grouping(group_by, period.span) {
        None => tally::by_category(&tree, &tops(&tree, &asked.category), kind, &now, before.as_deref()),
        Some(by) => {
            let group = |cells: &[Cell], by: Grouping| tally::grouped(&tree, cells, kind, by, calendar);
            let other = before.as_deref().zip(other.and_then(|other| grouping(group_by, other.span)));
            tally::paired(group(&now, by), other.map(|(before, by)| group(before, by)))
        }
    };
    let accounts =
        if group_by == GroupBy::Account { accounts::all(conn, standing.book)? } else { Vec::new() };
    let account_names =
        accounts.into_iter().map(|(id, account)| (id, account.name.as_str().map(str::to_owned))).collect();
    let writer = GroupWriter {
        book: standing.book,
        tree: &tree,
        calendar,
        span: period.span,
        kind,
        group_by,
        whole: tally::whole(&tree, &now, kind),
        account_names,
        entries: asked.entries(),
    };
    Ok(SpendingReport {
        period: ReportPeriod::of(calendar, period),
        version: standing.version,
        totals: tally::totals(&tree, &now, own),
        groups: writer.groups(drafts),
        compared_with: other.zip(before).map(|(other, cells)| ComparedWith {
            period: ReportPeriod::of(calendar, other),
            totals: tally::totals(&tree, &cells, own),
        }),
    })
}

fn cells(
    conn: &Connection,
    book: BookId,
    tree: &Tree,
    asked: &Parameters,
    filter: &EntryFilter,
    span: Span,
) -> Result<Vec<Cell>, Refusal> {
    let scope: BTreeSet<CategoryId> = if asked.category.is_empty() {
        tree.iter().map(|(id, _)| id).collect()
    } else {
        tree.with_children(&asked.category)
    };
    let group_by = asked.group_by.unwrap_or_default();
    if !asked.fits_buckets() {
        let filter = EntryFilter { from: Some(span.from), to: Some(span.to), ..filter.clone() };
        return Ok(spending::postings(conn, book, &scope, &filter, group_by == GroupBy::Tag)?);
    }
    let days = (span.from, span.to);
    let mut cells = if group_by == GroupBy::Category {
        spending::sums(conn, book, &[days])?.into_iter().flatten().collect()
    } else {
        spending::buckets(conn, book, days)?
    };
    cells.retain(|cell| {
        let is_of_currency = asked.currency.as_ref().is_none_or(|currency| currency == cell.currency.code());
        is_of_currency && scope.contains(&cell.category)
    });
    Ok(cells)
}
