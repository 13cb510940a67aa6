select account, name, kind, currency, decimals, opened_on, closed, balance_minor
from accounts
where book = ?1
order by closed, name collate nocase, account
