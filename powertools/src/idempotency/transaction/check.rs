//! The checks before a transaction is sent.

use std::collections::BTreeSet;

use super::size::size;
use super::typed::is_storable;
use super::{Action, AttributeValue, Condition, Item, Kind, Write, item_size};

/// The maximum number of writes, not counting that of the record.
const WRITES: usize = 99;
/// The maximum size of an item, in bytes.
const ITEM_LIMIT: usize = 400 * 1024;
/// The maximum size of all items of a transaction, in bytes.
const TOTAL_LIMIT: usize = 4 * 1024 * 1024;

/// The item of the record itself, which no write may name.
#[derive(Debug)]
pub(in crate::idempotency) struct Place {
    pub(in crate::idempotency) table: String,
    pub(in crate::idempotency) key: Item,
}

/// Checks the writes of a transaction that completes the record at `own`, which takes `own_size` bytes.
///
/// `region` is that of the store, and `key_of` returns the names of the key attributes of a table, if the
/// store knows them.
pub(in crate::idempotency) fn check(
    writes: &[Write],
    own: Option<&Place>,
    own_size: usize,
    region: Option<&str>,
    key_of: impl Fn(&str) -> Option<Vec<String>>,
) -> Result<(), String> {
    if writes.len() > WRITES {
        return Err(format!(
            "there are {} writes, and a transaction has room for 99",
            writes.len()
        ));
    }
    let mut total = own_size;
    for (index, write) in writes.iter().enumerate() {
        let named = |reason: String| format!("write {index} on table `{}`: {reason}", write.table);
        check_one(write).map_err(named)?;
        total += bytes(write);
    }
    if total > TOTAL_LIMIT {
        return Err(format!("the items have {total} bytes, and a transaction takes {TOTAL_LIMIT}"));
    }
    check_regions(writes, own, region)?;
    check_items(writes, own, key_of)
}

fn check_one(write: &Write) -> Result<(), String> {
    if write.table.is_empty() {
        return Err("the name of the table is empty".to_owned());
    }
    if write.item.is_empty() {
        return Err("the item or key has no attributes".to_owned());
    }
    let size = bytes(write);
    if size > ITEM_LIMIT {
        return Err(format!("the item has {size} bytes, and an item takes {ITEM_LIMIT}"));
    }
    let actions = write.actions.len();
    let has_expression = write.actions.iter().any(|it| matches!(it, Action::Expression(_)));
    match write.kind {
        Kind::Update if actions == 0 => return Err("the update changes nothing".to_owned()),
        Kind::Update if has_expression && actions > 1 => {
            return Err("an update expression replaces single actions".to_owned());
        }
        Kind::Check if write.conditions.is_empty() => {
            return Err("the check has no condition".to_owned());
        }
        _ => {}
    }
    check_actions(write)?;
    let conditions = &write.conditions;
    let has_expression =
        has_expression || conditions.iter().any(|it| matches!(it, Condition::Expression(_)));
    let has_placeholders = !(write.names.is_empty() && write.values.is_empty());
    if has_placeholders && !has_expression {
        return Err("there is no expression for the placeholders".to_owned());
    }
    values(write).try_for_each(check_value)
}

/// Checks that the single actions change no attribute of the key, and none twice.
fn check_actions(write: &Write) -> Result<(), String> {
    let mut changed = BTreeSet::new();
    for action in &write.actions {
        let (Action::Set(name, _) | Action::Add(name, _) | Action::Remove(name)) = action else {
            continue;
        };
        if write.item.get(name).is_some() {
            return Err(format!("the update changes `{name}`, which is part of the key"));
        }
        if !changed.insert(name) {
            return Err(format!("the update changes `{name}` twice"));
        }
    }
    Ok(())
}

