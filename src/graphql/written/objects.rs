//! Writing objects.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use async_graphql::{ContextSelectionSet, ServerError, ServerResult, Value};
use futures_util::future::try_join_all;

use super::Writable;
use super::json::{write_value, written};
use super::selected::{FieldValue, SelectedField};
use crate::graphql::scope::resolver_span;
use crate::graphql::traced;
use crate::telemetry::{self, Span};

/// Writes one object.
pub async fn write_one<T: Writable>(
    context: &ContextSelectionSet<'_>,
    fields: &[SelectedField<'_>],
    object: &T,
) -> ServerResult<Value> {
    let mut draft = Draft::default();
    draft.object(context, fields, object)?;
    draft.finish().await
}

/// Writes a list of objects. The first failure is the failure of the list, as it is of all lists whose objects cannot be
/// null. Its path leads to the field; async-graphql's ends at the object.
pub async fn write_list<T: Writable>(
    context: &ContextSelectionSet<'_>,
    fields: &[SelectedField<'_>],
    objects: &[T],
) -> ServerResult<Value> {
    let places: Vec<_> = (0..objects.len()).map(|place| context.with_index(place)).collect();
    let mut draft = Draft::default();
    draft.text.push(b'[');
    for (place, (context, object)) in places.iter().zip(objects).enumerate() {
        if place > 0 {
            draft.text.push(b',');
        }
        draft.object(context, fields, object)?;
    }
    draft.text.push(b']');
    draft.finish().await
}

type AwaitedValue<'a> = Pin<Box<dyn Future<Output = ServerResult<Value>> + Send + 'a>>;

/// A text with gaps where values are not known yet.
#[derive(Default)]
struct Draft<'a> {
    text: Vec<u8>,
    /// Where the gaps are, from the first to the last, and what will fill them.
    gaps: Vec<usize>,
    awaited: Vec<AwaitedValue<'a>>,
}

impl<'a> Draft<'a> {
    fn object<T: Writable>(
        &mut self,
        context: &'a ContextSelectionSet<'a>,
        fields: &'a [SelectedField<'a>],
        object: &'a T,
    ) -> ServerResult<()> {
        self.text.push(b'{');
        for (place, selected) in fields.iter().enumerate() {
            if place > 0 {
                self.text.push(b',');
            }
            self.text.extend_from_slice(selected.prefix.as_bytes());
            match selected.value {
                FieldValue::TypeName => write_value(&mut self.text, &Value::from(T::type_name().into_owned())),
                FieldValue::AtHand => write_value(&mut self.text, &at_hand(context, selected, object)?),
                FieldValue::Awaited => {
                    self.gaps.push(self.text.len());
                    self.awaited.push(Box::pin(async move {
                        let context = context.with_field(selected.field);
                        let span = selected.has_span.then(|| resolver_span(&context)).flatten();
                        let resolved =
                            telemetry::at(span.as_ref().map(Span::place), object.resolve_field(&context)).await;
                        Ok(told(span, resolved)?.unwrap_or_default())
                    }));
                }
            }
        }
        self.text.push(b'}');
        Ok(())
    }

    async fn finish(self) -> ServerResult<Value> {
        if self.gaps.is_empty() {
            return Ok(written(self.text));
        }
        let values = try_join_all(self.awaited).await?;
        let mut whole = Vec::with_capacity(2 * self.text.len());
        let mut start = 0;
        for (gap, value) in self.gaps.into_iter().zip(&values) {
            whole.extend_from_slice(&self.text[start..gap]);
            write_value(&mut whole, value);
            start = gap;
        }
        whole.extend_from_slice(&self.text[start..]);
        Ok(written(whole))
    }
}

/// Ends the span of a resolver, where it has one.
fn told<T>(span: Option<Span>, resolved: ServerResult<T>) -> ServerResult<T> {
    if let (Some(span), Err(error)) = (&span, &resolved) {
        traced::fail(span, error);
    }
    resolved
}

/// The value of a field that does not wait. Its future never leaves the stack.
fn at_hand<T: Writable>(
    context: &ContextSelectionSet<'_>,
    selected: &SelectedField<'_>,
    object: &T,
) -> ServerResult<Value> {
    let context = context.with_field(selected.field);
    let span = selected.has_span.then(|| resolver_span(&context)).flatten();
    let future = pin!(object.resolve_field(&context));
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(told(span, value)?.unwrap_or_default()),
        Poll::Pending => {
            let field = &selected.field.node.name.node;
            Err(ServerError::new(format!("{}.{field} waits, which it was not to", T::type_name()), None))
        }
    }
}
