//! What each operator takes, what the numbers of its result count, and what is refused in words.

use std::time::Duration;

use super::{Plan, SECOND, all_ticks, ticks};
use crate::domain::{Domain, Duplicates, Length};
use crate::inputs::Inputs;
use crate::kernel::{Limit, Scale};
use crate::operators::{
    Derivative, Gradient, Increase, Integral, Operator, Rate, Reach, RollingSlope, Savgol, TurningPoints, WindowSize,
};
use crate::segments::{Across, Period, Ring};
use crate::units::{ColumnInfo, Kind, PlanError, SPARE_BITS_OF_64, Unit, spare_bits_of_decimal};

type Info = ColumnInfo<'static>;

const HOUR: Duration = Duration::from_secs(3_600);

fn floats() -> Info {
    ColumnInfo::of_floats("c")
}

/// Whole numbers of a unit of `10^-decimals`.
fn decimals(decimals: usize) -> Info {
    Info {
        unit: Some(Unit::Number { decimals }),
        is_float: false,
        spare_bits: SPARE_BITS_OF_64,
        ..floats()
    }
}

fn durations(nanoseconds: i64) -> Info {
    Info {
        unit: Some(Unit::Time { nanoseconds }),
        ..decimals(0)
    }
}

fn instants(nanoseconds: i64) -> Info {
    Info {
        is_instant: true,
        ..durations(nanoseconds)
    }
}

fn booleans() -> Info {
    Info {
        is_bool: true,
        ..decimals(0)
    }
}

fn cells(axes: usize) -> Info {
    Info { axes, ..floats() }
}

fn domain() -> Domain<()> {
    Domain::new()
}

fn derivative(order: usize) -> Operator {
    Derivative::new(order, 2).expect("small").into()
}

fn savgol(window: impl Into<WindowSize>, order: usize) -> Operator {
    let savgol = Savgol::new(window, 2).and_then(|savgol| savgol.order(order));
    savgol.expect("wide enough").into()
}

fn plan(
    operator: impl Into<Operator>,
    y: Info,
    x: impl Into<Option<Info>>,
    domain: &Domain<()>,
) -> Result<Plan, PlanError> {
    Plan::new(&operator.into(), Inputs::new(y, x.into()), domain)
}

#[track_caller]
fn refused<T>(plan: Result<T, PlanError>, words: &str) {
    let message = plan.err().expect("an error").0;
    assert!(message.contains(words), "{message}");
}

fn scale(numerator: f64, denominator: f64) -> Scale {
    Scale { numerator, denominator }
}

#[test]
fn an_operator_takes_differences_amounts_or_numbers() -> Result<(), PlanError> {
    let integral = domain().spacing(1.0);
    for y in [floats(), decimals(2), durations(1_000), instants(1_000)] {
        plan(Gradient::new(), y, None, &domain())?;
    }
    for y in [floats(), decimals(2), durations(1_000)] {
        plan(Increase::new(), y, None, &domain())?;
    }
    for y in [floats(), decimals(2)] {
        plan(Integral::new(), y, None, &integral)?;
    }
    refused(
        plan(Increase::new(), instants(1), None, &domain()),
        "a number or a Duration",
    );
    for y in [durations(1), instants(1)] {
        refused(plan(Integral::new(), y, None, &integral), "a numeric y");
    }
    refused(
        plan(Gradient::new(), booleans(), None, &domain()),
        "no meaning for booleans",
    );
    let words = Info { unit: None, ..floats() };
    refused(plan(Gradient::new(), words, None, &domain()), "a numeric or temporal y");
    refused(
        plan(Gradient::new(), floats(), words, &domain()),
        "a numeric or temporal x",
    );
    Ok(())
}

#[test]
fn axes_count_from_the_outside_and_negative_ones_never_reach_the_rows() -> Result<(), PlanError> {
    for (given, axis) in [(0, 0), (1, 1), (2, 2), (-1, 2), (-2, 1)] {
        assert_eq!(plan(Gradient::new(), cells(2), None, &domain().axis(given))?.axis, axis);
    }
    for given in [3, -3] {
        refused(
            plan(Gradient::new(), cells(2), None, &domain().axis(given)),
            "from 1 to 2",
        );
    }
    for given in [1, -1] {
        refused(
            plan(Gradient::new(), floats(), None, &domain().axis(given)),
            "no axis inside",
        );
    }
    plan(Gradient::new(), cells(2), None, &domain().by([()]))?;
    refused(
        plan(Gradient::new(), cells(2), None, &domain().by([()]).axis(1)),
        "`by` groups rows",
    );
    Ok(())
}

