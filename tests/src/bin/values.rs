//! A function whose handler returns a secret from the folder in `VALUES`, for tests of the life of a
//! process.

use std::path::PathBuf;

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::parameters::{Files, Parameters, Secret};

static PASSWORD: Secret<String> = Secret::plain("password");

#[tokio::main]
async fn main() -> Result<(), Error> {
    let folder = PathBuf::from(std::env::var("VALUES")?);
    let file = folder.join("password");
    Powertools::new(handle)
        .warm_up_required("password", || PASSWORD.get())
        .after_restore(move || {
            let file = file.clone();
            async move { std::fs::write(file, "after the restore") }
        })
        .parameters(Parameters::new().source(Files::new(folder)))
        .run()
        .await
}

async fn handle(event: LambdaEvent<String>) -> Result<String, Error> {
    if event.payload == "forget" {
        std::fs::remove_file(PathBuf::from(std::env::var("VALUES")?).join("password"))?;
    }
    Ok(PASSWORD.get().await?.to_string())
}
