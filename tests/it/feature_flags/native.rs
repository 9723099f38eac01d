//! Flags in the format of AppConfig's own.

use powertools::feature_flags::FeatureFlags;
use serde::Deserialize;

#[derive(Debug, Deserialize, PartialEq)]
struct Banner {
    color: String,
    columns: u8,
}

fn flags() -> FeatureFlags {
    r#"{
        "banner": { "enabled": true, "color": "green", "columns": 3 },
        "search": { "enabled": false },
        "of a variant": { "_variant": "beta testers", "enabled": true }
    }"#
    .parse()
    .unwrap()
}

#[test]
fn a_flag_is_a_bool() {
    assert!(flags().evaluate::<bool>("banner", &()).unwrap());
    assert!(!flags().evaluate::<bool>("search", &()).unwrap());
    assert!(flags().evaluate::<bool>("of a variant", &()).unwrap());
    assert_eq!(flags().enabled(&()).unwrap(), ["banner", "of a variant"]);
}

#[test]
fn its_attributes_are_an_option_or_an_object() {
    let banner = Banner { color: "green".to_owned(), columns: 3 };
    assert_eq!(flags().evaluate("banner", &()), Ok(Some(banner)));
    assert_eq!(flags().evaluate::<Option<Banner>>("search", &()), Ok(None));
    let value: serde_json::Value = flags().evaluate("banner", &()).unwrap();
    assert_eq!(value["enabled"], true);
    let error = flags().evaluate::<Banner>("search", &()).unwrap_err();
    assert_eq!(error.error_type(), "Powertools.FeatureFlagTypeMismatch");
}

#[test]
fn a_flag_explains_itself() {
    let flags = flags();
    let explanation = flags.explain("search", &()).unwrap();
    assert_eq!(explanation.to_string(), r#"search is {"enabled":false}"#);
}

#[test]
fn a_flag_has_one_format() {
    let of = |text: &str| text.parse::<FeatureFlags>().unwrap();
    let both = of(r#"{"f": {"enabled": true, "default": false}}"#);
    assert!(both.evaluate::<bool>("f", &()).is_err());
    let text = of(r#"{"f": {"enabled": "yes"}}"#);
    assert_eq!(
        text.evaluate::<bool>("f", &()).unwrap_err().to_string(),
        "the feature f is invalid: /f/enabled: it must be true or false"
    );
}
