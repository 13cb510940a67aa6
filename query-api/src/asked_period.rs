//! Which days a report is asked for, and into which steps a series of them is cut.

use chrono::NaiveDate;
use http_kit::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    filter::Day,
    pages::invalid_parameter,
    periods::{Calendar, Period, PeriodKind, Span},
};

/// Two years of days.
const STEPS_MAX: i64 = 800;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeriodName {
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    Day,
    Week,
    #[default]
    Month,
    Year,
}

/// Either a period of the book's calendar or a free span.
pub(crate) struct AskedPeriod {
    pub period: Option<PeriodName>,
    pub on: Option<Day>,
    pub from: Option<Day>,
    pub to: Option<Day>,
}

impl AskedPeriod {
    /// Whether the answer depends on which day it is.
    pub fn is_told_from_today(&self) -> bool {
        self.on.is_none() && self.from.is_none()
    }

    /// `usual` is the period where none is named.
    pub fn read(
        self,
        usual: PeriodName,
        calendar: Calendar,
        today: NaiveDate,
        days_max: u32,
    ) -> Result<Period, Problem> {
        let (Some(from), Some(to)) = (self.from, self.to) else {
            if self.from.is_some() || self.to.is_some() {
                return Err(invalid_parameter("from", "a free span has both from and to"));
            }
            let kind = match self.period.unwrap_or(usual) {
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
}

/// A day, week, month or year of a series, as far as it lies in the report's span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub span: Span,
    /// What the whole of it is called.
    pub label: String,
}

impl Granularity {
    pub fn kind(self) -> PeriodKind {
        match self {
            Granularity::Day => PeriodKind::Day,
            Granularity::Week => PeriodKind::Week,
            Granularity::Month => PeriodKind::Month,
            Granularity::Year => PeriodKind::Year,
        }
    }

    pub fn steps(self, calendar: Calendar, span: Span) -> Result<Vec<Step>, Problem> {
        let kind = self.kind();
        let count = calendar.ordinal(kind, span.from, span.to) + 1;
        if count > STEPS_MAX {
            let detail = format!(
                "this would be a series of {count} steps; ask for a coarser granularity or a shorter span, at most \
                 {STEPS_MAX} steps"
            );
            return Err(invalid_parameter("granularity", detail));
        }
        let first_days = calendar.first_days(kind, span);
        let steps = first_days.into_iter().filter_map(|first| {
            let whole = calendar.containing(kind, first);
            Some(Step { span: whole.span.within(span)?, label: calendar.label(whole) })
        });
        Ok(steps.collect())
    }
}
