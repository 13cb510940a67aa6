//! What happens about once a year, and Christmas.

use chrono::Days;

use super::{
    BANK, CARD, CASH, DemoEntry, Dice, Flow,
    calendar::{Life, day_of},
};

use Flow::{Earn, Return, Spend};

/// Month, first day it may happen, days within which it happens, chance in percent, flow, account, payee, amount,
/// note, tag.
type Occasion = (u32, u32, i64, u8, Flow, &'static str, &'static str, (i64, i64), &'static str, &'static str);

const OCCASIONS: &[Occasion] = &[
    (
        1,
        6,
        20,
        100,
        Return("Utilities"),
        BANK,
        "Stadtwerke Neustadt",
        (38_00, 164_00),
        "Settlement of the year",
        "",
    ),
    (1, 15, 10, 70, Spend("Sport"), CARD, "Sport Bittl", (69_00, 240_00), "Skis for Theo", ""),
    (2, 3, 20, 60, Spend("Pets"), BANK, "Tierarztpraxis Dr. Vogt", (64_00, 148_00), "Vaccination", ""),
    (3, 4, 20, 100, Spend("Car"), BANK, "Autohaus Brandt", (248_00, 468_00), "Service", ""),
    (3, 12, 2, 100, Spend("Gifts"), CARD, "Spielwaren Krömer", (38_00, 74_00), "Lina's birthday", "birthday"),
    (
        3,
        13,
        2,
        100,
        Spend("Children"),
        CARD,
        "Kletterhalle Zenit",
        (96_00, 158_00),
        "Lina's party",
        "birthday",
    ),
    (4, 8, 14, 100, Spend("Car"), BANK, "Reifen Krause", (58_00, 92_00), "Summer tyres", ""),
    (
        4,
        20,
        25,
        100,
        Spend("Hobbies"),
        CARD,
        "Gartencenter Dehner",
        (48_00, 132_00),
        "The balcony in spring",
        "",
    ),
    (5, 9, 3, 100, Spend("Gifts"), BANK, "Blumen Risse", (28_00, 46_00), "Mother's Day", ""),
    (5, 18, 20, 55, Earn("Other income"), CASH, "Flea market", (46_00, 138_00), "Outgrown clothes", ""),
    (6, 10, 30, 100, Earn("Other income"), BANK, "Finanzamt Neustadt", (684_00, 962_00), "Tax refund", "tax"),
    (
        6,
        20,
        9,
        100,
        Earn("Gifts received"),
        BANK,
        "Grandma Ilse",
        (100_00, 150_00),
        "Jonas's birthday",
        "birthday",
    ),
    (
        6,
        21,
        3,
        100,
        Spend("Restaurants"),
        CARD,
        "Gasthof Linde",
        (118_00, 186_00),
        "Jonas's birthday",
        "birthday",
    ),
    (7, 15, 12, 65, Spend("Culture"), CARD, "Eventim", (98_00, 188_00), "Open air", ""),
    (8, 26, 12, 100, Spend("Children"), BANK, "Schreibwaren Hahn", (68_00, 146_00), "School starts", ""),
    (9, 2, 24, 50, Spend("Doctor"), BANK, "Augenärzte am Ring", (148_00, 312_00), "Glasses for Mara", ""),
    (9, 14, 3, 100, Spend("Gifts"), CARD, "Spielwaren Krömer", (34_00, 68_00), "Theo's birthday", "birthday"),
    (
        9,
        20,
        20,
        40,
        Earn("Other income"),
        BANK,
        "Hansen Maschinenbau GmbH",
        (84_00, 236_00),
        "Travel costs Hanover",
        "work",
    ),
    (10, 12, 14, 100, Spend("Car"), BANK, "Reifen Krause", (58_00, 92_00), "Winter tyres", ""),
    (10, 4, 20, 55, Spend("Household"), CARD, "MediaMarkt", (349_00, 649_00), "The old one gave up", ""),
    (
        11,
        8,
        5,
        100,
        Earn("Gifts received"),
        CASH,
        "Grandpa Karl",
        (50_00, 100_00),
        "Mara's birthday",
        "birthday",
    ),
    (11, 26, 5, 70, Spend("Electronics"), CARD, "Cyberport", (189_00, 549_00), "Black Friday", ""),
    (12, 4, 12, 100, Spend("Household"), CASH, "Tannenhof Meier", (34_00, 58_00), "The tree", "christmas"),
    (12, 10, 9, 100, Spend("Donations"), BANK, "Tafel Neustadt", (60_00, 120_00), "", ""),
    (
        12,
        18,
        5,
        100,
        Spend("Groceries"),
        BANK,
        "EDEKA Schmitz",
        (128_00, 214_00),
        "For the holidays",
        "christmas",
    ),
    (
        12,
        24,
        2,
        100,
        Earn("Gifts received"),
        BANK,
        "Grandma Ilse",
        (150_00, 250_00),
        "For the children",
        "christmas",
    ),
];

const CHRISTMAS_SHOPS: &[&str] =
    &["Spielwaren Krömer", "Buchhandlung Thalia", "Douglas", "Amazon", "Etsy", "Galeria", "Manufactum"];

pub fn entries(life: &Life, dice: &mut Dice) -> Vec<DemoEntry> {
    let mut entries = Vec::new();
    for year in life.years() {
        for (month, first, within, percent, flow, account, payee, amount_minor, note, tag) in OCCASIONS {
            let day = day_of(year, *month, *first) + Days::new(dice.between(0, within - 1).unsigned_abs());
            let happens = dice.percent(*percent);
            let minor = life.priced(dice.amount(*amount_minor), day);
            let entry = DemoEntry::new(dice, day, *flow, account, minor).payee(payee).note(note);
            let entry = if tag.is_empty() { entry } else { entry.tag(*tag) };
            entries.extend((happens && life.has(day)).then_some(entry));
        }
        for _ in 0..dice.between(8, 12) {
            let day = day_of(year, 12, 1) + Days::new(dice.between(0, 21).unsigned_abs());
            let minor = life.priced(dice.amount((14_00, 96_00)), day);
            let shop = dice.pick(CHRISTMAS_SHOPS).copied().unwrap_or_default();
            let gift = DemoEntry::new(dice, day, Spend("Gifts"), CARD, minor).payee(shop).tag("christmas");
            entries.extend(life.has(day).then_some(gift));
        }
    }
    entries
}
