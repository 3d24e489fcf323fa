use super::*;

#[test]
fn a_broken_skin_is_named_with_its_place() {
    for yaml in ["k9s: [", "k9s:\n  body: {\n", "a: *b"] {
        assert!(Theme::read(yaml, false).unwrap_err().place.is_some(), "{yaml}");
    }
}
