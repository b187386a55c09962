//! The columns that an operator reads, besides the keys.

/// The columns of an operator, in the form that a face has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inputs<C> {
    pub(crate) y: C,
    /// The coordinate.
    pub(crate) x: Option<C>,
    /// The standard deviation of y in each row.
    pub(crate) sigma: Option<C>,
}

impl<C> Inputs<C> {
    /// Columns without standard deviations.
    pub(crate) fn new(y: C, x: Option<C>) -> Self {
        Self { y, x, sigma: None }
    }
}

#[cfg(any(feature = "polars", feature = "arrow"))]
impl<C> Inputs<C> {
    pub(crate) fn map<D>(self, mut f: impl FnMut(C) -> D) -> Inputs<D> {
        Inputs {
            y: f(self.y),
            x: self.x.map(&mut f),
            sigma: self.sigma.map(f),
        }
    }

    pub(crate) fn try_map<D, E>(self, mut f: impl FnMut(C) -> Result<D, E>) -> Result<Inputs<D>, E> {
        Ok(Inputs {
            y: f(self.y)?,
            x: self.x.map(&mut f).transpose()?,
            sigma: self.sigma.map(f).transpose()?,
        })
    }

    pub(crate) fn as_ref(&self) -> Inputs<&C> {
        Inputs {
            y: &self.y,
            x: self.x.as_ref(),
            sigma: self.sigma.as_ref(),
        }
    }
}

#[cfg(feature = "polars")]
impl<'a, C> Inputs<&'a C> {
    /// The columns of a list: y, then x if there is one, and at last sigma if it has one.
    ///
    /// # Panics
    ///
    /// If the list has no y.
    pub(crate) fn of_list(columns: &'a [C], has_sigma: bool) -> Self {
        let (sigma, others) = match columns.split_last() {
            Some((sigma, others)) if has_sigma => (Some(sigma), others),
            _ => (None, columns),
        };
        Self {
            y: &others[0],
            x: others.get(1),
            sigma,
        }
    }
}
