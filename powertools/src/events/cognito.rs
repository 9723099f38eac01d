use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The event of a trigger of a Cognito user pool, which is also the reply: the function fills
/// [`response`](Self::response) and returns the event.
///
/// There is a type for each trigger. Members that it does not have are kept, and are part of the reply.
///
/// ```
/// use lambda_runtime::{Error, LambdaEvent};
/// use powertools::events::CognitoPreSignUp;
///
/// async fn handle(event: LambdaEvent<CognitoPreSignUp>) -> Result<CognitoPreSignUp, Error> {
///     let mut event = event.payload;
///     let email = event.request.user_attributes.get("email").map_or("", String::as_str);
///     if !email.ends_with("@example.com") {
///         return Err("only employees can sign up".into()); // Cognito shows the message to the user.
///     }
///     event.response.auto_confirm_user = Some(true);
///     Ok(event)
/// }
/// # let _ = handle;
/// ```
///
/// | trigger | type |
/// |---|---|
/// | pre sign-up | [`CognitoPreSignUp`] |
/// | post confirmation | [`CognitoPostConfirmation`] |
/// | pre authentication | [`CognitoPreAuthentication`] |
/// | post authentication | [`CognitoPostAuthentication`] |
/// | pre token generation, version 1 | [`CognitoPreTokenGeneration`] |
/// | pre token generation, versions 2 and 3 | [`CognitoPreTokenGenerationV2`] |
/// | custom message | [`CognitoCustomMessage`] |
/// | user migration | [`CognitoUserMigration`] |
/// | define, create and verify an auth challenge | [`CognitoDefineAuthChallenge`], [`CognitoCreateAuthChallenge`], [`CognitoVerifyAuthChallenge`] |
/// | custom sender of emails or SMS | [`CognitoCustomSender`] |
///
/// Cognito waits 5 seconds, and invokes the function up to three times. No member of the event is common
/// to these attempts alone, so the event has no natural key: use what the work is about, such as the user
/// pool, `sub` and the trigger for a message of welcome.
///
/// `Debug` shows neither the attributes of the user nor what the user entered.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CognitoTrigger<Q, R> {
    /// What invoked the function, such as `PreSignUp_AdminCreateUser`.
    pub trigger_source: String,
    /// The id of the user pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_pool_id: Option<String>,
    /// The name of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The application that the user called.
    #[serde(default, deserialize_with = "or_default")]
    pub caller_context: CognitoCaller,
    /// What Cognito knows.
    #[serde(
        default,
        deserialize_with = "or_default",
        bound(deserialize = "Q: Default + Deserialize<'de>")
    )]
    pub request: Q,
    /// What Cognito should do.
    #[serde(
        default,
        deserialize_with = "or_default",
        bound(deserialize = "R: Default + Deserialize<'de>")
    )]
    pub response: R,
    /// The other members.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The application that a user of a Cognito user pool called.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct CognitoCaller {
    /// The id of the app client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The SDK that called Cognito.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_sdk_version: Option<String>,
    /// The other members.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl fmt::Debug for CognitoCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CognitoCaller")
            .field("client_id", &self.client_id)
            .field("aws_sdk_version", &self.aws_sdk_version)
            .finish_non_exhaustive()
    }
}

