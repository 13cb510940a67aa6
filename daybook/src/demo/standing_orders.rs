//! What comes every month, quarter or year without anybody thinking of it.

use chrono::NaiveDate;

use super::{
    BANK, CARD, DemoEntry, Dice, Flow, HOLIDAY_FUND, SAVINGS,
    calendar::{Life, day_of, on_or_after_weekend, on_or_before_weekend},
};

enum Due {
    Monthly(u32),
    /// In this month of each quarter (1 to 3).
    Quarterly(u32, u32),
    Yearly(u32, u32),
}

impl Due {
    fn day_in(&self, year: i32, month: u32) -> Option<NaiveDate> {
        let (is_due, day) = match *self {
            Due::Monthly(day) => (true, day),
            Due::Quarterly(month_of_quarter, day) => ((month - 1) % 3 + 1 == month_of_quarter, day),
            Due::Yearly(month_of_year, day) => (month == month_of_year, day),
        };
        is_due.then(|| day_of(year, month, day))
    }
}

/// Due, flow, account, payee, amount in the first calendar year, its growth per year in permille, note.
type Order = (Due, Flow, &'static str, &'static str, i64, i64, &'static str);

use Due::{Monthly, Quarterly, Yearly};
use Flow::{Earn, Move, Spend};

const ORDERS: &[Order] = &[
    (Monthly(27), Earn("Salary"), BANK, "Hansen Maschinenbau GmbH", 2_894_16, 32, "Mara"),
    (Monthly(30), Earn("Salary"), BANK, "Stadtwerke Neustadt", 2_172_40, 28, "Jonas"),
    (Yearly(11, 27), Earn("Salary"), BANK, "Hansen Maschinenbau GmbH", 1_916_00, 32, "Bonus"),
    (Monthly(12), Earn("Child benefit"), BANK, "Familienkasse", 510_00, 8, ""),
    (Monthly(1), Spend("Rent"), BANK, "Wohnbau Neustadt eG", 1_385_00, 18, ""),
    (Monthly(2), Spend("Utilities"), BANK, "Stadtwerke Neustadt", 94_00, 30, "Electricity"),
    (Monthly(2), Spend("Utilities"), BANK, "Stadtwerke Neustadt", 121_00, 25, "Heating and water"),
    (Monthly(6), Spend("Internet and phone"), BANK, "Telekom", 39_95, 0, "Fibre"),
    (Monthly(14), Spend("Internet and phone"), BANK, "Congstar", 27_00, 0, "Two mobile phones"),
    (Monthly(3), Spend("School and nursery"), BANK, "Kita Regenbogen", 168_00, 20, "Theo"),
    (Monthly(3), Spend("School and nursery"), BANK, "Schulmensa Neustadt", 62_40, 20, "Lina's lunches"),
    (Monthly(5), Spend("Children"), BANK, "Musikschule Neustadt", 44_00, 0, "Lina's flute"),
    (Monthly(1), Spend("Public transport"), BANK, "Verkehrsverbund", 49_00, 120, "Jonas's monthly ticket"),
    (Monthly(4), Spend("Sport"), BANK, "Fitnesswerk", 29_90, 0, ""),
    (Monthly(8), Spend("Subscriptions"), CARD, "Netflix", 13_99, 0, ""),
    (Monthly(17), Spend("Subscriptions"), CARD, "Spotify Family", 17_99, 0, ""),
    (Monthly(21), Spend("Subscriptions"), CARD, "Apple", 2_99, 0, "Storage"),
    (Monthly(2), Spend("Subscriptions"), BANK, "Neustädter Tagblatt", 24_90, 35, ""),
    (Monthly(28), Spend("Taxes and fees"), BANK, "Sparkasse Neustadt", 4_90, 0, "Account fee"),
    (Quarterly(2, 15), Spend("Taxes and fees"), BANK, "Rundfunkbeitrag", 55_08, 0, ""),
    (Yearly(6, 18), Spend("Taxes and fees"), BANK, "Hauptzollamt", 148_00, 0, "Car tax"),
    (Yearly(1, 2), Spend("Insurance"), BANK, "HUK-Coburg", 486_20, 40, "Car"),
    (Yearly(4, 1), Spend("Insurance"), BANK, "Haftpflichtkasse", 62_80, 0, "Liability"),
    (Yearly(7, 1), Spend("Insurance"), BANK, "Gothaer", 118_40, 30, "Household contents"),
    (Quarterly(1, 10), Spend("Insurance"), BANK, "Allianz", 87_60, 0, "Disability, Mara"),
    (Quarterly(3, 20), Spend("Education"), BANK, "Volkshochschule Neustadt", 96_00, 0, "Italian, Mara"),
    (Quarterly(1, 20), Spend("Donations"), BANK, "Ärzte ohne Grenzen", 45_00, 0, ""),
    (Monthly(1), Move(SAVINGS), BANK, "", 250_00, 60, "Put aside"),
    (Monthly(1), Move(HOLIDAY_FUND), BANK, "", 180_00, 40, "For the summer"),
];

pub fn entries(life: &Life, dice: &mut Dice) -> Vec<DemoEntry> {
    let mut entries = Vec::new();
    for year in life.years() {
        for month in 1..=12 {
            for (due, flow, account, payee, minor, growth_permille, note) in ORDERS {
                let Some(day) = due.day_in(year, month) else { continue };
                let raised = life.raised(*minor, *growth_permille, day);
                let (day, amount_minor) = match flow {
                    Flow::Earn(_) => (on_or_before_weekend(day), raised),
                    Flow::Spend(_) | Flow::Return(_) => (on_or_after_weekend(day), raised),
                    // People put round sums aside.
                    Flow::Move(_) => (on_or_after_weekend(day), raised / 5_00 * 5_00),
                };
                if life.has(day) {
                    entries.push(
                        DemoEntry::new(dice, day, *flow, account, amount_minor).payee(payee).note(note),
                    );
                }
            }
        }
    }
    entries
}
