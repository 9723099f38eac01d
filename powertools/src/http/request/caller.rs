use sha2::{Digest, Sha256};

use crate::events::http_event::{Authorizer, RequestContext};
use crate::hex::hex;

/// Returns who sent the request, as the front end has verified it, with the kind of the identity in
/// front: an id of one kind is never that of another.
pub(super) fn caller(context: &RequestContext<'_>) -> Option<String> {
    of_authorizer(&context.authorizer()).or_else(|| of_identity(context))
}

fn of_authorizer(authorizer: &Authorizer<'_>) -> Option<String> {
    let Authorizer { principal_id, claims, jwt, iam } = authorizer;
    let claims = jwt.as_ref().and_then(|jwt| jwt.claims.as_ref()).or(claims.as_ref());
    if let Some(subject) = claims.and_then(|claims| some(claims.sub.as_deref())) {
        // A subject is unique among those of its issuer.
        let issuer = claims.and_then(|claims| claims.iss.as_deref()).unwrap_or_default();
        return Some(format!("jwt:{issuer}#{subject}"));
    }
    if let Some(id) = some(principal_id.as_deref()) {
        return Some(format!("principal:{id}"));
    }
    let iam = iam.as_ref()?;
    // Many Cognito identities have one role.
    let cognito = iam.cognito_identity.as_ref().and_then(|cognito| cognito.identity_id.as_deref());
    match some(cognito) {
        Some(id) => Some(format!("cognito:{id}")),
        None => some(iam.user_arn.as_deref()).map(|arn| format!("iam:{arn}")),
    }
}

fn of_identity(context: &RequestContext<'_>) -> Option<String> {
    let identity = context.identity.as_ref()?;
    let kinds = [
        ("cognito", &identity.cognito_identity_id),
        ("iam", &identity.user_arn),
        ("iam", &identity.principal),
        ("api-key", &identity.api_key_id),
    ];
    let mut named = kinds.into_iter().filter_map(|(kind, id)| Some((kind, some(id.as_deref())?)));
    named.next().map(|(kind, id)| format!("{kind}:{id}")).or_else(|| {
        // The key itself is a secret, and a caller is written into logs.
        let key = some(identity.api_key.as_deref())?;
        Some(format!("api-key-sha256:{}", hex(&Sha256::digest(key))))
    })
}

fn some(id: Option<&str>) -> Option<&str> {
    id.filter(|id| !id.is_empty())
}
