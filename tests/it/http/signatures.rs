//! Webhooks through the whole stack.

use lambda_runtime::Error;
use powertools::Powertools;
use powertools::http::{Request, Webhook};
use powertools::testing::FakeRuntime;
use serde_json::{Value, json};

use super::{events, problem};

#[tokio::test]
async fn only_signed_requests_reach_the_handler() {
    let github = Webhook::github("It's a Secret to Everybody").unwrap();
    let handle = move |request: Request| {
        let verified = github.verify(&request);
        async move {
            verified?;
            Ok::<_, Error>("received")
        }
    };
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::http(handle).run());
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    for (signature, body, status) in [
        (Some(signature), "Hello, World!", 200),
        (Some(signature), "Hello, World", 403),
        (None, "Hello, World!", 403),
        (Some("sha1=757107ea"), "Hello, World!", 400),
        (Some("sha256=zz"), "Hello, World!", 400),
    ] {
        let mut event = events::function_url("POST", "/");
        event["body"] = body.into();
        if let Some(signature) = signature {
            event["headers"]["x-hub-signature-256"] = signature.into();
        }
        let reply: Value = lambda.invoke(event).await.json();
        assert_eq!(reply["statusCode"], json!(status), "{signature:?}");
        if status != 200 {
            problem(&reply);
        }
    }
}