#[test]
fn x_has_the_shape_of_y_or_is_one_line_along_the_axis() -> Result<(), PlanError> {
    for (axis, allowed) in [
        (0, [true, false, true]),
        (1, [false, true, true]),
        (2, [false, true, true]),
    ] {
        for (axes, allowed) in allowed.into_iter().enumerate() {
            let plan = plan(Gradient::new(), cells(2), cells(axes), &domain().axis(axis));
            if allowed {
                plan?;
            } else {
                refused(
                    plan,
                    if axis == 0 {
                        "one coordinate a row"
                    } else {
                        "along the axis"
                    },
                );
            }
        }
    }
    Ok(())
}

#[test]
fn a_step_is_finite_and_not_zero_and_rises_for_counters() -> Result<(), PlanError> {
    for step in [0.0, f64::NAN, f64::INFINITY] {
        refused(
            plan(Gradient::new(), floats(), None, &domain().spacing(step)),
            "finite and not zero",
        );
    }
    refused(
        plan(Gradient::new(), floats(), None, &domain().spacing(Duration::ZERO)),
        "got 0 ns",
    );
    refused(
        plan(Gradient::new(), floats(), floats(), &domain().spacing(1.0)),
        "exclude each other",
    );
    refused(plan(Rate::new(), floats(), None, &domain()), "how far rows are apart");
    plan(Rate::new(), floats(), None, &domain().spacing(2.0))?;
    plan(Gradient::new(), floats(), None, &domain().spacing(-2.0))?;
    for step in [Length::Step(-2.0), Length::Nanoseconds(-2)] {
        refused(
            plan(Rate::new(), floats(), None, &domain().spacing(step)),
            "reverse the rows",
        );
    }
    Ok(())
}

#[test]
fn a_unit_of_time_is_for_numbers_over_times() -> Result<(), PlanError> {
    let hourly = domain().per(HOUR);
    plan(Gradient::new(), floats(), instants(1), &hourly)?;
    plan(Gradient::new(), floats(), None, &domain().per(HOUR).spacing(HOUR))?;
    for per in [0, -1] {
        let domain = Domain {
            per: Some(per),
            ..domain()
        };
        refused(
            plan(Gradient::new(), floats(), instants(1), &domain),
            "`per` must be positive",
        );
    }
    refused(plan(Gradient::new(), floats(), floats(), &hourly), "x column `c` is");
    refused(
        plan(Gradient::new(), floats(), None, &hourly),
        "rows are a number apart",
    );
    refused(plan(Gradient::new(), durations(1), instants(1), &hourly), "pure ratio");
    Ok(())
}

