//! The live feed: the slopes of the whole column, point by point, for any keys, cuts and options.

mod oracle;

use std::time::Duration;

use polars_grad::{
    Domain, Duplicates, EdgeOrder, Edges, Finished, Gradient, Increase, Integral, Live, LiveError, Nulls, Operator,
    RollingSlope, Savgol, WindowSize,
};
use proptest::prelude::*;
use proptest::sample::Index;

use oracle::{all_nulls, close, edge_orders, naive_in_segments, points};

type Point = (Option<u8>, Option<f64>, Option<f64>);

fn gradient(edge_order: EdgeOrder) -> Gradient {
    Gradient::new().edge_order(edge_order)
}

fn domain(nulls: Nulls, max_gap: Option<f64>) -> Domain<()> {
    let domain = Domain::new().nulls(nulls);
    match max_gap {
        Some(gap) => domain.max_gap(gap),
        None => domain,
    }
}

/// The slope at each point; each must come once, with the key of its point.
fn by_row(points: &[Point], finished: Vec<Finished<Option<u8>>>) -> Vec<Option<f64>> {
    let mut slopes = vec![None; points.len()];
    for finished in finished {
        let row = usize::try_from(finished.row).expect("as many points as rows");
        assert_eq!(finished.key, points[row].0, "the key of point {row}");
        assert!(
            slopes[row].replace(finished.value()).is_none(),
            "point {row} is finished twice"
        );
    }
    slopes
        .into_iter()
        .map(|slope| slope.expect("every point is finished"))
        .collect()
}

/// The slopes of a feed that arrives in batches, one point alone by `push`.
fn fed(
    points: &[Point],
    cuts: &[Index],
    operator: Gradient,
    domain: &Domain<()>,
) -> Result<Vec<Option<f64>>, LiveError> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(points.len() + 1)).collect();
    places.extend([0, points.len()]);
    places.sort_unstable();
    let mut live = Live::new(operator, domain)?;
    let mut finished = Vec::new();
    for pair in places.windows(2) {
        match &points[pair[0]..pair[1]] {
            &[(key, x, y)] => finished.extend(live.push(key, x, y)?),
            batch => live.extend(batch.iter().copied(), &mut finished)?,
        }
    }
    finished.extend(live.finish());
    Ok(by_row(points, finished))
}

fn bits(slopes: &[Option<f64>]) -> Vec<Option<u64>> {
    slopes.iter().map(|slope| slope.map(f64::to_bits)).collect()
}

