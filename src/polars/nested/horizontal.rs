//! Across the columns of each row: columns become cells, and their slopes columns again.

use polars::prelude::*;

use super::cells::{Cells, axes};
use crate::domain::Domain;
use crate::inputs::Inputs;
use crate::operators::{Gradient, Operator};
use crate::polars::evaluator::Evaluator;
use crate::polars::groups::broadcast;
use crate::polars::unsorted::Remedy;
use crate::polars::{fields, series};

/// The derivative across columns, in each row by itself, such as across sensors.
///
/// The neighbours of a value are those in the columns before and after; the formula is that of
/// [`Gradient`].
///
/// - `columns`: of one dtype that `gradient` takes, or all numbers. Differences of mixed integers and Decimals are exact,
///   unless a row has a value that does not fit the 38 digits of their common Decimal; with floats among them all are
///   `Float64`.
/// - [`x`](Domain::x): lists or arrays of the coordinates of the columns, one for each row or one for all.
///
/// # Returns
///
/// A struct named like the first column, with a field for each column, of its name and of the dtype that `gradient`
/// gives.
///
/// # Errors
///
/// Those of `gradient`; also where columns have no dtype in common, or their number is not that of the coordinates.
///
/// # Examples
///
/// ```
/// use polars::prelude::*;
/// use polars_grad::{Domain, Gradient, gradient_horizontal};
///
/// let depths = df!("s0" => [10.0, 20.0], "s1" => [11.0, 19.0], "s2" => [17.0, 16.0])?;
/// let x = Series::new("x".into(), [Series::new("".into(), [0.0, 0.5, 2.0])]);
/// let slopes = gradient_horizontal(depths.columns(), Gradient::new(), &Domain::new().x(x))?;
/// let expected = df!("s0" => [2.0, -2.0], "s1" => [2.5, -2.0], "s2" => [4.0, -2.0])?;
/// assert_eq!(slopes.struct_()?.clone().unnest(), expected);
/// # PolarsResult::Ok(())
/// ```
pub fn gradient_horizontal(columns: &[Column], gradient: Gradient, domain: &Domain<Column>) -> PolarsResult<Column> {
    let columns = series(columns);
    let x = domain.x.as_ref().map(Column::as_materialized_series);
    let across = Across::new(
        &gradient.into(),
        &fields(&columns),
        x.map(|x| x.field()).as_deref(),
        domain,
    )?;
    across.of(&columns, x).map(Column::from)
}

/// The gradient across columns, planned from their dtypes.
pub(crate) struct Across {
    names: Vec<PlSmallStr>,
    exact: AcrossAs,
    /// For rows with a value that the exact dtype does not hold.
    rounded: Option<AcrossAs>,
}

impl Across {
    pub(crate) fn new<C: Clone>(
        operator: &Operator,
        columns: &[Field],
        x: Option<&Field>,
        domain: &Domain<C>,
    ) -> PolarsResult<Self> {
        polars_ensure!(!columns.is_empty(), InvalidOperation: "there must be at least one column, got none");
        if let Some(x) = x.filter(|x| axes(x.dtype()) != 1) {
            polars_bail!(
                InvalidOperation: "`x` must be a List or an Array with a coordinate for each of the {} columns, but column \
                `{}` is {}",
                columns.len(), x.name(), x.dtype()
            );
        }
        let (dtype, holds_all) = common_dtype(columns)?;
        let domain = domain.clone().axis(1);
        let across_as = |dtype| AcrossAs::new(operator, dtype, columns, x, &domain);
        Ok(Self {
            names: columns.iter().map(|column| column.name().clone()).collect(),
            exact: across_as(dtype)?,
            rounded: (!holds_all).then(|| across_as(DataType::Float64)).transpose()?,
        })
    }

    /// A struct with the names of the columns.
    #[cfg(feature = "python")]
    pub(crate) fn dtype(&self) -> DataType {
        let slope = super::cells::leaf(&self.exact.evaluator.dtype);
        let fields = self.names.iter().map(|name| Field::new(name.clone(), slope.clone()));
        DataType::Struct(fields.collect())
    }