/// The event of a pre sign-up trigger.
pub type CognitoPreSignUp = CognitoTrigger<CognitoRequest, CognitoSignUp>;
/// The event of a post confirmation trigger. Its response is empty.
pub type CognitoPostConfirmation = CognitoTrigger<CognitoRequest, CognitoNoResponse>;
/// The event of a pre authentication trigger. Its response is empty: an error refuses the user.
pub type CognitoPreAuthentication = CognitoTrigger<CognitoRequest, CognitoNoResponse>;
/// The event of a post authentication trigger. Its response is empty.
pub type CognitoPostAuthentication = CognitoTrigger<CognitoRequest, CognitoNoResponse>;
/// The event of a pre token generation trigger, in version 1.
pub type CognitoPreTokenGeneration = CognitoTrigger<CognitoTokenRequest, CognitoTokens>;
/// The event of a pre token generation trigger, in the versions 2 and 3.
pub type CognitoPreTokenGenerationV2 = CognitoTrigger<CognitoTokenRequest, CognitoTokensV2>;
/// The event of a custom message trigger.
pub type CognitoCustomMessage = CognitoTrigger<CognitoMessageRequest, CognitoMessage>;
/// The event of a user migration trigger.
pub type CognitoUserMigration = CognitoTrigger<CognitoMigrationRequest, CognitoMigratedUser>;
/// The event of a trigger that chooses the next challenge of a custom authentication.
pub type CognitoDefineAuthChallenge = CognitoTrigger<CognitoChallengeRequest, CognitoNextChallenge>;
/// The event of a trigger that creates a challenge of a custom authentication.
pub type CognitoCreateAuthChallenge = CognitoTrigger<CognitoChallengeRequest, CognitoChallenge>;
/// The event of a trigger that verifies the answer to a challenge of a custom authentication.
pub type CognitoVerifyAuthChallenge = CognitoTrigger<CognitoAnswerRequest, CognitoVerdict>;
/// The event of a trigger that sends emails or SMS itself. Its response is ignored.
pub type CognitoCustomSender = CognitoTrigger<CognitoSenderRequest, CognitoNoResponse>;

