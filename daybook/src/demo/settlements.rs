//! What follows from balances: the card is settled, cash is drawn, the loan is paid down, what is left over goes to
//! savings and what is missing comes from there.

use std::collections::HashMap;

use chrono::{Datelike, Days, NaiveDate};

use super::{
    ACCOUNTS, BANK, CAR_LOAN, CARD, CASH, DemoEntry, Dice, Flow, HOLIDAY_FUND, SAVINGS,
    calendar::{Life, day_of, on_or_after_weekend},
};

const CARD_SETTLED_ON: u32 = 4;
const LOAN_PAID_ON: u32 = 15;
const LEFT_OVER_ON: u32 = 20;
const LOAN_RATE_MINOR: i64 = 265_00;
/// Whatever is planned for a day, the bank account does not end it below this.
const BANK_MIN: i64 = 150_00;
const BANK_AFTER_HELP: i64 = 900_00;
const BANK_ENOUGH: i64 = 3_600_00;
const BANK_KEPT: i64 = 2_600_00;

pub fn settled(life: &Life, entries: Vec<DemoEntry>, dice: &mut Dice) -> Vec<DemoEntry> {
    let mut ledger = Ledger {
        balances: ACCOUNTS.iter().map(|account| (account.name, account.opening_minor)).collect(),
        card_statement: ACCOUNTS
            .iter()
            .find(|account| account.name == CARD)
            .map_or(0, |card| -card.opening_minor),
    };
    let mut settled = Vec::with_capacity(entries.len() + 300);
    let mut entries = entries.into_iter().peekable();
    for day in life.days() {
        let mut today = ledger.due(day, dice);
        while let Some(entry) = entries.next_if(|entry| entry.occurred_on == day) {
            today.push(entry);
        }
        // Money is fetched before it is spent.
        let fetched = ledger.fetched(day, &today, dice);
        let fetched_first = fetched.into_iter().chain(today);
        for entry in fetched_first {
            ledger.book(&entry);
            settled.push(entry);
        }
        let is_last_of_month = (day + Days::new(1)).month() != day.month();
        if is_last_of_month {
            ledger.card_statement = -ledger.balances[CARD];
        }
    }
    settled
}

struct Ledger {
    balances: HashMap<&'static str, i64>,
    /// What was owed on the card at the end of the last month.
    card_statement: i64,
}

impl Ledger {
    fn book(&mut self, entry: &DemoEntry) {
        for (account, change) in entry.changes() {
            *self.balances.entry(account).or_default() += change;
        }
    }

    /// What the calendar brings on this day.
    fn due(&self, day: NaiveDate, dice: &mut Dice) -> Vec<DemoEntry> {
        let is = |day_of_month| day == on_or_after_weekend(day_of(day.year(), day.month(), day_of_month));
        let mut due = Vec::new();
        if is(CARD_SETTLED_ON) && self.card_statement > 0 {
            let settled = DemoEntry::new(dice, day, Flow::Move(CARD), BANK, self.card_statement);
            due.push(settled.note("Card settled"));
        }
        let owed = -self.balances[CAR_LOAN];
        if is(LOAN_PAID_ON) && owed > 0 {
            let interest = owed * 39 / 12_000;
            if interest > 0 {
                let entry = DemoEntry::new(dice, day, Flow::Spend("Taxes and fees"), CAR_LOAN, interest);
                due.push(entry.payee("Autobank").note("Interest on the car loan"));
            }
            let rate = LOAN_RATE_MINOR.min(owed + interest);
            due.push(
                DemoEntry::new(dice, day, Flow::Move(CAR_LOAN), BANK, rate)
                    .payee("Autobank")
                    .note("Loan rate"),
            );
        }
        if is(LEFT_OVER_ON) && self.balances[BANK] > BANK_ENOUGH {
            let left_over = (self.balances[BANK] - BANK_KEPT) / 100_00 * 100_00;
            due.push(
                DemoEntry::new(dice, day, Flow::Move(SAVINGS), BANK, left_over).note("What was left over"),
            );
        }
        if (day.month(), day.day()) == (12, 31) {
            let interest = self.balances[SAVINGS] * 15 / 1_000;
            let flow = Flow::Earn("Interest and dividends");
            due.push(DemoEntry::new(dice, day, flow, SAVINGS, interest).payee("Sparkasse Neustadt"));
        }
        due
    }

    /// What has to come from elsewhere so that the day's entries can be paid.
    fn fetched(&self, day: NaiveDate, today: &[DemoEntry], dice: &mut Dice) -> Vec<DemoEntry> {
        let mut fetched = Vec::new();
        let change_of = |entries: &[DemoEntry], account: &str| -> i64 {
            let changes = entries.iter().flat_map(DemoEntry::changes);
            changes.filter(|(changed, _)| *changed == account).map(|(_, change)| change).sum()
        };
        let cash_spent: i64 =
            today.iter().filter(|entry| entry.account == CASH).map(|entry| entry.amount_minor).sum();
        let cash_missing = cash_spent - self.balances[CASH];
        if cash_missing > 0 {
            let drawn = dice.pick(&[100_00, 150_00, 150_00, 200_00]).copied().unwrap_or(150_00);
            let drawn = drawn.max((cash_missing + 99_99) / 100_00 * 100_00);
            let entry = DemoEntry::new(dice, day, Flow::Move(CASH), BANK, drawn);
            fetched.push(entry.payee("ATM Sparkasse"));
        }
        let lodging: i64 = today
            .iter()
            .filter(|entry| entry.flow == Flow::Spend("Holidays") && entry.account == BANK)
            .map(|entry| entry.amount_minor)
            .sum();
        let from_fund = lodging.min(self.balances[HOLIDAY_FUND]) / 10_00 * 10_00;
        if from_fund > 0 {
            let entry = DemoEntry::new(dice, day, Flow::Move(BANK), HOLIDAY_FUND, from_fund);
            fetched.insert(0, entry.note("For the booking"));
        }
        let bank_after = self.balances[BANK] + change_of(today, BANK) + change_of(&fetched, BANK);
        if bank_after < BANK_MIN {
            let help = (BANK_AFTER_HELP - bank_after + 99_99) / 100_00 * 100_00;
            let entry = DemoEntry::new(dice, day, Flow::Move(BANK), SAVINGS, help);
            fetched.insert(0, entry.note("A tight month"));
        }
        fetched
    }
}
