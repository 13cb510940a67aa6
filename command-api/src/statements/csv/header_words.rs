//! The words banks put over their columns, in English, German, French, Spanish, Dutch and Italian, collected from
//! published layouts. Within a role the better column stands first: a statement with both has its bookings dated by the
//! day of the purchase, not of the posting or the value.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Date,
    Amount,
    Debit,
    Credit,
    Direction,
    Fee,
    Payee,
    Payer,
    Note,
    Currency,
    Category,
    Balance,
    Status,
    Impact,
}

impl Role {
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Date => DATE,
            Self::Amount => AMOUNT,
            Self::Debit => DEBIT,
            Self::Credit => CREDIT,
            Self::Direction => DIRECTION,
            Self::Fee => &["fee", "fees", "gebuhr", "gebuehr", "frais", "comision", "commissione", "kosten"],
            Self::Payee => PAYEE,
            Self::Payer => {
                &["payer name", "payer", "zahlungspflichtige r", "zahlungspflichtiger", "ordonnateur"]
            }
            Self::Note => NOTE,
            Self::Currency => CURRENCY,
            Self::Category => CATEGORY,
            Self::Balance => BALANCE,
            Self::Status => &["state", "status", "transaction status", "info", "statut", "estado", "stato"],
            Self::Impact => &["balance impact", "auswirkung auf guthaben"],
        }
    }

    /// The place of a header among the role's words, better ones first.
    pub fn rank(self, header: &str) -> Option<usize> {
        let plain = plain(header);
        let without_currency = without_currency(&plain);
        self.words().iter().position(|word| *word == plain || *word == without_currency)
    }
}

const DATE: &[&str] = &[
    "transaction date",
    "trans date",
    "txn date",
    "tran date",
    "started date",
    "date of transaction",
    "created on",
    "date",
    "booking date",
    "posting date",
    "posted date",
    "post date",
    "completed date",
    "kaufdatum",
    "belegdatum",
    "transaktionsdatum",
    "buchungstag",
    "buchungsdatum",
    "buchung",
    "umsatzdatum",
    "datum",
    "date operation",
    "date de l operation",
    "date d operation",
    "dateop",
    "date op",
    "date comptable",
    "fecha operacion",
    "fecha de operacion",
    "f operacion",
    "fecha",
    "fecha contable",
    "data operazione",
    "data",
    "data contabile",
    "transactiedatum",
    "boekdatum",
    "boekingsdatum",
    "value date",
    "value dt",
    "wertstellung",
    "wertstellungsdatum",
    "valutadatum",
    "valuta",
    "date valeur",
    "date de valeur",
    "dateval",
    "fecha valor",
    "f valor",
    "data valuta",
    "rentedatum",
];

// PayPal has gross, fee and net; only the net changes the balance.
const AMOUNT: &[&str] = &[
    "net",
    "netto",
    "amount",
    "transaction amount",
    "billing amount",
    "betrag",
    "buchungsbetrag",
    "umsatz",
    "montant",
    "montant de l operation",
    "importe",
    "bedrag",
    "transactiebedrag",
    "importo",
    "value",
    "gross",
    "brutto",
];

const DEBIT: &[&str] = &[
    "money out",
    "paid out",
    "withdrawal amt",
    "withdrawal amount",
    "withdrawal",
    "withdrawals",
    "debit amount",
    "debit",
    "debits",
    "outflow",
    "soll",
    "lastschrift",
    "belastung",
    "ausgang",
    "ausgaben",
    "depense",
    "depenses",
    "cargo",
    "cargos",
    "debe",
    "debito",
    "addebiti",
    "addebito",
    "uscite",
    "dare",
    "debet",
    "af",
];

const CREDIT: &[&str] = &[
    "money in",
    "paid in",
    "deposit amt",
    "deposit amount",
    "deposit",
    "deposits",
    "credit amount",
    "credit",
    "credits",
    "inflow",
    "haben",
    "gutschrift",
    "eingang",
    "einnahmen",
    "recette",
    "recettes",
    "abono",
    "abonos",
    "haber",
    "ingreso",
    "credito",
    "accrediti",
    "accredito",
    "entrate",
    "avere",
    "bij",
];

const DIRECTION: &[&str] = &[
    "af bij",
    "debit credit",
    "credit debit",
    "debit or credit",
    "credit or debit",
    "credit debit indicator",
    "dr cr",
    "cr dr",
    "d c",
    "dc",
    "soll haben",
    "s h",
    "direction",
    "sens",
    "transaction type",
    "type",
    "sign",
    "details",
];

const PAYEE: &[&str] = &[
    "payee",
    "payee name",
    "partner name",
    "counterparty name",
    "counterparty",
    "counter party",
    "beneficiary",
    "recipient",
    "merchant",
    "merchant name",
    "name",
    "target name",
    "zahlungsempfanger in",
    "zahlungsempfanger",
    "auftraggeber empfanger",
    "auftraggeber empfaenger",
    "empfanger",
    "empfaenger",
    "beguenstigter zahlungspflichtiger",
    "begunstigter zahlungspflichtiger",
    "auftraggeber begunstigter",
    "auftraggeber beguenstigter",
    "name zahlungsbeteiligter",
    "naam omschrijving",
    "name description",
    "naam tegenpartij",
    "tegenpartij",
    "naam",
    "supplierfound",
    "beneficiaire",
    "tiers",
    "beneficiario",
    "comercio",
    "esercente",
    "controparte",
];