/// Returns all values of a write.
fn values(write: &Write) -> impl Iterator<Item = &AttributeValue> {
    let of_actions = write.actions.iter().filter_map(|action| match action {
        Action::Set(_, value) | Action::Add(_, value) => Some(value),
        Action::Remove(_) | Action::Expression(_) => None,
    });
    let of_conditions = write.conditions.iter().filter_map(|condition| match condition {
        Condition::Equals(_, value) => Some(value),
        _ => None,
    });
    let of_item = write.item.iter().map(|(_, value)| value);
    of_item.chain(of_actions).chain(of_conditions).chain(write.values.values())
}

fn check_value(value: &AttributeValue) -> Result<(), String> {
    let number = |text: &String| match is_storable(text) {
        true => Ok(()),
        false => {
            Err("a number has more than 38 digits, is out of range or not a number".to_owned())
        }
    };
    match value {
        AttributeValue::N(text) => number(text),
        AttributeValue::Ns(texts) if !texts.is_empty() => texts.iter().try_for_each(number),
        AttributeValue::L(values) => values.iter().try_for_each(check_value),
        AttributeValue::M(members) => members.values().try_for_each(check_value),
        AttributeValue::Ss(texts) if texts.is_empty() => Err("a set is empty".to_owned()),
        AttributeValue::Ns(_) => Err("a set is empty".to_owned()),
        AttributeValue::Bs(values) if values.is_empty() => Err("a set is empty".to_owned()),
        AttributeValue::Unknown => Err("a value has a type that this version lacks".to_owned()),
        _ => Ok(()),
    }
}

/// Returns the size of the item of a write, as far as the write shows it.
fn bytes(write: &Write) -> usize {
    let actions = write.actions.iter().map(|action| match action {
        Action::Set(name, value) => name.len() + size(value),
        Action::Add(..) | Action::Remove(_) | Action::Expression(_) => 0,
    });
    item_size(&write.item) + actions.sum::<usize>()
}

/// Returns the region of a table that is named by its ARN:
/// `arn:<partition>:dynamodb:<region>:<account>:table/<name>`.
fn region_of(table: &str) -> Option<&str> {
    table.starts_with("arn:").then(|| table.split(':').nth(3)).flatten()
}

/// Returns the name of a table, which is given as such or as its ARN.
pub(in crate::idempotency) fn name_of(table: &str) -> &str {
    match table.starts_with("arn:") {
        true => table.split_once(":table/").map_or(table, |(_, name)| name),
        false => table,
    }
}

fn check_regions(
    writes: &[Write],
    own: Option<&Place>,
    region: Option<&str>,
) -> Result<(), String> {
    let own = own.and_then(|own| region_of(&own.table)).or(region);
    let mut regions = writes.iter().filter_map(|write| region_of(&write.table)).chain(own);
    let Some(first) = regions.next() else { return Ok(()) };
    match regions.find(|region| *region != first) {
        Some(other) => {
            Err(format!("a transaction is in one region, and this one is in {first} and {other}"))
        }
        None => Ok(()),
    }
}

/// Checks that the keys of writes can be keys, that no two writes name the same item, and that none names
/// that of the record.
fn check_items(
    writes: &[Write],
    own: Option<&Place>,
    key_of: impl Fn(&str) -> Option<Vec<String>>,
) -> Result<(), String> {
    let names = |table: &str| -> Option<Vec<String>> {
        let own = own.filter(|own| name_of(&own.table) == table).map(|own| &own.key);
        let keyed = writes.iter().filter(|it| it.kind != Kind::Put && name_of(&it.table) == table);
        let key = own.or_else(|| keyed.map(|write| &write.item).next());
        key.map(|key| key.iter().map(|(name, _)| name.to_owned()).collect())
            .or_else(|| key_of(table))
    };
    let mut keys: Vec<Item> = Vec::new();
    for (index, write) in writes.iter().enumerate() {
        let names = names(name_of(&write.table));
        let is_known = write.kind != Kind::Put || names.is_some();
        let key = key(write, names);
        if is_known && let Some((name, _)) = key.iter().find(|(_, value)| !can_be_key(value)) {
            return Err(format!(
                "write {index} on table `{}`: `{name}` is part of the key, so that it is a string, a number or \
                 bytes, and not empty",
                write.table
            ));
        }
        keys.push(key);
    }
    for (index, write) in writes.iter().enumerate() {
        let table = name_of(&write.table);
        let is_own = |own: &&Place| name_of(&own.table) == table && same(&keys[index], &own.key);
        if own.filter(is_own).is_some() {
            return Err(format!("write {index} names the idempotency record itself"));
        }
        let earlier = &writes[..index];
        let twin = earlier
            .iter()
            .zip(&keys)
            .position(|(other, key)| name_of(&other.table) == table && same(&keys[index], key));
        if let Some(other) = twin {
            return Err(format!("writes {other} and {index} name one item of table `{table}`"));
        }
    }
    Ok(())
}