/// Points of up to five keys and the null key, taking turns in any order.
fn keyed() -> impl Strategy<Value = Vec<Point>> {
    let keys = prop::collection::vec(prop::option::weighted(0.9, 0..5_u8), 700);
    (points(), keys).prop_map(|(points, keys)| points.into_iter().zip(keys).map(|((y, x), key)| (key, x, y)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn matches_the_naive_formula_on_each_segment_of_each_key(
        points in keyed(),
        swaps in prop::collection::vec((any::<Index>(), any::<Index>()), 0..6),
        edge_order in edge_orders(),
        nulls in all_nulls(),
        max_gap in prop::option::of(1.0..20.0),
        cuts in prop::collection::vec(any::<Index>(), 0..20),
    ) {
        let mut points = points;
        let rows = points.len();
        // An x out of order is null where a stencil reads it.
        for (a, b) in swaps.iter().filter(|_| rows > 0) {
            let (a, b) = (a.index(rows), b.index(rows));
            (points[a].1, points[b].1) = (points[b].1, points[a].1);
        }
        let slopes = fed(&points, &cuts, gradient(edge_order), &domain(nulls, max_gap).strict(swaps.is_empty()))?;
        let [x, y] = [|point: &Point| point.1, |point: &Point| point.2].map(|of| points.iter().map(of).collect::<Vec<_>>());
        let keys: Vec<_> = points.iter().map(|point| point.0).collect();
        close(&slopes, &naive_in_segments(&y, &x, &keys, edge_order, nulls, max_gap))?;
    }

    #[test]
    fn gives_the_same_bits_however_it_is_cut(
        points in keyed(),
        edge_order in edge_orders(),
        nulls in all_nulls(),
        cuts in prop::collection::vec(any::<Index>(), 1..20),
    ) {
        let (operator, domain) = (gradient(edge_order), domain(nulls, None));
        let [whole, cut] = [&[], &cuts[..]].map(|cuts| fed(&points, cuts, operator, &domain));
        prop_assert_eq!(bits(&whole?), bits(&cut?));
    }

    #[test]
    fn a_key_has_the_bits_that_it_has_alone(
        points in keyed(),
        edge_order in edge_orders(),
        nulls in all_nulls(),
        max_gap in prop::option::of(1.0..20.0),
    ) {
        let (operator, domain) = (gradient(edge_order), domain(nulls, max_gap));
        let together = fed(&points, &[], operator, &domain)?;
        for key in [None, Some(0), Some(3)] {
            let (alone, expected): (Vec<_>, Vec<_>) =
                points.iter().zip(&together).filter(|(point, _)| point.0 == key).unzip();
            prop_assert_eq!(bits(&fed(&alone, &[], operator, &domain)?), bits(&expected));
        }
    }

    #[test]
    fn a_line_of_integers_has_exactly_its_slope(
        steps in prop::collection::vec(1_i64..1_000_000_000, 1..100),
        slope in -1000_i64..1000,
        edge_order in edge_orders(),
    ) {
        let epoch = 1_700_000_000_000_000_000;
        let first = if slope < 0 { i64::MAX } else { i64::MIN };
        let mut live = Live::<(), i64, i64>::new(gradient(edge_order), &Domain::new())?;
        let x = steps.iter().scan(0, |x, step| { *x += step; Some(*x) });
        let mut finished = Vec::new();
        live.extend(x.map(|x| ((), Some(epoch + x), Some(first + slope * x))), &mut finished)?;
        finished.extend(live.finish());
        let expected = (steps.len() > usize::from(u8::from(edge_order))).then_some(slope as f64);
        prop_assert_eq!(finished.len(), steps.len());
        prop_assert!(finished.iter().all(|point| point.value() == expected));
    }
}

#[test]
fn a_slope_comes_as_soon_as_its_stencil_is_complete() -> Result<(), LiveError> {
    for (edge_order, first, last) in [
        (EdgeOrder::First, vec![None, Some(0), Some(1), Some(2)], vec![3]),
        (EdgeOrder::Second, vec![None, None, Some(0), Some(1)], vec![2, 3]),
    ] {
        let mut live = Live::new(gradient(edge_order), &Domain::new())?;
        let rows = [0.0, 1.0, 3.0, 4.0].map(|x| live.push((), Some(x), Some(x * x)));
        let rows = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
        assert_eq!(
            rows.iter()
                .map(|slopes| slopes.first().map(|slope| slope.row))
                .collect::<Vec<_>>(),
            first
        );
        assert_eq!(live.finish().iter().map(|slope| slope.row).collect::<Vec<_>>(), last);
    }
    Ok(())
}

#[test]
fn squares_have_the_slopes_of_numpy() -> Result<(), LiveError> {
    let points = [0.0, 1.0, 3.0, 4.0].map(|x| (None, Some(x), Some(x * x)));
    for (edge_order, expected) in [
        (EdgeOrder::First, [1.0, 2.0, 6.0, 7.0]),
        (EdgeOrder::Second, [0.0, 2.0, 6.0, 8.0]),
    ] {
        let slopes = fed(&points, &[], gradient(edge_order), &Domain::new())?;
        assert_eq!(slopes, expected.map(Some));
    }
    Ok(())
}

#[test]
fn a_null_does_what_the_options_say() -> Result<(), LiveError> {
    let y = [Some(0.0), Some(1.0), None, Some(9.0), Some(16.0)];
    let points: Vec<_> = (0..).map(f64::from).zip(y).map(|(x, y)| (None, Some(x), y)).collect();
    for (nulls, expected) in [
        (Nulls::Propagate, [Some(1.0), None, None, None, Some(7.0)]),
        (Nulls::Skip, [Some(1.0), Some(2.0), None, Some(6.0), Some(7.0)]),
        (Nulls::Split, [Some(1.0), Some(1.0), None, Some(7.0), Some(7.0)]),
    ] {
        assert_eq!(
            fed(&points, &[], Gradient::new(), &domain(nulls, None))?,
            expected,
            "{nulls:?}"
        );
    }
    Ok(())
}

#[test]
fn a_gap_ends_a_segment_and_one_point_alone_has_no_slope() -> Result<(), LiveError> {
    let points = [0.0, 1.0, 10.0, 20.0, 22.0].map(|x| (None, Some(x), Some(x * x)));
    let slopes = fed(&points, &[], Gradient::new(), &domain(Nulls::Propagate, Some(2.0)))?;
    assert_eq!(slopes, [Some(1.0), Some(1.0), None, Some(42.0), Some(42.0)]);
    Ok(())
}

#[test]
fn the_last_points_of_all_keys_come_in_the_order_in_which_they_were_pushed() -> Result<(), LiveError> {
    let mut live = Live::new(gradient(EdgeOrder::Second), &Domain::new())?;
    for turn in 0..3 {
        for key in (0..100).rev() {
            live.push(key, Some(f64::from(turn)), Some(f64::from(turn * key)))?;
        }
    }
    let last = live.finish();
    assert_eq!(
        last.iter().map(|slope| slope.row).collect::<Vec<_>>(),
        (100..300).collect::<Vec<_>>()
    );
    assert!(last.iter().all(|slope| slope.value() == Some(f64::from(slope.key))));
    Ok(())
}

#[test]
fn no_points_are_finished_with_nothing() -> Result<(), LiveError> {
    let mut live = Live::<u8>::new(Gradient::new(), &Domain::new())?;
    let mut finished = Vec::new();
    live.extend([], &mut finished)?;
    assert_eq!(finished, []);
    assert_eq!(live.finish(), []);
    Ok(())
}

#[test]
fn integers_do_not_wrap_around() -> Result<(), LiveError> {
    let mut live = Live::<(), i64, i128>::new(Gradient::new(), &Domain::new())?;
    live.push((), Some(i128::MIN), Some(i64::MIN))?;
    let first = live.push((), Some(i128::MIN + 1), Some(i64::MAX))?;
    assert_eq!(first[0].value(), Some(u64::MAX as f64));
    Ok(())
}

#[test]
fn times_have_units() -> Result<(), LiveError> {
    let hour = Duration::from_secs(3600);
    for (tick, hours, domain, slope) in [
        (Duration::from_secs(1), 3600, Domain::new(), 1.0),
        (
            Duration::from_nanos(1),
            3_600_000_000_000,
            Domain::new().per(hour),
            3600.0,
        ),
        (Duration::from_millis(1), 3_600_000, Domain::new().per(hour / 60), 60.0),
        (hour, 1, Domain::new().per(24 * hour).max_gap(hour), 86400.0),
    ] {
        let mut live = Live::<(), i64, i64>::over_time(Gradient::new(), &domain, tick)?;
        live.push((), Some(7), Some(0))?;
        let first = live.push((), Some(7 + hours), Some(3600))?;
        assert_eq!(first[0].value(), Some(slope), "{tick:?}");
    }
    Ok(())
}

#[test]
fn what_it_remembers_does_not_grow_with_the_points() -> Result<(), LiveError> {
    let mut live = Live::new(gradient(EdgeOrder::Second), &Domain::new())?;
    let mut size = Vec::new();
    for row in 0..100_000_u32 {
        live.push(row % 3, Some(f64::from(row)), Some(1.0))?;
        if row == 100 || row == 99_999 {
            // All that it holds is shown; row numbers grow by a few digits.
            size.push(format!("{live:?}").len());
        }
    }
    assert!(size[1] < 2 * size[0], "from {} to {} bytes", size[0], size[1]);
    Ok(())
}

/// The slopes at the points that are taken; the others are known by their errors.
fn taken(points: &[(Option<f64>, f64)], operator: Gradient) -> Result<(Vec<Option<f64>>, Vec<usize>), LiveError> {
    let mut live = Live::new(operator, &Domain::new())?;
    let (mut kept, mut finished, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (place, &(x, y)) in points.iter().enumerate() {
        match live.push(None, x, Some(y)) {
            Ok(slope) => {
                kept.push((None, x, Some(y)));
                finished.extend(slope);
            },
            Err(_) => refused.push(place),
        }
    }
    finished.extend(live.finish());
    Ok((by_row(&kept, finished), refused))
}

#[test]
fn a_repeated_x_is_refused_and_the_feed_goes_on_without_it() -> Result<(), LiveError> {
    let points = [
        (0.0, 0.0),
        (1.0, 1.0),
        (1.0, -7.0),
        (3.0, 9.0),
        (0.5, -7.0),
        (4.0, 16.0),
    ]
    .map(|(x, y)| (Some(x), y));
    let (slopes, refused) = taken(&points, Gradient::new())?;
    assert_eq!(slopes, [1.0, 2.0, 6.0, 7.0].map(Some));
    assert_eq!(refused, [2, 4]);
    Ok(())
}

#[test]
fn a_repeated_x_is_refused_and_the_feed_goes_on_without_it_at_the_second_order() -> Result<(), LiveError> {
    let points = [
        (0.0, 0.0),
        (1.0, 1.0),
        (1.0, -7.0),
        (3.0, 9.0),
        (0.5, -7.0),
        (4.0, 16.0),
    ]
    .map(|(x, y)| (Some(x), y));
    let (slopes, refused) = taken(&points, gradient(EdgeOrder::Second))?;
    assert_eq!(slopes, [0.0, 2.0, 6.0, 8.0].map(Some));
    assert_eq!(refused, [2, 4]);
    Ok(())
}

#[test]
fn an_x_that_is_not_finite_is_refused_wherever_it_comes() -> Result<(), LiveError> {
    for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for place in 0..4 {
            let mut points = [0.0, 1.0, 3.0].map(|x| (Some(x), x * x)).to_vec();
            points.insert(place, (Some(broken), 5.0));
            let (slopes, refused) = taken(&points, Gradient::new())?;
            assert_eq!(slopes, [1.0, 2.0, 4.0].map(Some), "{broken} at {place}");
            assert_eq!(refused, [place]);
        }
    }
    Ok(())
}

#[test]
fn the_feed_goes_on_after_an_x_repeated_behind_a_null() -> Result<(), LiveError> {
    let points = [Some(0.0), None, Some(5.0), Some(5.0), Some(6.0), Some(7.0)].map(|x| (x, 1.0));
    let (slopes, refused) = taken(&points, Gradient::new())?;
    assert_eq!(slopes, [None, None, None, Some(0.0), Some(0.0)]);
    assert_eq!(refused.len(), 1, "one point too many, not {refused:?}");
    Ok(())
}

#[test]
fn where_a_segment_ends_x_may_begin_anew() -> Result<(), LiveError> {
    let first = [(0.0, 0.0), (1.0, 1.0)].map(|(x, y)| (Some(x), Some(y)));
    let second = [(0.5, 0.0), (0.25, 1.0), (0.0, 2.0)].map(|(x, y)| (Some(x), Some(y)));
    let expected = [1.0, 1.0, -4.0, -4.0, -4.0].map(Some);
    for nothing in [(None, None), (None, Some(5.0)), (Some(1.5), None)] {
        let points: Vec<_> = first
            .into_iter()
            .chain([nothing])
            .chain(second)
            .map(|(x, y)| (None, x, y))
            .collect();
        let mut slopes = fed(&points, &[], Gradient::new(), &domain(Nulls::Split, None))?;
        assert_eq!(slopes.remove(2), None);
        assert_eq!(slopes, expected, "after {nothing:?}");
    }
    let far = second.map(|(x, y)| (x.map(|x| x - 10.0), y));
    let points: Vec<_> = first.into_iter().chain(far).map(|(x, y)| (None, x, y)).collect();
    assert_eq!(
        fed(&points, &[], Gradient::new(), &domain(Nulls::Propagate, Some(2.0)))?,
        expected
    );
    Ok(())
}

#[test]
fn an_error_in_one_key_is_none_of_the_others_business() -> Result<(), LiveError> {
    let mut live = Live::new(Gradient::new(), &Domain::new())?;
    let error = live
        .extend(
            [("a", 0.0), ("b", 5.0), ("a", 0.0), ("b", 6.0)].map(|(key, x)| (key, Some(x), Some(x))),
            &mut Vec::new(),
        )
        .expect_err("the x of a repeats");
    assert_eq!(
        error.to_string(),
        "`x` must be finite and strictly monotonic, but got 0 (point 0), 0 (point 2) in a row; sort the feed, merge what \
        repeats with `duplicates`, drop what is not finite, or turn `strict` off to get nulls there"
    );
    // The points before it were taken, it was not.
    assert_eq!(error.row(), Some(2));
    let first = live.push("b", Some(6.0), Some(8.0))?;
    let first = first.iter().map(|slope| (slope.key, slope.row, slope.value()));
    assert_eq!(first.collect::<Vec<_>>(), [("b", 1, Some(3.0))]);
    let last = live.finish();
    assert_eq!(
        last.iter().map(|slope| (slope.row, slope.value())).collect::<Vec<_>>(),
        [(0, None), (2, Some(3.0))]
    );
    Ok(())
}

#[test]
fn a_broken_x_is_null_if_not_strict() -> Result<(), LiveError> {
    let points = [0.0, 1.0, 1.0, 2.0, 3.0, f64::NAN].map(|x| (None, Some(x), Some(x)));
    let slopes = fed(&points, &[], Gradient::new(), &Domain::new().strict(false))?;
    assert_eq!(slopes, [Some(1.0), None, None, Some(1.0), None, None]);
    Ok(())
}

#[test]
fn options_that_do_not_fit_are_refused_in_words() {
    let second = Duration::from_secs(1);
    let new = |domain| Live::<u8>::new(Gradient::new(), &domain).map(drop);
    let over_time = |domain, tick| Live::<u8, f64, i64>::over_time(Gradient::new(), &domain, tick).map(drop);
    let none = Domain::new;
    for (result, words) in [
        (new(none().per(second)), "`per` is the unit of a temporal x"),
        (new(none().max_gap(second)), "`max_gap` must be a number"),
        (
            new(none().max_gap(-1.0)),
            "`max_gap` must be finite and positive, got -1",
        ),
        (new(none().spacing(1.0)), "drop `x`, `by` and `spacing`"),
        (new(none().x(())), "gets x and key with each point"),
        (new(none().x_period(360.0)), "a live feed takes no `x_period`"),
        (new(none().by([()])), "gets x and key with each point"),
        (over_time(none().max_gap(1.0), second), "`max_gap` must be a duration"),
        (
            over_time(none().per(Duration::ZERO), second),
            "`per` must be positive, got 0 ns",
        ),
        (
            over_time(none(), Duration::ZERO),
            "`tick` must be from 1 ns to 292 years long, got 0ns",
        ),
        (
            over_time(none(), Duration::MAX),
            "`tick` must be from 1 ns to 292 years long",
        ),
    ] {
        let error = result.expect_err(words);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.row(), None);
    }
}

/// The rows that each push finishes, and those at the end.
fn rows_finished<X>(operator: impl Into<Operator>, domain: &Domain<()>, x: &[X]) -> Result<Vec<Vec<u64>>, LiveError>
where
    X: polars_grad::kernel::Sample + Default + std::fmt::Display,
{
    let mut live = Live::new(operator, domain)?;
    let rows = |finished: Vec<Finished<()>>| finished.iter().map(|finished| finished.row).collect::<Vec<_>>();
    let pushed = x.iter().map(|&x| Ok(rows(live.push((), Some(x), Some(1.0))?)));
    let mut finished = pushed.collect::<Result<Vec<_>, LiveError>>()?;
    finished.push(rows(live.finish()));
    Ok(finished)
}

#[test]
fn a_window_of_a_length_is_finished_once_x_has_passed_it() -> Result<(), LiveError> {
    let slope = |length: f64| RollingSlope::new(length).expect("a length");
    let domain = Domain::new();
    let x = [0_i64, 1, 1, 2, 7, 8];
    assert_eq!(
        rows_finished(slope(2.0), &domain, &x)?,
        [vec![], vec![0], vec![], vec![1, 2], vec![3], vec![4], vec![5]]
    );
    let centred = slope(4.0).center(true).expect("a length");
    assert_eq!(
        rows_finished(centred, &domain, &x)?,
        [vec![], vec![], vec![], vec![], vec![0, 1, 2, 3], vec![], vec![4, 5]]
    );
    // A gap ends the windows before it.
    let near = Domain::new().max_gap(3.0);
    assert_eq!(
        rows_finished(slope(20.0).center(true).expect("a length"), &near, &x)?,
        [vec![], vec![], vec![], vec![], vec![0, 1, 2, 3], vec![], vec![4, 5]]
    );
    let of_rows = RollingSlope::new(WindowSize::Rows(3)).and_then(|slope| slope.center(true));
    assert_eq!(
        rows_finished(of_rows.expect("odd"), &domain, &x)?,
        [vec![], vec![0], vec![1], vec![2], vec![3], vec![4], vec![5]]
    );
    Ok(())
}

#[test]
fn a_filter_of_a_length_is_null_where_its_window_passes_an_end() -> Result<(), LiveError> {
    let filter = Savgol::new(6.0, 2).expect("a length").edges(Edges::Null);
    let mut live = Live::new(filter, &Domain::new().max_gap(5.0))?;
    let mut finished = Vec::new();
    // Two segments, and nulls that are no ends.
    let x: Vec<_> = (0..=12).chain(30..=42).map(f64::from).collect();
    for &x in &x {
        let y = (x != 1.0 && x != 41.0).then_some(x * x);
        finished.extend(live.push((), Some(x), y)?);
    }
    finished.extend(live.finish());
    assert_eq!(finished.len(), x.len());
    for (result, x) in finished.iter().zip(x) {
        let is_inside = (3.0..=9.0).contains(&x) || (33.0..=39.0).contains(&x);
        // A window that holds a null has no result.
        let has_null = (-2.0..=4.0).contains(&x) || (38.0..=44.0).contains(&x);
        assert_eq!(result.value().is_some(), is_inside && !has_null, "{x}");
        assert!(
            result.value().is_none_or(|slope| (slope - 2.0 * x).abs() < 1e-12),
            "{x}"
        );
    }
    Ok(())
}

#[test]
fn an_integral_is_finished_at_once_and_goes_on() -> Result<(), LiveError> {
    let held = Integral::new().hold(true);
    let mut live = Live::new(held, &Domain::new().max_gap(2.0))?;
    let mut area = |x: f64, y: Option<f64>| -> Result<Option<f64>, LiveError> {
        let finished = live.push("a", Some(x), y)?;
        assert_eq!(finished.len(), 1);
        Ok(finished[0].value())
    };
    let points = [(0.0, 1.0), (1.0, 3.0), (10.0, 5.0), (11.0, 5.0)];
    for ((x, y), expected) in points.into_iter().zip([0.0, 2.0, 2.0, 7.0]) {
        assert_eq!(area(x, Some(y))?, Some(expected));
    }
    // Unknown from here to the end of the segment, and then what was reached.
    assert_eq!(area(12.0, None)?, None);
    assert_eq!(area(13.0, Some(1.0))?, None);
    assert_eq!(area(20.0, Some(1.0))?, Some(7.0));
    Ok(())
}

#[test]
fn points_of_one_x_are_finished_together_once_x_moves_on() -> Result<(), LiveError> {
    let points = [(0.0, 0.0), (1.0, 1.0), (1.0, 3.0), (2.0, 4.0)];
    for (duplicates, expected) in [
        (Duplicates::First, [1.0, 2.0, 2.0, 3.0]),
        (Duplicates::Last, [3.0, 2.0, 2.0, 1.0]),
        (Duplicates::Mean, [2.0, 2.0, 2.0, 2.0]),
    ] {
        let domain = Domain::new().duplicates(duplicates);
        assert_eq!(
            rows_finished(Gradient::new(), &domain, &points.map(|(x, _)| x))?,
            [vec![], vec![], vec![], vec![0], vec![1, 2, 3]]
        );
        let rows = points.map(|(x, y)| (None, Some(x), Some(y)));
        let mut live = Live::new(Gradient::new(), &domain)?;
        let mut finished = Vec::new();
        live.extend(rows, &mut finished)?;
        finished.extend(live.finish());
        assert_eq!(by_row(&rows, finished), expected.map(Some), "{duplicates:?}");
    }
    // The increase goes to the first point of each x, so that the sum is the total.
    let last = Domain::new().duplicates(Duplicates::Last);
    let mut live = Live::new(Increase::new(), &last)?;
    let mut finished = Vec::new();
    live.extend(points.map(|(x, y)| ((), Some(x), Some(y))), &mut finished)?;
    finished.extend(live.finish());
    let values: Vec<_> = finished.iter().map(Finished::value).collect();
    assert_eq!(values, [None, Some(3.0), Some(0.0), Some(1.0)]);
    Ok(())
}

#[test]
fn a_mean_of_integers_is_exact_and_one_that_does_not_fit_is_refused() -> Result<(), LiveError> {
    let domain = Domain::new().duplicates(Duplicates::Mean);
    let mut live = Live::<(), i64, i64>::new(Gradient::new(), &domain)?;
    let mut finished = Vec::new();
    let first = i64::MAX - 10;
    live.extend(
        [(0, first), (1, first + 1), (1, first + 2), (2, first + 3)].map(|(x, y)| ((), Some(x), Some(y))),
        &mut finished,
    )?;
    finished.extend(live.finish());
    let slopes: Vec<_> = finished.iter().map(Finished::value).collect();
    assert_eq!(slopes, [1.5; 4].map(Some));

    let mut live = Live::<(), i128, i64>::new(Gradient::new(), &domain)?;
    live.push((), Some(0), Some(0))?;
    let error = live.push((), Some(1), Some(1 << 100)).expect_err("beyond 2^68");
    assert_eq!(
        error.to_string(),
        "`y` must be below 2^68 for a mean of `duplicates`, but that of point 1 is not"
    );
    live.push((), Some(1), Some(4))?;
    let slopes: Vec<_> = live.finish().iter().map(|slope| (slope.row, slope.value())).collect();
    assert_eq!(slopes, [(0, Some(4.0)), (1, Some(4.0))]);
    Ok(())
}

#[test]
fn a_wrong_x_is_refused_by_operators_of_segments_too() -> Result<(), LiveError> {
    let falls = "`x` must be finite and strictly rising, but got 2 (point 2), 1 (point 3) in a row";
    let turns = "`x` must be finite and strictly monotonic, but got 0 (point 1), 2 (point 2), 1 (point 3) in a row";
    for (operator, words) in [
        (RollingSlope::new(5.0).map(Operator::from), falls),
        (Ok(Integral::new().into()), turns),
    ] {
        let operator = operator.expect("a length");
        for duplicates in [Duplicates::Error, Duplicates::First] {
            let mut live = Live::new(operator.clone(), &Domain::new().duplicates(duplicates))?;
            for x in [-1.0, 0.0, 2.0] {
                live.push((), Some(x), Some(x))?;
            }
            for wrong in [1.0, f64::NAN] {
                let error = live.push((), Some(wrong), Some(0.0)).expect_err("not in order");
                assert_eq!(error.row(), Some(3));
                assert!(wrong.is_nan() || error.to_string().starts_with(words), "{error}");
            }
            let mut last = live.push((), Some(3.0), Some(3.0))?;
            last.extend(live.finish());
            assert_eq!(last.last().map(|last| last.row), Some(3));
        }
    }
    // Of windows of rows x has no order.
    let rows = RollingSlope::new(WindowSize::Rows(2)).expect("two");
    assert_eq!(
        rows_finished(rows, &Domain::new(), &[3.0, 1.0, 2.0])?.concat(),
        [0, 1, 2]
    );
    Ok(())
}

#[test]
fn what_it_remembers_grows_with_the_points_in_a_window_only() -> Result<(), LiveError> {
    let window = RollingSlope::new(10.0)
        .and_then(|slope| slope.center(true))
        .expect("a length");
    for operator in [Operator::from(window), Integral::new().into()] {
        let domain = Domain::new().duplicates(Duplicates::Mean);
        let mut live = Live::new(operator, &domain)?;
        let mut size = Vec::new();
        for row in 0..3_000_u32 {
            live.push(row % 3, Some(f64::from(row / 3)), Some(1.0))?;
            if row == 100 || row == 2_999 {
                size.push(format!("{live:?}").len());
            }
        }
        assert!(size[1] < 2 * size[0], "from {} to {} bytes", size[0], size[1]);
    }
    Ok(())
}

#[test]
fn a_filter_of_full_windows_judges_the_x_that_ends_one() -> Result<(), LiveError> {
    let filter = Savgol::new(WindowSize::Rows(3), 1)
        .expect("three rows")
        .edges(Edges::Null);
    let mut live = Live::new(filter, &Domain::new())?;
    live.push((), Some(0.0), Some(1.0))?;
    live.push((), Some(2.0), Some(1.0))?;
    let error = live.push((), Some(1.0), Some(1.0)).expect_err("x turns");
    assert_eq!(error.row(), Some(2));
    assert!(
        error.to_string().contains("0 (point 0), 2 (point 1), 1 (point 2)"),
        "{error}"
    );
    Ok(())
}
