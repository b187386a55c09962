//! Nested columns as flat values and the layout of their cells, and back.

use std::iter::repeat_n;
use std::ops::Range;

use polars::prelude::*;
use polars_arrow::array::{FixedSizeListArray, ListArray};
use polars_arrow::bitmap::{Bitmap, MutableBitmap};
use polars_arrow::offset::{Offsets, OffsetsBuffer};

use crate::polars::take::{take, take_or_null};

/// The innermost dtype of nested cells; the dtype itself for a flat column.
pub(crate) fn leaf(dtype: &DataType) -> &DataType {
    match dtype {
        DataType::List(inner) | DataType::Array(inner, _) => leaf(inner),
        flat => flat,
    }
}

/// The number of axes inside of the cells of a column.
pub(crate) fn axes(dtype: &DataType) -> usize {
    match dtype {
        DataType::List(inner) | DataType::Array(inner, _) => 1 + axes(inner),
        _ => 0,
    }
}

/// The same nesting with another innermost dtype.
pub(crate) fn with_leaf(dtype: &DataType, leaf: DataType) -> DataType {
    match dtype {
        DataType::List(inner) => DataType::List(Box::new(with_leaf(inner, leaf))),
        DataType::Array(inner, width) => DataType::Array(Box::new(with_leaf(inner, leaf)), *width),
        _ => leaf,
    }
}

/// The number of leaf values; an upper bound if lists hold unreferenced values.
pub(crate) fn leaf_count(column: &Series) -> usize {
    match column.dtype() {
        DataType::Array(..) => column.array().map_or(0, |cells| leaf_count(&cells.get_inner())),
        DataType::List(_) => column.list().map_or(0, |cells| leaf_count(&cells.get_inner())),
        _ => column.len(),
    }
}

/// A column of lists or arrays. Null lists are empty, and the values of null arrays are null; lists are in one chunk.
pub(crate) struct Cells {
    column: Series,
    layout: Layout,
    values: Series,
    validity: Option<Bitmap>,
}

/// Which of the values are in each cell.
#[derive(PartialEq)]
enum Layout {
    Arrays { width: usize },
    Lists { offsets: OffsetsBuffer<i64> },
}

impl Cells {
    pub(crate) fn new(column: &Series) -> PolarsResult<Self> {
        let is_list = matches!(column.dtype(), DataType::List(_));
        let column = if is_list { column.rechunk() } else { column.clone() };
        let column = column.trim_lists_to_normalized_offsets().unwrap_or(column);
        let column = column.propagate_nulls().unwrap_or(column);
        let column = if is_list { empty_null_lists(column)? } else { column };
        let (layout, values) = if let DataType::Array(_, width) = column.dtype() {
            (Layout::Arrays { width: *width }, column.array()?.get_inner())
        } else {
            let lists = column.list()?;
            let offsets = lists.downcast_as_array().offsets().clone();
            (Layout::Lists { offsets }, lists.get_inner())
        };
        Ok(Self {
            layout,
            values,
            validity: column.rechunk_validity(),
            column,
        })
    }

    pub(crate) fn name(&self) -> &str {
        self.column.name()
    }

    pub(crate) fn len(&self) -> usize {
        self.column.len()
    }

    /// The values of all cells, cell after cell.
    pub(crate) fn values(&self) -> &Series {
        &self.values
    }

    /// The range of a cell in [`values`](Self::values).
    pub(crate) fn range(&self, cell: usize) -> Range<usize> {
        match &self.layout {
            Layout::Arrays { width } => cell * width..(cell + 1) * width,
            Layout::Lists { offsets } => {
                let (start, end) = offsets.start_end(cell);
                start..end
            },
        }
    }

    /// The cell that holds a value, by the index of the value.
    pub(crate) fn cell_of(&self, value: usize) -> usize {
        match &self.layout {
            Layout::Arrays { width } => value / width,
            Layout::Lists { offsets } => offsets.as_slice().partition_point(|&start| start <= value as i64) - 1,
        }
    }

    /// The width of arrays.
    pub(crate) fn width(&self) -> Option<usize> {
        match self.layout {
            Layout::Arrays { width } => Some(width),
            Layout::Lists { .. } => None,
        }
    }

