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

#[idempotent(key = ORDER, with = records, name = "generic")]
async fn generic<T>(records: &Records, _: T) -> Result<(), Error> {
    Ok(())
}

#[idempotent(key = ORDER, with = records, name = "anonymous")]
async fn anonymous(records: &Records, _: impl Sized) -> Result<(), Error> {
    Ok(())
}

#[idempotent(key = ORDER, with = records, name = "anything")]
async fn generic_with_a_name(records: &Records, _: impl Sized) -> Result<(), Error> {
    Ok(())
}

#[idempotent(key = ORDER, with = records, name = "sized")]
async fn sized<const N: usize>(records: &Records, _: [u8; N]) -> Result<(), Error> {
    Ok(())
}

struct A;
struct B;
struct Shop<'a>(&'a str);
struct Of<T>(T);

impl A {
    #[idempotent(key = ORDER, with = records)]
    async fn charge(records: &Records) -> Result<(), Error> {
        Ok(())
    }

    #[idempotent(key = ORDER, with = records, name = "method")]
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

impl Shop<'_> {
    #[idempotent(key = ORDER, with = records)]
    async fn charge(records: &Records) -> Result<(), Error> {
        let _ = Shop("").0;
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
    #[idempotent(key = ORDER, with = records, name = "ship")]
    async fn ship(&self, records: &Records) -> Result<(), Error> {
        Ok(())
    }
}

trait Bill {
    async fn bill(records: &Records) -> Result<(), Error>;

    #[idempotent(key = ORDER, with = records, name = "provided")]
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

/// Awaits each call and returns the name under which it left its record.
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
async fn every_function_has_a_unique_name() {
    names! {
        free => "it::attribute::names::free",
        elsewhere::free => "it::attribute::names::elsewhere::free",
        named => "orders.charge",
        A::charge => "it::attribute::names::A::charge",
        B::charge => "it::attribute::names::B::charge",
        Shop::charge => "it::attribute::names::Shop::charge",
        nested::first => "it::attribute::names::nested::first::inner",
        nested::second => "it::attribute::names::nested::second::{{closure}}::inner",
    }
}

#[tokio::test]
async fn a_name_is_the_same_for_all_types() {
    names! {
        async |records| A.method(records).await => "method",
        async |records| Of(1_u8).ship(records).await => "ship",
        async |records| Of(B).ship(records).await => "ship",
        async |records| Of(|| 1).ship(records).await => "ship",
        async |records| A.provided(records).await => "provided",
        async |records| Of(1_u8).provided(records).await => "provided",
        async |records| generic(records, 1_u8).await => "generic",
        async |records| generic(records, "").await => "generic",
        async |records| anonymous(records, || 1).await => "anonymous",
        async |records| sized(records, [1, 2]).await => "sized",
        async |records| generic_with_a_name(records, || ()).await => "anything",
    }
}

/// What the attribute cannot see, is seen at the first call.
#[tokio::test]
async fn a_function_whose_path_depends_on_types_needs_a_name() {
    let records = records();
    for error in [
        A::refund(&records).await.unwrap_err(),
        Of::<u8>::charge(&records).await.unwrap_err(),
        Of::<u16>::charge(&records).await.unwrap_err(),
        <A as Bill>::bill(&records).await.unwrap_err(),
        Of::<u8>::bill(&records).await.unwrap_err(),
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
