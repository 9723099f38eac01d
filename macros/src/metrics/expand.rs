use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Path};

use super::parse::{Field, Kind};

pub(super) fn expand(input: &DeriveInput, krate: &Path, fields: &[Field]) -> TokenStream {
    let ident = &input.ident;
    let (parameters, types, clause) = input.generics.split_for_impl();
    let calls = fields.iter().map(|field| call(krate, field));
    quote! {
        #[automatically_derived]
        impl #parameters #krate::metrics::MetricSet for #ident #types #clause {
            fn describe(&self, line: &mut #krate::metrics::Line) {
                let _ = &line;
                #(#calls)*
            }
        }
    }
}

/// Returns the call for a field. A type that does not fit is an error at the field.
fn call(krate: &Path, Field { member, ty, name, kind }: &Field) -> TokenStream {
    let value = quote_spanned!(ty.span()=> &self.#member);
    match kind {
        Kind::Dimension => quote!(line.dimension(#name, #value);),
        Kind::Property => quote!(line.property(#name, #value);),
        Kind::Metric { unit, is_high_resolution } => {
            let unit = quote!(#krate::metrics::Unit::#unit);
            let unit = if *is_high_resolution { quote!(#unit.high_resolution()) } else { unit };
            quote!(line.record(#name, #value, #unit);)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_small() -> syn::Result<()> {
        let input = quote! {
            #[metrics(rename_all = "PascalCase")]
            struct Checkout<'a> {
                #[dimension]
                #[name = "channel"]
                channel: &'a str,
                #[property]
                order_id: String,
                #[unit(Milliseconds)]
                #[high_resolution]
                charge_time: Duration,
                #[unit(Count)]
                items: u32,
                #[skip]
                cart: Cart,
            }
        };
        let expected = quote! {
            #[automatically_derived]
            impl<'a> ::powertools::metrics::MetricSet for Checkout<'a> {
                fn describe(&self, line: &mut ::powertools::metrics::Line) {
                    let _ = &line;
                    line.dimension("channel", &self.channel);
                    line.property("OrderId", &self.order_id);
                    line.record(
                        "ChargeTime",
                        &self.charge_time,
                        ::powertools::metrics::Unit::Milliseconds.high_resolution()
                    );
                    line.record("Items", &self.items, ::powertools::metrics::Unit::Count);
                }
            }
        };
        assert_eq!(
            super::super::derive(input)?.to_string().replace(" ,)", ")"),
            expected.to_string()
        );
        Ok(())
    }
}
