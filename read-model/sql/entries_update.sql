update entries
set occurred_on = ?3, kind = ?4, account = ?5, amount_minor = ?6, currency = ?7, payee = ?8, words = ?9,
    version = ?10, recorded_at = ?11, corrected_at = ?12, removed = ?13, body = ?14
where book = ?1 and entry = ?2
