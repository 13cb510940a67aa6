//! What people buy in the course of a week, with a chance for each weekday.

use chrono::{Datelike, Days};

use super::{BANK, CARD, CASH, DemoEntry, Dice, Flow, calendar::Life, trips::Trip};

struct Habit {
    category: &'static str,
    payees: &'static [&'static str],
    /// One of these pays; a name that stands twice does so twice as often.
    accounts: &'static [&'static str],
    /// The chance on each day from Monday to Sunday.
    percents: [u8; 7],
    amount_minor: (i64, i64),
    /// Said now and then.
    notes: &'static [&'static str],
    /// How many in a hundred are sent back, whole or in part.
    returned_percent: u8,
}

const fn habit(
    category: &'static str,
    payees: &'static [&'static str],
    accounts: &'static [&'static str],
    percents: [u8; 7],
    amount_minor: (i64, i64),
) -> Habit {
    Habit { category, payees, accounts, percents, amount_minor, notes: &[], returned_percent: 0 }
}

impl Habit {
    const fn notes(mut self, notes: &'static [&'static str]) -> Self {
        self.notes = notes;
        self
    }

    const fn returned(mut self, percent: u8) -> Self {
        self.returned_percent = percent;
        self
    }
}

const NOTE_PERCENT: u8 = 18;

