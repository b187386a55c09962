//! Nested columns, grids and columns side by side of any shape give a column or an error in words, never a panic.

use polars::prelude::*;
use polars_arrow::array::{FixedSizeListArray, ListArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::offset::OffsetsBuffer;
use polars_grad::{
    Domain, EdgeOrder, ExprGrad, Gradient, Nulls, divergence, evaluate, gradient_horizontal, magnitude, partials,
};
use proptest::prelude::*;

/// Random choices, so that values can depend on each other.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn leaf(&mut self) -> DataType {
        match self.below(9) {
            0 => DataType::Float32,
            1 => DataType::Int8,
            2 => DataType::UInt64,
            3 => DataType::Decimal(38, 3),
            4 => DataType::Date,
            5 => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
            6 => DataType::Null,
            _ => DataType::Float64,
        }
    }

    fn nested(&mut self, depth: usize, leaf: DataType) -> DataType {
        match (depth, self.below(2)) {
            (0, _) => leaf,
            (_, 0) => DataType::List(Box::new(self.nested(depth - 1, leaf))),
            _ => {
                let width = self.below(4);
                DataType::Array(Box::new(self.nested(depth - 1, leaf)), width)
            },
        }
    }

    /// A key of any kind, nested ones included.
    fn key(&mut self, rows: usize) -> Series {
        let depth = self.below(3);
        let leaf = match self.below(3) {
            0 => DataType::String,
            _ => self.leaf(),
        };
        let dtype = self.nested(depth, leaf);
        let key = self.column("key", &dtype, rows);
        if self.one_in(3) {
            let fields = [self.column("a", &DataType::Int8, rows), key.with_name("b".into())];
            let structs = StructChunked::from_series("key".into(), rows, fields.iter()).expect("fields of one length");
            return structs.into_series();
        }
        key
    }

    fn validity(&mut self, rows: usize) -> Option<Bitmap> {
        let nulls = self.below(4);
        (nulls > 0).then(|| (0..rows).map(|_| nulls < 3 && !self.one_in(3 * nulls)).collect())
    }

    /// A column of a dtype, maybe sliced and in several chunks, some of them empty.
    fn column(&mut self, name: &str, dtype: &DataType, rows: usize) -> Series {
        let before = self.below(2);
        let mut whole = self.chunk(name, dtype, rows + before).slice(before as i64, rows);
        if self.one_in(2) {
            let cut = self.below(rows + 1);
            let last = whole.slice(cut as i64, rows - cut);
            whole = whole.slice(0, cut);
            if self.one_in(2) {
                whole.append(&self.chunk(name, dtype, 0)).expect("the same dtype");
            }
            whole.append(&last).expect("the same dtype");
        }
        whole
    }

    fn chunk(&mut self, name: &str, dtype: &DataType, rows: usize) -> Series {
        let validity = self.validity(rows);
        let arrow = match dtype {
            DataType::List(inner) => {
                let lengths: Vec<_> = match self.below(3) {
                    0 => vec![self.below(4); rows],
                    1 => vec![0; rows],
                    _ => (0..rows).map(|_| self.below(4)).collect(),
                };
                let values = self.chunk("", inner, lengths.iter().sum()).rechunk().chunks()[0].clone();
                let mut offsets = vec![0];
                offsets.extend(lengths.iter().scan(0, |end, &length| {
                    *end += length as i64;
                    Some(*end)
                }));
                let offsets = OffsetsBuffer::try_from(offsets).expect("rising offsets");
                let dtype = ListArray::<i64>::default_datatype(values.dtype().clone());
                ListArray::new(dtype, offsets, values, validity).boxed()
            },
            DataType::Array(inner, width) => {
                let values = self.chunk("", inner, rows * width).rechunk().chunks()[0].clone();
                let dtype = FixedSizeListArray::default_datatype(values.dtype().clone(), *width);
                FixedSizeListArray::new(dtype, rows, values, validity).boxed()
            },
            flat => return self.flat(name, flat, rows, validity.as_ref()),
        };
        // SAFETY: the array has been made for this dtype.
        unsafe { Series::from_chunks_and_dtype_unchecked(name.into(), vec![arrow], dtype) }
    }

    fn flat(&mut self, name: &str, dtype: &DataType, rows: usize, validity: Option<&Bitmap>) -> Series {
        let range = if self.one_in(4) { 3 } else { 100 };
        let is_rising = self.one_in(2);
        let mut last = 0;
        let values = (0..rows).map(|row| {
            last = if is_rising {
                last + 1 + self.below(3) as i64
            } else {
                self.below(range) as i64
            };
            validity.is_none_or(|validity| validity.get_bit(row)).then_some(last)
        });
        let values = Series::new(name.into(), values.collect::<Vec<_>>());
        match dtype {
            // A cast would lose the zone.
            DataType::Datetime(unit, zone) => values
                .i64()
                .expect("numbers")
                .clone()
                .into_datetime(*unit, zone.clone())
                .into_series(),
            dtype => values.cast(dtype).expect("small numbers"),
        }
    }

    fn gradient(&mut self) -> Gradient {
        Gradient::new().edge_order([EdgeOrder::First, EdgeOrder::Second][self.below(2)])
    }

    fn domain(&mut self) -> Domain<Column> {
        let mut domain = Domain::new().strict(self.one_in(2));
        if self.one_in(4) {
            domain = domain.max_gap(1.5);
        }
        domain.nulls([Nulls::Propagate, Nulls::Skip, Nulls::Split][self.below(3)])
    }

    /// As many rows, or one.
    fn height(&mut self, rows: usize) -> usize {
        if self.one_in(8) { 1 } else { rows }
    }
}

