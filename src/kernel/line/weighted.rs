//! The weighted least-squares line through the rows of a window.
//!
//! ```text
//! weight    w = 1 / sigma²
//! center    the means of the steps of x and of the rises of y from the first row of the window, rounded
//! u, v      these steps and rises minus their centers
//! xx, xy    sum w u² - (sum w u)² / sum w,   sum w u v - (sum w u) (sum w v) / sum w
//! slope     xy / xx,   its standard error 1 / sqrt(xx)
//! ```
//!
//! Differences are exact, so that a rounded center costs no digits, and the last terms are as small as what it was rounded
//! by.

use std::ops::Range;

use super::{Points, Slopes, rescaled};
use crate::bits::ROWS;
use crate::dispatch::{Kernel, dispatch};
use crate::kernel::differences::Steps;
use crate::kernel::stencil::inverse_power_of_two;

/// Computes the slopes in windows of rows with standard deviations, and returns the windows without one: those whose x are
/// all equal. A window must not be empty, and its deviations must be finite and positive.
pub(crate) fn fit(points: Points<'_>, sigma: &[f64], windows: &[Range<usize>], slopes: Slopes<'_>) -> Vec<usize> {
    let Slopes { values, errors } = slopes;
    let mut memory = Vec::new();
    let mut missing = Vec::new();
    for (index, window) in windows.iter().enumerate() {
        let line = Line::fit(points, &sigma[window.clone()], window.clone(), 1.0, &mut memory);
        let fitted = if line.is_usual() {
            Some(line.slope_and_error())
        } else {
            normalized(points, &sigma[window.clone()], window.clone(), &mut memory)
        };
        match fitted {
            Some([slope, error]) => {
                values[index] = slope;
                if let Some(own) = errors.get_mut(index) {
                    *own = error;
                }
            },
            None => missing.push(index),
        }
    }
    missing
}

/// The slope and its error where sums of products leave the range of a float: those of a window of normal size. `None` if
/// all x are equal.
#[cold]
fn normalized(points: Points<'_>, sigma: &[f64], rows: Range<usize>, memory: &mut Vec<Chunk>) -> Option<[f64; 2]> {
    let smallest = sigma.iter().copied().fold(f64::INFINITY, f64::min);
    let sigma_scale = inverse_power_of_two(smallest);
    let (x, x_scale) = points.x.normalized(rows.clone());
    let (y, y_scale) = points.y.normalized(rows.clone());
    let (x, y) = (&*x, &*y);
    let scaled = Points { x, y, sigma: None };
    let line = Line::fit(scaled, sigma, 0..rows.len(), sigma_scale, memory);
    let [slope, error] = line.slope_and_error();
    (line.xx > 0.0).then(|| [rescaled(slope, x_scale, y_scale), rescaled(error, x_scale, sigma_scale)])
}

/// The rows of a part of a window; those beyond its end have weight zero.
struct Chunk {
    x: Steps,
    y: Steps,
    weights: [f64; ROWS],
}

/// The sums of a window.
struct Line {
    xx: f64,
    xy: f64,
    /// The largest distance of a y from the center.
    height: f64,
}

impl Line {
    fn fit(points: Points<'_>, sigma: &[f64], rows: Range<usize>, sigma_scale: f64, memory: &mut Vec<Chunk>) -> Self {
        memory.clear();
        for (first, sigma) in rows.clone().step_by(ROWS).zip(sigma.chunks(ROWS)) {
            let mut chunk = Chunk {
                x: Steps::ZERO,
                y: Steps::ZERO,
                weights: [0.0; ROWS],
            };
            for (column, steps) in [(points.x, &mut chunk.x), (points.y, &mut chunk.y)] {
                column.since(rows.start, first, sigma.len(), steps);
                steps.value[sigma.len()..].fill(0.0);
                steps.rest[sigma.len()..].fill(0.0);
            }
            for (weight, sigma) in chunk.weights.iter_mut().zip(sigma) {
                let sigma = sigma * sigma_scale;
                *weight = 1.0 / (sigma * sigma);
            }
            memory.push(chunk);
        }
        dispatch(Sums(memory))
    }

