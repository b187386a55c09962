//! Values in error messages.
//!
//! Polars panics on times with a zone, whose database is not compiled in, and on dates beyond its calendar, at any depth of
//! a nested value.

use polars::prelude::*;
use polars_arrow::temporal_conversions::{
    date32_to_datetime_opt, time64ns_to_time_opt, timestamp_ms_to_datetime_opt, timestamp_ns_to_datetime_opt,
    timestamp_us_to_datetime_opt,
};

/// A value as Polars prints it, but with all digits of a float and with zoned times in UTC.
pub(super) fn display(value: &AnyValue) -> String {
    match value {
        AnyValue::Float64(value) => format!("{value:?}"),
        AnyValue::Float32(value) => format!("{value:?}"),
        AnyValue::Date(days) if date32_to_datetime_opt(*days).is_none() => format!("{days} days since 1970-01-01"),
        AnyValue::Time(nanoseconds) if time64ns_to_time(*nanoseconds).is_none() => {
            format!("{nanoseconds} ns since midnight")
        },
        AnyValue::Datetime(value, unit, zone) => datetime(*value, *unit, zone.is_some()),
        AnyValue::DatetimeOwned(value, unit, zone) => datetime(*value, *unit, zone.is_some()),
        AnyValue::List(values) | AnyValue::Array(values, _) => list(values),
        AnyValue::Struct(..) => structure(&value._iter_struct_av().collect::<Vec<_>>()),
        AnyValue::StructOwned(fields) => structure(&fields.0),
        value => value.to_string(),
    }
}

fn time64ns_to_time(nanoseconds: i64) -> Option<impl Sized> {
    // Polars casts to unsigned first, so that a negative time fails.
    u64::try_from(nanoseconds)
        .ok()
        .and_then(|_| time64ns_to_time_opt(nanoseconds))
}

fn datetime(value: i64, unit: TimeUnit, is_zoned: bool) -> String {
    let (is_in_calendar, symbol) = match unit {
        TimeUnit::Nanoseconds => (timestamp_ns_to_datetime_opt(value).is_some(), "ns"),
        TimeUnit::Microseconds => (timestamp_us_to_datetime_opt(value).is_some(), "μs"),
        TimeUnit::Milliseconds => (timestamp_ms_to_datetime_opt(value).is_some(), "ms"),
    };
    let shown = if is_in_calendar {
        AnyValue::Datetime(value, unit, None).to_string()
    } else {
        format!("{value} {symbol} since 1970-01-01")
    };
    if is_zoned { format!("{shown} UTC") } else { shown }
}

/// At most three values, as Polars abbreviates lists.
fn list(values: &Series) -> String {
    const MAX: usize = 3;
    let shown = |index: usize| {
        values
            .get(index)
            .map_or_else(|_| String::new(), |value| display(&value))
    };
    let length = values.len();
    let mut items: Vec<_> = (0..length.min(MAX)).map(shown).collect();
    if length > MAX {
        items[MAX - 1] = format!("… {}", shown(length - 1));
    }
    format!("[{}]", items.join(", "))
}

fn structure(fields: &[AnyValue]) -> String {
    let fields: Vec<_> = fields.iter().map(display).collect();
    format!("{{{}}}", fields.join(","))
}
