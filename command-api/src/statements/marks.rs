//! Which signs stand inside the numbers.

use super::Confidence;
use super::amount::{Marks, is_space, unwrap_number};

#[derive(Default)]
struct Votes {
    point: usize,
    comma: usize,
    space_between: bool,
    apostrophe_between: bool,
}

pub(super) fn marks_of(cells: &[&str], delimiter: u8) -> (Marks, Confidence, &'static str) {
    let mut votes = Votes::default();
    for cell in cells {
        vote(cell, &mut votes);
    }
    let (decimal, confidence, because) = if votes.point == 0 && votes.comma == 0 {
        // A comma between the columns leaves the point for the numbers.
        let decimal = if delimiter == b';' { ',' } else { '.' };
        (decimal, Confidence::Low, "No amount shows which sign stands before the decimals.")
    } else if votes.point > 0 && votes.comma > 0 {
        let decimal = if votes.comma > votes.point { ',' } else { '.' };
        (
            decimal,
            Confidence::Low,
            "The amounts use both signs before their decimals; this is the more frequent.",
        )
    } else if votes.comma > 0 {
        (',', Confidence::High, "All amounts with decimals have a comma before them.")
    } else {
        ('.', Confidence::High, "All amounts with decimals have a point before them.")
    };
    let thousands = if votes.space_between {
        ' '
    } else if votes.apostrophe_between {
        '\''
    } else if decimal == ',' {
        '.'
    } else {
        ','
    };
    (Marks { decimal, thousands: Some(thousands) }, confidence, because)
}

/// The last of two kinds of marks is the decimal one; a single mark with other than three digits behind it too.
fn vote(cell: &str, votes: &mut Votes) {
    let Some((_, number)) = unwrap_number(cell) else { return };
    votes.space_between |= number.contains(is_space);
    votes.apostrophe_between |= number.contains(['\'', '\u{2019}']);
    let Some(last) = number.rfind(['.', ',']) else { return };
    let mark = &number[last..=last];
    let digits_after = number.len() - last - 1;
    let before = &number[..last];
    let is_decimal = !before.contains(mark)
        && (digits_after != 3 || before.contains(['.', ',', '\'']) || before.contains(is_space));
    match (mark, is_decimal) {
        (".", true) => votes.point += 1,
        (",", true) => votes.comma += 1,
        (_, _) => {}
    }
}
