use std::{collections::HashMap, sync::Arc};

use axum::{extract::State, response::Response};
use domain::{
    entry::CategoryKind,
    money::{Currency, Money},
};
use http_kit::{json::Query, problem::Problem, resources::Entry, routes::API_BASE};
use read_model::queries::{
    Connection, books::Standing, categories, entries, filter::EntryFilter, spending::DaySides,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{QueryApi, Reader, Refusal, View, is_no_part_of_the_view},
    asked_period::{AskedPeriod, PeriodName},
    filter::{Day, EntriesParameters},
    groups::{ReportPeriod, share},
    periods::{Calendar, Period, Span, weekday_number, weekday_of},
    spending_report::{Reading, scope},
    tally::{self, Sides, Sum},
    totals::{Total, TotalWriter},
};

/// How many periods before make the mean.
const BEFORE: usize = 6;

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
    /// Only this currency (ISO 4217).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Wait, up to two seconds, until the book has this version.
    #[serde(skip_serializing_if = "is_no_part_of_the_view")]
    pub min_version: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StatisticsReport {
    pub period: ReportPeriod,
    /// The days that the figures are of: all of the period; while it runs, those up to today. What is entered for days to
    /// come counts when they have come.
    pub counted: CountedDays,
    pub version: u64,
    /// By currency, the book's own first and always there.
    pub statistics: Vec<Statistics>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CountedDays {
    #[schema(format = Date)]
    pub from: String,
    /// The last day, included.
    #[schema(format = Date)]
    pub to: String,
    pub days: i64,
}

/// How one currency's money was spent. An expense is what was posted to categories of that kind, less refunds.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Statistics {
    pub currency: String,
    pub total: Total,
    /// The expense of all counted days, shared out evenly and rounded half up.
    #[schema(example = "28.71")]
    pub daily_mean: String,
    /// What was spent on the day in the middle, days without spending included; between two days in the middle their mean,
    /// rounded half up.
    #[schema(example = "12.50")]
    pub daily_median: String,
    /// `null` where there is no entry of kind `expense`.
    pub largest_expense: Option<LargestExpense>,
    /// `null` where nothing was spent.
    pub busiest_weekday: Option<BusiestWeekday>,
    /// Days on which no more was spent than came back.
    pub days_without_spending: i64,
    /// Which part of the income was left, to four decimals; below 0 where more was spent. `null` without income.
    #[schema(example = 0.1834)]
    pub savings_rate: Option<f64>,
    pub previous: PreviousExpense,
    pub mean_of_six: MeanExpense,
}

/// The largest entry of kind `expense`, the newest of those.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LargestExpense {
    /// Of the whole entry, however it is split.
    pub amount: String,
    pub entry: Entry,
    pub entry_url: String,
}

/// The weekday with the most entries of an expense or refund; of several, the one on which most was spent.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BusiestWeekday {
    /// `monday` to `sunday`.
    pub weekday: String,
    /// What was spent on all days of this name.
    pub amount: String,
    pub entries: u64,
    /// Lists the entries behind `amount`: their postings to categories of kind `expense`.
    pub entries_url: String,
}

/// The period just before, the whole of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PreviousExpense {
    pub period: ReportPeriod,
    pub expense: String,
    /// The expense of the counted days less this one.
    pub change: String,
    /// `change` as a part of this expense, to four decimals; `null` where nothing was spent.
    #[schema(example = -0.0712)]
    pub change_share: Option<f64>,
    pub entries_url: String,
}

/// The six periods just before, together.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MeanExpense {
    #[schema(format = Date)]
    pub from: String,
    #[schema(format = Date)]
    pub to: String,
    /// Of all six.
    pub expense: String,
    /// A sixth of it, rounded half up.
    pub mean: String,
    /// The expense of the counted days less the mean.
    pub change: String,
    /// How far the expense of the counted days lies from the mean, as a part of it, to four decimals; `null` where nothing
    /// was spent.
    #[schema(example = 0.1)]
    pub change_share: Option<f64>,
    /// Lists the entries behind `expense`.
    pub entries_url: String,
}

