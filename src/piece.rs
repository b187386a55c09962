//! One piece of a column: from a window of contiguous rows to their slopes and validity.

use std::ops::Range;

use num_traits::AsPrimitive;

use crate::bits::{Bitmap, ROWS, beyond, places};
use crate::kernel::{Neighbours, Points, Rise, Sample, Scale, Sides, even, irregular, stencil};
use crate::neighbours::{Chunk, Column, Links, Reached};

/// Slopes row by row, and which of them are valid.
#[derive(Debug)]
pub(crate) struct Slopes<O> {
    values: Vec<O>,
    /// Nothing, as long as all are.
    validity: Option<Bitmap>,
}

impl<O: Copy + 'static> Slopes<O>
where
    f64: AsPrimitive<O>,
{
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self {
            values: Vec::with_capacity(rows),
            validity: None,
        }
    }

    /// The slopes, and a bit for each unless all are valid.
    pub(crate) fn into_parts(self) -> (Vec<O>, Option<Vec<u8>>) {
        (self.values, self.validity.map(Bitmap::into_bytes))
    }

    /// Appends the slopes of the rows of `window`, the chunk in its middle.
    ///
    /// A row whose x is not strictly monotonic is handed to `on_broken`, together with the members of the window that
    /// its stencil reads, and is null if that does not fail.
    pub(crate) fn append<Y: Sample, X: Sample, E>(
        &mut self,
        window: &[Chunk<'_, Y, X>],
        links: Links,
        scale: Scale,
        on_broken: &mut dyn FnMut(usize, Range<usize>) -> Result<(), E>,
    ) -> Result<(), E> {
        let rows = window[0].len();
        let start = self.values.len();
        let mut piece = Piece {
            window,
            links,
            scale,
            on_broken,
            valid: Vec::new(),
            inside: Vec::new(),
        };
        piece.sweep(&mut self.values)?;
        piece.end_slopes(&mut self.values[start..])?;
        let valid = piece.valid;
        if self.validity.is_none() && valid.iter().any(|&word| word != u64::MAX) {
            let mut all = Bitmap::with_capacity(self.values.capacity());
            all.extend(start, |_| u64::MAX);
            self.validity = Some(all);
        }
        if let Some(validity) = &mut self.validity {
            validity.extend(rows, |row| valid.get(row / ROWS).copied().unwrap_or(u64::MAX));
        }
        Ok(())
    }
}

struct Piece<'a, 'b, Y, X, E> {
    window: &'b [Chunk<'a, Y, X>],
    links: Links<'b>,
    scale: Scale,
    on_broken: &'b mut dyn FnMut(usize, Range<usize>) -> Result<(), E>,
    /// Which slopes are valid, 64 rows a word; all of them that it has no word for.
    valid: Vec<u64>,
    /// Which rows have neighbours on both sides, where they need them.
    inside: Vec<u64>,
}

impl<Y: Sample, X: Sample, E> Piece<'_, '_, Y, X, E> {
    fn sweep<O>(&mut self, slopes: &mut Vec<O>) -> Result<(), E>
    where
        O: Copy + 'static,
        f64: AsPrimitive<O>,
    {
        let (window, links, scale) = (self.window, self.links, self.scale);
        let reach = window.len() / 2;
        let members = [&window[reach - 1], &window[reach], &window[reach + 1]];
        let y = members.map(|member| &member.y);
        let x = match members.map(|member| member.x.as_ref()) {
            [Some(x1), Some(x2), Some(x3)] => Some([x1, x2, x3]),
            _ => None,
        };
        let rows = window[0].len();
        let only_starts_part = links.only_starts_part(window);
        let sides = |row| {
            if only_starts_part && !links.has_starts() {
                return Sides::BOTH;
            }
            let reached = if only_starts_part {
                links.reached_between_starts(reach, row)
            } else {
                links.reached(window, row)
            };
            let beside = reached.beside(reach);
            let (known, valid) = if only_starts_part {
                (beside.exists, beside.exists)
            } else {
                let known = x.map_or(u64::MAX, |x| beside.read(x, row));
                (known, beside.read(y, row) & known)
            };
            // Mostly there is nothing to note.
            let valid = valid | beyond(rows - row);
            if valid != u64::MAX || !self.valid.is_empty() {
                self.valid.resize(row / ROWS, u64::MAX);
                self.valid.push(valid);
            }
            if reach > 1 {
                self.inside.push(reached.inside());
            }
            Sides { known, ..beside.sides }
        };
        let Some(x) = x else {
            even(neighbours(y), scale, sides, slopes);
            return Ok(());
        };
        let mut broken = Vec::new();
        let points = Points {
            y: neighbours(y),
            x: neighbours(x),
            scale,
        };
        let note = |row| {
            broken.push(row);
            (self.on_broken)(row, around(links.reached(window, row), reach))
        };
        irregular(points, sides, note, slopes)?;
        for row in broken {
            self.set_valid(row, false);
        }
        Ok(())
    }