const NOTE: &[&str] = &[
    "description",
    "transaction description",
    "narration",
    "particulars",
    "verwendungszweck",
    "beschreibung",
    "avisierungstext",
    "libelle",
    "libelle operation",
    "label",
    "concepto",
    "descripcion",
    "omschrijving",
    "omschrijving 1",
    "mededelingen",
    "causale",
    "descrizione completa",
    "descrizione",
    "descrizione operazione",
    "payment reference",
    "memo",
    "note",
    "notes",
    "notes and tags",
    "item title",
    "subject",
    "communication",
    "observaciones",
    "transaction details",
    "details",
    "reference",
    "buchungstext",
    "text",
];

const CURRENCY: &[&str] = &[
    "currency",
    "currency code",
    "ccy",
    "wahrung",
    "waehrung",
    "devise",
    "divisa",
    "moneda",
    "valuta",
    "munt",
];

const CATEGORY: &[&str] =
    &["category", "spending category", "kategorie", "categorie", "categoria", "hauptkategorie", "rubrique"];

const BALANCE: &[&str] = &[
    "balance",
    "running bal",
    "running balance",
    "closing balance",
    "account balance",
    "resulting balance",
    "saldo",
    "saldo nach buchung",
    "kontostand",
    "guthaben",
    "solde",
    "accountbalance",
    "saldo disponible",
    "disponible",
    "saldo contabile",
    "saldo na mutatie",
    "saldo na trn",
];

const CURRENCY_WORDS: &[&str] = &[
    "eur", "euro", "euros", "usd", "gbp", "chf", "inr", "cad", "aud", "nzd", "sek", "nok", "dkk", "pln",
    "czk", "huf", "jpy", "sgd", "hkd", "zar", "brl", "mxn", "ron", "try",
];

/// Lower case, without accents, and a single space for everything that is neither letter nor digit.
pub(super) fn plain(header: &str) -> String {
    let mut plain = String::new();
    for letter in header.to_lowercase().chars() {
        match letter {
            'à' | 'á' | 'â' | 'ä' | 'ã' | 'å' => plain.push('a'),
            'è' | 'é' | 'ê' | 'ë' => plain.push('e'),
            'ì' | 'í' | 'î' | 'ï' => plain.push('i'),
            'ò' | 'ó' | 'ô' | 'ö' | 'õ' => plain.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => plain.push('u'),
            'ç' => plain.push('c'),
            'ñ' => plain.push('n'),
            'ß' => plain.push_str("ss"),
            letter if letter.is_alphanumeric() => plain.push(letter),
            _ => plain.push(' '),
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `Amount (EUR)` is an amount, and so is `Gutschrift in CHF` a credit.
fn without_currency(plain: &str) -> &str {
    match plain.rsplit_once(' ') {
        Some((rest, last)) if CURRENCY_WORDS.contains(&last) => rest.strip_suffix(" in").unwrap_or(rest),
        _ => plain,
    }
}

/// The currency a header names, such as EUR for `Betrag (€)`.
pub(super) fn currency_in(header: &str) -> Option<String> {
    for (sign, code) in [('€', "EUR"), ('£', "GBP"), ('₹', "INR")] {
        if header.contains(sign) {
            return Some(code.to_owned());
        }
    }
    let plain = plain(header);
    let (_, last) = plain.rsplit_once(' ')?;
    if last.starts_with("euro") {
        return Some("EUR".to_owned());
    }
    CURRENCY_WORDS.contains(&last).then(|| last.to_uppercase())
}

/// Words for money going out and coming in, in a column that says the direction.
pub(super) const OUT_WORDS: &[&str] =
    &["d", "dr", "dbit", "debit", "debet", "débit", "af", "soll", "s", "out", "dare", "cargo", "-"];
pub(super) const IN_WORDS: &[&str] =
    &["c", "cr", "crdt", "credit", "crédit", "bij", "haben", "h", "in", "avere", "abono", "+"];

/// Words of a status column for rows that moved no money, or have not yet.
pub(super) const UNSETTLED_WORDS: &[&str] = &[
    "pending",
    "reverted",
    "declined",
    "failed",
    "denied",
    "cancelled",
    "canceled",
    "expired",
    "umsatz vorgemerkt",
    "vorgemerkt",
    "vorgemerkt und noch nicht gebucht",
    "ausstehend",
    "abgelehnt",
    "en attente",
    "en cours",
    "refuse",
    "refusé",
    "pendiente",
    "rechazado",
    "in attesa",
    "in behandeling",
];

/// Words in the text of a card's statement when its holder pays it off; written as [`plain`] makes them.
pub(super) const CARD_PAYMENT_WORDS: &[&str] = &[
    "payment thank you",
    "payment received",
    "thank you for your payment",
    "autopay",
    "automatic payment",
    "zahlung erhalten",
    "zahlung dankend",
    "paiement recu",
    "pago recibido",
    "betaling ontvangen",
];

/// Headers that only cards have.
pub(super) const CARD_HEADERS: &[&str] = &[
    "card member",
    "card no",
    "card number",
    "appears on your statement as",
    "extended details",
    "kartennummer",
    "karteninhaber",
    "numero de carte",
];
