select account, currency, month, days
from account_months
where book = ?1 and month between ?2 and ?3
