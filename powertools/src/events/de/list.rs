use std::marker::PhantomData;

use serde::de::{self, MapAccess, SeqAccess};

use super::shape::{As, Shape};
use super::{Borrowed, Context, Members, Object};

/// A list of records.
pub(super) struct Records<'a, O, R> {
    context: &'a mut Context,
    of: PhantomData<(O, R)>,
}

impl<'a, O, R> Records<'a, O, R> {
    pub(super) fn new(context: &'a mut Context) -> Self {
        Self { context, of: PhantomData }
    }
}

impl<'de, O: Object, R: From<O>> Shape<'de> for Records<'_, O, R> {
    type Value = Option<Vec<R>>;

    fn nothing(self) -> Self::Value {
        None
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut records = Vec::new();
        loop {
            let mut object = O::default();
            let record = Members { object: &mut object, context: self.context };
            match list.next_element_seed(As(record))? {
                Some(()) => records.push(object.into()),
                None => return Ok(Some(records)),
            }
        }
    }
}

/// An object of lists.
pub(super) struct Lists<'a, O, R> {
    context: &'a mut Context,
    of: PhantomData<(O, R)>,
}

impl<'a, O, R> Lists<'a, O, R> {
    pub(super) fn new(context: &'a mut Context) -> Self {
        Self { context, of: PhantomData }
    }
}

impl<'de, O: Object, R: From<O>> Shape<'de> for Lists<'_, O, R> {
    type Value = Option<Vec<(Box<str>, Vec<R>)>>;

    fn nothing(self) -> Self::Value {
        None
    }

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut lists = Vec::new();
        while let Some(name) = map.next_key_seed(As(Borrowed))? {
            let name = name.unwrap_or_default();
            let records = map.next_value_seed(As(Records::<O, R>::new(self.context)))?;
            // Counting it as an empty list would lose its records.
            let records = records.ok_or_else(|| {
                de::Error::custom(format_args!("`{name}` has no list of records"))
            })?;
            lists.push((name.into(), records));
        }
        Ok(Some(lists))
    }
}