/// Declares a part of an event: its own members, and the others, which are kept.
macro_rules! part {
    ($(#[$doc:meta])* $name:ident { $($(#[$field:meta])* $member:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Default, Deserialize, Serialize)]
        #[serde(rename_all = "camelCase", default)]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[$field])*
                #[serde(skip_serializing_if = "Member::is_absent", deserialize_with = "Member::read")]
                pub $member: $type,
            )*
            /// The other members.
            #[serde(flatten)]
            rest: Map<String, Value>,
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

part! {
    /// What Cognito knows about a user.
    CognitoRequest {
        /// The attributes of the user, such as `sub` and `email`.
        user_attributes: Attributes,
        /// What the application passed on for validation, at a sign-up and a sign-in.
        validation_data: Attributes,
        /// What the application passed on.
        client_metadata: Attributes,
        /// True if the user signed in from a new device.
        new_device_used: Option<bool>,
        /// True if there is no such user, and the app client hides that.
        user_not_found: Option<bool>,
    }
}

part! {
    /// What Cognito knows about a user for whom it creates tokens.
    CognitoTokenRequest {
        /// The attributes of the user, such as `sub` and `email`.
        user_attributes: Attributes,
        /// The groups and roles of the user.
        group_configuration: Option<CognitoGroups>,
        /// The scopes of the access token, in the versions 2 and 3.
        scopes: Vec<String>,
        /// What the application passed on.
        client_metadata: Attributes,
    }
}

part! {
    /// What Cognito knows about a message that it sends.
    CognitoMessageRequest {
        /// The attributes of the user, such as `sub` and `email`.
        user_attributes: Attributes,
        /// The text that stands for the code. The message must contain it.
        code_parameter: Option<String>,
        /// The text that stands for the name of the user, for a user that an administrator created.
        username_parameter: Option<String>,
        /// A link by which the user confirms an attribute.
        link_parameter: Option<String>,
        /// What the application passed on.
        client_metadata: Attributes,
    }
}

part! {
    /// What a user who is not in the pool yet entered.
    CognitoMigrationRequest {
        /// The password, at a sign-in.
        password: Option<String>,
        /// What the application passed on for validation.
        validation_data: Attributes,
        /// What the application passed on.
        client_metadata: Attributes,
    }
}

part! {
    /// What Cognito knows about a custom authentication.
    CognitoChallengeRequest {
        /// The attributes of the user, such as `sub` and `email`.
        user_attributes: Attributes,
        /// The name of the challenge that is to be created.
        challenge_name: Option<String>,
        /// The challenges until now, and whether the user passed them.
        session: Vec<CognitoChallengeResult>,
        /// What the application passed on.
        client_metadata: Attributes,
        /// True if there is no such user, and the app client hides that.
        user_not_found: Option<bool>,
    }
}

part! {
    /// The answer of a user to a challenge.
    CognitoAnswerRequest {
        /// The attributes of the user, such as `sub` and `email`.
        user_attributes: Attributes,
        /// What the trigger that created the challenge kept for this one.
        private_challenge_parameters: Attributes,
        /// What the user answered. [`is_answer`](Self::is_answer) compares it with what is right.
        challenge_answer: Option<Value>,
        /// What the application passed on.
        client_metadata: Attributes,
        /// True if there is no such user, and the app client hides that.
        user_not_found: Option<bool>,
    }
}

impl CognitoAnswerRequest {
    /// Returns true if the user answered what the trigger that created the challenge kept under this name.
    ///
    /// Returns false if either is absent. A comparison of the two members would approve a user who gives no
    /// answer to a challenge that kept none.
    ///
    /// ```
    /// use lambda_runtime::{Error, LambdaEvent};
    /// use powertools::events::CognitoVerifyAuthChallenge;
    ///
    /// async fn verify(
    ///     event: LambdaEvent<CognitoVerifyAuthChallenge>,
    /// ) -> Result<CognitoVerifyAuthChallenge, Error> {
    ///     let mut event = event.payload;
    ///     event.response.answer_correct = Some(event.request.is_answer("code"));
    ///     Ok(event)
    /// }
    /// # let _ = verify;
    /// ```
    #[must_use]
    pub fn is_answer(&self, name: &str) -> bool {
        let answer = self.challenge_answer.as_ref().and_then(Value::as_str);
        let expected = self.private_challenge_parameters.get(name);
        answer.zip(expected).is_some_and(|(answer, expected)| answer == expected)
    }
}

part! {
    /// What the function is to send.
    CognitoSenderRequest {
        /// The kind of request, such as `customEmailSenderRequestV1`.
        r#type: Option<String>,
        /// The code, encrypted with the key of the user pool.
        code: Option<String>,
        /// The attributes of the user, such as `sub` and `email`.
        user_attributes: Attributes,
        /// What the application passed on.
        client_metadata: Attributes,
    }
}

part! {
    /// The groups and roles of a user.
    CognitoGroups {
        /// The groups.
        groups_to_override: Vec<String>,
        /// The roles of these groups.
        iam_roles_to_override: Vec<String>,
        /// The role that takes precedence.
        preferred_role: Option<String>,
    }
}

part! {
    /// A challenge that a user answered.
    CognitoChallengeResult {
        /// The name of the challenge, such as `CUSTOM_CHALLENGE` or `SRP_A`.
        challenge_name: Option<String>,
        /// True if the user passed it.
        challenge_result: Option<bool>,
        /// What the trigger that created the challenge called it.
        challenge_metadata: Option<String>,
    }
}

part! {
    /// The response of a trigger that has none.
    CognitoNoResponse {}
}

part! {
    /// How a user signs up.
    CognitoSignUp {
        /// Confirms the user.
        auto_confirm_user: Option<bool>,
        /// Marks the email address as verified.
        auto_verify_email: Option<bool>,
        /// Marks the phone number as verified.
        auto_verify_phone: Option<bool>,
    }
}

part! {
    /// The tokens of a user, in version 1.
    CognitoTokens {
        /// What is changed.
        claims_override_details: Option<CognitoClaims>,
    }
}

part! {
    /// Changes of the claims of an identity token.
    CognitoClaims {
        /// Claims that are added or replaced.
        claims_to_add_or_override: Attributes,
        /// Claims that are left out.
        claims_to_suppress: Vec<String>,
        /// Other groups and roles.
        group_override_details: Option<CognitoGroups>,
    }
}

part! {
    /// The tokens of a user, in the versions 2 and 3.
    CognitoTokensV2 {
        /// What is changed.
        claims_and_scope_override_details: Option<CognitoClaimsV2>,
    }
}

part! {
    /// Changes of the tokens of a user, in the versions 2 and 3.
    CognitoClaimsV2 {
        /// Changes of the identity token.
        id_token_generation: Option<CognitoTokenClaims>,
        /// Changes of the access token.
        access_token_generation: Option<CognitoTokenClaims>,
        /// Other groups and roles.
        group_override_details: Option<CognitoGroups>,
    }
}

part! {
    /// Changes of the claims and scopes of a token, in the versions 2 and 3.
    CognitoTokenClaims {
        /// Claims that are added or replaced. Their values are of any type.
        claims_to_add_or_override: BTreeMap<String, Value>,
        /// Claims that are left out.
        claims_to_suppress: Vec<String>,
        /// Scopes that are added to an access token.
        scopes_to_add: Vec<String>,
        /// Scopes that are left out of an access token.
        scopes_to_suppress: Vec<String>,
    }
}

part! {
    /// A message to a user in place of that of the pool.
    CognitoMessage {
        /// The text of an SMS.
        sms_message: Option<String>,
        /// The text of an email.
        email_message: Option<String>,
        /// The subject of an email.
        email_subject: Option<String>,
    }
}

part! {
    /// A user that is created in the pool.
    CognitoMigratedUser {
        /// The attributes of the user.
        user_attributes: Attributes,
        /// `CONFIRMED`, or `RESET_REQUIRED`, which Cognito assumes otherwise.
        final_user_status: Option<String>,
        /// `SUPPRESS` for no message of welcome.
        message_action: Option<String>,
        /// How that message is sent: `EMAIL`, `SMS`.
        desired_delivery_mediums: Vec<String>,
        /// Moves an alias that another user has.
        force_alias_creation: Option<bool>,
        /// Enables SMS as a second factor.
        #[serde(rename = "enableSMSMFA")]
        enable_sms_mfa: Option<bool>,
    }
}

part! {
    /// How a custom authentication continues.
    CognitoNextChallenge {
        /// The name of the next challenge.
        challenge_name: Option<String>,
        /// Ends the authentication with tokens.
        issue_tokens: Option<bool>,
        /// Ends the authentication without tokens.
        fail_authentication: Option<bool>,
    }
}

part! {
    /// A challenge of a custom authentication.
    CognitoChallenge {
        /// What the application receives.
        public_challenge_parameters: Attributes,
        /// What the trigger that verifies the answer receives.
        private_challenge_parameters: Attributes,
        /// A name for the challenge in the session.
        challenge_metadata: Option<String>,
    }
}

part! {
    /// Whether the answer to a challenge is right.
    CognitoVerdict {
        /// True if it is.
        answer_correct: Option<bool>,
    }
}

/// Strings by their names.
type Attributes = BTreeMap<String, String>;

/// A member of a part: null is as good as absent, and what is absent is not written.
trait Member: Sized {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    fn is_absent(&self) -> bool;
}

impl<T: DeserializeOwned> Member for Option<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: DeserializeOwned> Member for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        or_default(deserializer)
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Member for BTreeMap<String, Value> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        or_default(deserializer)
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// Cognito sends strings. Its samples have booleans too, which are read as strings.
impl Member for Attributes {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values: BTreeMap<String, Value> = or_default(deserializer)?;
        let text = |(name, value)| match value {
            Value::String(text) => Some((name, text)),
            Value::Null => None,
            other => Some((name, other.to_string())),
        };
        Ok(values.into_iter().filter_map(text).collect())
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl<Q, R> fmt::Debug for CognitoTrigger<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CognitoTrigger")
            .field("trigger_source", &self.trigger_source)
            .field("user_pool_id", &self.user_pool_id)
            .field("caller_context", &self.caller_context)
            .finish_non_exhaustive()
    }
}
