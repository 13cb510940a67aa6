use std::{collections::HashMap, sync::Arc};

use axum::{extract::State, response::Response};
use chrono::NaiveDate;
use domain::{
    book::Account,
    id::{AccountId, BookId},
    money::{Currency, Money},
};
use http_kit::{json::Query, problem::Problem};
use read_model::queries::{Connection, accounts, balances, books::Standing};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{QueryApi, Reader, Refusal, View, is_no_part_of_the_view},
    asked_period::{AskedPeriod, Granularity, PeriodName, Step},
    filter::{Day, EntriesParameters},
    groups::ReportPeriod,
    pages::invalid_parameter,
    periods::{Calendar, Period},
    tally,
};

/// Balances of one answer: some megabytes.
const BALANCES_MAX: usize = 10_000;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How long a step of the series is, by the book's calendar. Default `month`; a series has at most 800 steps, and
    /// 10,000 balances.
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
    /// Only this account; repeat for any of several.
    #[param(value_type = Vec<String>, required = false)]
    #[serde(default)]
    pub account: Vec<AccountId>,
    /// Only accounts in this currency (ISO 4217).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Wait, up to two seconds, until the book has this version.
    #[serde(skip_serializing_if = "is_no_part_of_the_view")]
    pub min_version: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NetWorthReport {
    pub period: ReportPeriod,
    pub version: u64,
    pub granularity: Granularity,
    /// The accounts that the series tells of: open ones first, then by name.
    pub accounts: Vec<NetWorthAccount>,
    /// Every step of the period, the earliest first.
    pub series: Vec<NetWorthStep>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NetWorthAccount {
    pub id: String,
    pub name: Option<String>,
    /// `cash`, `bank`, `card`, `savings`, `loan` or `other`.
    pub kind: String,
    pub currency: String,
    pub closed: bool,
}

/// What was there at the end of `to`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NetWorthStep {
    #[schema(format = Date)]
    pub from: String,
    /// The last day, included. The first and the last step end where the period does.
    #[schema(format = Date)]
    pub to: String,
    /// What the whole day, week, month or year is called, as in `period`.
    #[schema(example = "November 2026")]
    pub label: String,
    pub days: i64,
    /// By currency, the book's own first.
    pub totals: Vec<Worth>,
    /// In the order of the report's `accounts`. One without an entry up to `to` is left out.
    pub accounts: Vec<AccountWorth>,
}

/// What the accounts of one currency hold. What is owed is told by the balance, not by the kind of account: a card
/// that was paid ahead is an asset, an overdrawn bank account a liability.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Worth {
    pub currency: String,
    /// What the accounts above zero hold.
    #[schema(example = "2500.00")]
    pub assets: String,
    /// What is owed on the accounts below zero, as a positive amount.
    #[schema(example = "300.00")]
    pub liabilities: String,
    /// Assets less liabilities.
    #[schema(example = "2200.00")]
    pub net: String,
    /// Lists the entries behind `assets`; `null` where no account is above zero. As for every figure here, they add up by
    /// their `postings` to the accounts that the list is filtered by.
    pub assets_entries_url: Option<String>,
    /// Lists the entries behind `liabilities`, with the sign turned; `null` where no account is below zero.
    pub liabilities_entries_url: Option<String>,
    /// Lists the entries behind `net`; `null` where no account has one.
    pub entries_url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AccountWorth {
    pub account: String,
    pub currency: String,
    /// Signed: what is there, negative for what is owed.
    #[schema(example = "-12.50")]
    pub balance: String,
    /// Lists the entries behind `balance`: all of the account up to that day, its opening balance included.
    pub entries_url: String,
}

