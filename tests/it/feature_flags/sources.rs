//! Documents come from where other values come from.

use powertools::feature_flags::FeatureFlags;
use powertools::parameters::{Configuration, Memory, Parameter, Parameters};
use serde::Deserialize;
use serde_json::json;

static CONFIGURATION: Configuration<FeatureFlags> = Configuration::json("shop/test/features");
static PARAMETER: Parameter<Shop> = Parameter::json("/shop/settings");

#[derive(Deserialize)]
struct Shop {
    name: String,
    features: FeatureFlags,
}

/// The rules are not in the order of their names, and the number is more than a double holds.
const FEATURES: &str = r#"{"f": {"default": 0, "boolean_type": false, "rules": {
    "z": {"when_match": 1, "conditions": [{"action": "EQUALS", "key": "k", "value": 9007199254740993}]},
    "a": {"when_match": 2, "conditions": [{"action": "KEY_GREATER_THAN_VALUE", "key": "k", "value": 0}]}
}}}"#;

#[tokio::test]
async fn a_configuration_is_a_document() {
    let memory = Memory::new().with("shop/test/features", FEATURES);
    let parameters = Parameters::new().source(memory.clone());
    parameters
        .scope(async {
            let flags = CONFIGURATION.get().await.unwrap();
            let value = |k: u64| flags.evaluate::<u8>("f", &json!({ "k": k })).unwrap();
            assert_eq!(value(9_007_199_254_740_993), 1);
            assert_eq!(value(9_007_199_254_740_992), 2);

            memory.put("shop/test/features", r#"{"f": {"default": false}}"#);
            let new = CONFIGURATION.get_fresh().await.unwrap();
            assert!(!new.evaluate::<bool>("f", &()).unwrap());
            assert_eq!(value(1), 2, "what was read does not change");

            memory.put("shop/test/features", "[]");
            let error = CONFIGURATION.get_fresh().await.unwrap_err();
            assert_eq!(error.error_type(), "Powertools.ParameterInvalid");
            assert!(CONFIGURATION.get().await.is_ok(), "the old one is kept");
        })
        .await;
}

#[tokio::test]
async fn a_document_can_be_a_part_of_another_one() {
    let settings = format!(r#"{{"name": "shop", "features": {FEATURES}}}"#);
    let memory = Memory::new().with("/shop/settings", settings);
    let parameters = Parameters::new().source(memory);
    parameters
        .scope(async {
            let shop = PARAMETER.get().await.unwrap();
            assert_eq!(shop.name, "shop");
            let context = json!({ "k": 9_007_199_254_740_993_u64 });
            assert_eq!(shop.features.evaluate::<u8>("f", &context).unwrap(), 1);
        })
        .await;
}