/// Returns the key of the item of a write, or the whole item of a put if nothing shows which part is
/// its key.
fn key(write: &Write, names: Option<Vec<String>>) -> Item {
    match names {
        Some(names) if write.kind == Kind::Put => write
            .item
            .iter()
            .filter(|(name, _)| names.iter().any(|key| key == name))
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect(),
        _ => write.item.clone(),
    }
}

fn can_be_key(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::S(text) => !text.is_empty(),
        AttributeValue::B(bytes) => !bytes.is_empty(),
        AttributeValue::N(_) => true,
        _ => false,
    }
}

fn same(a: &Item, b: &Item) -> bool {
    a.iter().count() == b.iter().count()
        && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| a.equals(b)))
}

#[cfg(test)]
mod tests {
    use super::super::{Check, Commit, Delete, Put, Update};
    use super::*;

    fn checked(commit: Commit<()>) -> Result<(), String> {
        let table = "arn:aws:dynamodb:eu-central-1:1:table/records".to_owned();
        let own = Place { table, key: Item::new().set("id", "key") };
        check(commit.writes(), Some(&own), 100, Some("eu-central-1"), |_| None)
    }

    fn refusal(commit: Commit<()>) -> String {
        checked(commit).expect_err("it is refused")
    }

    fn row(id: usize) -> Item {
        Item::new().set("id", id)
    }

    #[test]
    fn at_most_99_writes() {
        let writes = |count| {
            let put = |commit: Commit<()>, id| commit.put(Put::new("rows", row(id)));
            (0..count).fold(Commit::new(()), put)
        };
        assert_eq!(checked(writes(99)), Ok(()));
        assert!(refusal(writes(100)).starts_with("there are 100 writes"));
    }

    #[test]
    fn at_most_4_mb_with_the_record() {
        let of = |last: usize| {
            let full = |id: usize| row(id).set("d", "x".repeat(ITEM_LIMIT - 6));
            let commit =
                (10..20).fold(Commit::new(()), |it, id| it.put(Put::new("rows", full(id))));
            commit.put(Put::new("rows", row(20).set("d", "x".repeat(last))))
        };
        let rest = TOTAL_LIMIT - 100 - (10..20).map(|_| ITEM_LIMIT - 6 + 5).sum::<usize>() - 5;
        assert_eq!(checked(of(rest)), Ok(()));
        assert!(refusal(of(rest + 1)).contains("4194305 bytes"));
    }

    #[test]
    fn no_item_over_400_kb() {
        let item = row(1).set("d", "x".repeat(ITEM_LIMIT));
        assert!(refusal(Commit::new(()).put(Put::new("rows", item))).contains("takes 409600"));
        let update = Update::new("rows", row(1)).set("d", "x".repeat(ITEM_LIMIT));
        assert!(refusal(Commit::new(()).update(update)).contains("takes 409600"));
    }

    #[test]
    fn no_two_writes_on_one_item_under_any_name_of_its_table() {
        let arn = "arn:aws:dynamodb:eu-central-1:1:table/rows";
        let number = |text: &str| Item::new().set("id", AttributeValue::N(text.to_owned()));
        let put = Put::new("rows", row(1).set("more", 2));
        let commit = Commit::new(()).put(put).delete(Delete::new(arn, number("1.0")));
        assert_eq!(refusal(commit), "writes 0 and 1 name one item of table `rows`");
        let commit = Commit::new(())
            .delete(Delete::new("rows", row(1)))
            .delete(Delete::new("others", row(1)));
        assert_eq!(checked(commit), Ok(()));
    }

