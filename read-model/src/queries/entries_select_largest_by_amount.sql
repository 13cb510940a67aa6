select body, version, recorded_at, corrected_at, removed
from entries indexed by entries_by_amount
where book = ?1 and removed = 0 and currency = ?2 and kind = 'expense' and occurred_on between ?3 and ?4
order by amount_minor desc, occurred_on desc, entry desc
limit 1
