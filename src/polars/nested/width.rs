//! Arrays of width 0, which do not reach a plugin.

use polars::prelude::*;

/// Polars imports an Array of width 0 as one of no rows, and panics when it then slices it: it must be refused when the query
/// is planned, before a plugin gets the column.
///
/// # Errors
///
/// Where a column has Arrays of width 0, at any depth.
pub(crate) fn check_widths(columns: &[Field]) -> PolarsResult<()> {
    match columns.iter().find(|column| has_width_0(column.dtype())) {
        None => Ok(()),
        Some(column) => polars_bail!(
            InvalidOperation: "arrays must have a width of at least 1, but column `{}` is {}; drop it, or cast it to a list",
            column.name(), column.dtype()
        ),
    }
}

fn has_width_0(dtype: &DataType) -> bool {
    match dtype {
        DataType::Array(inner, width) => *width == 0 || has_width_0(inner),
        DataType::List(inner) => has_width_0(inner),
        DataType::Struct(fields) => fields.iter().any(|field| has_width_0(field.dtype())),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_width_0_are_found_at_any_depth() {
        let array = |width| DataType::Array(Box::new(DataType::Float64), width);
        let list = |inner| DataType::List(Box::new(inner));
        let fields = |inner| {
            DataType::Struct(vec![
                Field::new("a".into(), DataType::Int8),
                Field::new("b".into(), inner),
            ])
        };
        let check = |dtype| check_widths(&[Field::new("x".into(), DataType::Null), Field::new("y".into(), dtype)]);
        for dtype in [array(1), list(array(2)), fields(list(array(3)))] {
            assert!(check(dtype).is_ok());
        }
        for dtype in [array(0), list(array(0)), fields(list(array(0)))] {
            let message = check(dtype).expect_err("width 0").to_string();
            assert!(message.contains("column `y` is"), "{message}");
        }
    }
}
