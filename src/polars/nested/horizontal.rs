//! Across the columns of each row: columns become cells, and their slopes columns again.

use polars::prelude::*;

use super::cells::Cells;
use crate::options::GradientOptions;
use crate::polars::column::Gradient;
use crate::polars::{fields, series};

/// The derivative across columns, in each row by itself: for sensors side by side.
///
/// The neighbours of a value are those in the columns before and after; the formula is that of
/// [`gradient`](crate::gradient).
///
/// - `columns`: of one dtype that `gradient` takes, or all numbers; mixed integers stay exact.
/// - [`x`](GradientOptions::x): lists or arrays of the coordinates of the columns, one for each row or one for all.
///
/// # Returns
///
/// A struct with a field for each column, of its name, called like the first; of the dtype that `gradient` says.
///
/// # Errors
///
/// Those of `gradient`; also where columns have no dtype in common, or their number is not that of the coordinates.
///
/// # Examples
///
/// ```
/// use polars::prelude::*;
/// use polars_grad::{GradientOptions, gradient_horizontal};
///
/// let depths = df!("s0" => [10.0, 20.0], "s1" => [11.0, 19.0], "s2" => [17.0, 16.0])?;
/// let x = Series::new("x".into(), [Series::new("".into(), [0.0, 0.5, 2.0])]);
/// let slopes = gradient_horizontal(depths.columns(), &GradientOptions::new().x(x))?;
/// let expected = df!("s0" => [2.0, -2.0], "s1" => [2.5, -2.0], "s2" => [4.0, -2.0])?;
/// assert_eq!(slopes.struct_()?.clone().unnest(), expected);
/// # PolarsResult::Ok(())
/// ```
pub fn gradient_horizontal(columns: &[Column], options: &GradientOptions<Column>) -> PolarsResult<Column> {
    let columns = series(columns);
    let x = options.x.as_ref().map(Column::as_materialized_series);
    let across = Across::new(&fields(&columns), x.map(|x| x.field()).as_deref(), options)?;
    across.of(&columns, x).map(Column::from)
}

/// The gradient across columns, planned from their dtypes.
pub(crate) struct Across {
    names: Vec<PlSmallStr>,
    /// The dtype that all columns are cast to.
    dtype: DataType,
    gradient: Gradient,
}

impl Across {
    pub(crate) fn new<C: Clone>(
        columns: &[Field],
        x: Option<&Field>,
        options: &GradientOptions<C>,
    ) -> PolarsResult<Self> {
        polars_ensure!(!columns.is_empty(), InvalidOperation: "there must be at least one column, got none");
        let dtype = common_dtype(columns)?;
        let cells = DataType::Array(Box::new(dtype.clone()), columns.len());
        let name = columns.first().map(|column| column.name().clone()).unwrap_or_default();
        Ok(Self {
            names: columns.iter().map(|column| column.name().clone()).collect(),
            dtype,
            gradient: Gradient::new(&Field::new(name, cells), x, &options.clone().axis(1))?,
        })
    }

    /// A struct with the names of the columns.
    #[cfg(feature = "python")]
    pub(crate) fn dtype(&self) -> DataType {
        let DataType::Array(slope, _) = &self.gradient.dtype else {
            unreachable!("the gradient of arrays is one of arrays")
        };
        let fields = self
            .names
            .iter()
            .map(|name| Field::new(name.clone(), (**slope).clone()));
        DataType::Struct(fields.collect())
    }

    pub(crate) fn of(&self, columns: &[Series], x: Option<&Series>) -> PolarsResult<Series> {
        let (rows, width) = (columns[0].len(), columns.len());
        let mut values = Series::new_empty(columns[0].name().clone(), &self.dtype);
        for column in columns {
            // A cast of a time to itself would lose its zone.
            let same = column.dtype() == &self.dtype;
            values.append_owned(if same {
                column.clone()
            } else {
                column.cast(&self.dtype)?
            })?;
        }
        let across = (0..rows).flat_map(|row| (0..width).map(move |column| (column * rows + row) as IdxSize));
        let values = values.take_slice(&across.collect::<Vec<_>>())?;
        let cells = values.reshape_array(&[ReshapeDimension::Infer, ReshapeDimension::new(width as i64)])?;
        let slopes = Cells::new(&self.gradient.inside_cells(&cells, x)?)?;
        let names = self.names.iter().enumerate();
        let slopes = names.map(|(index, name)| Ok(slopes.nth(index)?.with_name(name.clone())));
        let slopes = slopes.collect::<PolarsResult<Vec<_>>>()?;
        Ok(StructChunked::from_series(columns[0].name().clone(), rows, slopes.iter())?.into_series())
    }
}

/// The dtype that holds the values of all columns: mixed integers stay exact.
fn common_dtype(columns: &[Field]) -> PolarsResult<DataType> {
    if let Some(nested) = columns.iter().find(|column| column.dtype().is_nested()) {
        polars_bail!(
            InvalidOperation: "columns must be of numbers or times, but `{}` is {}; differentiate inside of it by `axis`",
            nested.name(), nested.dtype()
        );
    }
    let dtypes = || columns.iter().map(Field::dtype).filter(|dtype| !dtype.is_null());
    let first = dtypes().next().unwrap_or(&DataType::Null);
    if dtypes().all(|dtype| dtype == first) {
        return Ok(first.clone());
    }
    if dtypes().all(DataType::is_integer) {
        return Ok(DataType::Int128);
    }
    if dtypes().all(|dtype| dtype.is_primitive_numeric() || dtype.is_decimal()) {
        return Ok(DataType::Float64);
    }
    let different = columns.iter().find(|column| column.dtype() != first);
    let different = different.unwrap_or(&columns[0]);
    polars_bail!(
        InvalidOperation: "columns must be of one dtype, or all be numbers, but `{}` is {first} and `{}` is {}; cast them first",
        columns[0].name(), different.name(), different.dtype()
    )
}