    /// The number of values in a cell; `None` if it is null.
    pub(crate) fn length(&self, cell: usize) -> Option<usize> {
        let is_valid = self.validity.as_ref().is_none_or(|validity| validity.get_bit(cell));
        is_valid.then(|| self.range(cell).len())
    }

    /// Which of the values are the first of their cell.
    pub(crate) fn starts(&self) -> Bitmap {
        let mut starts = MutableBitmap::from_len_zeroed(self.values.len());
        for range in (0..self.len()).map(|cell| self.range(cell)) {
            if !range.is_empty() {
                starts.set(range.start, true);
            }
        }
        starts.into()
    }

    /// The values laid out like those of `other`; null where a cell is null or of another length.
    ///
    /// A single cell is repeated for each of the others.
    pub(crate) fn values_like(&self, other: &Self) -> PolarsResult<Series> {
        if self.len() == other.len() && self.layout == other.layout {
            return Ok(self.values.clone());
        }
        let mut indices = Vec::with_capacity(other.values.len());
        for cell in 0..other.len() {
            let (own, length) = (self.broadcast_index(cell), other.range(cell).len());
            let first = self
                .length(own)
                .filter(|&own| own == length)
                .map(|_| self.range(own).start);
            indices.extend((0..length).map(|index| first.map(|first| (first + index) as IdxSize)));
        }
        take_or_null(&self.values, &IdxCa::from_iter(indices))
    }

    /// The cell of a row: the only one if a single cell is broadcast.
    pub(crate) fn broadcast_index(&self, row: usize) -> usize {
        if self.len() == 1 { 0 } else { row }
    }

    /// The value at one index of each cell; null where a cell is shorter.
    pub(crate) fn nth(&self, index: usize) -> PolarsResult<Series> {
        let indices = (0..self.len()).map(|cell| self.range(cell).nth(index).map(|value| value as IdxSize));
        take_or_null(&self.values, &indices.collect())
    }

    /// Transposes values from index-major order, the first value of every cell first, to the order of the cells; null where
    /// `values` ends before.
    pub(crate) fn transpose(&self, values: &Series) -> PolarsResult<Series> {
        let (cells, count) = (self.len(), values.len());
        let indices = (0..cells).flat_map(|cell| (0..self.range(cell).len()).map(move |index| index * cells + cell));
        let indices = indices.map(|index| (index < count).then_some(index as IdxSize));
        take_or_null(values, &indices.collect())
    }

