//! The bare kernel under an engine of one's own: what a window function in a database extension or in `DataFusion` does.
//!
//! The engine has found the rows of each partition already, one after the other and in order of time. It keeps a row of
//! padding on both sides of its buffers, so that a row's neighbours are the same buffer read one row further: no copies.
//!
//! ```console
//! $ cargo run --example own_engine --no-default-features
//! ```

use polars_grad::kernel::{NeighborMask, Points, Scale, ThreePoint, irregular};

const NO_SHIP: u32 = u32::MAX;

/// The columns of a partitioned table. The first and the last value of each are padding, with a ship that there is not.
struct Table {
    ship: Vec<u32>,
    milliseconds: Vec<i64>,
    miles: Vec<f64>,
}

/// `derivative(miles) OVER (PARTITION BY ship ORDER BY milliseconds)` in knots; `None` is SQL's NULL.
fn speed(table: &Table) -> Result<Vec<Option<f64>>, String> {
    let rows = table.ship.len() - 2;
    let points = Points {
        y: ThreePoint::padded(&table.miles),
        x: ThreePoint::padded(&table.milliseconds),
        // Miles per millisecond times the milliseconds of an hour.
        scale: Scale {
            numerator: 3_600_000.0,
            denominator: 1.0,
        },
    };
    // Which rows have a neighbour in their own partition: a bit per row, 64 rows at a time.
    let follows = |row: usize| table.ship[row] == table.ship[row - 1];
    let bits = |first: usize| {
        let rows = (0..64).filter(|bit| first + bit < table.ship.len() && follows(first + bit));
        rows.fold(0, |bits, bit| bits | 1 << bit)
    };
    let mask = |start| {
        let (before, after) = (bits(start + 1), bits(start + 2));
        // A row that is alone has no step: its x need not be looked at.
        let valid = before | after;
        NeighborMask { before, after, valid }
    };
    let unsorted = |row| format!("ship {} is not in order of time", table.ship[row + 1]);

    let mut slopes: Vec<f64> = Vec::with_capacity(rows);
    irregular(points, mask, true, &mut slopes).map_err(unsorted)?;
    let has_slope = |row| follows(row) || follows(row + 1);
    let nullable = (1..).zip(slopes).map(|(row, slope)| has_slope(row).then_some(slope));
    Ok(nullable.collect())
}

fn main() -> Result<(), String> {
    let minute = 60_000;
    let mut table = Table {
        ship: vec![NO_SHIP, 1, 1, 1, 2, 3, 3, NO_SHIP],
        milliseconds: [0, 0, 10, 30, 5, 12, 42, 0].map(|minutes| minutes * minute).to_vec(),
        miles: vec![0.0, 0.0, 2.0, 5.0, 8.0, 120.0, 114.0, 0.0],
    };
    let knots = speed(&table)?;

    println!("ship  minute   miles  knots");
    for (row, knots) in (1..).zip(&knots) {
        let (ship, minute, miles) = (table.ship[row], table.milliseconds[row] / minute, table.miles[row]);
        let knots = knots.map_or("null".into(), |knots| knots.to_string());
        println!("{ship:4} {minute:7} {miles:7} {knots:>6}");
    }
    let expected = [Some(12.0), Some(11.0), Some(9.0), None, Some(-12.0), Some(-12.0)];
    assert_eq!(knots, expected);

    table.milliseconds.swap(1, 2);
    assert_eq!(speed(&table), Err("ship 1 is not in order of time".into()));
    Ok(())
}
