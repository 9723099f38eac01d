//! The expansions of the attributes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Result;

use super::expand;
use crate::kind::Kind;

fn assert_expands(kind: Kind, args: TokenStream, item: TokenStream, expected: TokenStream) {
    match expand(kind, args, item) {
        Ok(expanded) => assert_eq!(expanded.to_string(), expected.to_string()),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn idempotent_stays_small() {
    assert_expands(
        Kind::Idempotent,
        quote!(key = payload.id, with = RECORDS, name = "charge"),
        quote! {
            /// Charges an order.
            pub(crate) async fn charge(LambdaEvent { payload, .. }: Event) -> Result<u64, Error> {
                half typed,
            }
        },
        quote! {
            /// Charges an order.
            pub(crate) async fn charge(argument0: Event) -> Result<u64, Error> {
                const _: &str = "#[idempotent]";
                let invocation = {
                    use ::powertools::macro_support::{NoContext as _, Probe};
                    ::powertools::Invocation::current_or(
                        ::core::option::Option::None.or(Probe(&argument0).context())
                    )
                };
                let LambdaEvent { payload, .. } = argument0;
                let work = async move {
                    let call = {
                        use ::powertools::macro_support::NoResponse as _;
                        ::powertools::macro_support::Response::<Result<u64, Error> >::NEW.keep_final(
                            match (RECORDS).operation("charge").key(&(payload.id)) {
                                ::core::result::Result::Ok(call) => call,
                                ::core::result::Result::Err(error) => {
                                    return ::core::result::Result::Err(::core::convert::From::from(
                                        error
                                    ));
                                }
                            }
                        )
                    };
                    #[allow(unused_braces)]
                    let mut work = ::core::pin::pin!(::core::option::Option::Some(async move {
                        #[allow(unreachable_code)]
                        if false {
                            let result: Result<u64, Error> = loop {};
                            return result;
                        }
                        { half typed, }
                    }));
                    call.run(::powertools::macro_support::InPlace::new(work.as_mut())).await
                };
                ::powertools::Invocation::enter(invocation, work).await
            }
        },
    );
}

#[test]
fn deadline_stays_small() {
    assert_expands(
        Kind::Deadline,
        quote!(reserve = "2s", or = Reply::accepted(), context = context),
        quote! {
            async fn charge(&mut self, (mut id, _): Pair, context: &Context) -> Result<Reply, Error> {
                body
            }
        },
        quote! {
            async fn charge(&mut self, (mut id, _): Pair, context: &Context) -> Result<Reply, Error> {
                const _: &str = "#[deadline]";
                let invocation =
                    ::powertools::Invocation::current_or(::core::option::Option::Some(context));
                let work = async move {
                    #[allow(unused_braces)]
                    let mut work = ::core::pin::pin!(::core::option::Option::Some(async move {
                        #[allow(unreachable_code)]
                        if false {
                            let result: Result<Reply, Error> = loop {};
                            return result;
                        }
                        let _ = &id;
                        { body }
                    }));
                    ::powertools::Deadline::current()
                        .run_or(
                            ::core::time::Duration::from_millis(2000u64),
                            ::powertools::macro_support::InPlace::new(work.as_mut()),
                            |_| ::core::result::Result::Ok(Reply::accepted())
                        )
                        .await
                };
                ::powertools::Invocation::enter(invocation, work).await
            }
        },
    );
}

#[test]
fn logged_stays_small() {
    assert_expands(
        Kind::Logged,
        quote!(correlation_id = "/id", event),
        quote!(
            async fn charge(orders: &Orders, LambdaEvent { payload, .. }: Event) -> Answer {
                body
            }
        ),
        quote! {
            async fn charge(orders: &Orders, argument1: Event) -> Answer {
                const _: &str = "#[logged]";
                let invocation = {
                    use ::powertools::macro_support::{NoContext as _, Probe};
                    ::powertools::Invocation::current_or(
                        ::core::option::Option::None
                            .or(Probe(&orders).context())
                            .or(Probe(&argument1).context())
                    )
                };
                let work = async move {
                    ::powertools::macro_support::correlate(&argument1.payload, "/id");
                    ::powertools::logging::log_event(&argument1.payload);
                    let LambdaEvent { payload, .. } = argument1;
                    #[allow(unused_braces)]
                    let mut work = ::core::pin::pin!(::core::option::Option::Some(async move {
                        #[allow(unreachable_code)]
                        if false {
                            let result: Answer = loop {};
                            return result;
                        }
                        { body }
                    }));
                    ::powertools::logging::observe(::powertools::macro_support::InPlace::new(work.as_mut())).await
                };
                ::powertools::Invocation::enter(invocation, work).await
            }
        },
    );
}

#[test]
fn batch_stays_small() {
    assert_expands(
        Kind::Batch,
        quote!(sqs, concurrency = 8, reserve = "1s", all_or_nothing),
        quote! {
            /// Charges the order in each message.
            pub async fn charge(orders: &Orders, Message { body, .. }: Message<Order>) -> Result<(), Error> {
                body
            }
        },
        quote! {
            /// Charges the order in each message.
            pub async fn charge(
                orders: &Orders,
                event: ::powertools::macro_support::LambdaEvent<::powertools::events::SqsEvent>
            ) -> ::core::result::Result<
                ::powertools::batch::ReplyOf<::powertools::events::SqsEvent>,
                ::powertools::batch::Error
            > {
                const _: &str = "#[batch]";
                let invocation =
                    ::powertools::Invocation::current_or(::core::option::Option::Some(&event.context));
                let work = async move {
                    let batch = ::powertools::batch::sqs(event.payload)
                        .concurrency(8)
                        .reserve(::core::time::Duration::from_millis(1000u64))
                        .all_or_nothing();
                    #[allow(unused_braces)]
                    batch
                        .run(|Message { body, .. }: Message<Order>| {
                            let orders = ::powertools::macro_support::share(&orders);
                            async move {
                                #[allow(unreachable_code)]
                                if false {
                                    let result: Result<(), Error> = loop {};
                                    return result;
                                }
                                { body }
                            }
                        })
                        .await
                        .into_reply()
                };
                ::powertools::Invocation::enter(invocation, work).await
            }
        },
    );
}

/// From the outside in: logged, the batch, and for each record idempotent, the deadline, the body.
#[test]
fn the_attribute_at_the_top_is_the_outermost() -> Result<()> {
    let item = quote! {
        #[powertools::batch(kinesis)]
        #[instrument]
        #[idempotent(key = click.id, with = orders)]
        #[deadline]
        async fn count(orders: &Orders, click: KinesisMessage<Click>) -> Result<(), Error> { body }
    };
    let expanded = expand(Kind::Logged, quote!(), item)?.to_string();
    let parts = [
        "# [instrument]",
        r##""#[logged] #[batch] #[idempotent] #[deadline]""##,
        "batch :: kinesis",
        "operation",
        "{ body }",
        "Deadline :: current",
        "call . run",
        "into_reply",
        "logging :: observe",
    ];
    let mut rest = expanded.as_str();
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part} is not in\n{rest}"));
        rest = &rest[at + part.len()..];
    }
    for attribute in ["# [idempotent", "# [deadline", "batch (kinesis)"] {
        assert!(!expanded.contains(attribute), "{attribute} is still in\n{expanded}");
    }
    Ok(())
}

