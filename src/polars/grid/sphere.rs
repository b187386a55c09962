//! Longitudes and latitudes: the metric terms of derivatives on a sphere.
//!
//! With longitudes λ and latitudes φ in radians, and the radius R:
//!
//! ```text
//! gradient      ∂f/∂λ / (R cos φ)   and   ∂f/∂φ / R
//! divergence    (∂u/∂λ + ∂(v cos φ)/∂φ) / (R cos φ)
//! curl          (∂v/∂λ − ∂(u cos φ)/∂φ) / (R cos φ)
//! laplacian     ∂²f/∂λ² / (R cos φ)² + (∂²f/∂φ² − tan φ ∂f/∂φ) / R²
//! ```
//!
//! In the Laplacian `∂(cos φ ∂f/∂φ)/∂φ / cos φ` is written out: both derivatives then read the rows next to a point, and
//! the one of a constant is zero.

use polars::prelude::arity::{unary_elementwise, unary_elementwise_values};
use polars::prelude::*;
use polars_arrow::array::PrimitiveArray;

use super::Reduction;
use crate::operators::{Measure, Operator, Output};
use crate::polars::unsorted::LENIENT;

/// The coordinates that the metric is about, by their index.
const LONGITUDE: usize = 0;
pub(super) const LATITUDE: usize = 1;
const POLE: f64 = 90.0;

/// A sphere with points at longitudes and latitudes in degrees.
#[derive(Clone, Copy)]
pub(super) struct Sphere {
    radius: f64,
}

/// What a derivative is multiplied by, before and after the field is differentiated.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Metric {
    /// Along a parallel, to the power of the order of the derivative.
    Parallel(i32),
    /// Along a meridian, to the power of the order of the derivative.
    Meridian(i32),
    /// The field times the cosine of the latitude along a meridian, then as along a parallel.
    Flux,
    /// The first derivative along a meridian in a Laplacian.
    Tangent,
}

impl Metric {
    /// That of a derivative along a coordinate, of a component that belongs to the coordinate `of`; `None` for a height.
    pub(super) fn of(operator: &Operator, axis: usize, of: Option<usize>) -> Option<Self> {
        let order = match operator.describe().outputs()[..] {
            [
                Output {
                    measure: Measure::PerX(order),
                    ..
                },
            ] => order,
            _ => 1,
        };
        match (axis, of) {
            (LONGITUDE, _) => Some(Self::Parallel(order)),
            // What crosses a parallel or runs along it, whose length shrinks towards the poles.
            (LATITUDE, Some(LONGITUDE | LATITUDE)) => Some(Self::Flux),
            (LATITUDE, _) => Some(Self::Meridian(order)),
            _ => None,
        }
    }

    /// What is differentiated, for a field.
    pub(super) fn weighted_field(self, field: &Field) -> Field {
        let is_float = self == Self::Flux || field.dtype().is_float();
        let dtype = if is_float {
            DataType::Float64
        } else {
            field.dtype().clone()
        };
        Field::new(field.name().clone(), dtype)
    }
}

/// The metric terms at all points.
pub(super) struct Terms {
    radius: f64,
    /// In degrees, in one chunk.
    latitudes: Float64Chunked,
    has_poles: bool,
}

impl Sphere {
    /// # Errors
    ///
    /// A radius that is none, coordinates that are no longitudes and latitudes, a field of times.
    pub(super) fn new(radius: f64, reduction: Reduction, field: &Field, wrt: &[Field]) -> PolarsResult<Self> {
        polars_ensure!(
            radius > 0.0 && radius.is_finite(),
            InvalidOperation: "`radius` must be finite and positive, got {radius}"
        );
        polars_ensure!(
            (2..=3).contains(&wrt.len()),
            InvalidOperation: "on a sphere `wrt` must be the longitude and the latitude, in this order, and a height if \
            there is one, got {} coordinates",
            wrt.len()
        );
        let is_number = |dtype: &DataType| dtype.is_primitive_numeric() || dtype.is_decimal();
        if let Some(other) = wrt[..=LATITUDE].iter().find(|x| !is_number(x.dtype())) {
            polars_bail!(
                InvalidOperation: "longitudes and latitudes must be numbers, in degrees, but column `{}` is {}",
                other.name(), other.dtype()
            );
        }
        let is_vector = matches!(reduction, Reduction::Divergence | Reduction::Curl);
        polars_ensure!(
            is_vector || !(field.dtype().is_temporal() || field.dtype().is_nested()),
            InvalidOperation: "`{}` on a sphere takes a field of numbers, but column `{}` is {}; cast it first",
            reduction.name(), field.name(), field.dtype()
        );
        Ok(Self { radius })
    }

    /// The coordinates, where a latitude beyond a pole is null.
    ///
    /// # Errors
    ///
    /// If `strict`, a latitude beyond a pole.
    pub(super) fn checked(wrt: &[Series], strict: bool) -> PolarsResult<Vec<Series>> {
        let mut wrt = wrt.to_vec();
        let column = &wrt[LATITUDE];
        let latitudes = column.cast(&DataType::Float64)?;
        if !any_reaches(latitudes.f64()?, |latitude| latitude.abs() > POLE) {
            return Ok(wrt);
        }
        let is_beyond = |latitude: Option<f64>| latitude.map(|latitude| latitude.abs() > POLE);
        let beyond: BooleanChunked = unary_elementwise(latitudes.f64()?, is_beyond);
        let beyond = beyond.fill_null_with_values(false)?;
        match beyond.first_true_idx() {
            None => {},
            Some(row) if strict => polars_bail!(
                ComputeError: "latitudes must be from -90 to 90 degrees, but in column `{}` there is {}; `wrt` is the \
                longitude and the latitude in this order; correct them, or {} to get nulls there",
                column.name(), column.get(row)?, LENIENT
            ),
            Some(_) => {
                let nulls = Series::full_null(column.name().clone(), column.len(), column.dtype());
                wrt[LATITUDE] = column.zip_with(&!beyond, &nulls)?;
            },
        }
        Ok(wrt)
    }

