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
    spending::{self, ByDay, Sums, Telling},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{QueryApi, Reader, Refusal, View, is_no_part_of_the_view},
    asked_period::{AskedPeriod, PeriodName},
    filter::{Day, EntriesParameters},
    groups::{By, Group, GroupBy, GroupWriter, ReportPeriod, tops},
    periods::{Calendar, Period, Span},
    tally::{self, Trait},
    totals::{Total, TotalWriter},
};

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
    /// The largest first; days, weeks, months and weekdays in their order. An entry with several tags, or of several
    /// accounts, is in the group of each.
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
    if asked.period().is_told_from_today() {
        view = view.today(today);
    }
    let calendar = Calendar::of(&standing.settings);
    let period = asked.period().read(PeriodName::Month, calendar, today, api.config.report_days_max)?;
    let filter = asked.entries().filter()?;
    api.answer(&reader, standing, view, move |conn, standing| report(conn, standing, &asked, period, &filter))
        .await
}

impl Parameters {
    fn period(&self) -> AskedPeriod {
        AskedPeriod { period: self.period, on: self.on, from: self.from, to: self.to }
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

    fn fits_sums(&self) -> bool {
        let is_filtered = !self.account.is_empty()
            || !self.payee.is_empty()
            || !self.tag.is_empty()
            || self.text.is_some()
            || self.amount_min.is_some()
            || self.amount_max.is_some();
        !is_filtered
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
    let other = asked.compare.map(|compare| match compare {
        CompareWith::Previous => calendar.previous(period),
        CompareWith::PreviousYear => calendar.previous_year(period),
    });
    let kind = asked.kind.unwrap_or(CategoryKind::Expense);
    let group_by = asked.group_by.unwrap_or_default();
    let reading = Reading {
        conn,
        book: standing.book,
        tree: &tree,
        scope: scope(&tree, &asked.category),
        filter,
        fits_sums: asked.fits_sums(),
    };
    let spans = (period.span, other.map(|other| other.span));
    let (drafts, now, before) = match group_by.by() {
        By::Category => {
            let (now, before) = (reading.sums(spans.0)?, spans.1.map(|span| reading.sums(span)).transpose()?);
            let tops = tops(&tree, &asked.category);
            let drafts = tally::by_category(&tree, &tops, kind, &now, before.as_ref());
            let before = before.map(|before| tally::sides(&tree, &before));
            (drafts, tally::sides(&tree, &now), before)
        }
        By::Trait(by) => {
            let read = |span| reading.told(span, by);
            let (now, before) = (read(spans.0)?, spans.1.map(read).transpose()?);
            let group = |sums: &Sums| tally::by_trait(&tree, &sums.cells, kind, by);
            let drafts = tally::paired(group(&now), before.as_ref().map(group));
            let before = before.map(|before| tally::sides(&tree, &before));
            (drafts, tally::sides(&tree, &now), before)
        }
        By::Rhythm(by) => {
            let read = |span| Ok::<_, Refusal>((span, reading.days(span)?));
            let (now, before) = (read(spans.0)?, spans.1.map(read).transpose()?);
            let group = |(span, days): &(Span, ByDay)| tally::by_rhythm(days, *span, kind, by, calendar);
            let drafts = tally::paired(group(&now), before.as_ref().map(group));
            let before = before.map(|(_, days)| tally::sides_of_days(&days));
            (drafts, tally::sides_of_days(&now.1), before)
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
        other: other.map(|other| other.span),
        kind,
        group_by,
        whole: now.clone(),
        account_names,
        entries: asked.entries(),
    };
    let own = standing.settings.currency;
    let totals = TotalWriter { book: standing.book, own, entries: asked.entries() };
    Ok(SpendingReport {
        period: ReportPeriod::of(calendar, period),
        version: standing.version,
        totals: totals.totals(now, period.span),
        groups: writer.groups(drafts),
        compared_with: other.zip(before).map(|(other, before)| ComparedWith {
            period: ReportPeriod::of(calendar, other),
            totals: totals.totals(before, other.span),
        }),
    })
}

/// What a report is asked for, read of whatever knows enough and costs least.
pub(crate) struct Reading<'a> {
    pub conn: &'a Connection,
    pub book: BookId,
    pub tree: &'a Tree,
    pub scope: BTreeSet<CategoryId>,
    pub filter: &'a EntryFilter,
    /// Whether the sums of days know enough: they know day, category and currency.
    pub fits_sums: bool,
}

impl Reading<'_> {
    pub fn sums(&self, span: Span) -> Result<Sums, Refusal> {
        if !self.fits_sums {
            return self.postings(span, Telling::Nothing);
        }
        let mut sums = spending::sums(self.conn, self.book, (span.from, span.to))?;
        tally::keep(&mut sums, &self.scope, self.filter.currency.as_deref());
        Ok(sums)
    }

    fn told(&self, span: Span, by: Trait) -> Result<Sums, Refusal> {
        let telling = match by {
            Trait::Account => Telling::Accounts,
            Trait::Payee => Telling::Nothing,
            Trait::Tag => Telling::Tags,
        };
        self.postings(span, telling)
    }

    pub fn days(&self, span: Span) -> Result<ByDay, Refusal> {
        if !self.fits_sums {
            let told = self.postings(span, Telling::Nothing)?;
            return Ok(tally::by_day(self.tree, &told.cells, span));
        }
        let side_of = |category: CategoryId| {
            let found = self.scope.contains(&category).then(|| self.tree.get(category))?;
            found.map(|category| category.kind)
        };
        let mut days = spending::by_day(self.conn, self.book, (span.from, span.to), side_of)?;
        days.retain(|currency, _| {
            self.filter.currency.as_deref().is_none_or(|asked| asked == currency.code())
        });
        Ok(days)
    }

    fn postings(&self, span: Span, telling: Telling) -> Result<Sums, Refusal> {
        let filter = EntryFilter { from: Some(span.from), to: Some(span.to), ..self.filter.clone() };
        let cells = spending::postings(self.conn, self.book, &self.scope, &filter, telling)?;
        Ok(Sums { cells, splits: Vec::new() })
    }
}

/// The categories that a report is asked for, with what is below them; all of them if none is named.
pub(crate) fn scope(tree: &Tree, asked: &[CategoryId]) -> BTreeSet<CategoryId> {
    if asked.is_empty() { tree.iter().map(|(id, _)| id).collect() } else { tree.with_children(asked) }
}
