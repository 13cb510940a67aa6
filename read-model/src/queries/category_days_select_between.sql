select category, currency, amount_minor, entries, day
from category_days
where book = ?1 and day between ?2 and ?3
