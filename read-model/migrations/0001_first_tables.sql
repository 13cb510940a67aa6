-- The tables that queries read. Everything here comes from the journal and can be deleted and built again.
--
-- Ids are the 16 bytes of their UUID, instants RFC 3339 text with milliseconds, dates YYYY-MM-DD, money whole
-- minor units beside the code of its currency. A personal text that has been forgotten is null.

-- Up to which record of a partition the rows below tell. Written in the same tx as they are.
create table checkpoints (
    partition integer not null primary key,
    position integer not null,
    -- The state of the ownership rule after that record, as the journal's reader wrote it down.
    fence text not null
) strict;

create table books (
    book blob not null primary key,
    version integer not null,
    hash blob not null,
    name text,
    currency text not null,
    decimals integer not null,
    time_zone text not null,
    week_starts_on text not null,
    month_starts_on integer not null,
    created_at text not null
) strict, without rowid;

create table members (
    book blob not null,
    user blob not null,
    role text not null,
    primary key (book, user)
) strict, without rowid;

create index members_by_user on members (user, book);

-- Those that are open; whether they are out of date yet is for the reader to see.
create table invitations (
    book blob not null,
    invitation blob not null,
    email text,
    role text not null,
    expires_at text not null,
    primary key (book, invitation)
) strict, without rowid;

create table accounts (
    book blob not null,
    account blob not null,
    name text,
    kind text not null,
    currency text not null,
    decimals integer not null,
    opened_on text not null,
    closed integer not null,
    -- Its opening was undone: as good as not there.
    withdrawn integer not null,
    balance_minor integer not null,
    primary key (book, account)
) strict, without rowid;

create table categories (
    book blob not null,
    category blob not null,
    name text,
    kind text not null,
    parent blob,
    archived integer not null,
    merged_into blob,
    -- Its adding was undone: as good as not there.
    withdrawn integer not null,
    icon text,
    colour text,
    primary key (book, category)
) strict, without rowid;

-- Removed entries stay, with removed = 1. Rows this wide are written faster beside their key than in it,
-- so this table and commits keep a rowid.
create table entries (
    book blob not null,
    entry blob not null,
    occurred_on text not null,
    kind text not null,
    -- The account the entry is told from; a transfer's other one stands in entry_accounts.
    -- No account where a balanced entry moves between categories only.
    account blob,
    -- Positive; only an opening balance may be a debt. Of a balanced entry, what its first currency moves.
    amount_minor integer not null,
    currency text not null,
    payee text,
    -- Payee, note, notes of splits and tags, lower-cased, one a line: what a search for a text looks in.
    words text not null,
    -- The book's version that last touched the entry.
    version integer not null,
    recorded_at text not null,
    corrected_at text,
    removed integer not null,
    -- The whole entry as JSON, as events write it.
    body text not null,
    primary key (book, entry)
) strict;

create index entries_by_day on entries (book, removed, occurred_on, entry);

-- The largest of a kind first, one currency after the other: amounts of two currencies have no order. By kind,
-- because salaries would hide the expenses below them.
create index entries_by_amount on entries
    (book, removed, kind, currency, amount_minor desc, occurred_on desc, entry desc);

-- The postings of an entry to categories, of removed entries too. Amounts are signed as posted: positive was spent.
create table entry_categories (
    book blob not null,
    category blob not null,
    occurred_on text not null,
    entry blob not null,
    -- Which of the entry's postings this is, from 0.
    position integer not null,
    amount_minor integer not null,
    currency text not null,
    primary key (book, category, occurred_on, entry, position)
) strict, without rowid;

-- The postings of an entry to accounts, of removed entries too. Amounts are signed as posted: positive came in.
create table entry_accounts (
    book blob not null,
    account blob not null,
    occurred_on text not null,
    entry blob not null,
    position integer not null,
    amount_minor integer not null,
    currency text not null,
    primary key (book, account, occurred_on, entry, position)
) strict, without rowid;

-- What reports add up, of entries that are not removed: the sums of days, those of a month in one row, packed as
-- src/sheet.rs says. A day has the signed amount and how many entries it is of; an entry with two postings to the
-- category counts once. A month without entries has no row.
create table category_months (
    book blob not null,
    -- YYYY-MM of the calendar, whatever day the book's months begin on.
    month text not null,
    category blob not null,
    currency text not null,
    days blob not null,
    primary key (book, month, category, currency)
) strict, without rowid;

-- The same of accounts, opening balances and transfers included: all days to a day make the balance.
create table account_months (
    book blob not null,
    month text not null,
    account blob not null,
    currency text not null,
    days blob not null,
    primary key (book, month, account, currency)
) strict, without rowid;

-- A split entry is counted in the months of each of its categories. Here is how many went to exactly these, so that
-- a report can count each once wherever categories come together. The same splits come again and again, so years
-- are few enough rows.
create table split_years (
    book blob not null,
    year text not null,
    -- The ids of two categories or more, in order, one after the other.
    categories blob not null,
    currency text not null,
    days blob not null,
    primary key (book, year, categories, currency)
) strict, without rowid;

create table commits (
    book blob not null,
    version integer not null,
    recorded_at text not null,
    actor blob not null,
    command text not null,
    -- A JSON array of {"type", "data"}.
    events text not null,
    hash blob not null,
    primary key (book, version)
) strict;

-- Which commits touched an entry, an account, a category, a member, an invitation or an import, by its id; the book's
-- own id stands for its settings.
create table thing_versions (
    book blob not null,
    thing blob not null,
    version integer not null,
    primary key (book, thing, version)
) strict, without rowid;

create table imports (
    book blob not null,
    import blob not null,
    file_name text,
    -- Lines of the file, and how many of them have been judged so far, in all and by verdict.
    lines integer not null,
    judged integer not null,
    taken integer not null,
    duplicates integer not null,
    refused integer not null,
    finished integer not null,
    reverted integer not null,
    started_at text not null,
    -- The book's version that last touched the import.
    version integer not null,
    primary key (book, import)
) strict, without rowid;

create table import_lines (
    book blob not null,
    import blob not null,
    line integer not null,
    -- taken, duplicate_of or refused.
    verdict text not null,
    -- The entry taken, or the one that tells of the same.
    entry blob,
    -- Why the line was refused.
    code text,
    detail text,
    primary key (book, import, line)
) strict, without rowid;
