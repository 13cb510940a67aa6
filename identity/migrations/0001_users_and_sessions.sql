-- The first tables: who there is, where each of them is logged in, and the refresh tokens of each login. Instants
-- are milliseconds since 1970 in UTC. Of a token only its SHA-256 is kept, so a stolen database logs nobody in.
create table users (
    id text primary key,
    email text not null,
    -- Trimmed and in lower case: two spellings of one address are one person.
    email_lookup text not null unique,
    name text not null,
    locale text,
    time_zone text,
    password_hash text not null,
    created_at integer not null
) strict;

create table sessions (
    id text primary key,
    user_id text not null references users (id),
    created_at integer not null,
    last_used_at integer not null,
    expires_at integer not null,
    user_agent text,
    in_cookie integer not null,
    ended_at integer
) strict;

create index sessions_by_user on sessions (user_id, last_used_at);

-- Retired tokens stay for a while, because the second use of one is how a theft shows.
create table refresh_tokens (
    token_hash blob primary key,
    session_id text not null references sessions (id) on delete cascade,
    issued_at integer not null,
    retired_at integer
) strict, without rowid;

create index refresh_tokens_by_session on refresh_tokens (session_id, retired_at);
