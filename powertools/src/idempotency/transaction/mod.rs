//! Writes of the user that take effect together with the completion of a record.
//!
//! ```
//! use powertools::idempotency::transaction::{Commit, Item, Put, Update};
//! use powertools::idempotency::{Error, Idempotency, MemoryStore};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! let store = MemoryStore::new();
//! store.create_table("orders", ["id"]);
//! store.create_table("stock", ["sku"]);
//! store.put_item("stock", Item::new().set("sku", "lamp").set("count", 3))?;
//! let idempotency = Idempotency::new(store)?;
//!
//! for _ in 0..2 {
//!     let call = idempotency.operation("order").key("order-7")?;
//!     let receipt = call
//!         .commit(async {
//!             let order = Item::new().set("id", "order-7").set("sku", "lamp");
//!             let lamp = Item::new().set("sku", "lamp");
//!             Ok::<_, Error>(
//!                 Commit::new("ordered".to_owned())
//!                     .put(Put::new("orders", order).if_absent("id"))
//!                     .update(Update::new("stock", lamp).add("count", -1).if_exists("sku")),
//!             )
//!         })
//!         .await?;
//!     assert_eq!(receipt, "ordered");
//! }
//! // Both deliveries of the event together have taken one lamp.
//! assert_eq!(idempotency.store().items("stock")[0].get("count"), Some(&2.into()));
//! # Ok(()) }
//! ```
//!
//! Nothing that an item contains is ever logged: `Debug` shows types and counts.

mod check;
mod commit;
mod size;
mod typed;
mod value;
mod write;

pub(in crate::idempotency) use self::check::{Place, check, name_of};
pub use self::commit::Commit;
pub(in crate::idempotency) use self::size::{digits, item_size};
pub use self::value::{AttributeValue, Item};
pub(in crate::idempotency) use self::write::{Action, Condition, Kind};
pub use self::write::{Check, Delete, Put, Update, Write};
