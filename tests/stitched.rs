//! The live feed gives the bits that the Python stitcher gave, row by row of a table.
//!
//! `tests/data/stitched.py` writes the table, `tests/python/live_test.py` sees that it is still what the stitcher gives.

use std::collections::HashMap;

use polars_grad::{Domain, EdgeOrder, Gradient, Live, LiveError, Nulls};

const TABLE: &str = include_str!("data/stitched.csv");

type Point = (Option<&'static str>, Option<f64>, Option<f64>);

/// One combination of options: points in the order of keys and x, and the slope at each.
#[derive(Default)]
struct Case {
    points: Vec<Point>,
    slopes: Vec<Option<f64>>,
}

fn number(text: &str) -> Option<f64> {
    (!text.is_empty()).then(|| text.parse().expect("a number"))
}

/// The cases by their options, as they are written.
fn cases() -> HashMap<[&'static str; 4], Case> {
    let mut cases = HashMap::<_, Case>::new();
    let mut lines = TABLE.lines();
    assert_eq!(lines.next(), Some("edge_order,nulls,max_gap,strict,id,x,y,slope"));
    for line in lines {
        let cells: Vec<_> = line.split(',').collect();
        let &[edge_order, nulls, max_gap, strict, id, x, y, slope] = &cells[..] else {
            panic!("not a row of the table: {line}");
        };
        let case = cases.entry([edge_order, nulls, max_gap, strict]).or_default();
        case.points.push(((!id.is_empty()).then_some(id), number(x), number(y)));
        case.slopes.push(number(slope));
    }
    cases
}

fn options([edge_order, nulls, max_gap, strict]: [&str; 4]) -> (Gradient, Domain<()>) {
    let edge_order = match edge_order {
        "1" => EdgeOrder::First,
        "2" => EdgeOrder::Second,
        other => panic!("edge_order: {other}"),
    };
    let domain = Domain::new()
        .nulls(match nulls {
            "propagate" => Nulls::Propagate,
            "skip" => Nulls::Skip,
            "split" => Nulls::Split,
            other => panic!("nulls: {other}"),
        })
        .strict(strict == "true");
    let domain = match number(max_gap) {
        Some(gap) => domain.max_gap(gap),
        None => domain,
    };
    (Gradient::new().edge_order(edge_order), domain)
}

/// The slopes of points that are pushed in this order, each at the place of its point.
fn fed(
    points: &[Point],
    order: &[usize],
    operator: Gradient,
    domain: &Domain<()>,
) -> Result<Vec<Option<f64>>, LiveError> {
    let mut live = Live::new(operator, domain)?;
    let mut finished = Vec::new();
    live.extend(order.iter().map(|&place| points[place]), &mut finished)?;
    finished.extend(live.finish());
    assert_eq!(finished.len(), points.len());
    let mut slopes = vec![None; points.len()];
    for finished in finished {
        let place = order[usize::try_from(finished.row).expect("as many points as rows")];
        assert_eq!(finished.key, points[place].0);
        slopes[place] = finished.value();
    }
    Ok(slopes)
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
fn a_live_feed_gives_what_the_stitcher_gives() -> Result<(), LiveError> {
    let cases = cases();
    assert_eq!(cases.len(), 24);
    for (written, Case { points, slopes }) in cases {
        let (operator, domain) = options(written);
        let one_by_one: Vec<_> = (0..points.len()).collect();
        for order in [one_by_one, in_turn(&points)] {
            let live = fed(&points, &order, operator, &domain)?;
            assert_eq!(bits(&live), bits(&slopes), "{written:?}");
        }
    }
    Ok(())
}