    #[test]
    fn no_write_on_the_record_itself_under_any_name_of_its_table() {
        for table in ["records", "arn:aws:dynamodb:eu-central-1:2:table/records"] {
            let key = || Item::new().set("id", "key");
            for commit in [
                Commit::new(()).delete(Delete::new(table, key())),
                Commit::new(()).put(Put::new(table, key().set("more", 1))),
                Commit::new(()).check(Check::new(table, key()).if_exists("id")),
            ] {
                assert_eq!(refusal(commit), "write 0 names the idempotency record itself");
            }
        }
    }

    #[test]
    fn one_region() {
        let arn = |region| format!("arn:aws:dynamodb:{region}:1:table/rows");
        assert_eq!(
            checked(Commit::new(()).delete(Delete::new(arn("eu-central-1"), row(1)))),
            Ok(())
        );
        let refused = refusal(Commit::new(()).delete(Delete::new(arn("us-east-1"), row(1))));
        assert!(refused.starts_with("a transaction is in one region"), "{refused}");
    }

    #[test]
    fn values_that_dynamodb_lacks() {
        for value in [
            AttributeValue::N("NaN".to_owned()),
            AttributeValue::N("1e300".to_owned()),
            AttributeValue::Ss(Vec::new()),
            AttributeValue::L(vec![AttributeValue::Unknown]),
        ] {
            let put = Put::new("rows", row(1).set("value", value));
            assert!(refusal(Commit::new(()).put(put)).starts_with("write 0 on table `rows`: "));
        }
    }

    #[test]
    fn an_update_changes_no_attribute_of_the_key_and_none_twice() {
        let update = || Update::new("rows", row(1));
        for (update, reason) in [
            (update().set("id", 2), "`id`, which is part of the key"),
            (update().remove("id"), "`id`, which is part of the key"),
            (update().set("n", 1).add("n", 1), "`n` twice"),
            (update().remove("n").remove("n"), "`n` twice"),
        ] {
            let refused = refusal(Commit::new(()).update(update));
            assert!(refused.ends_with(reason), "{refused}");
        }
        assert_eq!(checked(Commit::new(()).update(update().set("n", 1).add("m", 1))), Ok(()));
    }

    #[test]
    fn an_attribute_of_a_key_is_not_empty_and_no_document() {
        let key = |value: AttributeValue| Item::new().set("id", value);
        for value in [
            AttributeValue::S(String::new()),
            AttributeValue::B(Vec::new()),
            AttributeValue::Bool(true),
        ] {
            let delete = Delete::new("rows", key(value.clone()));
            assert!(refusal(Commit::new(()).delete(delete)).contains("`id` is part of the key"));
            // The key of the record's table is known.
            let put = |item| Commit::new(()).put(Put::new("records", item));
            assert!(refusal(put(key(value.clone()))).contains("`id` is part of the key"));
            assert_eq!(checked(put(row(1).set("d", value))), Ok(()));
        }
    }

    #[test]
    fn placeholders_are_for_expressions() {
        let put = || Put::new("rows", row(1)).value(":n", 1);
        assert!(refusal(Commit::new(()).put(put())).contains("no expression"));
        assert_eq!(checked(Commit::new(()).put(put().condition("n > :n"))), Ok(()));
    }

    #[test]
    fn writes_that_do_nothing() {
        assert!(refusal(Commit::new(()).update(Update::new("rows", row(1)))).contains("nothing"));
        assert!(refusal(Commit::new(()).check(Check::new("rows", row(1)))).contains("condition"));
        assert!(refusal(Commit::new(()).put(Put::new("rows", Item::new()))).contains("attributes"));
    }
}
