//! Secrets of Secrets Manager, on moto.

use powertools::parameters::{Secret, Value};
use powertools_tests::emulators::Emulator;
use powertools_tests::proxy::{Fault, Proxy};

use super::aws::{of, unique};
use super::name;

#[tokio::test]
async fn secrets_are_created_and_read_by_stage_and_version() {
    let Some(moto) = Emulator::first() else { return };
    let login = unique("stages");
    let work = async {
        let current = Secret::<String>::plain(login);
        current.set("one").await.unwrap();
        let first = current.get().await.unwrap();
        current.set("two").await.unwrap();
        let second = current.get().await.unwrap();
        assert_eq!((&**first, &**second), ("one", "two"));
        let previous = Secret::<String>::plain(login).stage("AWSPREVIOUS").get().await.unwrap();
        assert_eq!(*previous, "one");
        let id = Value::version(&first).unwrap().to_owned().leak();
        assert_eq!(*Secret::<String>::plain(login).version_id(id).get().await.unwrap(), "one");
    };
    of(moto.endpoint()).scope(work).await;
}

#[tokio::test]
async fn a_secret_can_be_binary() {
    let Some(moto) = Emulator::first() else { return };
    let key = unique("binary");
    let work = async {
        let secret = Secret::<Vec<u8>>::binary(key);
        secret.set(vec![0xff, 0]).await.unwrap();
        assert_eq!(*secret.get().await.unwrap(), [0xff, 0]);
        let text = Secret::<String>::plain(key).get().await;
        assert_eq!(name(text), "Powertools.ParameterInvalid");
    };
    of(moto.endpoint()).scope(work).await;
}

#[tokio::test]
async fn secrets_that_are_asked_for_together_are_read_in_one_request() {
    let Some(moto) = Emulator::first() else { return };
    let proxy = Proxy::before(moto.endpoint()).await;
    // The second name begins with the first, which a filter by names would find, too.
    let (one, ten, missing) = (unique("batch/s1"), unique("batch/s10"), unique("batch/s1/none"));
    let work = async {
        let [one, ten, missing] = [one, ten, missing].map(Secret::<String>::plain);
        one.set("one").await.unwrap();
        ten.set("ten").await.unwrap();
        let before = proxy.captured().len();
        let (one, ten, missing) = tokio::join!(one.get(), ten.get(), missing.get());
        let (one, ten) = (one.unwrap(), ten.unwrap());
        assert_eq!((&**one, &**ten), ("one", "ten"));
        assert!(Value::version(&one).is_some());
        assert_eq!(name(missing), "Powertools.ParameterNotFound");
        let mut operations: Vec<_> =
            proxy.captured()[before..].iter().map(|request| request.operation.clone()).collect();
        operations.sort();
        assert_eq!(operations, ["BatchGetSecretValue", "GetSecretValue"]);
    };
    of(proxy.endpoint()).scope(work).await;
}

#[tokio::test]
async fn of_secrets_whose_names_begin_with_each_other_each_has_its_own_value() {
    let Some(moto) = Emulator::first() else { return };
    let proxy = Proxy::before(moto.endpoint()).await;
    let names = ["prefix/db", "prefix/db-2", "prefix/db-2-old"].map(unique);
    let part = unique("prefix/db-");
    let work = async {
        for name in names {
            Secret::<String>::plain(name).set(name).await.unwrap();
        }
        let [db, two, old] = names.map(Secret::<String>::plain);
        let before = proxy.captured().len();
        let (second, first) = tokio::join!(two.get(), db.get());
        assert_eq!([&**first.unwrap(), &**second.unwrap()], names[..2]);
        // Half of a name is not a name.
        let part = Secret::<String>::plain(part);
        let (missing, third, first) = tokio::join!(part.get_fresh(), old.get(), db.get_fresh());
        assert_eq!(name(missing), "Powertools.ParameterNotFound");
        assert_eq!([&**first.unwrap(), &**third.unwrap()], [names[0], names[2]]);
        let requests = &proxy.captured()[before..];
        let batches = requests.iter().filter(|request| request.operation == "BatchGetSecretValue");
        assert_eq!(batches.count(), 2);
    };
    of(proxy.endpoint()).scope(work).await;
}

#[tokio::test]
async fn reading_several_secrets_is_not_tried_again_without_the_permission_alone() {
    let Some(moto) = Emulator::first() else { return };
    let (one, two) = (unique("denied/1"), unique("denied/2"));
    for (code, tries) in
        [("AccessDeniedException", 1), ("ExpiredTokenException", 2), ("DecryptionFailure", 2)]
    {
        let proxy = Proxy::before(moto.endpoint()).await;
        let work = async {
            let (one, two) = (Secret::<String>::plain(one), Secret::<String>::plain(two));
            one.set("1").await.unwrap();
            two.set("2").await.unwrap();
            proxy.next("BatchGetSecretValue", Fault::Refuse(code, "no"));
            for _ in 0..2 {
                let (one, two) = tokio::join!(one.get_fresh(), two.get_fresh());
                assert_eq!((&**one.unwrap(), &**two.unwrap()), ("1", "2"));
            }
            let operations = proxy.operations();
            let batches = operations.iter().filter(|operation| *operation == "BatchGetSecretValue");
            assert_eq!(batches.count(), tries, "{code}: {operations:?}");
        };
        of(proxy.endpoint()).scope(work).await;
    }
}
