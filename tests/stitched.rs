//! The live feed gives the bits that the Python stitcher gave, row by row of a table.
//!
//! `tests/data/stitched.py` writes the table, `tests/python/live_test.py` sees that it is still what the stitcher gives.

use std::collections::HashMap;
use std::error::Error;

use polars_grad::{
    Closed, Domain, Duplicates, EdgeOrder, Gradient, Integral, Live, LiveError, Nulls, Operator, RollingSlope,
    WindowSize,
};

const TABLE: &str = include_str!("data/stitched.csv");

type Point = (Option<&'static str>, Option<f64>, Option<f64>);

/// One combination of options: points in the order of keys and x, and the result at each.
#[derive(Default)]
struct Case {
    points: Vec<Point>,
    results: Vec<Option<f64>>,
}

fn number(text: &str) -> Option<f64> {
    (!text.is_empty()).then(|| text.parse().expect("a number"))
}

/// The options of a case: the operator, what nulls and duplicates are, the longest gap, whether it is strict.
type Options = [&'static str; 5];

/// The cases by their options, as they are written.
fn cases() -> HashMap<Options, Case> {
    let mut cases = HashMap::<_, Case>::new();
    let mut lines = TABLE.lines();
    assert_eq!(
        lines.next(),
        Some("operator,nulls,duplicates,max_gap,strict,id,x,y,result")
    );
    for line in lines {
        let cells: Vec<_> = line.split(',').collect();
        let &[operator, nulls, duplicates, max_gap, strict, id, x, y, result] = &cells[..] else {
            panic!("not a row of the table: {line}");
        };
        let case = cases.entry([operator, nulls, duplicates, max_gap, strict]).or_default();
        case.points.push(((!id.is_empty()).then_some(id), number(x), number(y)));
        case.results.push(number(result));
    }
    cases
}

fn operator(name: &str) -> Result<Operator, String> {
    Ok(match name {
        "gradient" => Gradient::new().into(),
        "gradient_2" => Gradient::new().edge_order(EdgeOrder::Second).into(),
        "integral" => Integral::new().into(),
        "held" => Integral::new().initial(2.5).hold(true).into(),
        "rows" => RollingSlope::new(WindowSize::Rows(3))?.into(),
        "trailing" => RollingSlope::new(3.0)?.into(),
        "centred" => RollingSlope::new(5.0)?.center(true)?.closed(Closed::Left)?.into(),
        other => return Err(format!("operator: {other}")),
    })
}

fn domain([_, nulls, duplicates, max_gap, strict]: Options) -> Domain<()> {
    let domain = Domain::new()
        .nulls(match nulls {
            "propagate" => Nulls::Propagate,
            "skip" => Nulls::Skip,
            "split" => Nulls::Split,
            other => panic!("nulls: {other}"),
        })
        .duplicates(match duplicates {
            "error" => Duplicates::Error,
            "first" => Duplicates::First,
            "last" => Duplicates::Last,
            "mean" => Duplicates::Mean,
            other => panic!("duplicates: {other}"),
        })
        .strict(strict == "true");
    match number(max_gap) {
        Some(gap) => domain.max_gap(gap),
        None => domain,
    }
}

/// The results of points that are pushed in this order, each at the place of its point.
fn fed(
    points: &[Point],
    order: &[usize],
    operator: Operator,
    domain: &Domain<()>,
) -> Result<Vec<Option<f64>>, LiveError> {
    let mut live = Live::new(operator, domain)?;
    let mut finished = Vec::new();
    live.extend(order.iter().map(|&place| points[place]), &mut finished)?;
    finished.extend(live.finish());
    assert_eq!(finished.len(), points.len());
    let mut results = vec![None; points.len()];
    for finished in finished {
        let place = order[usize::try_from(finished.row).expect("as many points as rows")];
        assert_eq!(finished.key, points[place].0);
        results[place] = finished.value();
    }
    Ok(results)
}

/// Keys taking turns, as in a feed of several sources.
fn in_turn(points: &[Point]) -> Vec<usize> {
    let mut turns = HashMap::new();
    let mut order: Vec<_> = (0..points.len())
        .map(|place| {
            let turn = turns.entry(points[place].0).or_insert(0);
            *turn += 1;
            (*turn, place)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, place)| place).collect()
}

/// Any NaN is one.
fn bits(slopes: &[Option<f64>]) -> Vec<Option<u64>> {
    let one = |slope: f64| if slope.is_nan() { f64::NAN } else { slope };
    slopes
        .iter()
        .map(|slope| slope.map(|slope| one(slope).to_bits()))
        .collect()
}

#[test]
fn a_live_feed_gives_what_the_stitcher_gives() -> Result<(), Box<dyn Error>> {
    let cases = cases();
    assert_eq!(cases.len(), 84);
    for (written, Case { points, results }) in cases {
        let (operator, domain) = (operator(written[0])?, domain(written));
        let one_by_one: Vec<_> = (0..points.len()).collect();
        for order in [one_by_one, in_turn(&points)] {
            let live =
                fed(&points, &order, operator.clone(), &domain).map_err(|error| format!("{written:?}: {error}"))?;
            assert_eq!(bits(&live), bits(&results), "{written:?}");
        }
    }
    Ok(())
}