    /// The slopes at the ends of segments by the formula for three points.
    fn end_slopes<O>(&mut self, slopes: &mut [O]) -> Result<(), E>
    where
        O: Copy + 'static,
        f64: AsPrimitive<O>,
    {
        for block in 0..self.inside.len() {
            let first = block * ROWS;
            let ends = !self.inside[block];
            if ends == 0 {
                continue;
            }
            let reached = self.links.reached(self.window, first);
            for place in places(ends, ROWS.min(slopes.len() - first)) {
                let row = first + place;
                let slope = self.end_slope(row, reached.0.map(|exists| exists >> place & 1 != 0))?;
                self.set_valid(row, slope.is_some());
                slopes[row] = slope.unwrap_or_default().as_();
            }
        }
        Ok(())
    }

    /// The slope of a parabola at an end of a segment; `None` where that is too short, or null or broken there.
    fn end_slope(&mut self, row: usize, exists: [bool; 5]) -> Result<Option<f64>, E> {
        let read = if exists[3] { 2..5 } else { 0..3 };
        if !exists[read.clone()].iter().all(|&exists| exists) {
            return Ok(None);
        }
        let points = &self.window[read.clone()];
        // Steps run down the rows; the formula counts them from the end inwards.
        let (near, far) = if exists[3] { (0, 1) } else { (1, 0) };
        let step = |index: usize| match (&points[index].x, &points[index + 1].x) {
            (Some(from), Some(to)) => Some(to.get(row)?.minus(from.get(row)?) * self.scale.denominator),
            _ => Some(self.scale.denominator),
        };
        let rise = |index: usize| {
            let difference = points[index + 1].y.get(row)?.minus(points[index].y.get(row)?);
            Some(Rise::scaled(difference, self.scale.numerator))
        };
        let Some((h1, h2)) = step(near).zip(step(far)) else {
            return Ok(None);
        };
        if !stencil::monotonic(h1, h2) {
            (self.on_broken)(row, read)?;
            return Ok(None);
        }
        let rises = rise(near).zip(rise(far));
        Ok(rises.map(|(d1, d2)| stencil::three_point(d1, h1, d2, h2)))
    }

    fn set_valid(&mut self, row: usize, valid: bool) {
        self.valid
            .resize(self.valid.len().max(self.window[0].len().div_ceil(ROWS)), u64::MAX);
        let (word, bit) = (&mut self.valid[row / ROWS], 1 << (row % ROWS));
        *word = if valid { *word | bit } else { *word & !bit };
    }
}

/// What the three-point stencil of 64 rows finds beside them.
#[derive(Clone, Copy)]
struct Beside {
    sides: Sides,
    /// Whether there is a point that can have a slope.
    exists: u64,
}

impl Reached {
    /// The rows with neighbours on both sides.
    #[inline(always)]
    fn inside(self) -> u64 {
        self.0[1] & self.0[3]
    }

    /// One neighbour is enough for a stencil that reaches no further; a longer one has a formula of its own for ends.
    #[inline(always)]
    fn beside(self, reach: usize) -> Beside {
        let [_, before, this, after, _] = self.0;
        if reach == 1 {
            let sides = Sides {
                before,
                after,
                ..Sides::BOTH
            };
            Beside {
                sides,
                exists: this & (before | after),
            }
        } else {
            Beside {
                sides: Sides::BOTH,
                exists: this & before & after,
            }
        }
    }
}

impl Beside {
    /// The rows whose stencil reads no null of a column.
    #[inline(always)]
    fn read<T: Sample>(self, [previous, this, next]: [&Column<'_, T>; 3], row: usize) -> u64 {
        let before = previous.known(row) | !self.sides.before;
        let after = next.known(row) | !self.sides.after;
        self.exists & this.known(row) & before & after
    }
}

/// The members of the window that the stencil of a row reads, given its neighbours in the lowest bits.
fn around(reached: Reached, reach: usize) -> Range<usize> {
    let has = |index: usize| (reached.0[index] & 1) as usize;
    reach - has(1)..reach + 1 + has(3)
}

fn neighbours<'a, T>([previous, this, next]: [&Column<'a, T>; 3]) -> Neighbours<'a, T> {
    Neighbours {
        previous: previous.values,
        this: this.values,
        next: next.values,
    }
}
