//! The points of one key of a live feed.

use std::collections::VecDeque;
use std::fmt::Display;

use super::LiveError;
use super::past::{Past, Point, Settings, Values};
use crate::domain::Duplicates;
use crate::kernel::Sample;
use crate::operators::{MAX_OUTPUTS, Repeats};

/// A row as it is pushed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pushed<Y, X> {
    pub(super) row: u64,
    pub(super) x: Option<X>,
    pub(super) y: Option<Y>,
}

/// The rows of a key: points whose y are of type `P`, made of rows whose y are of type `Y`.
#[derive(Clone, Debug)]
pub(super) struct Source<P, Y, X> {
    past: Past<P, X>,
    /// The point that the next row may belong to, if rows of equal x are one.
    open: Option<Open<Y, X>>,
    /// The rows whose points are not finished.
    waiting: VecDeque<Waiting>,
}

/// A point that may go on.
#[derive(Clone, Debug)]
struct Open<Y, X> {
    row: u64,
    x: X,
    numbers: Vec<Y>,
}

/// A row of a point, which is known by its first row.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    row: u64,
    point: u64,
    is_valid: bool,
}

impl<P: Sample + Default, Y: Sample, X: Sample + Default + Display> Source<P, Y, X> {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            past: Past::new(settings),
            open: None,
            waiting: VecDeque::new(),
        }
    }

    /// Takes a row, and returns the results that it finishes. `merged` makes the y of a point of its numbers.
    ///
    /// # Errors
    ///
    /// A row that is wrong. It has not been taken.
    pub(super) fn take(
        &mut self,
        settings: &Settings,
        row: Pushed<Y, X>,
        merged: &dyn Fn(&[Y]) -> Option<P>,
    ) -> Result<Vec<(u64, Values)>, LiveError> {
        let is_valid = row.x.is_some() && row.y.is_some();
        if settings.skip_nulls && !is_valid {
            return Ok(vec![(row.row, [None; MAX_OUTPUTS])]);
        }
        let y = row.y.and_then(|y| merged(&[y]));
        if settings.strict && row.y.is_some() && y.is_none() {
            return Err(settings.too_large(row.row));
        }
        let point = Point {
            row: row.row,
            x: row.x,
            y,
        };
        if settings.plan.duplicates == Duplicates::Error {
            self.past.check(settings, None, point)?;
            return Ok(self.past.follow(settings, point));
        }
        let breaks = settings.plan.breaks.at_nulls && !is_valid;
        if let Some(open) = &mut self.open
            && !breaks
            && row.x.is_some_and(|x| x == open.x)
        {
            open.numbers.extend(row.y);
            let point = open.row;
            self.waiting.push_back(Waiting {
                row: row.row,
                point,
                is_valid,
            });
            return Ok(Vec::new());
        }
        let open = self.open.as_ref().map(|open| open.point(merged));
        self.past.check(settings, open, point)?;
        self.waiting.push_back(Waiting {
            row: row.row,
            point: row.row,
            is_valid,
        });
        let mut results = self.close(settings, merged);
        match row.x {
            Some(x) if !breaks => {
                self.open = Some(Open {
                    row: row.row,
                    x,
                    numbers: row.y.into_iter().collect(),
                });
            },
            // No row can join it.
            _ => {
                let finished = self.past.follow(settings, point);
                results.extend(self.of_rows(settings, finished));
            },
        }
        Ok(results)
    }

    /// The results of the last rows.
    pub(super) fn finish(mut self, settings: &Settings, merged: &dyn Fn(&[Y]) -> Option<P>) -> Vec<(u64, Values)> {
        let mut results = self.close(settings, merged);
        let last = self.past.finish(settings);
        results.extend(self.of_rows(settings, last));
        results
    }

    /// Ends the open point, and returns the results that it finishes.
    fn close(&mut self, settings: &Settings, merged: &dyn Fn(&[Y]) -> Option<P>) -> Vec<(u64, Values)> {
        let Some(open) = self.open.take() else {
            return Vec::new();
        };
        let finished = self.past.follow(settings, open.point(merged));
        self.of_rows(settings, finished)
    }

    /// The results of rows, from those of points.
    fn of_rows(&mut self, settings: &Settings, points: Vec<(u64, Values)>) -> Vec<(u64, Values)> {
        if settings.plan.duplicates == Duplicates::Error {
            return points;
        }
        let then_zero = settings.plan.operator.describe().repeats() == Repeats::FirstThenZero;
        let mut results = Vec::new();
        for (point, values) in points {
            let mut of_point = values;
            while self.waiting.front().is_some_and(|waiting| waiting.point == point)
                && let Some(waiting) = self.waiting.pop_front()
            {
                let own = if waiting.is_valid {
                    of_point
                } else {
                    [None; MAX_OUTPUTS]
                };
                results.push((waiting.row, own));
                if then_zero && waiting.is_valid {
                    of_point = [Some(0.0); MAX_OUTPUTS];
                }
            }
        }
        results
    }
}

impl<Y, X: Copy> Open<Y, X> {
    fn point<P>(&self, merged: &dyn Fn(&[Y]) -> Option<P>) -> Point<P, X> {
        Point {
            row: self.row,
            x: Some(self.x),
            y: merged(&self.numbers),
        }
    }
}