    /// The metric terms of points at these coordinates.
    pub(super) fn terms(self, coordinates: &[Series]) -> PolarsResult<Terms> {
        let latitudes = coordinates[LATITUDE].cast(&DataType::Float64)?;
        let latitudes = latitudes.f64()?.rechunk().into_owned();
        Ok(Terms {
            radius: self.radius,
            has_poles: any_reaches(&latitudes, |latitude| latitude.abs() >= POLE),
            latitudes,
        })
    }
}

/// Whether a function of any latitude is true. The values of nulls count too, and may be anything.
fn any_reaches(latitudes: &Float64Chunked, is_true: impl Fn(f64) -> bool) -> bool {
    let any = |values: &[f64]| values.iter().fold(false, |any, latitude| any | is_true(*latitude));
    latitudes.downcast_iter().any(|chunk| any(chunk.values()))
}

impl Terms {
    /// What is differentiated.
    pub(super) fn weighted(&self, field: &Series, metric: Metric) -> PolarsResult<Series> {
        match metric {
            Metric::Flux => Ok(self.product(field.cast(&DataType::Float64)?.f64()?.clone(), cosine)),
            // Smaller floats are rounded once, at the end.
            _ if field.dtype().is_float() => field.cast(&DataType::Float64),
            _ => Ok(field.clone()),
        }
    }

    /// The derivative by a length, of one by degrees; null at the poles where it crosses meridians.
    pub(super) fn scaled(&self, derivative: Series, metric: Metric) -> PolarsResult<Series> {
        let column = derivative.f64()?.clone();
        // Its memory is changed in place unless another column shares it.
        drop(derivative);
        // Degrees of latitude in a unit of length.
        let degrees = 180.0 / std::f64::consts::PI / self.radius;
        let scaled = match metric {
            Metric::Meridian(order) => {
                let factor = degrees.powi(order);
                return Ok(changed(column, |derivative| derivative * factor).into_series());
            },
            Metric::Parallel(order) => self.product(column, |latitude| (degrees / cosine(latitude)).powi(order)),
            Metric::Flux => self.product(column, |latitude| degrees / cosine(latitude)),
            Metric::Tangent => self.product(column, |latitude| {
                degrees / cosine(latitude) * (-latitude.to_radians().sin() / self.radius)
            }),
        };
        if !self.has_poles {
            return Ok(scaled);
        }
        let is_pole = |latitude: f64| latitude.abs() >= POLE;
        let poles: BooleanChunked = unary_elementwise_values(&self.latitudes, is_pole);
        let poles = poles.fill_null_with_values(false)?;
        Ok(scaled.f64()?.set(&poles, None)?.into_series())
    }

    /// A column times a function of the latitude.
    fn product(&self, column: Float64Chunked, of: impl Fn(f64) -> f64) -> Series {
        let mut factors = Distinct::new(of);
        let mut latitudes = self.latitudes.downcast_as_array().values().iter();
        let product = changed(column, |value| {
            // There are as many latitudes as values.
            value * latitudes.next().map_or(f64::NAN, |latitude| factors.of(*latitude))
        });
        product.into_series()
    }
}

/// A function of each value of a column, in place if no other column shares its memory.
fn changed(column: Float64Chunked, mut change: impl FnMut(f64) -> f64) -> Float64Chunked {
    let name = column.name().clone();
    let chunks = column.downcast_into_iter().map(|mut chunk| {
        if let Some(values) = chunk.get_mut_values() {
            for value in values {
                *value = change(*value);
            }
            return chunk;
        }
        let values: Vec<_> = chunk.values().iter().map(|value| change(*value)).collect();
        PrimitiveArray::from_vec(values).with_validity(chunk.validity().cloned())
    });
    Float64Chunked::from_chunk_iter(name, chunks)
}

/// The cosine of an angle in degrees: zero at the poles, and with all digits next to them.
fn cosine(latitude: f64) -> f64 {
    (POLE - latitude.abs()).to_radians().sin()
}

/// The number of values that [`Distinct`] keeps: a power of two.
const KEPT: usize = 1 << 12;

/// A function whose values are kept: a grid has few distinct latitudes.
struct Distinct<F> {
    of: F,
    /// Arguments, by their bits, and the values there, at the places that a hash of the arguments gives.
    kept: Vec<(u64, f64)>,
}

impl<F: Fn(f64) -> f64> Distinct<F> {
    fn new(of: F) -> Self {
        // At other places than its own zero is not looked for.
        let zero = (0, of(0.0));
        Self {
            of,
            kept: vec![zero; KEPT],
        }
    }

    #[inline(always)]
    fn of(&mut self, argument: f64) -> f64 {
        let bits = argument.to_bits();
        let place = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - KEPT.ilog2());
        let kept = &mut self.kept[place as usize % KEPT];
        if kept.0 != bits {
            *kept = (bits, (self.of)(argument));
        }
        kept.1
    }
}
