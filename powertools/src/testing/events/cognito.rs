use serde_json::{Value, json};

use crate::testing::identifiers::REGION;

/// Starts the event of a trigger of a Cognito user pool: `source` is its `triggerSource`, such as
/// `PreSignUp_SignUp`. The user is `ada`.
pub fn cognito(source: &str) -> CognitoEvent {
    let request = json!({ "userAttributes": { "sub": "5f0c11c8", "email": "ada@example.com" } });
    CognitoEvent { source: source.to_owned(), version: 1, request, response: response(source) }
}

/// An event of a Cognito user pool. Created by [`cognito`].
///
/// ```
/// use powertools::testing::events;
///
/// let event = events::cognito("PreSignUp_SignUp").attribute("email", "ada@example.org").build();
/// assert_eq!(event["request"]["userAttributes"]["email"], "ada@example.org");
/// assert_eq!(event["response"]["autoConfirmUser"], false);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct CognitoEvent {
    source: String,
    version: u8,
    request: Value,
    response: Value,
}

impl CognitoEvent {
    /// Sets an attribute of the user.
    pub fn attribute(mut self, name: &str, value: impl Into<String>) -> Self {
        self.request["userAttributes"][name] = Value::String(value.into());
        self
    }

    /// Sets a member of the request, such as `session` or `challengeAnswer`.
    pub fn request(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.request[name] = value.into();
        self
    }

    /// Sets the version of the event, which is 1 by default. The trigger of a pre token generation also
    /// has the versions 2 and 3, with a response of their own.
    ///
    /// ```
    /// use powertools::testing::events;
    ///
    /// let event = events::cognito("TokenGeneration_Authentication").version(2).build();
    /// assert_eq!(event["version"], "2");
    /// assert!(event["response"].get("claimsAndScopeOverrideDetails").is_some());
    /// ```
    pub fn version(mut self, version: u8) -> Self {
        self.version = version;
        if version > 1 && self.source.starts_with("TokenGeneration_") {
            self.response = json!({ "claimsAndScopeOverrideDetails": null });
        }
        self
    }

    /// Creates the event.
    #[must_use]
    pub fn build(self) -> Value {
        json!({
            "version": self.version.to_string(),
            "triggerSource": self.source,
            "region": REGION,
            "userPoolId": format!("{REGION}_Example"),
            "userName": "ada",
            "callerContext": { "awsSdkVersion": "aws-sdk-rust-1", "clientId": "6b2a1c" },
            "request": self.request,
            "response": self.response,
        })
    }
}

/// Returns the response as Cognito sends it, for the function to fill.
fn response(source: &str) -> Value {
    match source.split('_').next() {
        Some("PreSignUp") => {
            json!({ "autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false })
        }
        Some("TokenGeneration") => json!({ "claimsOverrideDetails": null }),
        Some("CustomMessage") => {
            json!({ "smsMessage": null, "emailMessage": null, "emailSubject": null })
        }
        Some("DefineAuthChallenge") => {
            json!({ "challengeName": null, "issueTokens": null, "failAuthentication": null })
        }
        Some("CreateAuthChallenge") => json!({
            "publicChallengeParameters": null,
            "privateChallengeParameters": null,
            "challengeMetadata": null,
        }),
        Some("UserMigration") => json!({
            "userAttributes": null,
            "finalUserStatus": null,
            "messageAction": null,
            "desiredDeliveryMediums": null,
            "forceAliasCreation": null,
            "enableSMSMFA": null,
        }),
        Some("VerifyAuthChallengeResponse") => json!({ "answerCorrect": null }),
        _ => json!({}),
    }
}
