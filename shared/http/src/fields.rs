//! The fields of a JSON body, each read once, all complaints gathered.

use serde_json::{Map, Value};
use share_contract::FieldError;
use share_model::Invalid;

use crate::ApiError;

/// A JSON object on its way to typed input.
///
/// A field that is not read is refused, so that a misspelt or forbidden one (`is_active`) is
/// never silently dropped.
#[derive(Default)]
pub struct Fields {
    unread: Map<String, Value>,
    /// The names of the fields that were asked for, present or not.
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// The fields of `object`.
    #[must_use]
    pub fn new(object: Map<String, Value>) -> Self {
        Self { unread: object, known: Vec::new(), errors: Vec::new() }
    }

    /// The text field `name` as `parse` understands it. `None` has been noted as an error.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        if self.lacks(name) { None } else { self.optional(name, parse).flatten() }
    }

    /// The number field `name`, as [`Fields::required`] gives it.
    pub fn required_number<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(i64) -> Result<T, Invalid>,
    ) -> Option<T> {
        if self.lacks(name) { None } else { self.optional_number(name, parse).flatten() }
    }

    /// The field `name`, whatever it is in JSON, as [`Fields::required`] gives it.
    pub fn required_value<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(Value) -> Result<T, Invalid>,
    ) -> Option<T> {
        if self.lacks(name) { None } else { self.optional_value(name, parse).flatten() }
    }

    /// Whether the field `name` is absent, which is then noted as an error.
    fn lacks(&mut self, name: &'static str) -> bool {
        let lacks = matches!(self.unread.get(name), None | Some(Value::Null));
        if lacks {
            self.unread.remove(name);
            self.known.push(name);
            self.refuse(name, "is required");
        }
        lacks
    }

    /// The text field `name`: `Some(None)` when it is absent or null, `None` when it is wrong,
    /// which has been noted as an error.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<Option<T>> {
        self.optional_value(name, |value| match value {
            Value::String(text) => parse(&text),
            _ => Err(Invalid::because("must be a text")),
        })
    }

    /// The number field `name`, as [`Fields::optional`] gives it.
    pub fn optional_number<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(i64) -> Result<T, Invalid>,
    ) -> Option<Option<T>> {
        self.optional_value(name, |value| match value.as_i64() {
            Some(number) => parse(number),
            None => Err(Invalid::because("must be a whole number")),
        })
    }

    /// The field `name`, true or false, as [`Fields::optional`] gives it.
    pub fn optional_flag(&mut self, name: &'static str) -> Option<Option<bool>> {
        self.optional_value(name, |value| {
            value.as_bool().ok_or_else(|| Invalid::because("must be true or false"))
        })
    }

    /// The field `name`, whatever it is in JSON, as [`Fields::optional`] gives it.
    pub fn optional_value<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Value) -> Result<T, Invalid>,
    ) -> Option<Option<T>> {
        self.known.push(name);
        match self.unread.remove(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => match read(value) {
                Ok(value) => Some(Some(value)),
                Err(reason) => {
                    self.refuse(name, &reason.0);
                    None
                }
            },
        }
    }

    /// Names a field that the request has, and that is not among these.
    pub(crate) fn know(&mut self, name: &'static str) {
        self.known.push(name);
    }

    /// Whether a field of this name is still to be read.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.unread.contains_key(name)
    }

    pub(crate) fn refuse(&mut self, field: &str, message: &str) {
        self.errors.push(FieldError { field: field.to_owned(), message: message.to_owned() });
    }

    /// The input that was put together from the fields.
    ///
    /// # Errors
    /// 422 with everything that was noted, when a field was wrong or has not been read.
    pub fn finish<T>(mut self, input: Option<T>) -> Result<T, ApiError> {
        let message = match &self.known[..] {
            [] => "is not a field of this request, which takes none".to_owned(),
            known => format!("is not a field of this request, which takes {}", known.join(", ")),
        };
        // A few are enough to tell; a body can hold half a million.
        for name in std::mem::take(&mut self.unread).keys().take(20) {
            // The name comes from outside and goes back into the answer: keep it short.
            let name: String = name.chars().take(64).collect();
            self.refuse(&name, &message);
        }
        match input {
            Some(input) if self.errors.is_empty() => Ok(input),
            _ => Err(ApiError::fields(self.errors)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: Value) -> Fields {
        let Value::Object(object) = value else { panic!("not an object") };
        Fields::new(object)
    }

    #[expect(clippy::unnecessary_wraps, reason = "as a parser")]
    fn any(text: &str) -> Result<String, Invalid> {
        Ok(text.to_owned())
    }

    #[test]
    fn fields_are_read_by_type_and_null_counts_as_absent() {
        let mut input = fields(json!({"text": "a", "number": 7, "flag": true, "none": null}));
        assert_eq!(input.required("text", any), Some("a".to_owned()));
        assert_eq!(input.optional_number("number", Ok), Some(Some(7)));
        assert_eq!(input.optional_flag("flag"), Some(Some(true)));
        assert_eq!(input.optional("none", any), Some(None));
        assert_eq!(input.optional("absent", any), Some(None));
        assert_eq!(input.finish(Some(1)).unwrap(), 1);
    }

    #[test]
    fn every_wrong_field_is_told_and_so_is_every_unknown_one_with_those_that_there_are() {
        let mut input = fields(json!({
            "text": 1, "number": "7", "fraction": 1.5, "flag": 0, "refused": "x", "is_admin": true,
        }));
        assert_eq!(input.required("missing", any), None);
        assert_eq!(input.required("text", any), None);
        assert_eq!(input.optional_number("number", Ok), None);
        assert_eq!(input.optional_number("fraction", Ok), None);
        assert_eq!(input.optional_flag("flag"), None);
        let refuse = |_: &str| Err::<(), _>(Invalid::because("is not good"));
        assert_eq!(input.optional("refused", refuse), None);
        let sentence = input.finish(Some(())).unwrap_err().sentence();
        for part in [
            "missing is required.",
            "text must be a text.",
            "number must be a whole number.",
            "fraction must be a whole number.",
            "flag must be true or false.",
            "refused is not good.",
            "is_admin is not a field of this request, which takes missing, text, number, fraction, \
             flag, refused.",
        ] {
            assert!(sentence.contains(part), "{part} is not in {sentence}");
        }
    }

    #[test]
    fn of_many_unknown_fields_and_long_names_only_a_part_is_repeated() {
        let names = (0..100).map(|number| (format!("{number:0>100}"), Value::Null));
        let sentence = Fields::new(names.collect()).finish(Some(())).unwrap_err().sentence();
        assert_eq!(sentence.matches("is not a field").count(), 20);
        assert!(sentence.split_whitespace().all(|word| word.len() <= 64));
    }

    #[test]
    fn input_that_could_not_be_put_together_is_an_error_even_without_a_complaint() {
        assert!(Fields::default().finish(None::<()>).is_err());
    }
}