#[test]
fn factors_between_units_are_fractions_in_lowest_terms() -> Result<(), PlanError> {
    let (us, ms, day) = (1_000, 1_000_000, Unit::NANOSECONDS_OF_DAY);
    let (second, hour, tick) = (domain(), domain().per(HOUR), domain().per(Duration::from_micros(1)));
    for (operator, y, x, domain, expected) in [
        (derivative(1), floats(), floats(), &second, scale(1.0, 1.0)),
        (derivative(1), decimals(2), decimals(3), &second, scale(1e3, 1e2)),
        (derivative(1), floats(), instants(us), &second, scale(1e6, 1.0)),
        (derivative(1), floats(), instants(ms), &hour, scale(3.6e6, 1.0)),
        (derivative(1), floats(), instants(ms), &tick, scale(1.0, 1e3)),
        (derivative(1), instants(day), floats(), &second, scale(8.64e10, 1.0)),
        (derivative(1), durations(ms), floats(), &second, scale(1.0, 1.0)),
        (derivative(1), durations(ms), instants(us), &second, scale(1e3, 1.0)),
        (derivative(1), durations(us), instants(ms), &second, scale(1.0, 1e3)),
        (derivative(2), floats(), decimals(3), &second, scale(1e6, 1.0)),
        (derivative(2), floats(), instants(us), &second, scale(1e12, 1.0)),
        (derivative(2), floats(), instants(ms), &tick, scale(1.0, 1e6)),
        (derivative(2), durations(ms), instants(us), &second, scale(1e9, 1.0)),
        // The fraction would not fit into 128 bits.
        (
            derivative(8),
            floats(),
            instants(us),
            &hour,
            scale(3.6e9_f64.powi(8), 1.0),
        ),
        (
            Integral::new().into(),
            decimals(2),
            decimals(3),
            &second,
            scale(1.0, 1e5),
        ),
        (Integral::new().into(), floats(), instants(us), &second, scale(1.0, 1e6)),
        (
            Integral::new().into(),
            floats(),
            instants(day),
            &second,
            scale(86_400.0, 1.0),
        ),
    ] {
        let name = operator.name();
        let got = plan(operator, y, x, domain)?.units.scales[0];
        let is_exact = name != "derivative" || expected.numerator < 1e20;
        let rounding = if is_exact { 0.0 } else { 1e-14 };
        assert!(
            (got.numerator / expected.numerator - 1.0).abs() <= rounding && got.denominator == expected.denominator,
            "{name}: {got:?}, not {expected:?}"
        );
    }
    let spaced = domain().spacing(0.5);
    for (operator, factor) in [
        (derivative(1), 2.0),
        (derivative(2), 4.0),
        (Integral::new().into(), 0.5),
    ] {
        let Scale { numerator, denominator } = plan(operator, floats(), None, &spaced)?.units.scales[0];
        assert_eq!(numerator / denominator, factor);
    }
    Ok(())
}

#[test]
fn results_are_numbers_durations_or_of_the_dtype_of_a_column() -> Result<(), PlanError> {
    let (us, ms) = (1_000, 1_000_000);
    let kinds = |operator: Operator, y, x| -> Result<Vec<Kind>, PlanError> {
        let plan = plan(operator, y, x, &domain())?;
        Ok(plan.outputs.iter().map(|output| output.kind).collect())
    };
    let duration = |nanoseconds| vec![Kind::Duration { nanoseconds }];
    assert_eq!(kinds(derivative(1), floats(), None)?, [Kind::Number]);
    assert_eq!(kinds(derivative(1), durations(ms), None)?, duration(ms));
    assert_eq!(
        kinds(derivative(1), instants(Unit::NANOSECONDS_OF_DAY), None)?,
        duration(us)
    );
    assert_eq!(kinds(derivative(1), durations(ms), Some(instants(us)))?, [Kind::Number]);
    assert_eq!(kinds(derivative(2), durations(ms), Some(instants(us)))?, [Kind::Number]);
    assert_eq!(kinds(Increase::new().into(), durations(ms), None)?, [Kind::OfY]);
    assert_eq!(kinds(savgol(WindowSize::Rows(5), 0), instants(ms), None)?, [Kind::OfY]);
    // Of a mean, which has a fraction.
    let mean = domain().duplicates(Duplicates::Mean);
    let values = plan(savgol(WindowSize::Rows(5), 0), durations(ms), None, &mean)?.units;
    assert_eq!(values.scales, [scale(1.0, 2.0_f64.powi(SPARE_BITS_OF_64 as i32))]);
    refused(kinds(derivative(2), durations(ms), None), "no derivative of order 2");
    let turns = TurningPoints::new();
    let [_, x, y] = kinds(turns.into(), durations(ms), Some(instants(us)))?[..] else {
        panic!("three outputs")
    };
    assert_eq!((x, y), (Kind::OfX, Kind::Duration { nanoseconds: ms }));
    let [_, x, y] = kinds(turns.into(), floats(), None)?[..] else {
        panic!("three outputs")
    };
    assert_eq!((x, y), (Kind::Float64, Kind::Float64));
    Ok(())
}

#[test]
fn a_place_is_a_number_of_x_or_a_distance() -> Result<(), PlanError> {
    for (x, domain, expected) in [
        (Some(decimals(3)), domain(), scale(1.0, 1e3)),
        (Some(instants(1_000)), domain(), scale(1.0, 1.0)),
        (None, domain().spacing(0.5), scale(0.5, 1.0)),
        (None, domain().spacing(Duration::from_nanos(7)), scale(7.0, 1.0)),
    ] {
        assert_eq!(
            plan(TurningPoints::new(), floats(), x, &domain)?.units.scales[0],
            expected
        );
    }
    Ok(())
}

