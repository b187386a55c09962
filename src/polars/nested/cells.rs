//! Nested columns: the values in their cells, where each cell begins, and back to a column of cells.

use std::iter::repeat_n;
use std::ops::Range;

use polars::prelude::*;
use polars_arrow::array::FixedSizeListArray;
use polars_arrow::bitmap::{Bitmap, MutableBitmap};
use polars_arrow::offset::OffsetsBuffer;

/// The dtype of what lies innermost in the cells of a column; its own if it has none.
pub(crate) fn leaf(dtype: &DataType) -> &DataType {
    match dtype {
        DataType::List(inner) | DataType::Array(inner, _) => leaf(inner),
        flat => flat,
    }
}

/// How many axes the cells of a column have.
pub(crate) fn axes(dtype: &DataType) -> usize {
    match dtype {
        DataType::List(inner) | DataType::Array(inner, _) => 1 + axes(inner),
        _ => 0,
    }
}

/// A dtype of the same cells with something else innermost.
pub(crate) fn with_leaf(dtype: &DataType, leaf: DataType) -> DataType {
    match dtype {
        DataType::List(inner) => DataType::List(Box::new(with_leaf(inner, leaf))),
        DataType::Array(inner, width) => DataType::Array(Box::new(with_leaf(inner, leaf)), *width),
        _ => leaf,
    }
}

/// How many values there are innermost; about, where lists have some that no cell shows.
pub(crate) fn count(column: &Series) -> usize {
    match column.dtype() {
        DataType::Array(..) => column.array().map_or(0, |cells| count(&cells.get_inner())),
        DataType::List(_) => column.list().map_or(0, |cells| count(&cells.get_inner())),
        _ => column.len(),
    }
}

/// A column of lists or arrays. Values in a cell that is null are null; lists are in one chunk.
pub(crate) struct Cells {
    column: Series,
    layout: Layout,
    values: Series,
    validity: Option<Bitmap>,
}

/// Where the values of each cell are.
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

    /// The values of all cells, one cell after the other.
    pub(crate) fn values(&self) -> &Series {
        &self.values
    }

    /// The places of a cell's values among those of all.
    pub(crate) fn places(&self, cell: usize) -> Range<usize> {
        match &self.layout {
            Layout::Arrays { width } => cell * width..(cell + 1) * width,
            Layout::Lists { offsets } => {
                let (start, end) = offsets.start_end(cell);
                start..end
            },
        }
    }

    /// The cell that a value is in.
    pub(crate) fn cell_of(&self, place: usize) -> usize {
        match &self.layout {
            Layout::Arrays { width } => place / width,
            Layout::Lists { offsets } => offsets.as_slice().partition_point(|&start| start <= place as i64) - 1,
        }
    }

    /// The number of values in each cell, if these are arrays.
    pub(crate) fn width(&self) -> Option<usize> {
        match self.layout {
            Layout::Arrays { width } => Some(width),
            Layout::Lists { .. } => None,
        }
    }

    /// How many values a cell has, unless it is null.
    pub(crate) fn length(&self, cell: usize) -> Option<usize> {
        let is_valid = self.validity.as_ref().is_none_or(|validity| validity.get_bit(cell));
        is_valid.then(|| self.places(cell).len())
    }

    /// Which of the values are the first in their cells.
    pub(crate) fn starts(&self) -> Bitmap {
        let mut starts = MutableBitmap::from_len_zeroed(self.values.len());
        for places in (0..self.len()).map(|cell| self.places(cell)) {
            if !places.is_empty() {
                starts.set(places.start, true);
            }
        }
        starts.into()
    }

    /// The values in the places that those of other cells have; null where a cell has not as many, or is null.
    ///
    /// A single cell stands for as many as there are others.
    pub(crate) fn values_as(&self, other: &Self) -> PolarsResult<Series> {
        if self.len() == other.len() && self.layout == other.layout {
            return Ok(self.values.clone());
        }
        let mut places = Vec::with_capacity(other.values.len());
        for cell in 0..other.len() {
            let (own, length) = (self.one_or_each(cell), other.places(cell).len());
            let first = self
                .length(own)
                .filter(|&own| own == length)
                .map(|_| self.places(own).start);
            places.extend((0..length).map(|place| first.map(|first| (first + place) as IdxSize)));
        }
        self.values.take(&IdxCa::from_iter(places))
    }

    /// Which of the cells belongs to a row, if one may stand for all.
    pub(crate) fn one_or_each(&self, row: usize) -> usize {
        if self.len() == 1 { 0 } else { row }
    }

    /// The value at one place of each cell; null in a cell without it.
    pub(crate) fn at(&self, place: usize) -> PolarsResult<Series> {
        let places = (0..self.len()).map(|cell| self.places(cell).nth(place).map(|place| place as IdxSize));
        self.values.take(&places.collect())
    }

    /// Values place by place, those of all cells at the first one first → cell by cell; null where there are none.
    pub(crate) fn cell_by_cell(&self, values: &Series) -> PolarsResult<Series> {
        let (cells, count) = (self.len(), values.len());
        let places = (0..cells).flat_map(|cell| (0..self.places(cell).len()).map(move |place| place * cells + cell));
        values.take(
            &places
                .map(|place| (place < count).then_some(place as IdxSize))
                .collect(),
        )
    }

    /// The cell of each value.
    pub(crate) fn of_values(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).flat_map(|cell| repeat_n(cell, self.places(cell).len()))
    }

    /// A bit for each value, that of its cell.
    pub(crate) fn each_value(&self, bits: &Bitmap) -> Bitmap {
        let mut values = MutableBitmap::from_len_set(self.values.len());
        for cell in (!bits).true_idx_iter() {
            for place in self.places(cell) {
                values.set(place, false);
            }
        }
        values.into()
    }

    /// The same cells with other values in them.
    pub(crate) fn with_values(&self, values: &Series) -> PolarsResult<Series> {
        let replace = |_| Ok(values.clone());
        match self.layout {
            Layout::Arrays { width } if width > 0 => Ok(self.with_arrays(values, width)),
            Layout::Arrays { .. } => Ok(self.column.array()?.apply_to_inner(&replace)?.into_series()),
            Layout::Lists { .. } => Ok(self.column.list()?.apply_to_inner(&replace)?.into_series()),
        }
    }

    /// Arrays in the chunks of their values, which so are not copied, unless one is cut.
    fn with_arrays(&self, values: &Series, width: usize) -> Series {
        let are_whole = values.chunk_lengths().all(|length| length % width == 0);
        let values = if are_whole { values.clone() } else { values.rechunk() };
        let mut first = 0;
        let arrays = values.chunks().iter().map(|chunk| {
            let length = chunk.len() / width;
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

/// A column cut into chunks of these lengths.
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