const HABITS: &[Habit] = &[
    habit(
        "Coffee and snacks",
        &["Bäckerei Wagner", "Bäckerei Wagner", "Backhaus Lüning"],
        &[CASH],
        [34, 28, 34, 28, 38, 62, 50],
        (2_40, 10_80),
    )
    .notes(&["Rolls", "Pretzels for the office", "Cake for Sunday"]),
    habit(
        "Coffee and snacks",
        &["Café am Markt", "Rösterei Süd"],
        &[CARD, CARD, CASH],
        [8, 8, 10, 8, 12, 10, 8],
        (3_60, 11_40),
    ),
    habit(
        "Coffee and snacks",
        &["Eiscafé Venezia", "Kiosk am Park"],
        &[CASH],
        [5, 6, 8, 6, 9, 14, 18],
        (3_00, 14_60),
    ),
    habit(
        "Restaurants",
        &["Kantine Hansen", "Kantine Hansen", "Lotus Imbiss", "Falafel Haus"],
        &[BANK],
        [42, 46, 48, 44, 26, 0, 0],
        (5_90, 12_40),
    )
    .notes(&["Lunch"]),
    habit(
        "Groceries",
        &["REWE", "REWE", "Lidl", "EDEKA Schmitz", "ALDI Süd"],
        &[BANK, BANK, BANK, CARD],
        [48, 38, 48, 36, 54, 0, 0],
        (11_50, 48_00),
    )
    .notes(&["Forgot the milk again", "Fruit and yoghurt", "For the school trip"]),
    habit(
        "Groceries",
        &["EDEKA Schmitz", "EDEKA Schmitz", "REWE", "Kaufland"],
        &[BANK],
        [0, 0, 0, 0, 16, 86, 0],
        (52_00, 128_00),
    )
    .notes(&["Weekly shop", "Weekly shop and barbecue", "Guests on Sunday"]),
    habit("Groceries", &["Wochenmarkt"], &[CASH], [0, 0, 0, 0, 0, 40, 0], (8_00, 29_00)).notes(&[
        "Cheese",
        "Asparagus",
        "Eggs and flowers",
    ]),
    habit("Groceries", &["Getränke Hoffmann"], &[BANK], [0, 0, 0, 0, 10, 16, 0], (13_50, 34_00)),
    habit("Household", &["dm", "dm", "Rossmann"], &[BANK], [13, 14, 13, 14, 18, 25, 0], (6_90, 41_00))
        .notes(&["Washing powder", "Sun cream", "Presents wrapped"]),
    habit("Fuel", &["Aral", "Shell", "JET"], &[CARD, CARD, BANK], [10, 8, 9, 8, 14, 9, 6], (42_00, 78_00)),
    habit(
        "Public transport",
        &["Verkehrsverbund", "Deutsche Bahn"],
        &[BANK, CARD],
        [10, 10, 10, 10, 11, 10, 4],
        (3_20, 13_80),
    ),
    habit("Taxi", &["Taxi Neustadt"], &[CARD, CASH], [0, 0, 1, 1, 4, 6, 1], (11_80, 36_00))
        .notes(&["Home from the theatre"]),
    habit(
        "Car",
        &["Parkhaus Mitte", "Parkhaus Mitte", "Waschpark"],
        &[CASH, CASH, BANK],
        [2, 2, 3, 3, 5, 12, 0],
        (2_00, 12_00),
    ),
    habit(
        "Pharmacy",
        &["Apotheke am Rathaus", "Linden-Apotheke"],
        &[BANK],
        [6, 5, 6, 5, 7, 6, 0],
        (4_20, 36_00),
    )
    .notes(&["Cough syrup", "Plasters", "Hay fever"]),
    habit(
        "Doctor",
        &["Zahnarztpraxis Dr. Lenz", "Augenärzte am Ring", "Dr. Hoffmann"],
        &[BANK],
        [2, 2, 2, 2, 1, 0, 0],
        (24_00, 138_00),
    ),
    habit("Sport", &["Hallenbad Neustadt"], &[CASH], [0, 0, 0, 0, 0, 8, 13], (9_00, 18_50)),
    habit("Sport", &["Decathlon"], &[CARD], [1, 1, 1, 1, 1, 4, 0], (16_00, 84_00)).returned(10),
    habit(
        "Children",
        &["Spielwaren Krömer", "Müller", "Schreibwaren Hahn"],
        &[BANK],
        [4, 4, 4, 4, 5, 9, 0],
        (5_90, 42_00),
    )
    .notes(&["Exercise books", "Rubber boots", "Birthday party of a friend"]),
    habit("School and nursery", &["Class kitty"], &[CASH], [2, 2, 2, 2, 2, 0, 0], (3_00, 15_00))
        .notes(&["Museum", "Handicrafts"]),
    habit("Pocket money", &["Lina and Theo"], &[CASH], [0, 0, 0, 0, 0, 0, 100], (8_00, 8_00)),
    habit(
        "Gifts",
        &["Blumen Risse", "Buchhandlung Thalia"],
        &[BANK, CASH],
        [1, 1, 1, 1, 3, 6, 0],
        (12_00, 36_00),
    ),
    habit(
        "Pets",
        &["Fressnapf", "Fressnapf", "Zooplus"],
        &[CARD, BANK],
        [4, 4, 4, 4, 5, 9, 0],
        (11_90, 44_00),
    )
    .notes(&["Mogli's food", "Litter"]),
    habit(
        "Culture",
        &["Kinopolis", "Stadtmuseum", "Theater im Hof", "Stadtbibliothek"],
        &[CARD, BANK],
        [2, 2, 3, 3, 5, 11, 8],
        (7_00, 58_00),
    ),
    habit(
        "Hobbies",
        &["Buchhandlung Thalia", "Gartencenter Dehner", "Musikhaus Lehmann", "Bauhaus"],
        &[BANK, CARD],
        [3, 3, 3, 3, 5, 9, 0],
        (7_90, 64_00),
    )
    .notes(&["For the balcony", "Strings", "Two novels"]),
    habit(
        "Clothing",
        &["Zalando", "Zalando", "H&M", "C&A", "Deichmann", "Peek & Cloppenburg"],
        &[CARD, CARD, BANK],
        [4, 4, 4, 4, 6, 11, 0],
        (17_90, 109_00),
    )
    .notes(&["Winter jackets", "Shoes for Theo", "Shirts"])
    .returned(24),
    habit(
        "Electronics",
        &["MediaMarkt", "Saturn", "Cyberport"],
        &[CARD],
        [1, 1, 1, 1, 2, 3, 0],
        (12_90, 169_00),
    )
    .notes(&["Headphones", "Printer ink", "Charger"])
    .returned(12),
    habit("Furniture", &["IKEA", "Möbel Höffner"], &[CARD], [0, 0, 0, 1, 1, 4, 0], (24_00, 240_00))
        .notes(&["Shelf", "Lamp", "Desk for Lina"])
        .returned(8),
    habit("Education", &["Buchhandlung Thalia", "Udemy"], &[CARD], [1, 1, 1, 1, 1, 2, 0], (11_00, 46_00)),
    habit("Other expenses", &["Deutsche Post", "DHL"], &[CASH], [3, 3, 3, 3, 3, 3, 0], (1_60, 13_90))
        .notes(&["Parcel to Grandma"]),
    habit("Other expenses", &["Friseur Haarwerk"], &[CASH, BANK], [0, 3, 4, 4, 5, 5, 0], (19_00, 68_00)),
    habit(
        "Restaurants",
        &["Trattoria Da Enzo", "Gasthof Linde", "Sushi Kawa", "Burgerei"],
        &[CARD, CARD, CASH],
        [2, 3, 5, 6, 20, 24, 13],
        (26_00, 88_00),
    )
    .notes(&["With the Webers", "Date night", "Lina's choice"]),
    habit(
        "Restaurants",
        &["Lieferando", "Pizzeria Napoli"],
        &[CARD],
        [4, 5, 6, 7, 13, 9, 16],
        (19_00, 44_00),
    ),
];

