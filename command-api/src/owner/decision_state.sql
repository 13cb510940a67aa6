-- The decision state of one partition. What is JSON is the domain's own state, read and written as a whole.
create table origin (
    state_version integer not null,
    rule integer not null,
    journal_id text not null,
    partition integer not null,
    partitions integer not null,
    position integer not null,
    fence text not null
) strict;

create table books (
    book blob primary key,
    version integer not null,
    hash blob not null,
    recorded_at integer not null,
    settings text not null default 'null',
    settings_touches text not null default '{"made":0}',
    created_at integer,
    members text not null default '[]',
    member_touches text not null default '[]',
    invitations text not null default '[]',
    undos text not null default '[]'
) strict, without rowid;

create table accounts (
    book blob not null,
    account blob not null,
    withdrawn integer not null,
    state text not null,
    primary key (book, account)
) strict, without rowid;

create table categories (
    book blob not null,
    category blob not null,
    withdrawn integer not null,
    state text not null,
    primary key (book, category)
) strict, without rowid;

create table entries (
    book blob not null,
    entry blob not null,
    state text not null,
    primary key (book, entry)
) strict;

create table imports (
    book blob not null,
    import blob not null,
    state text not null,
    primary key (book, import)
) strict;

create table answers (
    book blob not null,
    key blob not null,
    fingerprint blob not null,
    answered_at integer not null,
    status integer not null,
    version integer not null,
    location text,
    body text not null,
    primary key (book, key)
) strict;

-- Where in the journal each commit stands, for those that are undone.
create table places (
    book blob not null,
    version integer not null,
    position integer not null,
    primary key (book, version)
) strict, without rowid;

create index answers_by_age on answers (answered_at);