    /// The index of each value's cell.
    pub(crate) fn cell_indices(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).flat_map(|cell| repeat_n(cell, self.range(cell).len()))
    }

    /// A bit per cell → a bit per value.
    pub(crate) fn expand(&self, bits: &Bitmap) -> Bitmap {
        let mut values = MutableBitmap::from_len_set(self.values.len());
        for cell in (!bits).true_idx_iter() {
            for value in self.range(cell) {
                values.set(value, false);
            }
        }
        values.into()
    }

    /// Each row's cell of `column`, a row of which belongs to one cell here.
    pub(crate) fn repeat_for_values(&self, column: &Series) -> PolarsResult<Series> {
        let rows: Vec<_> = self.cell_indices().map(|cell| cell as IdxSize).collect();
        take(column, &rows)
    }

    /// Lists with as many nulls in each null list as `length` says; `None` if no list is null, or the cells are arrays.
    pub(crate) fn pad_null_lists(&self, length: impl Fn(usize) -> usize) -> PolarsResult<Option<Self>> {
        if self.validity.is_none() || self.width().is_some() {
            return Ok(None);
        }
        let mut offsets = Offsets::<i64>::with_capacity(self.len());
        let mut indices = Vec::with_capacity(self.values.len());
        for cell in 0..self.len() {
            let start = indices.len();
            if self.length(cell).is_some() {
                indices.extend(self.range(cell).map(|value| Some(value as IdxSize)));
            } else {
                indices.extend(repeat_n(None, length(cell)));
            }
            offsets.try_push(indices.len() - start)?;
        }
        Ok(Some(Self {
            column: self.column.clone(),
            layout: Layout::Lists {
                offsets: offsets.into(),
            },
            values: take_or_null(&self.values, &indices.into_iter().collect())?,
            validity: self.validity.clone(),
        }))
    }

    /// Values laid out like these cells → laid out like those before [`pad_null_lists`](Self::pad_null_lists).
    pub(crate) fn unpad(&self, values: &Series, before: &Self) -> PolarsResult<Series> {
        let of_cell = |cell: usize| {
            let first = self.length(cell).map(|_| self.range(cell).start);
            (0..before.range(cell).len()).map(move |index| first.map(|first| (first + index) as IdxSize))
        };
        take_or_null(values, &(0..self.len()).flat_map(of_cell).collect())
    }

    /// The same cells with other values.
    pub(crate) fn with_values(&self, values: &Series) -> PolarsResult<Series> {
        match self.layout {
            Layout::Arrays { width } => Ok(self.with_arrays(values, width)),
            Layout::Lists { .. } => {
                let replace = |_| Ok(values.clone());
                Ok(self.column.list()?.apply_to_inner(&replace)?.into_series())
            },
        }
    }

    /// Arrays in the chunks of their values, without a copy unless a chunk ends within an array.
    fn with_arrays(&self, values: &Series, width: usize) -> Series {
        let length_of = |chunk: &ArrayRef| chunk.len().checked_div(width).unwrap_or(self.len());
        // Of width 0 the values say nothing about the number of arrays: one chunk holds them all.
        let are_whole = width > 0 && values.chunk_lengths().all(|length| length % width == 0);
        let values = if are_whole { values.clone() } else { values.rechunk() };
        let mut first = 0;
        let arrays = values.chunks().iter().map(|chunk| {
            let length = length_of(chunk);
            let validity = self
                .validity
                .as_ref()
                .map(|validity| validity.clone().sliced(first, length));
            first += length;
            let dtype = FixedSizeListArray::default_datatype(chunk.dtype().clone(), width);
            FixedSizeListArray::new(dtype, length, chunk.clone(), validity).boxed()
        });
        let dtype = DataType::Array(Box::new(values.dtype().clone()), width);
        // SAFETY: the chunks are arrays of the values' own dtype.
        unsafe { Series::from_chunks_and_dtype_unchecked(self.column.name().clone(), arrays.collect(), &dtype) }
    }
}

/// Lists, in one chunk, without the values that null ones may hold.
///
/// Whether they hold any depends on how the lists were made; the result must not.
fn empty_null_lists(column: Series) -> PolarsResult<Series> {
    let lists = column.list()?;
    let array = lists.downcast_as_array();
    let (offsets, Some(validity)) = (array.offsets(), array.validity()) else {
        return Ok(column);
    };
    if (!validity).true_idx_iter().all(|cell| offsets.length_at(cell) == 0) {
        return Ok(column);
    }
    let mut kept = Offsets::<i64>::with_capacity(array.len());
    let mut indices = Vec::new();
    for (cell, is_valid) in validity.iter().enumerate() {
        let (start, end) = offsets.start_end(cell);
        let range = if is_valid { start..end } else { start..start };
        kept.try_push(range.len())?;
        indices.extend(range.map(|value| value as IdxSize));
    }
    let values = take(&lists.get_inner(), &indices)?.rechunk().chunks()[0].clone();
    let dtype = ListArray::<i64>::default_datatype(values.dtype().clone());
    let array = ListArray::new(dtype, kept.into(), values, Some(validity.clone())).boxed();
    // SAFETY: the values are those of the column, so their dtype is too.
    let lists = unsafe { Series::from_chunks_and_dtype_unchecked(column.name().clone(), vec![array], column.dtype()) };
    Ok(lists)
}

/// A column cut into chunks of the given lengths.
pub(crate) fn in_chunks(column: &Series, lengths: impl Iterator<Item = usize> + Clone) -> PolarsResult<Series> {
    if column.chunk_lengths().eq(lengths.clone()) {
        return Ok(column.clone());
    }
    let column = column.rechunk();
    let mut start = 0;
    let mut whole = column.clear();
    for length in lengths {
        whole.append_owned(column.slice(start, length))?;
        start += length as i64;
    }
    Ok(whole)
}