pub fn entries(life: &Life, trips: &[Trip], seed: u32) -> Vec<DemoEntry> {
    let mut entries = Vec::new();
    let mut dice = Dice::of(seed, "habits");
    // Away from home, trips say what is spent; only pocket money goes on.
    for day in life.days() {
        let is_away = trips.iter().any(|trip| trip.has(day));
        for habit in HABITS {
            let weekday = day.weekday().num_days_from_monday() as usize;
            let happens = dice.percent(habit.percents[weekday]);
            if !happens || (is_away && habit.category != "Pocket money") {
                continue;
            }
            let (Some(account), Some(payee)) = (dice.pick(habit.accounts), dice.pick(habit.payees)) else {
                continue;
            };
            let is_fixed = habit.amount_minor.0 == habit.amount_minor.1;
            let rolled = dice.amount(habit.amount_minor);
            let minor = if is_fixed { rolled } else { life.priced(rolled, day) };
            let purchase =
                DemoEntry::new(&mut dice, day, Flow::Spend(habit.category), account, minor).payee(payee);
            let note = if dice.percent(NOTE_PERCENT) { dice.pick(habit.notes) } else { None };
            let purchase = purchase.note(note.copied().unwrap_or_default());
            let returned = dice.percent(habit.returned_percent).then(|| returned(&mut dice, &purchase));
            entries.push(purchase);
            entries.extend(returned.filter(|entry| life.has(entry.occurred_on)));
        }
    }
    entries
}

/// The money for what was sent back, one to three weeks later.
fn returned(dice: &mut Dice, purchase: &DemoEntry) -> DemoEntry {
    let days = dice.between(6, 21).unsigned_abs();
    let is_whole = dice.percent(55);
    let minor =
        if is_whole { purchase.amount_minor } else { purchase.amount_minor * dice.between(20, 70) / 100 };
    let category = purchase.flow.category().unwrap_or_default();
    let day = purchase.occurred_on + Days::new(days);
    let mut entry = DemoEntry::new(dice, day, Flow::Return(category), purchase.account, minor)
        .payee(purchase.payee.unwrap_or_default())
        .note(if is_whole { "Sent back" } else { "One piece sent back" });
    entry.refund_of = Some(purchase.id);
    entry
}