    pub(crate) fn of(&self, columns: &[Series], x: Option<&Series>) -> PolarsResult<Series> {
        let rows = columns
            .iter()
            .map(|column| column.len())
            .find(|&rows| rows != 1)
            .unwrap_or(1);
        let columns = columns.iter().map(|column| broadcast(column, rows));
        let columns = columns.collect::<PolarsResult<Vec<_>>>()?;
        let (mut slopes, overflow) = self.exact.slopes(&columns, x)?;
        if let (Some(rounded), Some(overflow)) = (&self.rounded, overflow) {
            // Row by row, so that a result does not depend on other rows of its chunk.
            for (slope, rounded) in slopes.iter_mut().zip(rounded.slopes(&columns, x)?.0) {
                *slope = rounded.zip_with(&overflow, slope)?;
            }
        }
        let slopes = slopes.into_iter().zip(&self.names);
        let slopes: Vec<_> = slopes.map(|(slope, name)| slope.with_name(name.clone())).collect();
        Ok(StructChunked::from_series(columns[0].name().clone(), slopes[0].len(), slopes.iter())?.into_series())
    }
}

/// The gradient across columns cast to one dtype.
struct AcrossAs {
    dtype: DataType,
    evaluator: Evaluator,
}

impl AcrossAs {
    fn new<C>(
        operator: &Operator,
        dtype: DataType,
        columns: &[Field],
        x: Option<&Field>,
        domain: &Domain<C>,
    ) -> PolarsResult<Self> {
        let cells = DataType::Array(Box::new(dtype.clone()), columns.len());
        let y = Field::new(columns[0].name().clone(), cells);
        Ok(Self {
            dtype,
            evaluator: Evaluator {
                remedy: Remedy::Columns,
                ..Evaluator::new(operator, Inputs::new(&y, x), domain)?
            },
        })
    }

    /// The slopes of each column, and the rows where a cast has lost a value, if there are any.
    fn slopes(&self, columns: &[Series], x: Option<&Series>) -> PolarsResult<(Vec<Series>, Option<BooleanChunked>)> {
        let (rows, width) = (columns[0].len(), columns.len());
        let mut values = Series::new_empty(columns[0].name().clone(), &self.dtype);
        let mut overflow: Option<BooleanChunked> = None;
        for column in columns {
            // A cast of a time to itself would lose its zone.
            let same = column.dtype() == &self.dtype;
            let cast = if same {
                column.clone()
            } else {
                column.cast(&self.dtype)?
            };
            if cast.null_count() > column.null_count() {
                let lost = cast.is_null() & column.is_not_null();
                overflow = Some(overflow.map_or_else(|| lost.clone(), |overflow| overflow | lost.clone()));
            }
            values.append_owned(cast)?;
        }
        let across = (0..rows).flat_map(|row| (0..width).map(move |column| (column * rows + row) as IdxSize));
        let values = values.take_slice(&across.collect::<Vec<_>>())?;
        let cells = values.reshape_array(&[ReshapeDimension::Infer, ReshapeDimension::new(width as i64)])?;
        let slopes = Cells::new(&self.evaluator.inside_cells(Inputs::new(&cells, x))?)?;
        let slopes = (0..width)
            .map(|column| slopes.nth(column))
            .collect::<PolarsResult<_>>()?;
        let overflow = overflow.filter(BooleanChunked::any);
        Ok((slopes, overflow))
    }
}

/// The dtype in which the differences of all columns are exact, and whether it holds every value of theirs.
fn common_dtype(columns: &[Field]) -> PolarsResult<(DataType, bool)> {
    /// The digits that a Decimal holds.
    const DIGITS: usize = 38;
    if let Some(nested) = columns.iter().find(|column| column.dtype().is_nested()) {
        polars_bail!(
            InvalidOperation: "columns must be of numbers or times, but `{}` is {}; differentiate inside of it with `axis`",
            nested.name(), nested.dtype()
        );
    }
    let fields = || columns.iter().filter(|column| !column.dtype().is_null());
    let dtypes = || fields().map(Field::dtype);
    let first = fields().next().unwrap_or(&columns[0]);
    let Some(different) = fields().find(|column| column.dtype() != first.dtype()) else {
        return Ok((first.dtype().clone(), true));
    };
    if dtypes().all(DataType::is_integer) {
        let holds_all = !dtypes().any(|dtype| dtype == &DataType::UInt128);
        return Ok((DataType::Int128, holds_all));
    }
    if dtypes().all(|dtype| dtype.is_integer() || dtype.is_decimal()) {
        let scale = dtypes().map(|dtype| match dtype {
            DataType::Decimal(_, scale) => *scale,
            _ => 0,
        });
        return Ok((DataType::Decimal(DIGITS, scale.max().unwrap_or(0)), false));
    }
    if dtypes().all(|dtype| dtype.is_primitive_numeric() || dtype.is_decimal()) {
        return Ok((DataType::Float64, true));
    }
    polars_bail!(
        InvalidOperation: "columns must be of one dtype, or all be numbers, but `{}` is {} and `{}` is {}; cast them first",
        first.name(), first.dtype(), different.name(), different.dtype()
    )
}