const CASES: u32 = 500;

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn cells_never_panic(seed in any::<u64>()) {
        let mut random = Random(seed);
        let (rows, depth, leaf) = (random.below(6), random.below(4), random.leaf());
        let dtype = random.nested(depth, leaf);
        let y = random.column("y", &dtype, rows);
        let axis = random.below(depth + 1);
        let operator = random.gradient();
        let mut domain = random.domain().axis(axis as isize);
        if random.one_in(2) {
            let (depth, leaf) = (if random.one_in(2) { depth } else { axis.min(1) }, random.leaf());
            let dtype = if random.one_in(2) && depth > 1 { dtype.clone() } else { random.nested(depth, leaf) };
            let height = random.height(rows);
            domain = domain.x(random.column("x", &dtype, height));
        }
        if axis == 0 && random.one_in(2) {
            domain = domain.by([random.key(rows)]);
        }
        if let Ok(slopes) = evaluate(&y, operator, &domain) {
            prop_assert_eq!((slopes.len(), slopes.name()), (y.len(), y.name()), "{:?} {:?}", y, domain);
            if depth > 0 {
                prop_assert_eq!(slopes.null_count(), y.null_count(), "{:?} {:?}", y, domain);
            }
            let chunk = evaluate(&y.rechunk(), operator, &domain)?;
            prop_assert!(slopes.equals_missing(&chunk), "{:?} {:?} {:?} {:?}", y, domain, slopes, chunk);
        }
    }

    #[test]
    fn grids_never_panic(seed in any::<u64>()) {
        let mut random = Random(seed);
        let (rows, axes) = (random.below(8), 1 + random.below(3));
        let mut wrt = Vec::new();
        for axis in 0..axes {
            let (dtype, height) = (random.leaf(), random.height(rows));
            wrt.push(random.column(&format!("x{axis}"), &dtype, height).into_column());
        }
        let (depth, leaf) = (random.below(3), random.leaf());
        let dtype = random.nested(depth, leaf);
        let height = random.height(rows);
        let field = random.column("f", &dtype, height).into_column();
        let keys: Vec<_> = (0..random.below(3)).map(|_| random.key(rows)).collect();
        let operator = random.gradient();
        let domain = random.domain().by(keys.iter().cloned());
        let lengths = keys.iter().map(|key| key.len()).chain(wrt.iter().map(Column::len)).chain([field.len()]);
        let expected = lengths.into_iter().find(|&length| length != 1).unwrap_or(1);
        for reduction in [partials, magnitude, divergence] {
            if let Ok(slopes) = reduction(&field, &wrt, operator, &domain) {
                prop_assert_eq!(slopes.len(), expected, "{:?} {:?} {:?}", field, wrt, domain);
            }
        }
    }

    #[test]
    fn columns_side_by_side_never_panic(seed in any::<u64>()) {
        let mut random = Random(seed);
        let (rows, width) = (random.below(5), 1 + random.below(3));
        let one = random.leaf();
        let mut columns = Vec::new();
        for column in 0..width {
            let (dtype, height) = (if random.one_in(2) { one.clone() } else { random.leaf() }, random.height(rows));
            columns.push(random.column(&format!("y{column}"), &dtype, height).into_column());
        }
        let operator = random.gradient();
        let mut domain = random.domain();
        if random.one_in(2) {
            let (leaf, height) = (random.leaf(), random.height(rows));
            let dtype = match random.below(3) {
                0 => random.nested(1, leaf),
                1 => DataType::List(Box::new(leaf)),
                _ => DataType::Array(Box::new(leaf), width),
            };
            domain = domain.x(random.column("x", &dtype, height));
        }
        if let Ok(slopes) = gradient_horizontal(&columns, operator, &domain) {
            prop_assert_eq!(slopes.struct_()?.fields_as_series().len(), width);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES / 20, ..ProptestConfig::default() })]

    /// In lazy frames, on both engines.
    #[test]
    fn queries_never_panic(seed in any::<u64>()) {
        let mut random = Random(seed);
        let (rows, depth, leaf) = (random.below(6), 1 + random.below(2), random.leaf());
        let dtype = random.nested(depth, leaf);
        let y = random.column("y", &dtype, rows).into_column();
        let axis = random.below(depth + 1);
        let operator = random.gradient();
        let domain = random.domain().axis(axis as isize).map_columns(|_| col("x"));
        let (depth, leaf) = (if random.one_in(2) { depth } else { axis.min(1) }, random.leaf());
        let dtype = if random.one_in(2) && depth > 0 { dtype.clone() } else { random.nested(depth, leaf) };
        let x = random.column("x", &dtype, rows).into_column();
        let domain = if random.one_in(2) { domain.x("x") } else { domain };
        let query = DataFrame::new(rows, vec![y, x])?.lazy().select([col("y").grad(operator, domain)]);
        let collected = |query: LazyFrame, engine| PolarsResult::Ok(query.collect_with_engine(engine)?.unwrap_single());
        let in_memory = collected(query.clone(), Engine::InMemory);
        let streamed = collected(query, Engine::Streaming);
        match (in_memory, streamed) {
            (Ok(in_memory), Ok(streamed)) => prop_assert!(in_memory.equals_missing(&streamed)),
            (Err(_), Err(_)) => {},
            (in_memory, streamed) => prop_assert!(false, "{:?} {:?}", in_memory, streamed),
        }
    }
}