/// How money was spent in a period, and how that compares with the ones before.
#[utoipa::path(
    get,
    path = "/books/{book}/reports/statistics",
    tag = "reports",
    params(("book" = String, Path), Parameters),
    responses(
        (status = 200, description = "The statistics. Two currencies are never added; transfers and opening balances are \
            neither income nor expense. `ETag` is the book's version; where the answer depends on which day it is, the \
            version and today's date, as in `\"12-2026-11-23\"`.", body = StatisticsReport),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`invalid_parameter`, `unknown_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn statistics_report(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<Parameters>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let mut view = View::of("reports/statistics", &asked);
    let today = api.today(&standing);
    let calendar = Calendar::of(&standing.settings);
    let told_from_today = asked.period().is_told_from_today();
    let period = asked.period().read(PeriodName::Month, calendar, today, api.config.report_days_max)?;
    let is_running = (period.span.from..=period.span.to).contains(&today);
    if is_running || told_from_today {
        view = view.today(today);
    }
    let counted = Span { from: period.span.from, to: if is_running { today } else { period.span.to } };
    api.answer(&reader, standing, view, move |conn, standing| report(conn, standing, &asked, period, counted))
        .await
}

impl Parameters {
    fn period(&self) -> AskedPeriod {
        AskedPeriod { period: self.period, on: self.on, from: self.from, to: self.to }
    }
}

fn report(
    conn: &Connection,
    standing: &Standing,
    asked: &Parameters,
    period: Period,
    counted: Span,
) -> Result<StatisticsReport, Refusal> {
    let calendar = Calendar::of(&standing.settings);
    let tree = categories::tree(conn, standing.book)?;
    let mut before = vec![calendar.previous(period)];
    while before.len() < BEFORE {
        before.extend(before.last().map(|period| calendar.previous(*period)));
    }
    let span_before = Span { from: before[BEFORE - 1].span.from, to: before[0].span.to };
    let filter = EntryFilter { currency: asked.currency.clone(), ..EntryFilter::default() };
    let reading = Reading {
        conn,
        book: standing.book,
        tree: &tree,
        scope: scope(&tree, &[]),
        filter: &filter,
        fits_sums: true,
    };
    let now = reading.days(counted)?;
    let sides_of = |span| Ok::<_, Refusal>(tally::sides(&tree, &reading.sums(span)?));
    let (previous, six) = (sides_of(before[0].span)?, sides_of(span_before)?);

    let own = standing.settings.currency;
    let mut currencies: HashMap<Currency, ()> = now.keys().chain(six.keys()).map(|key| (*key, ())).collect();
    if asked.currency.as_deref().is_none_or(|asked| asked == own.code()) {
        currencies.insert(own, ());
    }
    let totals = TotalWriter { book: standing.book, own, entries: EntriesParameters::default() };
    let writer =
        StatisticsWriter { conn, standing, calendar, counted, before: before[0], span_before, totals };
    let mut statistics = Vec::new();
    for (currency, ()) in tally::in_order(currencies, own) {
        let days = now.get(&currency).map_or(&[][..], Vec::as_slice);
        let spent_in = |sides: &HashMap<Currency, Sides>| {
            sides.get(&currency).map_or(0, |sides| sides.of(CategoryKind::Expense).minor)
        };
        statistics.push(writer.statistics(currency, days, spent_in(&previous), spent_in(&six))?);
    }
    Ok(StatisticsReport {
        period: ReportPeriod::of(calendar, period),
        counted: CountedDays {
            from: counted.from.to_string(),
            to: counted.to.to_string(),
            days: counted.days(),
        },
        version: standing.version,
        statistics,
    })
}

struct StatisticsWriter<'a> {
    conn: &'a Connection,
    standing: &'a Standing,
    calendar: Calendar,
    counted: Span,
    before: Period,
    /// The six periods before.
    span_before: Span,
    totals: TotalWriter,
}

impl StatisticsWriter<'_> {
    /// `days` are all that are counted, or none.
    fn statistics(
        &self,
        currency: Currency,
        days: &[DaySides],
        previous_minor: i64,
        six_minor: i64,
    ) -> Result<Statistics, Refusal> {
        let now = Sides::of_days(days);
        let spent = now.expense.minor;
        let count = self.counted.days();
        let decimal = |minor| Money { minor, currency }.decimal();
        let amounts: Vec<i64> = days.iter().map(|day| day.expense_minor).collect();
        let days_of_spending = amounts.iter().filter(|minor| **minor > 0).count();
        Ok(Statistics {
            currency: currency.code().to_owned(),
            daily_mean: decimal(divided(spent, count)),
            daily_median: decimal(median(amounts)),
            largest_expense: self.largest(currency, &now.expense)?,
            busiest_weekday: self.busiest(currency, days),
            days_without_spending: count - i64::try_from(days_of_spending).unwrap_or(count),
            savings_rate: share(now.net_minor(), now.income.minor),
            previous: self.previous(currency, spent, previous_minor),
            mean_of_six: self.mean_of_six(currency, spent, six_minor),
            total: self.totals.total(currency, &now, self.counted),
        })
    }

    fn largest(&self, currency: Currency, expense: &Sum) -> Result<Option<LargestExpense>, Refusal> {
        if expense.is_empty() {
            return Ok(None);
        }
        let Span { from, to } = self.counted;
        let book = self.standing.book;
        let found = entries::largest_expense(self.conn, book, currency, (from, to), expense.entries())?;
        Ok(found.map(|kept| {
            let entry = Entry::of(&kept);
            let entry_url = format!("{API_BASE}/books/{book}/entries/{}", entry.id);
            LargestExpense { amount: entry.amount.clone(), entry, entry_url }
        }))
    }

    fn busiest(&self, currency: Currency, days: &[DaySides]) -> Option<BusiestWeekday> {
        let first_day = usize::from(weekday_number(weekday_of(self.counted.from)));
        let mut by_weekday: [DaySides; 7] = Default::default();
        for (index, day) in days.iter().enumerate() {
            by_weekday[(first_day + index) % 7].add(day);
        }
        let first = usize::from(weekday_number(self.calendar.week_starts_on));
        let in_order = (0..7u8).map(|place| (usize::from(place) + first) % 7);
        // `max_by_key` keeps the last of several.
        let busiest = in_order
            .rev()
            .max_by_key(|day| (by_weekday[*day].expense_entries, by_weekday[*day].expense_minor))?;
        let sum = &by_weekday[busiest];
        let entries = u64::try_from(sum.expense_entries).ok().filter(|entries| *entries > 0)?;
        let weekday = tally::weekday_named(u8::try_from(busiest).ok()?);
        let list = EntriesParameters {
            weekday: Some(weekday),
            ..self.totals.entries(currency, &[CategoryKind::Expense], self.counted)
        };
        Some(BusiestWeekday {
            weekday: weekday.as_str().to_owned(),
            amount: Money { minor: sum.expense_minor, currency }.decimal(),
            entries,
            entries_url: list.url(self.standing.book),
        })
    }

    fn previous(&self, currency: Currency, spent: i64, minor: i64) -> PreviousExpense {
        let decimal = |minor| Money { minor, currency }.decimal();
        let change = spent.saturating_sub(minor);
        PreviousExpense {
            period: ReportPeriod::of(self.calendar, self.before),
            expense: decimal(minor),
            change: decimal(change),
            change_share: share(change, minor),
            entries_url: self.expense_url(currency, self.before.span),
        }
    }

    fn mean_of_six(&self, currency: Currency, spent: i64, minor: i64) -> MeanExpense {
        let span = self.span_before;
        let decimal = |minor| Money { minor, currency }.decimal();
        let six = BEFORE as i64;
        let mean = divided(minor, six);
        MeanExpense {
            from: span.from.to_string(),
            to: span.to.to_string(),
            expense: decimal(minor),
            mean: decimal(mean),
            change: decimal(spent.saturating_sub(mean)),
            change_share: share(spent.saturating_mul(six).saturating_sub(minor), minor),
            entries_url: self.expense_url(currency, span),
        }
    }

    fn expense_url(&self, currency: Currency, span: Span) -> String {
        self.totals.entries(currency, &[CategoryKind::Expense], span).url(self.standing.book)
    }
}

/// Rounded half up.
fn divided(minor: i64, by: i64) -> i64 {
    let (minor, by) = (i128::from(minor), i128::from(by));
    i64::try_from((2 * minor + by).div_euclid(2 * by)).unwrap_or(i64::MAX)
}

/// Between two in the middle their mean; of nothing nothing.
fn median(mut amounts: Vec<i64>) -> i64 {
    amounts.sort_unstable();
    let middle = amounts.len() / 2;
    match amounts.len() {
        0 => 0,
        count if count % 2 == 1 => amounts[middle],
        _ => divided(amounts[middle - 1].saturating_add(amounts[middle]), 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_or_between_two() {
        for (amounts, expected) in [
            (vec![], 0),
            (vec![7], 7),
            (vec![7, 0], 4),
            (vec![10, 30, 20], 20),
            (vec![10, 30, 20, 0], 15),
            (vec![-5, 10, 0], 0),
            (vec![-5, -8], -6),
        ] {
            assert_eq!(median(amounts.clone()), expected, "{amounts:?}");
        }
    }

    #[test]
    fn a_mean_is_rounded_half_up() {
        assert_eq!(
            [divided(5, 2), divided(-5, 2), divided(7, 3), divided(8, 3), divided(0, 31)],
            [3, -2, 2, 3, 0]
        );
    }
}
