//! Work that was not given a name has the path of its function.

use super::*;

#[idempotent(key = ORDER, with = records)]
async fn free(records: &Records) -> Result<(), Error> {
    Ok(())
}

#[idempotent(key = ORDER, with = records, name = "orders.charge")]
async fn named(records: &Records) -> Result<(), Error> {
    Ok(())
}

#[idempotent(key = ORDER, with = records)]
async fn generic<T>(records: &Records, _: T) -> Result<(), Error> {
    Ok(())
}

#[idempotent(key = ORDER, with = records)]
async fn anonymous(records: &Records, _: impl Sized) -> Result<(), Error> {
    Ok(())
}

#[idempotent(key = ORDER, with = records, name = "anything")]
async fn generic_with_a_name(records: &Records, _: impl Sized) -> Result<(), Error> {
    Ok(())
}

#[idempotent(key = ORDER, with = records)]
async fn sized<const N: usize>(records: &Records, _: [u8; N]) -> Result<(), Error> {
    Ok(())
}

struct A;
struct B;
struct Of<T>(T);

impl A {
    #[idempotent(key = ORDER, with = records)]
    async fn charge(records: &Records) -> Result<(), Error> {
        Ok(())
    }

    #[idempotent(key = ORDER, with = records)]
    async fn method(&self, records: &Records) -> Result<(), Error> {
        Ok(())
    }
}

impl B {
    #[idempotent(key = ORDER, with = records)]
    async fn charge(records: &Records) -> Result<(), Error> {
        Ok(())
    }
}

impl Of<u8> {
    #[idempotent(key = ORDER, with = records)]
    async fn charge(records: &Records) -> Result<(), Error> {
        Ok(())
    }
}

impl Of<u16> {
    #[idempotent(key = ORDER, with = records)]
    async fn charge(records: &Records) -> Result<(), Error> {
        Ok(())
    }
}

impl<T> Of<T> {
    #[idempotent(key = ORDER, with = records)]
    async fn ship(&self, records: &Records) -> Result<(), Error> {
        Ok(())
    }
}

trait Bill {
    async fn bill(records: &Records) -> Result<(), Error>;

    #[idempotent(key = ORDER, with = records)]
    async fn provided(&self, records: &Records) -> Result<(), Error> {
        Ok(())
    }
}

impl Bill for A {
    #[idempotent(key = ORDER, with = records)]
    async fn bill(records: &Records) -> Result<(), Error> {
        Ok(())
    }
}

impl<T> Bill for Of<T> {
    #[idempotent(key = ORDER, with = records)]
    async fn bill(records: &Records) -> Result<(), Error> {
        Ok(())
    }
}

mod elsewhere {
    use super::*;

    impl A {
        #[idempotent(key = ORDER, with = records)]
        pub(super) async fn refund(records: &Records) -> Result<(), Error> {
            Ok(())
        }
    }

    #[idempotent(key = ORDER, with = records)]
    pub(super) async fn free(records: &Records) -> Result<(), Error> {
        Ok(())
    }
}

/// A function of its own in each of two functions.
mod nested {
    use super::*;

    pub(super) fn first(records: &Records) -> impl Future<Output = Result<(), Error>> {
        #[idempotent(key = ORDER, with = records)]
        async fn inner(records: &Records) -> Result<(), Error> {
            Ok(())
        }
        inner(records)
    }

    pub(super) async fn second(records: &Records) -> Result<(), Error> {
        #[idempotent(key = ORDER, with = records)]
        async fn inner(records: &Records) -> Result<(), Error> {
            Ok(())
        }
        inner(records).await
    }
}

/// Awaits each call and says under which name it left its record.
///
/// In an invocation, whose function has no name: the environment has that of functions in other
/// tests now and then.
macro_rules! names {
    ($($call:expr => $name:expr,)*) => {$(
        let fresh = records();
        Invocation::new(&context("request")).scope($call(&fresh)).await.unwrap();
        assert_eq!(name(&fresh), $name);
    )*};
}

#[tokio::test]
async fn every_function_has_a_name_of_its_own() {
    names! {
        free => "it::attribute::names::free",
        elsewhere::free => "it::attribute::names::elsewhere::free",
        named => "orders.charge",
        A::charge => "it::attribute::names::A::charge",
        B::charge => "it::attribute::names::B::charge",
        A::refund => "it::attribute::names::elsewhere::<impl it::attribute::names::A>::refund",
        Of::<u8>::charge => "it::attribute::names::Of<u8>::charge",
        Of::<u16>::charge => "it::attribute::names::Of<u16>::charge",
        <A as Bill>::bill => "<it::attribute::names::A as it::attribute::names::Bill>::bill",
        nested::first => "it::attribute::names::nested::first::inner",
        nested::second => "it::attribute::names::nested::second::{{closure}}::inner",
    }
}

#[tokio::test]
async fn methods_have_the_type_in_their_names() {
    names! {
        async |records| A.method(records).await => "it::attribute::names::A::method",
        async |records| Of(1_u8).ship(records).await => "it::attribute::names::Of<u8>::ship",
        async |records| Of(B).ship(records).await =>
            "it::attribute::names::Of<it::attribute::names::B>::ship",
        Of::<u8>::bill => "<it::attribute::names::Of<u8> as it::attribute::names::Bill>::bill",
        async |records| A.provided(records).await =>
            "<it::attribute::names::A as it::attribute::names::Bill>::provided",
        async |records| Of(1_u8).provided(records).await =>
            "<it::attribute::names::Of<u8> as it::attribute::names::Bill>::provided",
    }
}

#[tokio::test]
async fn generic_functions_have_what_they_are_used_with_in_their_names() {
    names! {
        async |records| generic(records, 1_u8).await => "it::attribute::names::generic<u8>",
        async |records| generic(records, "").await => "it::attribute::names::generic<&str>",
        async |records| anonymous(records, 1_u8).await => "it::attribute::names::anonymous<u8>",
        async |records| sized(records, [1, 2]).await => "it::attribute::names::sized<2>",
        async |records| generic_with_a_name(records, || ()).await => "anything",
    }
}

/// Two closures of one function have one name, and would get each other's results.
#[tokio::test]
async fn a_function_that_is_used_with_a_closure_needs_a_name() {
    let records = records();
    for error in [
        anonymous(&records, || 1).await.unwrap_err(),
        anonymous(&records, async {}).await.unwrap_err(),
        generic(&records, (1, || 2)).await.unwrap_err(),
        Of(|| 1).ship(&records).await.unwrap_err(),
        Of(|| 1).provided(&records).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::Config(_)), "{error:?}");
    }
    assert!(records.store().snapshot().is_empty());
}

#[tokio::test]
async fn the_name_of_the_lambda_function_comes_first() {
    let mut context = context("request");
    let function_name = "orders".to_owned();
    context.env_config = lambda_runtime::Config { function_name, ..Default::default() }.into();

    let records = records();
    Invocation::new(&context).scope(free(&records)).await.unwrap();
    assert_eq!(name(&records), "orders.it::attribute::names::free");
}

/// The name in the one key that is in the store.
fn name(records: &Records) -> String {
    let all = records.store().snapshot();
    let [(key, _)] = all.as_slice() else { panic!("{} records", all.len()) };
    key.rsplit_once("#n1:").unwrap().0.to_owned()
}
