//! What an e-mail address looks like. Only what no address can be is refused; whether mail arrives is for a mail to
//! find out.

pub const LEN_MAX: usize = 254;

/// The address without the space around it.
pub fn address(text: &str) -> Option<&str> {
    let address = text.trim();
    let (local, domain) = address.rsplit_once('@')?;
    let odd = |letter: char| letter.is_whitespace() || letter.is_control();
    let is_one = !local.is_empty() && !local.contains('@') && !domain.is_empty();
    (is_one && address.len() <= LEN_MAX && !address.contains(odd)).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_at_with_something_on_both_sides() {
        assert_eq!(address("  Ada.L@Example.ORG "), Some("Ada.L@Example.ORG"));
        assert_eq!(address("a@localhost"), Some("a@localhost"));
        let longest = format!("{}@b", "a".repeat(252));
        assert_eq!(address(&longest), Some(longest.as_str()));
        for text in ["", "@", "a@", "@b", "a b@c", "a@b@c", "a@b\n.c", &format!("a{longest}")] {
            assert_eq!(address(text), None, "{text:?}");
        }
    }
}
