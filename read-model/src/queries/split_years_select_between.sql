select categories, currency, year, days
from split_years
where book = ?1 and year between ?2 and ?3