/// What there is and what is owed, at the end of each step.
#[utoipa::path(
    get,
    path = "/books/{book}/reports/net-worth",
    tag = "reports",
    params(("book" = String, Path), Parameters),
    responses(
        (status = 200, description = "The series. Two currencies are never added. Days to come count with what is \
            entered for them. `ETag` is the book's version; where `on` is left out, the version and today's date, as in \
            `\"12-2026-11-23\"`.", body = NetWorthReport),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`invalid_parameter` (also for a series of too many steps), `unknown_parameter`, \
            `version_unknown`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn net_worth_report(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<Parameters>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let mut view = View::of("reports/net-worth", &asked);
    let today = api.today(&standing);
    if asked.period().is_told_from_today() {
        view = view.today(today);
    }
    let calendar = Calendar::of(&standing.settings);
    let period = asked.period().read(PeriodName::Year, calendar, today, api.config.report_days_max)?;
    let steps = asked.granularity.unwrap_or_default().steps(calendar, period.span)?;
    // Refuses lists that are too long.
    asked.entries().filter()?;
    api.answer(&reader, standing, view, move |conn, standing| report(conn, standing, &asked, period, &steps))
        .await
}

impl Parameters {
    fn period(&self) -> AskedPeriod {
        AskedPeriod { period: self.period, on: self.on, from: self.from, to: self.to }
    }

    fn entries(&self) -> EntriesParameters {
        EntriesParameters { account: self.account.clone(), ..EntriesParameters::default() }
    }

    fn is_asked_for(&self, id: AccountId, account: &Account) -> bool {
        let is_named = self.account.is_empty() || self.account.contains(&id);
        is_named && self.currency.as_deref().is_none_or(|currency| currency == account.currency.code())
    }
}

fn report(
    conn: &Connection,
    standing: &Standing,
    asked: &Parameters,
    period: Period,
    steps: &[Step],
) -> Result<NetWorthReport, Refusal> {
    let mut accounts = accounts::all(conn, standing.book)?;
    accounts.retain(|(id, account)| asked.is_asked_for(*id, account));
    if accounts.len() * steps.len() > BALANCES_MAX {
        let detail = format!(
            "{} accounts over {} steps are more than {BALANCES_MAX} balances; ask for fewer accounts, a coarser \
             granularity or a shorter span",
            accounts.len(),
            steps.len()
        );
        return Err(invalid_parameter("granularity", detail).into());
    }
    let first_days: Vec<NaiveDate> = steps.iter().map(|step| step.span.from).collect();
    let moves = balances::moves(conn, standing.book, &first_days, period.span.to)?;
    let own = standing.settings.currency;
    let writer = StepWriter { book: standing.book, own, accounts: &accounts };
    let mut balances: HashMap<AccountId, i64> = HashMap::new();
    let mut series = Vec::with_capacity(steps.len());
    for (index, step) in steps.iter().enumerate() {
        for (account, moves) in &moves {
            if let Some(minor) = moves.get(&index) {
                let balance = balances.entry(*account).or_default();
                *balance = balance.wrapping_add(*minor);
            }
        }
        series.push(writer.step(step, &balances));
    }
    let accounts = accounts.iter().map(|(id, account)| NetWorthAccount {
        id: id.to_string(),
        name: account.name.as_str().map(str::to_owned),
        kind: account.kind.as_str().to_owned(),
        currency: account.currency.code().to_owned(),
        closed: account.closed,
    });
    Ok(NetWorthReport {
        period: ReportPeriod::of(Calendar::of(&standing.settings), period),
        version: standing.version,
        granularity: asked.granularity.unwrap_or_default(),
        accounts: accounts.collect(),
        series,
    })
}

struct StepWriter<'a> {
    book: BookId,
    own: Currency,
    accounts: &'a [(AccountId, Account)],
}

/// What the accounts of one currency hold, and which of them on which side.
#[derive(Debug, Default)]
struct Sides {
    assets_minor: i64,
    assets_of: Vec<AccountId>,
    liabilities_minor: i64,
    liabilities_of: Vec<AccountId>,
    all: Vec<AccountId>,
}

impl StepWriter<'_> {
    fn step(&self, step: &Step, balances: &HashMap<AccountId, i64>) -> NetWorthStep {
        let mut sides: HashMap<Currency, Sides> = HashMap::new();
        let mut accounts = Vec::new();
        for (id, account) in self.accounts {
            let sides = sides.entry(account.currency).or_default();
            let Some(minor) = balances.get(id).copied() else { continue };
            sides.all.push(*id);
            if minor > 0 {
                sides.assets_minor = sides.assets_minor.saturating_add(minor);
                sides.assets_of.push(*id);
            }
            if minor < 0 {
                sides.liabilities_minor = sides.liabilities_minor.saturating_sub(minor);
                sides.liabilities_of.push(*id);
            }
            accounts.push(AccountWorth {
                account: id.to_string(),
                currency: account.currency.code().to_owned(),
                balance: Money { minor, currency: account.currency }.decimal(),
                entries_url: self.url(vec![*id], step.span.to),
            });
        }
        let totals = tally::in_order(sides, self.own);
        NetWorthStep {
            from: step.span.from.to_string(),
            to: step.span.to.to_string(),
            label: step.label.clone(),
            days: step.span.days(),
            totals: totals
                .into_iter()
                .map(|(currency, sides)| self.worth(currency, sides, step.span.to))
                .collect(),
            accounts,
        }
    }

    fn worth(&self, currency: Currency, sides: Sides, through: NaiveDate) -> Worth {
        let decimal = |minor| Money { minor, currency }.decimal();
        let url_of = |accounts: Vec<AccountId>| (!accounts.is_empty()).then(|| self.url(accounts, through));
        Worth {
            currency: currency.code().to_owned(),
            assets: decimal(sides.assets_minor),
            liabilities: decimal(sides.liabilities_minor),
            net: decimal(sides.assets_minor.saturating_sub(sides.liabilities_minor)),
            assets_entries_url: url_of(sides.assets_of),
            liabilities_entries_url: url_of(sides.liabilities_of),
            entries_url: url_of(sides.all),
        }
    }

    fn url(&self, account: Vec<AccountId>, through: NaiveDate) -> String {
        let to = Some(Day(through));
        EntriesParameters { to, account, ..EntriesParameters::default() }.url(self.book)
    }
}
