select category, currency, month, days
from category_months
where book = ?1 and month between ?2 and ?3