    /// Whether no product has left the range of a float.
    fn is_usual(&self) -> bool {
        const XX: [f64; 2] = [3.872_591_914_849_318e-121, 2.582_249_878_086_908_6e120]; // 2^-400, 2^400
        const XY: [f64; 2] = [2.409_919_865_102_884e-181, 4.149_515_568_880_993e180]; // 2^-600, 2^600
        let is_in = |value: f64, [least, most]: [f64; 2]| value >= least && value <= most;
        is_in(self.xx, XX) && (self.height == 0.0 || is_in(self.xy.abs(), XY))
    }

    fn slope_and_error(&self) -> [f64; 2] {
        [self.xy / self.xx, 1.0 / self.xx.sqrt()]
    }
}

/// The loops over the rows of a window.
struct Sums<'a>(&'a [Chunk]);

impl Kernel for Sums<'_> {
    type Output = Line;

    #[inline(always)]
    fn run(self) -> Line {
        let mut firsts = [[0.0; ROWS]; 3];
        for Chunk { x, y, weights } in self.0 {
            for row in 0..ROWS {
                firsts[0][row] += weights[row];
                firsts[1][row] += weights[row] * x.value[row];
                firsts[2][row] += weights[row] * y.value[row];
            }
        }
        let [weight, x_sum, y_sum] = firsts.map(sum);
        let [x_center, y_center] = [x_sum, y_sum].map(|sum| sum / weight);
        let mut seconds = [[0.0; ROWS]; 4];
        let mut height = [0.0; ROWS];
        for Chunk { x, y, weights } in self.0 {
            for row in 0..ROWS {
                let u = (x.value[row] - x_center) + x.rest[row];
                let v = (y.value[row] - y_center) + y.rest[row];
                let weighted = weights[row] * u;
                seconds[0][row] += weighted;
                seconds[1][row] += weights[row] * v;
                seconds[2][row] += weighted * u;
                seconds[3][row] += weighted * v;
                let distance = if weights[row] == 0.0 { 0.0 } else { v.abs() };
                height[row] = if distance > height[row] { distance } else { height[row] };
            }
        }
        let [x_rest, y_rest, xx, xy] = seconds.map(sum);
        Line {
            xx: xx - x_rest * x_rest / weight,
            xy: xy - x_rest * y_rest / weight,
            height: height.into_iter().fold(0.0, f64::max),
        }
    }
}

