//! Every code that a refusal can have, in one table sorted by code. The explanation is for people: what happened,
//! and what to do. A code is a promise to clients: it may be added, never renamed.

use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProblemCode {
    #[schema(example = "book_not_found")]
    pub code: &'static str,
    pub status: u16,
    pub title: &'static str,
    pub explanation: &'static str,
}

pub fn find(code: &str) -> Option<&'static ProblemCode> {
    PROBLEM_CODES.binary_search_by(|known| known.code.cmp(code)).ok().map(|index| &PROBLEM_CODES[index])
}

/// What is answered where something of ours broke.
pub static INTERNAL: ProblemCode = internal();

const fn internal() -> ProblemCode {
    ProblemCode {
        code: "internal",
        status: 500,
        title: "Something went wrong on our side",
        explanation: "The request failed for a reason that is not yours. Try again; if it stays, tell the operator \
                      the request_id.",
    }
}

const fn code(
    code: &'static str,
    status: u16,
    title: &'static str,
    explanation: &'static str,
) -> ProblemCode {
    ProblemCode { code, status, title, explanation }
}

#[rustfmt::skip]
pub static PROBLEM_CODES: &[ProblemCode] = &[
    code("account_closed", 422, "The account is closed",
        "A closed account takes no new entries. Reopen it, or choose another account."),
    code("account_not_closed", 422, "The account is not closed",
        "Only a closed account can be reopened; this one is open."),
    code("account_not_found", 404, "No such account",
        "There is no account with this id in this book."),
    code("amount_malformed", 422, "The amount cannot be read",
        "An amount is a decimal string such as \"12.50\": digits, and a point before the decimals; no sign, no exponent, no thousands mark."),
    code("amount_not_a_string", 422, "The amount is not a string",
        "Amounts travel as strings such as \"12.50\", because JSON numbers lose cents in many programs. Put it in quotes."),
    code("amount_not_positive", 422, "The amount is not positive",
        "An amount is always more than zero; the kind of the entry says the direction."),
    code("amount_out_of_range", 422, "The amount is too large",
        "The amount is larger than a book can hold. Check for digits too many."),
    code("balance_out_of_range", 422, "The balance would be too large",
        "With this entry the account's balance would be larger than a book can hold. Check the amount."),
    code("body_incomplete", 400, "The body did not arrive",
        "The connection ended or was too slow before the whole body had arrived. Send the request again."),
    code("body_too_large", 413, "The body is too large",
        "The body is larger than this route takes. Send less at once."),
    code("book_exists", 409, "The book exists already",
        "There is already a book with this id. Read it instead of creating it."),
    code("book_not_found", 404, "No such book",
        "There is no book with this id that you are a member of."),
    code("category_archived", 422, "The category is archived",
        "An archived category takes no new entries. Restore it, or choose another category."),
    code("category_cycle", 422, "A category cannot stand below itself",
        "The parent chosen is the category itself or one below it. Choose another parent."),
    code("category_kind_mismatch", 422, "The category is of the wrong kind",
        "An expense or refund takes an expense category, an income takes an income category."),
    code("category_not_archived", 422, "The category is not archived",
        "Only an archived category can be restored; this one is in use."),
    code("category_not_found", 404, "No such category",
        "There is no category with this id in this book."),
    code("category_too_deep", 422, "The tree of categories is too deep",
        "The category would stand deeper than the tree of a book goes. Choose a parent further up."),
    code("cross_site_refused", 403, "Refused across sites",
        "A session in a cookie can be used only from pages of this site. Call from the site itself, or use a refresh token in the body."),
    code("currencies_differ", 422, "The currencies differ",
        "The two accounts have different currencies, so the amount that arrives must be given as well."),
    code("currency_mismatch", 422, "The currency is not the account's",
        "The currency given is not that of the account. Leave it out, or choose another account."),
    code("cursor_invalid", 400, "The cursor is not valid here",
        "A cursor can be used only with the list and the filters that it came from. Begin the list again without one."),
    code("date_malformed", 422, "The date cannot be read",
        "A date is written YYYY-MM-DD and must be a day that exists."),
    code("date_out_of_range", 422, "The date is out of range",
        "The date lies further back or ahead than a book can hold. Check the year."),
    code("email_malformed", 422, "The e-mail address cannot be right",
        "An e-mail address has one @ with something on both sides, no spaces, and at most 254 characters."),
    code("email_taken", 422, "The e-mail address is taken",
        "There is an account with this e-mail address already. Log in, or use another address."),
    code("entry_not_found", 404, "No such entry",
        "There is no entry with this id in this book."),
    code("entry_not_removed", 422, "The entry is not removed",
        "Only a removed entry can be restored; this one is still there."),
    code("entry_removed", 422, "The entry is removed",
        "A removed entry cannot be changed. Restore it first."),
    code("field_missing", 422, "A field is missing",
        "A field that is required is not in the request."),
    code("field_not_allowed", 422, "A field does not belong here",
        "The field is known, but not for an entry of this kind. Leave it out, or choose another kind."),
    code("id_malformed", 422, "The id cannot be read",
        "An id is a prefix, an underscore and 26 letters or digits, and its prefix says what it is the id of."),
    code("id_taken", 422, "The id is taken",
        "The id chosen for the new thing has been used before. Choose a new one, or leave it out."),
    code("idempotency_key_invalid", 400, "The Idempotency-Key is not valid",
        "An Idempotency-Key is given once and has 1 to 255 visible ASCII characters."),
    code("idempotency_key_missing", 400, "The Idempotency-Key is missing",
        "Every write to a book needs an Idempotency-Key header, so that it can be repeated without harm. Choose a new random one for each write."),
    code("idempotency_key_reused", 422, "The Idempotency-Key was used for something else",
        "This key was used before with other content. Use a new key for a new write."),
    code("if_match_invalid", 400, "The If-Match header cannot be read",
        "If-Match holds one version of the book in quotes, such as \"7\"."),
    code("import_finished", 409, "The import is finished",
        "The import is finished and takes no more lines. Import the file anew."),
    code("import_not_found", 404, "No such import",
        "There is no import with this id in this book."),
    code("import_refused", 422, "The import is refused",
        "A line of the file cannot become an entry; the detail names the line and the reason. Nothing of the file was taken."),
    code("import_reverted", 409, "The import was reverted",
        "The import has been reverted before and cannot be used again. Import the file anew."),
    code("import_unfinished", 409, "The import is not finished",
        "The import was interrupted. Send its file again with the same Idempotency-Key to finish it."),
    internal(),
    code("invalid_fields", 422, "Several fields are wrong",
        "More than one field is wrong; errors says which and why."),
    code("invalid_parameter", 400, "A parameter is not valid",
        "A parameter of the path or the query has a value that cannot be used here."),
    code("invalid_value", 422, "A value is not valid",
        "A field has a value that cannot be used here."),
    code("limit_reached", 422, "A limit is reached",
        "The book holds as many of these as it can. The detail names the limit."),
    code("locale_malformed", 422, "The locale cannot be read",
        "A locale is a language tag such as en, de-CH or pt-BR."),
    code("login_failed", 401, "The log-in failed",
        "E-mail address and password do not belong together. Check both."),
    code("login_required", 401, "A login is required",
        "This route needs an access token in the Authorization header. Log in first."),
    code("malformed_json", 400, "The body is not valid JSON",
        "The body could not be read as JSON in UTF-8. Check its syntax, and that no name stands twice."),
    code("method_not_allowed", 405, "The method is not allowed",
        "This route exists, but not with this method; the Allow header names those it has."),
    code("name_empty", 422, "The name is empty",
        "A name has at least one visible letter."),
    code("name_taken", 422, "The name is taken",
        "There is another one with this name already. Choose another name."),
    code("name_too_long", 422, "The name is too long",
        "The name has more letters than allowed. Shorten it."),
    code("not_yet_visible", 503, "Not yet visible",
        "The version asked for exists, but is not yet ready to be read. Try again in a moment."),
    code("nothing_to_change", 422, "There is nothing to change",
        "The request leaves everything as it is. Send at least one field with a new value."),
    code("overloaded", 503, "Too much at once",
        "There is more to do than can be done now, and nothing of this request was done. Try again after the time in Retry-After."),
    code("password_too_long", 422, "The password is too long",
        "A password has at most 1,024 characters."),
    code("password_too_short", 422, "The password is too short",
        "A password has at least 8 characters. A few words in a row are easy to remember."),
    code("password_wrong", 422, "The current password is wrong",
        "The current password does not match, so nothing was changed."),
    code("rate_limited", 429, "Too many requests",
        "There were too many attempts in a short time. Wait for the time in Retry-After."),
    code("refresh_invalid", 401, "The refresh token is not valid",
        "The refresh token is unknown, expired or revoked. Log in again."),
    code("refresh_reused", 401, "The refresh token was used twice",
        "A refresh token can be used once. Because a second use may be a theft, the whole session was ended. Log in again."),
    code("role_forbids", 403, "Your role does not allow this",
        "You are a member of this book, but your role is too weak for this. Ask an owner of the book."),
    code("route_not_found", 404, "There is nothing here",
        "No route has this path. Check the address."),
    code("same_account", 422, "Both accounts are the same",
        "A transfer goes from one account to another. Choose two different ones."),
    code("session_not_found", 404, "No such session",
        "You have no session with this id that is still open."),
    code("splits_do_not_add_up", 422, "The splits do not add up",
        "The amounts of the splits must add up to the amount of the entry."),
    code("statement_column_not_found", 422, "A column is not there",
        "The mapping names a column that the file does not have; the detail lists those that it has."),
    code("statement_empty", 422, "The file is empty",
        "Export the statement again and send that file."),
    code("statement_encoding_invalid", 422, "The encoding does not fit",
        "The file holds bytes that are not text in the encoding of the mapping. Choose another encoding."),
    code("statement_format_not_recognised", 422, "The format was not recognised",
        "No table of dates and amounts was found. Send a mapping that names the columns."),
    code("statement_mapping_invalid", 422, "The mapping cannot be used",
        "The detail names the field of the mapping and what is wrong with it."),
    code("statement_not_text", 422, "The file is no CSV text",
        "Export the statement as CSV; spreadsheets and PDF files cannot be read."),
    code("statement_record_unreadable", 422, "A line cannot be read as CSV",
        "Check the delimiter and the quote of the mapping."),
    code("statement_too_large", 422, "The file is too large",
        "Export a shorter period, so that the file stays within 16 MiB."),
    code("statement_too_many_columns", 422, "A line has too many columns",
        "Check the delimiter of the mapping."),
    code("statement_too_many_records", 422, "The file has too many lines",
        "Export a shorter period."),
    code("statement_without_records", 422, "The file has no transactions",
        "Nothing follows the header. Export a period that has some."),
    code("text_too_long", 422, "The text is too long",
        "The text has more letters than allowed. Shorten it."),
    code("token_expired", 401, "The access token has expired",
        "Access tokens live for minutes. Get a new one with the refresh token."),
    code("token_invalid", 401, "The access token is not valid",
        "The access token cannot be verified. Log in again."),
    code("too_many_decimals", 422, "Too many decimals",
        "The amount has more decimals than its currency."),
    code("too_many_tags", 422, "Too many tags",
        "The entry has more tags than allowed."),
    code("unavailable", 503, "Not available now",
        "A part of the service that this request needs is not ready. Try again after the time in Retry-After."),
    code("unknown_account", 422, "The account is unknown",
        "The entry names an account that this book does not have."),
    code("unknown_category", 422, "The category is unknown",
        "The entry names a category that this book does not have."),
    code("unknown_currency", 422, "The currency is unknown",
        "A currency is a code of ISO 4217 in capitals, such as EUR."),
    code("unknown_field", 422, "A field is unknown",
        "The request has a field that this route does not know; it may be misspelt."),
    code("unknown_parameter", 400, "A parameter is unknown",
        "The query has a parameter that this route does not know; it may be misspelt."),
    code("unknown_refund_of", 422, "What is refunded is unknown",
        "The entry to be refunded is no expense of this book. Check refund_of, or leave it out."),
    code("unknown_time_zone", 422, "The time zone is unknown",
        "A time zone is a name of the IANA database, such as Europe/Berlin."),
    code("unknown_value", 422, "A value is not one of those allowed",
        "The field takes one of a few words; the detail names them."),
    code("unsupported_media_type", 415, "The media type is not supported",
        "Send the body as application/json."),
    code("version_conflict", 412, "The book has another version",
        "The book has changed since the version in If-Match. Read it again, then decide again."),
    code("version_unknown", 400, "The version does not exist",
        "The version asked for is higher than any that the book has had."),
    code("wrong_type", 422, "A field has the wrong type",
        "A field holds another kind of value than it should, such as a number instead of a string."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_code_is_found_in_it() {
        for pair in PROBLEM_CODES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} stands before {}", pair[0].code, pair[1].code);
        }
        for known in PROBLEM_CODES {
            assert_eq!(find(known.code), Some(known));
        }
        assert_eq!(find("nonsense"), None);
    }

    #[test]
    fn every_entry_is_a_refusal_that_explains_itself() {
        for ProblemCode { code, status, title, explanation } in PROBLEM_CODES {
            assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
            assert!((400..600).contains(status), "{code}");
            assert!(!title.is_empty() && !title.ends_with('.'), "{code}");
            assert!(explanation.ends_with('.') && !explanation.contains(['<', '&']), "{code}");
        }
    }
}
