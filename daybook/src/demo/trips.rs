//! Holidays: booked months before, then a burst of small sums with a tag that ties them together.

use chrono::{Datelike, Days, NaiveDate};

use super::{
    BANK, CARD, CASH, DemoEntry, Dice, Flow,
    calendar::{Life, day_of},
};

struct Place {
    name: &'static str,
    lodging: &'static str,
    night_minor: i64,
    shops: &'static [&'static str],
    restaurants: &'static [&'static str],
    sights: &'static [&'static str],
    /// Code and price of a euro in hundredths, where tills speak another currency.
    currency: Option<(&'static str, i64)>,
}

/// Month, day, nights, how many days before it is booked, and where to: each year the next place.
type Plan = (u32, u32, u64, u64, &'static [&'static Place]);

const PLANS: &[Plan] = &[
    (2, 14, 4, 70, &[&ALLGAEU, &ALLGAEU, &BERLIN]),
    (5, 22, 5, 60, &[&BERLIN, &RUEGEN, &PRAGUE]),
    (8, 1, 14, 150, &[&DENMARK, &GARDA, &DENMARK]),
    (10, 24, 5, 50, &[&RUEGEN, &PRAGUE, &ALLGAEU]),
];

/// On a day of a trip: chance in percent, category, payees, amount.
type Chance = (u8, &'static str, &'static [&'static str], (i64, i64));

const DENMARK: Place = Place {
    name: "denmark",
    lodging: "Novasol",
    night_minor: 104_00,
    shops: &["Netto", "SuperBrugsen", "Rema 1000"],
    restaurants: &["Fiskehuset", "Café Klit", "Ismejeriet"],
    sights: &["Legoland Billund", "Tirpitz Museum", "Blåvand Zoo"],
    currency: Some(("DKK", 746)),
};
const GARDA: Place = Place {
    name: "lake garda",
    lodging: "Camping Bella Italia",
    night_minor: 112_00,
    shops: &["Conad", "Eurospar", "Mercato Peschiera"],
    restaurants: &["Osteria al Lago", "Gelateria Cristallo", "Pizzeria Vecchia Malcesine"],
    sights: &["Gardaland", "Monte Baldo", "Arena di Verona"],
    currency: None,
};
const PRAGUE: Place = Place {
    name: "prague",
    lodging: "Booking.com",
    night_minor: 98_00,
    shops: &["Albert", "Billa"],
    restaurants: &["U Medvídků", "Lokál", "Café Savoy"],
    sights: &["Prague Castle", "Zoo Praha", "Dopravní podnik"],
    currency: Some(("CZK", 2_480)),
};
const RUEGEN: Place = Place {
    name: "rügen",
    lodging: "Ferienhof Binz",
    night_minor: 92_00,
    shops: &["EDEKA Binz", "Inselbäckerei"],
    restaurants: &["Fischräucherei Kuse", "Strandhalle"],
    sights: &["Rasender Roland", "Königsstuhl", "Ozeaneum"],
    currency: None,
};
const BERLIN: Place = Place {
    name: "berlin",
    lodging: "Motel One",
    night_minor: 128_00,
    shops: &["REWE To Go", "Markthalle Neun"],
    restaurants: &["Mustafa's", "Zur letzten Instanz", "Burgermeister"],
    sights: &["Museum für Naturkunde", "BVG", "Fernsehturm"],
    currency: None,
};
const ALLGAEU: Place = Place {
    name: "allgäu",
    lodging: "Gästehaus Alpenblick",
    night_minor: 106_00,
    shops: &["Feneberg", "Bergkäserei"],
    restaurants: &["Berghütte", "Gasthof Hirsch"],
    sights: &["Nebelhornbahn", "Skischule Oberstdorf", "Breitachklamm"],
    currency: None,
};

pub struct Trip {
    first_day: NaiveDate,
    nights: u64,
    booked_on: NaiveDate,
    place: &'static Place,
}

impl Trip {
    fn last_day(&self) -> NaiveDate {
        self.first_day + Days::new(self.nights)
    }

    pub fn has(&self, day: NaiveDate) -> bool {
        (self.first_day..=self.last_day()).contains(&day)
    }

    fn tag(&self) -> String {
        format!("{} {}", self.place.name, self.first_day.year())
    }
}

/// The trips that lie within this life as a whole.
pub fn planned(life: &Life) -> Vec<Trip> {
    let mut trips = Vec::new();
    for year in life.years() {
        for (month, day, nights, days_before, places) in PLANS {
            let first_day = day_of(year, *month, *day);
            let turn = usize::try_from(year).unwrap_or(0) % places.len();
            let booked_on = first_day - Days::new(*days_before);
            let trip = Trip { first_day, nights: *nights, booked_on, place: places[turn] };
            if life.has(trip.first_day) && life.has(trip.last_day()) {
                trips.push(trip);
            }
        }
    }
    trips
}

pub fn entries(life: &Life, trips: &[Trip], dice: &mut Dice) -> Vec<DemoEntry> {
    let mut entries = Vec::new();
    for trip in trips {
        let place = trip.place;
        let lodging =
            life.priced(place.night_minor, trip.first_day) * i64::try_from(trip.nights).unwrap_or(0);
        if life.has(trip.booked_on) {
            let flow = Flow::Spend("Holidays");
            entries.push(
                DemoEntry::new(dice, trip.booked_on, flow, BANK, lodging)
                    .payee(place.lodging)
                    .note("Booked")
                    .tag(trip.tag()),
            );
        }
        for day in trip.first_day.iter_days().take_while(|day| *day <= trip.last_day()) {
            let travels = day == trip.first_day || day == trip.last_day();
            let burst: [Chance; 6] = [
                (if travels { 95 } else { 12 }, "Fuel", &["Aral", "Shell", "Tank & Rast"], (48_00, 88_00)),
                (65, "Holidays", place.shops, (9_00, 64_00)),
                (55, "Coffee and snacks", place.restaurants, (5_00, 22_00)),
                (45, "Holidays", place.sights, (14_00, 98_00)),
                (70, "Restaurants", place.restaurants, (28_00, 94_00)),
                (10, "Holidays", &["Souvenirs"], (8_00, 38_00)),
            ];
            for (percent, category, payees, amount_minor) in burst {
                let happens = dice.percent(percent);
                let Some(payee) = dice.pick(payees).filter(|_| happens) else { continue };
                let account = if dice.percent(20) { CASH } else { CARD };
                let minor = life.priced(dice.amount(amount_minor), day);
                let mut entry = DemoEntry::new(dice, day, Flow::Spend(category), account, minor)
                    .payee(payee)
                    .tag(trip.tag());
                if category != "Fuel" {
                    entry.foreign = place.currency.map(|(code, rate)| (minor * rate / 100, code));
                }
                entries.push(entry);
            }
        }
    }
    entries
}
