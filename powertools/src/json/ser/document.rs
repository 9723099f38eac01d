//! Documents that are part of a value.

use super::WriteError;
use super::members::Members;
use super::writer::{Form, Writer};
use crate::json::{Json, Number};

impl Writer {
    fn number(&mut self, number: &Number) -> Result<(), WriteError> {
        match number.as_str() {
            "-0" => self.word("0"),
            digits if number.is_integer() => self.word(digits),
            _ => self.float(number.to_f64())?,
        }
        Ok(())
    }

    /// Writes a document that is part of the value.
    pub(super) fn raw(&mut self, text: &str) -> Result<(), WriteError> {
        if self.form != Form::Canonical {
            self.word(text);
            return Ok(());
        }
        let json: Json = text.parse().map_err(|error| WriteError(format!("raw JSON: {error}")))?;
        self.json(&json)
    }

    fn json(&mut self, json: &Json) -> Result<(), WriteError> {
        match json {
            Json::Null => self.word("null"),
            Json::Bool(true) => self.word("true"),
            Json::Bool(false) => self.word("false"),
            Json::Number(number) => self.number(number)?,
            Json::String(text) => _ = self.string(text),
            Json::Array(items) => {
                self.open(b'[')?;
                for item in items {
                    self.next_item();
                    self.json(item)?;
                }
                self.close(b']');
            }
            Json::Object(members) => {
                let mut object = Members::open(self)?;
                for (name, value) in members {
                    object.name(self, name);
                    self.json(value)?;
                    object.end_member(self);
                }
                object.close(self);
            }
        }
        Ok(())
    }
}
