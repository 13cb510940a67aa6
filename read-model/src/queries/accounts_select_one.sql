select account, name, kind, currency, decimals, opened_on, closed, balance_minor
from accounts
where book = ?1 and account = ?2 and withdrawn = 0