#[test]
fn options_name_the_context_and_the_crate() -> Result<()> {
    let item = quote! {
        async fn charge(state: &State, (mut id, _): Pair) -> Answer { body }
    };
    let args = quote!(key = id, with = state.0, context = state.1, crate = a::b);
    let expanded = expand(Kind::Idempotent, args, item)?.to_string();
    for part in [
        quote!(async fn charge(state: &State, (mut id, _): Pair) -> Answer),
        quote!(let invocation = a::b::Invocation::current_or(::core::option::Option::Some(state.1));),
        quote!(match a::b::macro_support::default_name(::core::any::type_name_of_val(&|| ()))),
        quote!(let _ = &id; { body }),
    ] {
        assert!(expanded.contains(&part.to_string()), "{part}\nis not in\n{expanded}");
    }
    Ok(())
}

/// Inspecting `_seen` would be a use of it, of which clippy warns.
#[test]
fn an_argument_with_an_underscore_or_a_lint_is_inspected_under_another_name() -> Result<()> {
    let item = quote! {
        async fn charge(mut _seen: u64, #[expect(unused_variables)] id: u64) -> Answer { body }
    };
    let expanded = expand(Kind::Deadline, quote!(), item)?.to_string();
    for part in [
        quote!(async fn charge(argument0: u64, argument1: u64) -> Answer),
        quote!(None.or(Probe(&argument0).context()).or(Probe(&argument1).context())),
        quote!(let mut _seen = argument0;),
        quote!(#[expect(unused_variables)] let id = argument1;),
        // No capture of `_seen`.
        quote! {
            #[allow(unreachable_code)]
            if false {
                let result: Answer = loop {};
                return result;
            }
            { body }
        },
    ] {
        assert!(expanded.contains(&part.to_string()), "{part}\nis not in\n{expanded}");
    }
    Ok(())
}

/// An argument that is absent is not inspected.
#[test]
fn a_cfg_on_an_argument_applies_to_its_expansion() -> Result<()> {
    let item = quote! {
        async fn charge(id: u64, #[cfg(test)] (mut a, b): Pair) -> Answer { body }
    };
    let expanded = expand(Kind::Deadline, quote!(), item)?.to_string();
    for part in [
        quote!(async fn charge(id: u64, #[cfg(test)] argument1: Pair) -> Answer),
        quote! {
            let found = ::core::option::Option::None.or(Probe(&id).context());
            #[cfg(test)]
            let found = found.or(Probe(&argument1).context());
            found
        },
        quote!(#[cfg(test)] let (mut a, b) = argument1;),
        // The pattern was destructured before, so its variables are captured.
        quote!(#[cfg(test)] let _ = &a;),
    ] {
        assert!(expanded.contains(&part.to_string()), "{part}\nis not in\n{expanded}");
    }
    Ok(())
}