#[test]
fn a_tick_is_the_nearest_whole_number_that_64_bits_hold() {
    for (value, expected) in [
        (0.5, Some(0)),
        (1.5, Some(2)),
        (-2.4, Some(-2)),
        (-(2.0_f64.powi(63)), Some(i64::MIN)),
        (2.0_f64.powi(63).next_down(), Some(i64::MAX - 1_023)),
        (2.0_f64.powi(63), None),
        (-(2.0_f64.powi(63).next_up()), None),
        (f64::NAN, None),
        (f64::INFINITY, None),
    ] {
        assert_eq!(ticks(value), expected, "{value}");
        let mut durations = [1.5; 70];
        durations[40] = value;
        let each: Option<Vec<_>> = durations.iter().map(|&duration| ticks(duration)).collect();
        assert_eq!(all_ticks(&durations), each, "{value}");
    }
}

#[test]
fn operators_that_read_a_segment_from_its_start_are_sequential() -> Result<(), PlanError> {
    for operator in Operator::all() {
        let name = operator.name();
        let plan = plan(operator, floats(), floats(), &domain())?;
        assert_eq!(
            plan.is_sequential(),
            ["integral", "turning_points"].contains(&name),
            "{name}"
        );
    }
    Ok(())
}

fn with_sigma(operator: &Operator, y: Info, sigma: Info, domain: &Domain<()>) -> Result<Scale, PlanError> {
    let columns = Inputs {
        y,
        x: None,
        sigma: Some(sigma),
    };
    let plan = Plan::new(operator, columns, domain)?;
    Ok(plan.sigma.expect("a sigma").scale)
}

#[test]
fn standard_deviations_are_amounts_in_the_numbers_of_y() -> Result<(), PlanError> {
    let (us, ms) = (1_000, 1_000_000);
    let derivative = Derivative::default().with_error().into();
    for (y, sigma, expected) in [
        (decimals(4), decimals(2), scale(1e4, 1e2)),
        (durations(ms), durations(us), scale(1.0, 1e3)),
        (instants(us), durations(ms), scale(1e3, 1.0)),
    ] {
        assert_eq!(with_sigma(&derivative, y, sigma, &domain())?, expected);
    }
    let mean = domain().duplicates(Duplicates::Mean);
    assert_eq!(
        with_sigma(&derivative, decimals(1), floats(), &mean)?,
        scale(10.0 * 2.0_f64.powi(SPARE_BITS_OF_64 as i32), 1.0)
    );
    for sigma in [durations(ms), booleans()] {
        refused(with_sigma(&derivative, floats(), sigma, &domain()), "must be numbers");
    }
    for sigma in [floats(), instants(ms)] {
        refused(
            with_sigma(&derivative, instants(ms), sigma, &domain()),
            "must be durations",
        );
    }
    refused(
        with_sigma(&Gradient::new().into(), floats(), floats(), &domain()),
        "takes no `sigma`",
    );
    Ok(())
}

#[test]
fn standard_deviations_have_the_shape_of_y_or_are_one_a_row() -> Result<(), PlanError> {
    let derivative = Derivative::default().with_error().into();
    for (axis, y, sigma) in [(0, 1, 0), (0, 1, 1), (1, 1, 1)] {
        with_sigma(&derivative, cells(y), cells(sigma), &domain().axis(axis))?;
    }
    for (axis, y, sigma) in [(1, 1, 0), (0, 2, 1), (0, 0, 1)] {
        let plan = with_sigma(&derivative, cells(y), cells(sigma), &domain().axis(axis));
        refused(plan, "must have the shape of y");
    }
    Ok(())
}

