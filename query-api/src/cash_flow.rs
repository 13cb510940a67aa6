use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::id::{AccountId, CategoryId};
use http_kit::{json::Query, problem::Problem};
use read_model::queries::{Connection, books::Standing, categories, filter::EntryFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{QueryApi, Reader, Refusal, View, is_no_part_of_the_view},
    asked_period::{AskedPeriod, Granularity, PeriodName, Step},
    filter::{Day, EntriesParameters},
    groups::ReportPeriod,
    periods::{Calendar, Period},
    spending_report::{Reading, scope},
    tally::{self, Sides},
    totals::{Total, TotalWriter},
};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How long a step of the series is, by the book's calendar. Default `month`; a series has at most 800 steps.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granularity: Option<Granularity>,
    /// The period of the book's calendar that `on` falls in. Default `year`; not together with `from` and `to`.
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
    /// Only what went through this account; repeat for any of several.
    #[param(value_type = Vec<String>, required = false)]
    #[serde(default)]
    pub account: Vec<AccountId>,
    /// Only what was sorted into this category or below it; repeat for any of several.
    #[param(value_type = Vec<String>, required = false)]
    #[serde(default)]
    pub category: Vec<CategoryId>,
    /// Only this currency (ISO 4217).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Wait, up to two seconds, until the book has this version.
    #[serde(skip_serializing_if = "is_no_part_of_the_view")]
    pub min_version: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CashFlowReport {
    pub period: ReportPeriod,
    pub version: u64,
    pub granularity: Granularity,
    /// The whole period by currency, the book's own first.
    pub totals: Vec<Total>,
    /// Every step of the period, the earliest first, also where nothing happened.
    pub series: Vec<CashFlowStep>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CashFlowStep {
    #[schema(format = Date)]
    pub from: String,
    /// The last day, included. The first and the last step end where the period does.
    #[schema(format = Date)]
    pub to: String,
    /// What the whole day, week, month or year is called, as in `period`.
    #[schema(example = "November 2026")]
    pub label: String,
    pub days: i64,
    /// By currency, the book's own first and always there.
    pub totals: Vec<Total>,
}

/// What came in and went out, step by step.
#[utoipa::path(
    get,
    path = "/books/{book}/reports/cash-flow",
    tag = "reports",
    params(("book" = String, Path), Parameters),
    responses(
        (status = 200, description = "The series. Two currencies are never added; refunds are taken off the expense; \
            transfers and opening balances are neither income nor expense. `ETag` is the book's version; where `on` is \
            left out, the version and today's date, as in `\"12-2026-11-23\"`.", body = CashFlowReport),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`invalid_parameter` (also for a series of too many steps), `unknown_parameter`, \
            `version_unknown`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn cash_flow_report(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<Parameters>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let mut view = View::of("reports/cash-flow", &asked);
    let today = api.today(&standing);
    if asked.period().is_told_from_today() {
        view = view.today(today);
    }
    let calendar = Calendar::of(&standing.settings);
    let period = asked.period().read(PeriodName::Year, calendar, today, api.config.report_days_max)?;
    let steps = asked.granularity.unwrap_or_default().steps(calendar, period.span)?;
    let filter = asked.entries().filter()?;
    api.answer(&reader, standing, view, move |conn, standing| {
        report(conn, standing, &asked, period, &steps, &filter)
    })
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
            currency: self.currency.clone(),
            ..EntriesParameters::default()
        }
    }
}

fn report(
    conn: &Connection,
    standing: &Standing,
    asked: &Parameters,
    period: Period,
    steps: &[Step],
    filter: &EntryFilter,
) -> Result<CashFlowReport, Refusal> {
    let book = standing.book;
    let tree = categories::tree(conn, book)?;
    let reading = Reading {
        conn,
        book,
        tree: &tree,
        scope: scope(&tree, &asked.category),
        filter,
        fits_sums: asked.account.is_empty(),
    };
    let days = reading.days(period.span)?;
    let own = standing.settings.currency;
    let writer = TotalWriter { book, own, entries: asked.entries() };
    let mut begin = 0;
    let step = |step: &Step| {
        let end = begin + usize::try_from(step.span.days()).unwrap_or(0);
        let of_step = days.iter().map(|(currency, days)| (*currency, Sides::of_days(&days[begin..end])));
        // A currency is in the steps that it was used in.
        let sides = of_step.filter(|(_, sides)| sides.entries() > 0).collect();
        begin = end;
        CashFlowStep {
            from: step.span.from.to_string(),
            to: step.span.to.to_string(),
            label: step.label.clone(),
            days: step.span.days(),
            totals: writer.totals(sides, step.span),
        }
    };
    let series = steps.iter().map(step).collect();
    Ok(CashFlowReport {
        period: ReportPeriod::of(Calendar::of(&standing.settings), period),
        version: standing.version,
        granularity: asked.granularity.unwrap_or_default(),
        totals: writer.totals(tally::sides_of_days(&days), period.span),
        series,
    })
}
