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

use polars::prelude::arity::unary_elementwise;
use polars::prelude::*;

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
    /// The latitudes in degrees.
    latitudes: Float64Chunked,
    cosines: Float64Chunked,
    /// Degrees of longitude in a unit of length; null at the poles.
    along_parallel: Float64Chunked,
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
        let latitudes = coordinates[LATITUDE].cast(&DataType::Float64)?.f64()?.clone();
        // Zero at the poles, and with all digits next to them.
        let cosines = latitudes.apply_values(|latitude| (POLE - latitude.abs()).to_radians().sin());
        let degrees = degrees_per_length(self.radius);
        let along_parallel = |cosine: Option<f64>| cosine.filter(|&cosine| cosine > 0.0).map(|cosine| degrees / cosine);
        Ok(Terms {
            radius: self.radius,
            along_parallel: unary_elementwise(&cosines, along_parallel),
            latitudes,
            cosines,
        })
    }
}

/// Degrees of latitude in a unit of length.
fn degrees_per_length(radius: f64) -> f64 {
    180.0 / std::f64::consts::PI / radius
}

impl Terms {
    /// What is differentiated.
    pub(super) fn weighted(&self, field: &Series, metric: Metric) -> PolarsResult<Series> {
        match metric {
            Metric::Flux => {
                let field = field.cast(&DataType::Float64)?;
                Ok((field.f64()? * &self.cosines).into_series())
            },
            // Smaller floats are rounded once, at the end.
            _ if field.dtype().is_float() => field.cast(&DataType::Float64),
            _ => Ok(field.clone()),
        }
    }

    /// The derivative by a length, of one by degrees.
    pub(super) fn scaled(&self, derivative: &Series, metric: Metric) -> PolarsResult<Series> {
        let derivative = derivative.f64()?;
        let scaled: Float64Chunked = match metric {
            Metric::Meridian(order) => {
                let factor = degrees_per_length(self.radius).powi(order);
                derivative.apply_values(|derivative| derivative * factor)
            },
            Metric::Parallel(order) => (1..order).fold(derivative * &self.along_parallel, |scaled, _| {
                &scaled * &self.along_parallel
            }),
            Metric::Flux => derivative * &self.along_parallel,
            Metric::Tangent => {
                let sines = self
                    .latitudes
                    .apply_values(|latitude| -latitude.to_radians().sin() / self.radius);
                &(derivative * &self.along_parallel) * &sines
            },
        };
        Ok(scaled.into_series())
    }
}