#[test]
fn a_period_of_y_is_in_its_numbers() -> Result<(), PlanError> {
    let day = Duration::from_secs(86_400);
    let period = |y, domain: &Domain<()>| Ok::<_, PlanError>(plan(Gradient::new(), y, None, domain)?.units.period);
    assert_eq!(period(floats(), &domain())?, None);
    assert_eq!(period(floats(), &domain().y_period(360.0))?, Some(360.0));
    assert_eq!(period(decimals(2), &domain().y_period(1.15))?, Some(115.0));
    assert_eq!(
        period(durations(1_000_000), &domain().y_period(day))?,
        Some(86_400_000.0)
    );
    let mean = domain().duplicates(Duplicates::Mean);
    let one = 2.0_f64.powi(SPARE_BITS_OF_64 as i32);
    assert_eq!(period(decimals(0), &mean.clone().y_period(3.0))?, Some(3.0 * one));
    assert_eq!(period(durations(SECOND), &mean.y_period(HOUR))?, Some(3_600.0 * one));
    for wrong in [0.0, -1.0, f64::INFINITY, f64::NAN] {
        refused(period(floats(), &domain().y_period(wrong)), "finite and positive");
    }
    refused(period(durations(1), &domain().y_period(360.0)), "must be a duration");
    refused(period(floats(), &domain().y_period(day)), "must be a number");
    refused(
        plan(Increase::new(), floats(), None, &domain().y_period(360.0)),
        "takes no `y_period`",
    );
    Ok(())
}

#[test]
fn an_integer_has_no_mean_increase() -> Result<(), PlanError> {
    let mean = domain().duplicates(Duplicates::Mean);
    refused(plan(Increase::new(), decimals(0), floats(), &mean), "gives a fraction");
    plan(Increase::new(), floats(), floats(), &mean)?;
    plan(
        Increase::new(),
        decimals(0),
        floats(),
        &domain().duplicates(Duplicates::First),
    )?;
    Ok(())
}

#[test]
fn a_decimal_leaves_the_bits_that_its_digits_do_not_take() {
    // 10^20 takes 67 of 128 bits; one is the sign, one for the sum of two.
    let spare = [1, 18, 20, 21, 38].map(spare_bits_of_decimal);
    assert_eq!(spare, [62, 62, 59, 58, 58]);
}

#[test]
fn options_are_in_the_numbers_of_the_columns() -> Result<(), PlanError> {
    let wrapped = |y, wrap| Ok::<_, PlanError>(plan(Increase::new().wrap(wrap), y, None, &domain())?.operator);
    assert_eq!(wrapped(decimals(0), 25.0)?, wrapped(decimals(1), 2.5)?);
    assert_ne!(wrapped(decimals(0), 25.0)?, wrapped(decimals(0), 26.0)?);
    wrapped(floats(), 2.5)?;
    refused(wrapped(decimals(0), 2.5), "whole number of steps of y");
    let limited = |nanoseconds, rate| {
        let rate = Increase::new().max_rate(Duration::from_nanos(rate));
        Ok::<_, PlanError>(plan(rate, durations(nanoseconds), None, &domain().spacing(1.0))?.operator)
    };
    assert_eq!(limited(1_000_000, 5_000_000)?, limited(1_000, 5_000)?);
    assert_ne!(limited(1_000_000, 5_000_000)?, limited(1_000_000, 7_000_000)?);
    let least = |rate: f64| plan(Rate::new().max_rate(rate), floats(), floats(), &domain()).map(|plan| plan.operator);
    assert_ne!(least(2.0)?, least(3.0)?);
    refused(least(0.0), "finite and positive");
    // Without an x the weights of all windows are the same.
    assert_ne!(
        plan(savgol(WindowSize::Rows(5), 1), floats(), None, &domain())?.operator,
        plan(savgol(WindowSize::Rows(5), 1), floats(), floats(), &domain())?.operator
    );
    Ok(())
}