/// The sum of some numbers, pairwise.
#[inline(always)]
fn sum(mut numbers: [f64; ROWS]) -> f64 {
    let mut count = ROWS / 2;
    while count > 0 {
        for index in 0..count {
            numbers[index] += numbers[index + count];
        }
        count /= 2;
    }
    numbers[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::differences::{Column, Differences, Even};

    /// Slopes and errors in all windows of `size` rows; `None` without a slope.
    fn fits(y: &[f64], x: Option<&[f64]>, sigma: &[f64], size: usize) -> Vec<Option<[f64; 2]>> {
        let windows: Vec<_> = (0..=y.len() - size).map(|row| row..row + size).collect();
        let y = Column::new(y);
        let column = x.map(Column::new);
        let x: &dyn Differences = column.as_ref().map_or(&Even, |column| column);
        let points = Points { x, y: &y, sigma: None };
        let (mut values, mut errors) = (vec![0.0; windows.len()], vec![0.0; windows.len()]);
        let slopes = Slopes {
            values: &mut values,
            errors: &mut errors,
        };
        let missing = fit(points, sigma, &windows, slopes);
        let fits = values.into_iter().zip(errors).map(|(value, error)| [value, error]);
        let fits = fits.enumerate();
        fits.map(|(index, fit)| (!missing.contains(&index)).then_some(fit))
            .collect()
    }

    #[test]
    fn equal_weights_are_none() {
        // linregress([0, 1, 2, 3, 4], [1, 3, 2, 5, 4]): slope 0.8
        let (y, x) = ([1.0, 3.0, 2.0, 5.0, 4.0], [0.0, 1.0, 2.0, 3.0, 4.0]);
        for x in [Some(&x[..]), None] {
            let [slope, error] = fits(&y, x, &[0.5; 5], 5)[0].expect("a slope");
            assert!((slope - 0.8).abs() < 1e-15 && (error - 0.5 / 10.0_f64.sqrt()).abs() < 1e-15);
        }
    }

    #[test]
    fn a_line_has_its_slope_and_a_constant_slope_zero_in_windows_of_any_size() {
        let x: Vec<_> = (0..300).map(|row| f64::from(row + row % 3) + 1e9).collect();
        let y: Vec<_> = x.iter().map(|x| 3.0 * x).collect();
        let sigma: Vec<_> = (0..300_i32).map(|row| 10.0_f64.powi(row % 7 - 3)).collect();
        for size in [2, 21, 64, 65, 200] {
            let slopes = fits(&y, Some(&x), &sigma, size);
            let worst = slopes
                .iter()
                .flatten()
                .fold(0.0, |worst: f64, fit| worst.max((fit[0] - 3.0).abs()));
            assert!(
                slopes.iter().all(Option::is_some) && worst < 1e-14,
                "{worst} in {size} rows"
            );
            let flat = fits(&[1e12 / 3.0; 300], Some(&x), &sigma, size);
            assert!(flat.iter().all(|fit| fit.is_some_and(|fit| fit[0] == 0.0)));
            assert!(fits(&y, Some(&[1.0; 300]), &sigma, size).iter().all(Option::is_none));
        }
    }

    #[test]
    fn a_heavy_row_far_away_costs_no_digits() {
        // Two heavy rows say slope 2, whatever the light ones between say and wherever they are.
        let x = [0.0, 1e6, -3e7, 1e-3];
        let y = [0.0, 7e8, 5.0, 2e-3];
        let [slope, error] = fits(&y, Some(&x), &[1e-6, 1e12, 1e12, 1e-6], 4)[0].expect("a slope");
        assert!((slope - 2.0).abs() < 1e-12, "{slope}");
        assert!((error / (1e-6 * 2.0_f64.sqrt() / 1e-3) - 1.0).abs() < 1e-9, "{error}");
    }

    #[test]
    fn steps_values_and_deviations_of_any_size_stay_in_range() {
        let (x, y, sigma) = ([0.0, 1.0, 3.0, 4.0], [1.0, 3.0, 2.0, 5.0], [1.0, 2.0, 0.5, 3.0]);
        let [slope, error] = fits(&y, Some(&x), &sigma, 4)[0].expect("a slope");
        for exponents in [
            [900, 0, 0],
            [0, 900, 0],
            [0, 0, 900],
            [-900, -900, -900],
            [0, -900, 700],
        ] {
            let [x_scale, y_scale, scale] = exponents.map(|exponent| 2.0_f64.powi(exponent));
            let (x, y, sigma) = (x.map(|x| x * x_scale), y.map(|y| y * y_scale), sigma.map(|s| s * scale));
            let [own_slope, own_error] = fits(&y, Some(&x), &sigma, 4)[0].expect("a slope");
            let ratios = [
                own_slope / y_scale * x_scale / slope,
                own_error / scale * x_scale / error,
            ];
            assert!(
                ratios.iter().all(|ratio| (ratio - 1.0).abs() < 1e-14),
                "{exponents:?}: {ratios:?}"
            );
        }
    }

    #[test]
    fn nan_is_in_its_windows_only() {
        let mut y: Vec<_> = (0..200).map(|row| f64::from(row * row % 37)).collect();
        let sigma: Vec<_> = (0..200).map(|row| f64::from(row % 5 + 1)).collect();
        let clean = fits(&y, None, &sigma, 10);
        for bad in [f64::NAN, f64::INFINITY] {
            y[100] = bad;
            for (window, (fit, clean)) in fits(&y, None, &sigma, 10).into_iter().zip(&clean).enumerate() {
                if (91..=100).contains(&window) {
                    assert!(fit.expect("a value")[0].is_nan());
                } else {
                    assert_eq!(fit, *clean);
                }
            }
        }
    }
}
