//! What the attributes accept, and what they say of the rest.

#[test]
fn attributes() {
    let cases = trybuild::TestCases::new();
    cases.pass("../tests/ui/pass/*.rs");
    cases.compile_fail("../tests/ui/fail/*.rs");
}