#[test]
fn lengths_of_x_are_compared_in_its_numbers() -> Result<(), PlanError> {
    let gap = |x: Option<Info>, gap: Length| -> Result<Limit, PlanError> {
        let plan = plan(Gradient::new(), floats(), x, &domain().max_gap(gap))?;
        Ok(plan.breaks.max_gap.expect("a gap"))
    };
    for (x, length, float, integer) in [
        (floats(), Length::Step(1.5), 1.5, 1),
        (decimals(0), Length::Step(2.0), 2.0, 2),
        (decimals(3), Length::Step(0.3), 0.3, 300),
        (decimals(1), Length::Step(0.19), 0.19, 1),
        (decimals(3), Length::Step(2.0), 2.0, 2_000),
        (instants(1_000), Length::Nanoseconds(3_500), 3.5, 3),
    ] {
        assert_eq!(gap(Some(x), length)?, Limit { float, integer });
    }
    for wrong in [0.0, -1.0, f64::INFINITY, f64::NAN] {
        refused(gap(Some(floats()), Length::Step(wrong)), "finite and positive");
    }
    for wrong in [0, -5] {
        refused(gap(Some(instants(1)), Length::Nanoseconds(wrong)), "must be positive");
    }
    refused(gap(Some(instants(1)), Length::Step(1.0)), "must be a duration");
    refused(gap(Some(floats()), Length::Nanoseconds(1)), "must be a number");
    refused(gap(None, Length::Step(1.0)), "no `x`");
    let window = RollingSlope::new(5.0).expect("a length");
    let lengths = plan(window, floats(), floats(), &domain())?.lengths;
    let limit = |float: f64, integer| Limit { float, integer };
    assert_eq!(lengths, Some([limit(5.0, 5), limit(0.0, 0)]));
    Ok(())
}

fn ring(operator: impl Into<Operator>, x: impl Into<Option<Info>>, domain: &Domain<()>) -> Result<Ring, PlanError> {
    Ok(plan(operator, floats(), x, domain)?.ring.expect("a ring"))
}

#[test]
fn a_period_of_x_is_in_its_numbers() -> Result<(), PlanError> {
    let reach = Across::Rows(Reach { before: 1, after: 1 });
    for (x, length, float, integer) in [
        (floats(), Length::Step(360.0), 360.0, Some(360)),
        (floats(), Length::Step(0.5), 0.5, None),
        (decimals(0), Length::Step(0.5), 0.5, None),
        (decimals(3), Length::Step(0.3), 300.0, Some(300)),
        (instants(1_000), Length::Nanoseconds(7_000), 7.0, Some(7)),
    ] {
        let period = Period { float, integer };
        assert_eq!(
            ring(Gradient::new(), x, &domain().x_period(length))?,
            Ring { period, reach }
        );
    }
    let whole = "whole number of the steps of x";
    refused(ring(Gradient::new(), decimals(1), &domain().x_period(0.15)), whole);
    refused(
        ring(
            Gradient::new(),
            instants(1_000),
            &domain().x_period(Length::Nanoseconds(1_500)),
        ),
        whole,
    );
    refused(
        ring(Gradient::new(), None, &domain().x_period(360.0)),
        "is a length of x",
    );
    refused(
        ring(TurningPoints::new(), floats(), &domain().x_period(360.0)),
        "takes no `x_period`",
    );
    Ok(())
}

#[test]
fn a_window_fits_into_the_period_of_x() -> Result<(), PlanError> {
    let domain = domain().x_period(10.0);
    for (x, window, length) in [(floats(), 2.0, 2.0), (floats(), 5.0, 5.0), (decimals(1), 5.0, 50.0)] {
        assert_eq!(ring(savgol(window, 1), x, &domain)?.reach, Across::Length(length));
    }
    refused(
        ring(savgol(5.5, 1), floats(), &domain),
        "at least as long as `window_size`",
    );
    Ok(())
}

#[test]
fn a_period_without_x_is_a_whole_number_of_steps() -> Result<(), PlanError> {
    let rows = |period: Length, step: Length| {
        let Ring { period, .. } = ring(Gradient::new(), None, &domain().x_period(period).spacing(step))?;
        assert_eq!(period.integer.map(|rows| rows as f64), Some(period.float));
        Ok::<_, PlanError>(period.float)
    };
    let (number, time) = (Length::Step, Length::Nanoseconds);
    for (period, step, expected) in [
        (number(360.0), number(30.0), 12.0),
        (number(360.0), number(-30.0), 12.0),
        (number(360.0), number(360.0 / 7.0), 7.0),
        (number(30.0), number(30.0), 1.0),
        (time(24_000), time(1_000), 24.0),
        (time(24_000), time(-1_000), 24.0),
    ] {
        assert_eq!(rows(period, step)?, expected);
    }
    for (period, step) in [(360.0, 7.0), (360.0, 720.0), (360.0, 1_000.0)] {
        refused(rows(number(period), number(step)), "whole number of steps");
    }
    refused(rows(number(360.0), time(1)), "must be a duration");
    refused(rows(time(1), number(360.0)), "must be a number");
    Ok(())
}
