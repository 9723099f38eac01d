//! The local extensions, by servers that speak as their documentation has it.

use std::collections::BTreeMap;

use hyper::StatusCode;
use powertools::parameters::{
    AppConfigAgent, Configuration, Extension, Memory, Parameter, Parameters, Secret, Value,
};
use powertools_tests::alone_with;
use serde::Deserialize;
use tokio::net::TcpListener;

use super::cache::Warnings;
use super::name;
use super::server::{Reply, Server};

const PARAMETER: Reply = (
    StatusCode::OK,
    &[],
    r#"{"Parameter":{"ARN":"arn:aws:ssm:eu-central-1:1:parameter/a","DataType":"text","LastModifiedDate":"2026-11-28T04:00:00Z","Name":"/a","Selector":null,"SourceResult":null,"Type":"String","Value":"from the extension","Version":7},"ResultMetadata":{}}"#,
);
const ENCRYPTED: Reply = (
    StatusCode::OK,
    &[],
    r#"{"Parameter":{"Name":"/a","Type":"SecureString","Value":"AQICAHh","Version":1},"ResultMetadata":{}}"#,
);
const SECRET: Reply = (
    StatusCode::OK,
    &[],
    r#"{"ARN":"arn:aws:secretsmanager:eu-central-1:1:secret:prod/db-AbCdEf","CreatedDate":"2026-11-28T04:00:00Z","Name":"prod/db","SecretBinary":null,"SecretString":"{\"port\":5432}","VersionId":"v-1","VersionStages":["AWSCURRENT"],"ResultMetadata":{}}"#,
);
const BINARY: Reply =
    (StatusCode::OK, &[], r#"{"Name":"b","SecretBinary":"/wA=","VersionId":"v"}"#);
const NOT_READY: Reply = (StatusCode::BAD_REQUEST, &[], "not ready to serve traffic, please wait");
const REJECTED: Reply = (StatusCode::BAD_REQUEST, &[], "too many requests at the same time");

const FAILED: Reply = (StatusCode::INTERNAL_SERVER_ERROR, &[], "");

#[derive(Deserialize)]
struct Database {
    port: u16,
}

#[test]
fn requests_have_the_form_of_the_documentation() {
    alone_with(&[("AWS_SESSION_TOKEN", "the token")], async {
        let server =
            Server::replying([PARAMETER, PARAMETER, PARAMETER, SECRET, SECRET, SECRET]).await;
        let read = async {
            let name = "/orders/api key";
            let url = Parameter::<String>::plain(name);
            let url = url.get().await.unwrap();
            assert_eq!((&**url, Value::version(&url)), ("from the extension", Some("7")));
            Parameter::<String>::plain(name).decrypt(true).version(3).get().await.unwrap();
            Parameter::<String>::plain(name).label("live").get().await.unwrap();
            let database = Secret::<Database>::json("prod/db").get().await.unwrap();
            assert_eq!((database.port, Value::version(&database)), (5432, Some("v-1")));
            Secret::<Database>::json("prod/db").stage("AWSPREVIOUS").get().await.unwrap();
            Secret::<Database>::json("prod/db").version_id("v-0").get().await.unwrap();
        };
        Parameters::new().source(Extension::new().port(server.port())).scope(read).await;
        let requests = server.requests();
        assert!(requests.iter().all(|request| request.token.as_deref() == Some("the token")));
        let targets: Vec<_> = requests.iter().map(|request| request.target.as_str()).collect();
        assert_eq!(
            targets,
            [
                "/systemsmanager/parameters/get?name=%2Forders%2Fapi%20key",
                "/systemsmanager/parameters/get?name=%2Forders%2Fapi%20key&version=3&withDecryption=true",
                "/systemsmanager/parameters/get?name=%2Forders%2Fapi%20key&label=live",
                "/secretsmanager/get?secretId=prod%2Fdb",
                "/secretsmanager/get?secretId=prod%2Fdb&versionStage=AWSPREVIOUS",
                "/secretsmanager/get?secretId=prod%2Fdb&versionId=v-0",
            ]
        );
    });
}

#[tokio::test]
async fn an_encrypted_parameter_is_not_returned_as_its_value() {
    let server = Server::replying([ENCRYPTED]).await;
    let read = async {
        let encrypted = Parameter::<String>::plain("/a").get().await;
        assert_eq!(name(encrypted), "Powertools.ParameterEncrypted");
        Parameter::<String>::plain("/a").decrypt(true).get().await.unwrap();
    };
    Parameters::new().source(Extension::new().port(server.port())).scope(read).await;
}

#[tokio::test]
async fn a_binary_secret_is_decoded() {
    let server = Server::replying([BINARY]).await;
    let read = async {
        assert_eq!(*Secret::<Vec<u8>>::binary("b").get().await.unwrap(), [0xff, 0]);
    };
    Parameters::new().source(Extension::new().port(server.port())).scope(read).await;
}

#[tokio::test]
async fn an_extension_that_cannot_serve_falls_back() {
    for reply in [NOT_READY, REJECTED, FAILED] {
        let server = Server::replying([reply, PARAMETER]).await;
        let memory = Memory::new().with("/a", "from the fallback");
        let source = Extension::new().port(server.port()).fallback(memory);
        let read = async {
            let url = Parameter::<String>::plain("/a");
            assert_eq!(*url.get().await.unwrap(), "from the fallback", "{reply:?}");
            assert_eq!(*url.get_fresh().await.unwrap(), "from the extension");
        };
        Parameters::new().source(source).scope(read).await;
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn each_kind_of_failure_is_logged_once() {
    let (warnings, _guard) = Warnings::record();
    let server = Server::replying([NOT_READY, NOT_READY, REJECTED, REJECTED, PARAMETER]).await;
    let memory = Memory::new().with("/a", "from the fallback");
    let source = Extension::new().port(server.port()).fallback(memory);
    let read = async {
        let url = Parameter::<String>::plain("/a");
        for warned in [1, 1, 2, 2, 2] {
            url.get_fresh().await.unwrap();
            assert_eq!(warnings.count(), warned);
        }
    };
    Parameters::new().source(source).scope(read).await;
}

#[tokio::test]
async fn an_extension_that_is_not_there_falls_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let memory = Memory::new().with("/a", "from the fallback").with("a/b/c", "a limit");
    let parameters = Parameters::new()
        .source(Extension::new().port(port).fallback(memory.clone()))
        .configurations_from(AppConfigAgent::new().port(port).fallback(memory));
    let read = async {
        assert_eq!(*Secret::<String>::plain("/a").get().await.unwrap(), "from the fallback");
        assert_eq!(*Configuration::<String>::plain("a/b/c").get().await.unwrap(), "a limit");
    };
    parameters.scope(read).await;

    let alone = Parameters::new().source(Extension::new().port(port));
    let read = async { name(Secret::<String>::plain("/a").get().await) };
    assert_eq!(alone.scope(read).await, "Powertools.ParameterUnavailable");
}

#[tokio::test]
async fn what_the_extension_does_not_have_comes_from_the_fallback() {
    let (warnings, _guard) = Warnings::record();
    let server = Server::replying([PARAMETER]).await;
    let memory = Memory::new().with("/orders/a", "from the fallback").with("a/b/c", "a limit");
    let source = Extension::new().port(server.port()).fallback(memory);
    let read = async {
        let all = Parameter::<BTreeMap<String, String>>::path("/orders").get().await.unwrap();
        assert_eq!(all["a"], "from the fallback");
        assert_eq!(*Configuration::<String>::plain("a/b/c").get().await.unwrap(), "a limit");
    };
    Parameters::new().source(source).scope(read).await;
    assert_eq!((warnings.count(), server.requests().len()), (0, 0), "it is no failure");

    let alone = Parameters::new().source(Extension::new().port(server.port()));
    let read = async {
        let error = Parameter::<BTreeMap<String, String>>::path("/orders").get().await;
        let error = error.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.ParameterUnsupported");
        let message = lambda_runtime::Diagnostic::from(error).error_message;
        assert!(message.contains("give it a fallback"), "{message}");
    };
    alone.scope(read).await;
}

#[tokio::test]
async fn what_does_not_exist_is_not_looked_for_in_the_fallback() {
    let cases: [(Reply, _); 3] = [
        (
            (StatusCode::BAD_REQUEST, &[], "operation error SSM: GetParameter, ParameterNotFound"),
            "Powertools.ParameterNotFound",
        ),
        (
            (StatusCode::BAD_REQUEST, &[], "GetSecretValue, AccessDeniedException: not authorized"),
            "Powertools.ParameterAccessDenied",
        ),
        ((StatusCode::UNAUTHORIZED, &[], ""), "Powertools.ParameterAccessDenied"),
    ];
    for (reply, expected) in cases {
        let server = Server::replying([reply]).await;
        let memory = Memory::new().with("/a", "from the fallback");
        let source = Extension::new().port(server.port()).fallback(memory);
        let read = async { name(Parameter::<String>::plain("/a").get().await) };
        assert_eq!(Parameters::new().source(source).scope(read).await, expected);
    }
}

#[tokio::test]
async fn the_agent_returns_a_configuration_with_its_version() {
    let reply: Reply = (StatusCode::OK, &[("Configuration-Version", "3")], r#"{ "port": 8080 }"#);
    let missing: Reply = (StatusCode::NOT_FOUND, &[], "");
    let server = Server::replying([reply, missing]).await;
    let read = async {
        let limits = Configuration::<Database>::json("shop/prod/order limits");
        let limits = limits.get().await.unwrap();
        assert_eq!((limits.port, Value::version(&limits)), (8080, Some("3")));
        let missing = Configuration::<Database>::json("shop/prod/other").get().await;
        assert_eq!(name(missing), "Powertools.ParameterNotFound");
    };
    let agent = AppConfigAgent::new().port(server.port());
    Parameters::new().configurations_from(agent).scope(read).await;
    assert_eq!(
        server.requests()[0].target,
        "/applications/shop/environments/prod/configurations/order%20limits"
    );
}

#[tokio::test]
async fn an_agent_that_cannot_serve_falls_back_with_a_warning_for_each_kind() {
    let (warnings, _guard) = Warnings::record();
    let reply: Reply = (StatusCode::OK, &[], "from the agent");
    let server = Server::replying([NOT_READY, NOT_READY, REJECTED, REJECTED, reply]).await;
    let memory = Memory::new().with("shop/prod/limits", "from the fallback");
    let agent = AppConfigAgent::new().port(server.port()).fallback(memory);
    let read = async {
        let limits = Configuration::<String>::plain("shop/prod/limits");
        for warned in [1, 1, 2, 2] {
            assert_eq!(*limits.get_fresh().await.unwrap(), "from the fallback");
            assert_eq!(warnings.count(), warned);
        }
        assert_eq!(*limits.get_fresh().await.unwrap(), "from the agent");
    };
    Parameters::new().configurations_from(agent).scope(read).await;
    assert_eq!(warnings.count(), 2);
}

#[tokio::test]
async fn a_malformed_response_is_not_quoted() {
    let reply: Reply = (StatusCode::OK, &[], r#"{"SecretString": hunter2}"#);
    let server = Server::replying([reply]).await;
    let read = async {
        let error = Secret::<String>::plain("s").get().await.unwrap_err();
        let message = lambda_runtime::Diagnostic::from(error).error_message;
        assert!(message.contains("malformed") && !message.contains("hunter2"), "{message}");
    };
    Parameters::new().source(Extension::new().port(server.port())).scope(read).await;
}
