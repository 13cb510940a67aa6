select account, name, kind, currency, decimals, opened_on, closed, balance_minor
from accounts
where book = ?1 and withdrawn = 0
order by closed, name collate nocase, account
