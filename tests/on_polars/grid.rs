//! Grids: each line of points is a column of its own.

use polars::prelude::*;
use polars_grad::{
    Derivative, Domain, EdgeOrder, ExprGrad, Gradient, curl, divergence, evaluate, laplacian, magnitude, partials,
};

fn domain() -> Domain<Column> {
    Domain::new()
}

fn gradient(y: &Series, domain: &Domain<Column>) -> PolarsResult<Series> {
    evaluate(y, Gradient::new(), domain)
}

/// `x² + 3y` on a grid of 4 by 3 points, in no order.
fn field() -> DataFrame {
    let points = (0..12).map(|point| point * 5 % 12);
    let (x, y): (Vec<_>, Vec<_>) = points.map(|point| (f64::from(point / 3), f64::from(point % 3))).unzip();
    let f: Vec<_> = x.iter().zip(&y).map(|(x, y)| x * x + 3.0 * y).collect();
    df!("x" => x, "y" => y, "f" => f).expect("columns of one length")
}

fn columns(frame: &DataFrame, names: &[&str]) -> Vec<Column> {
    names
        .iter()
        .map(|name| frame.column(name).expect("a column").clone())
        .collect()
}

#[test]
fn a_field_has_its_partial_derivatives() -> PolarsResult<()> {
    let frame = field();
    let wrt = columns(&frame, &["x", "y"]);
    let f = frame.column("f")?;
    let exact = Gradient::new().edge_order(EdgeOrder::Second);
    let slopes = partials(f, &wrt, exact, &domain())?.struct_()?.clone().unnest();
    let twice_x: Float64Chunked = frame.column("x")?.f64()? * 2.0;
    assert_eq!(slopes.column("x")?.f64()?.to_vec(), twice_x.to_vec());
    assert_eq!(slopes.column("y")?.f64()?.to_vec(), vec![Some(3.0); 12]);

    let length = magnitude(f, &wrt, exact, &domain())?;
    let expected: Vec<_> = twice_x.iter().map(|x| x.map(|x| x.hypot(3.0))).collect();
    for (got, expected) in length.f64()?.iter().zip(expected) {
        assert!((got.expect("a slope") - expected.expect("a slope")).abs() < 1e-12);
    }
    let vectors = slopes.into_struct("v".into()).into_column();
    let laplace = divergence(&vectors, &wrt, exact, &domain())?;
    assert_eq!(laplace.f64()?.to_vec(), vec![Some(2.0); 12]);
    Ok(())
}

/// `x² y + 3y² + x` on an uneven grid of 5 by 6 points, in no order, with its derivatives.
fn uneven() -> DataFrame {
    let (xs, ys) = ([0.0, 1.0, 1.5, 4.0, 6.0], [-2.0, -1.0, 0.5, 1.0, 3.0, 3.5]);
    let points = (0..30).map(|point| point * 7 % 30);
    let (x, y): (Vec<_>, Vec<_>) = points.map(|point| (xs[point / 6], ys[point % 6])).unzip();
    let of = |f: fn(f64, f64) -> f64| x.iter().zip(&y).map(|(&x, &y)| f(x, y)).collect::<Vec<_>>();
    df!(
        "f" => of(|x, y| x * x * y + 3.0 * y * y + x),
        "f_xx" => of(|_, y| 2.0 * y),
        "laplacian" => of(|_, y| 2.0 * y + 6.0),
        // The components of a vector, and the one component of its curl.
        "u" => of(|x, y| x * y),
        "v" => of(|x, y| x * x + y),
        "curl" => of(|x, _| x),
        "x" => x, "y" => y,
    )
    .expect("columns of one length")
}

fn assert_close(got: &Column, expected: &Column) -> PolarsResult<()> {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.f64()?.iter().zip(expected.f64()?.iter()) {
        let (got, expected) = (got.expect("a value"), expected.expect("a value"));
        assert!((got - expected).abs() < 1e-11, "{got} for {expected}");
    }
    Ok(())
}

#[test]
fn higher_derivatives_are_exact_for_polynomials() -> PolarsResult<()> {
    let frame = uneven();
    let wrt = columns(&frame, &["x", "y"]);
    let f = frame.column("f")?;
    let second = Derivative::new(2, 2).expect("allowed");
    let partials = partials(f, &wrt, second, &domain())?.struct_()?.clone().unnest();
    assert_close(partials.column("x")?, frame.column("f_xx")?)?;
    assert_close(&laplacian(f, &wrt, &domain())?, frame.column("laplacian")?)?;

    let first = Derivative::new(1, 2).expect("allowed");
    let vectors = frame.select(["u", "v"])?.into_struct("v".into()).into_column();
    assert_close(&curl(&vectors, &wrt, first, &domain())?, frame.column("curl")?)?;
    // The other orientation.
    let (turned, wrt_turned) = (frame.select(["v", "u"])?, [wrt[1].clone(), wrt[0].clone()]);
    let turned = curl(
        &turned.into_struct("v".into()).into_column(),
        &wrt_turned,
        first,
        &domain(),
    )?;
    assert_close(&(turned * -1.0), frame.column("curl")?)?;
    // In space, a vector field in the plane has a curl across it.
    let space: Vec<_> = [-1.0, 0.0, 2.0]
        .into_iter()
        .map(|z| frame.clone().lazy().with_column(lit(z).alias("z")))
        .collect();
    let space = concat(space, UnionArgs::default())?.collect()?;
    let wrt = columns(&space, &["x", "y", "z"]);
    let vectors = space
        .clone()
        .lazy()
        .select([as_struct(vec![col("u"), col("v"), (lit(0.0) * col("z")).alias("w")])]);
    let turning = curl(vectors.collect()?.column("u")?, &wrt, first, &domain())?
        .struct_()?
        .clone()
        .unnest();
    assert_close(turning.column("z")?, space.column("curl")?)?;
    assert_eq!(turning.column("x")?.f64()?.sum(), Some(0.0));
    assert_eq!(turning.column("y")?.f64()?.sum(), Some(0.0));
    Ok(())
}

#[test]
fn lazy_frames_have_all_of_it_on_both_engines() -> PolarsResult<()> {
    let frame = field();
    let wrt = || [col("x"), col("y")];
    let query = frame.clone().lazy().select([
        col("f").partials(wrt(), Gradient::new(), Domain::new()),
        col("f")
            .magnitude(wrt(), Gradient::new(), Domain::new())
            .alias("magnitude"),
        as_struct(vec![col("f"), col("f").alias("g")])
            .divergence(wrt(), Gradient::new(), Domain::new())
            .alias("divergence"),
        as_struct(vec![col("f"), col("f").alias("g")])
            .curl(wrt(), Gradient::new(), Domain::new())
            .alias("curl"),
        col("f").laplacian(wrt(), Domain::new()).alias("laplacian"),
    ]);
    let planned = query.clone().collect_schema()?;
    let names = query.clone().explain(true)?;
    assert!(names.contains("partials") && names.contains("magnitude"), "{names}");
    let in_memory = query.clone().collect_with_engine(Engine::InMemory)?.unwrap_single();
    let streamed = query.collect_with_engine(Engine::Streaming)?.unwrap_single();
    assert!(in_memory.equals_missing(&streamed));
    assert_eq!(**in_memory.schema(), *planned);
    let wrt = columns(&frame, &["x", "y"]);
    assert_eq!(
        in_memory.column("f")?,
        &partials(frame.column("f")?, &wrt, Gradient::new(), &domain())?
    );
    Ok(())
}

fn says<T: std::fmt::Debug>(result: PolarsResult<T>, words: &str) {
    let message = result.expect_err("an error").to_string();
    assert!(message.contains(words), "{message}");
}

#[test]
fn what_does_not_fit_is_said() {
    let frame = field();
    let (f, wrt) = (&columns(&frame, &["f"])[0], columns(&frame, &["x", "y"]));
    says(
        partials(f, &[], Gradient::new(), &domain()),
        "`wrt` must name at least one coordinate",
    );
    says(
        partials(f, &wrt, Gradient::new(), &domain().x(f.clone())),
        "on a grid `wrt` names the coordinates, got `x` too",
    );
    says(
        partials(f, &wrt[..1], Gradient::new(), &domain()),
        "drop duplicates, tell grids apart with `by`, or turn `strict` off",
    );
    says(
        divergence(f, &wrt, Gradient::new(), &domain()),
        "`divergence` takes a vector",
    );
    says(curl(f, &wrt, Gradient::new(), &domain()), "`curl` takes a vector");
    says(
        divergence(f, &wrt, Gradient::new(), &domain().y_period(360.0)),
        "the components of a vector do not wrap around",
    );
    let one = frame
        .select(["f"])
        .expect("a column")
        .into_struct("v".into())
        .into_column();
    says(
        curl(&one, &wrt[..1], Gradient::new(), &domain()),
        "`curl` is that of 2 or 3 components, but column `v` has 1",
    );
    let time = f.cast(&DataType::Duration(TimeUnit::Microseconds)).expect("a cast");
    says(
        laplacian(&time, &wrt, &domain()),
        "`laplacian` takes a field of numbers, but column `f` is duration",
    );
    let short = frame.column("y").expect("a column").head(Some(5));
    says(
        partials(f, &[short], Gradient::new(), &domain()),
        "column `y` must be as long as y: got 5 and 12 rows",
    );
}

fn column<T, S: ?Sized>(name: &str, values: T) -> Column
where
    Series: NamedFrom<T, S>,
{
    Series::new(name.into(), values).into_column()
}

/// The partial derivatives along two coordinates.
fn slopes(x: &Column, z: &Column, domain: &Domain<Column>) -> PolarsResult<[Vec<Option<f64>>; 2]> {
    let f: Vec<_> = (0..x.len()).map(|row| row as f64).collect();
    let slopes = partials(&column("f", f), &[x.clone(), z.clone()], Gradient::new(), domain)?
        .struct_()?
        .fields_as_series();
    Ok([slopes[0].f64()?.to_vec(), slopes[1].f64()?.to_vec()])
}

#[test]
fn points_that_share_no_coordinates_are_no_rectilinear_grid() -> PolarsResult<()> {
    let (lon, lat) = (column("lon", [0.0, 1.0, 0.1, 1.1]), column("lat", [0.0, 0.1, 1.0, 1.1]));
    let words = "no two points of `lon`, `lat` do";
    says(slopes(&lon, &lat, &domain()), words);
    says(slopes(&lon, &lat, &domain()), "rectilinear");
    says(slopes(&lon, &lat, &domain()), "compared exactly");
    assert_eq!(
        slopes(&lon, &lat, &domain().strict(false))?,
        [vec![None; 4], vec![None; 4]]
    );
    let f = column("f", [1.0, 2.0, 3.0, 4.0]);
    says(
        magnitude(&f, &[lon.clone(), lat.clone()], Gradient::new(), &domain()),
        words,
    );
    // Two grids of two points each, and many points, which have no table.
    let two = column("key", [1, 2, 1, 2]);
    says(slopes(&lon, &lat, &domain().by([two])), words);
    let many: Vec<_> = (0..500).map(f64::from).collect();
    let many_lat: Vec<_> = many.iter().map(|x| x + 0.5).collect();
    says(slopes(&column("lon", many), &column("lat", many_lat), &domain()), words);
    Ok(())
}

#[test]
fn points_strewn_about_and_single_points_and_lines_are_grids() -> PolarsResult<()> {
    let nulls = |rows| [vec![None; rows], vec![None; rows]];
    let (x, z) = (column("x", [0.0, 1.0, 2.0]), column("z", [5.0, 6.0, 7.0]));
    // Each grid is a single point.
    assert_eq!(slopes(&x, &z, &domain().by([column("key", [1, 2, 3])]))?, nulls(3));
    assert_eq!(slopes(&x.slice(0, 1), &z.slice(0, 1), &domain())?, nulls(1));
    assert_eq!(slopes(&x.slice(0, 0), &z.slice(0, 0), &domain())?, nulls(0));
    // All but one have no place.
    let some = column("z", [Some(5.0), None, None]);
    assert_eq!(slopes(&x, &some, &domain())?, nulls(3));
    let none = column("z", [None::<f64>; 3]);
    assert_eq!(slopes(&x, &none, &domain())?, nulls(3));
    // One line among strewn points is enough.
    let strewn = column("z", [5.0, 5.0, 7.0]);
    assert_eq!(
        slopes(&x, &strewn, &domain())?,
        [vec![Some(1.0), Some(1.0), None], vec![None; 3]]
    );
    // With one coordinate there is one line.
    let line = partials(&column("f", [1.0]), &[column("x", [1.0])], Gradient::new(), &domain())?;
    assert_eq!(line.null_count(), 0);
    Ok(())
}

/// Instants in UTC, in a time zone.
fn instants(name: &str, microseconds: &[i64]) -> Series {
    let zone = TimeZone::UTC;
    let instants = Int64Chunked::from_slice(name.into(), microseconds);
    instants.into_datetime(TimeUnit::Microseconds, Some(zone)).into_series()
}

/// Keys with a zoned time at any depth, and how errors show the one at the epoch.
fn zoned_keys() -> PolarsResult<Vec<(Series, &'static str)>> {
    let flat = instants("key", &[0, 0, 0]);
    let shown = "1970-01-01 00:00:00 UTC";
    let pairs = || Series::new("key".into(), vec![instants("", &[0, 1_000_000]); 3]);
    let dtype = flat.dtype().clone();
    let structs =
        |fields: &[Series]| StructChunked::from_series("key".into(), 3, fields.iter()).map(IntoSeries::into_series);
    let arrays = pairs().cast(&DataType::Array(Box::new(dtype), 2))?;
    let device = Series::new("dev".into(), ["a", "a", "a"]);
    let in_struct = structs(&[device.clone(), flat.clone()])?;
    let lists_in_struct = structs(&[device, pairs()])?;
    let structs_in_list = Series::new("key".into(), vec![in_struct.clone(); 3]);
    Ok(vec![
        (flat, shown),
        (in_struct, "{\"a\",1970-01-01 00:00:00 UTC}"),
        (pairs(), "[1970-01-01 00:00:00 UTC, 1970-01-01 00:00:01 UTC]"),
        (arrays, "[1970-01-01 00:00:00 UTC, 1970-01-01 00:00:01 UTC]"),
        (
            lists_in_struct,
            "{\"a\",[1970-01-01 00:00:00 UTC, 1970-01-01 00:00:01 UTC]}",
        ),
        (
            structs_in_list,
            "[{\"a\",1970-01-01 00:00:00 UTC}, {\"a\",1970-01-01 00:00:00 UTC}, {\"a\",1970-01-01 00:00:00 UTC}]",
        ),
    ])
}

#[test]
fn errors_show_zoned_keys_at_any_depth() -> PolarsResult<()> {
    let (y, x) = (
        Series::new("y".into(), [1.0, 2.0, 3.0]),
        Series::new("x".into(), [1.0, 1.0, 2.0]),
    );
    for (key, shown) in zoned_keys()? {
        let by_key = domain().by([key.clone()]);
        says(gradient(&y, &by_key.clone().x(x.clone())), &format!("`key` = {shown}"));
        let wrt = [x.clone().into_column(), column("z", [0.0, 0.0, 0.0])];
        says(
            partials(&y.clone().into_column(), &wrt, Gradient::new(), &by_key),
            &format!("`key` = {shown}"),
        );
    }
    // The coordinates themselves.
    says(
        gradient(&y, &domain().x(instants("x", &[5, 0, 0]))),
        "1970-01-01 00:00:00 UTC is followed by 1970-01-01 00:00:00 UTC",
    );
    let wrt = [
        instants("x", &[0, 0, 0]).into_column(),
        instants("z", &[0, 0, 0]).into_column(),
    ];
    says(
        partials(&y.into_column(), &wrt, Gradient::new(), &domain()),
        "`z` = 1970-01-01 00:00:00 UTC",
    );
    Ok(())
}

#[test]
fn errors_show_times_beyond_the_calendar() -> PolarsResult<()> {
    let y = Series::new("y".into(), [1.0, 2.0, 3.0]);
    let days = Series::new("x".into(), [i32::MAX, i32::MAX, i32::MIN]).cast(&DataType::Date)?;
    let time = |unit| Series::new("x".into(), [i64::MAX, i64::MAX, i64::MIN]).cast(&DataType::Datetime(unit, None));
    let lengths = Series::new("x".into(), [i64::MIN; 3]).cast(&DataType::Duration(TimeUnit::Nanoseconds))?;
    for (x, shown) in [
        (days, "2147483647 days since 1970-01-01"),
        (time(TimeUnit::Milliseconds)?, "9223372036854775807 ms since 1970-01-01"),
        (time(TimeUnit::Microseconds)?, "9223372036854775807 μs since 1970-01-01"),
        (lengths, "is followed by"),
    ] {
        says(gradient(&y, &domain().x(x.clone())), shown);
        let broken = Series::new("x".into(), [0.0; 3]);
        says(
            gradient(&y, &domain().x(broken).by([x.slice(0, 1).new_from_index(0, 3)])),
            "in the group `x` = ",
        );
    }
    Ok(())
}

/// Arrays with a null inside, in two chunks.
fn array_keys(name: &str) -> PolarsResult<Series> {
    let lists = vec![
        Series::new("".into(), [Some(1_i64), None]),
        Series::new("".into(), [Some(2_i64), Some(3)]),
    ];
    let dtype = DataType::Array(Box::new(DataType::Int64), 2);
    let first = Series::new(name.into(), lists).cast(&dtype)?;
    let mut keys = first.clone();
    keys.append(&first)?;
    assert_eq!(keys.n_chunks(), 2);
    Ok(keys)
}

#[test]
fn grids_by_arrays_may_have_no_points() -> PolarsResult<()> {
    let keys = array_keys("key")?;
    let structs = StructChunked::from_series("key".into(), 4, [keys.clone()].iter())?.into_series();
    let (x, z) = (
        column("x", [None, Some(1.0), None, Some(2.0)]),
        column("z", [Some(1.0), None, Some(2.0), None]),
    );
    for key in [keys, structs] {
        let expected = [vec![None; 4], vec![None; 4]];
        assert_eq!(slopes(&x, &z, &domain().by([key.clone()]))?, expected);
        // A field of arrays, of which none is on a line.
        let field = array_keys("f")?.into_column();
        let of_arrays = partials(&field, &[x.clone(), z.clone()], Gradient::new(), &domain().by([key]))?;
        assert_eq!(of_arrays.len(), 4);
    }
    Ok(())
}

#[test]
fn a_single_value_is_a_column() -> PolarsResult<()> {
    let wrt = [column("x", [0.0, 1.0, 2.0])];
    let slopes = partials(&column("f", [5.0]), &wrt, Gradient::new(), &domain())?;
    assert_eq!(slopes.struct_()?.fields_as_series()[0].f64()?.to_vec(), [Some(0.0); 3]);
    Ok(())
}

#[test]
fn longitudes_go_round_a_sphere() -> PolarsResult<()> {
    // sin φ and the wind of a solid rotation, on points 10 degrees apart.
    let points = || (0..36 * 17).map(|point| (f64::from(point / 17) * 10.0, f64::from(point % 17) * 10.0 - 80.0));
    let of = |name: &str, f: fn(f64, f64) -> f64| {
        let values = points().map(|(longitude, latitude)| f(longitude, latitude.to_radians()));
        Column::new(name.into(), values.collect::<Vec<_>>())
    };
    let latitudes: Vec<_> = points().map(|(_, latitude)| latitude).collect();
    let wrt = [
        of("lon", |longitude, _| longitude),
        Column::new("lat".into(), &latitudes),
    ];
    let sphere = domain().sphere(2.0).x_period(360.0);
    let height = of("f", |_, latitude| latitude.sin());
    let wind = [of("u", |_, latitude| 2.0 * latitude.cos()), of("v", |_, _| 0.0)];
    let wind = StructChunked::from_columns("wind".into(), wind[0].len(), &wind)?.into_column();

    // -l (l + 1) / R² times the harmonic of degree l = 1.
    let bent = laplacian(&height, &wrt, &sphere)?;
    let turn = curl(&wind, &wrt, Gradient::new().edge_order(EdgeOrder::Second), &sphere)?;
    let sine = height.f64()?;
    let rows = bent.f64()?.iter().zip(turn.f64()?.iter()).zip(sine.iter());
    for (((bent, turn), sine), latitude) in rows.zip(latitudes) {
        // A difference to one side, divided by the cosine of 80 degrees.
        let error = if latitude.abs() == 80.0 { 0.15 } else { 0.05 };
        let (bent, turn, sine) = (bent.expect("no pole"), turn.expect("no pole"), sine.expect("a sine"));
        assert!((bent + 2.0 / 4.0 * sine).abs() < 0.04, "{bent} {sine}");
        assert!((turn - 2.0 * sine).abs() < error, "{turn} {sine}");
    }
    let steepness = partials(&height, &wrt, Gradient::new(), &sphere)?;
    let east = &steepness.struct_()?.fields_as_series()[0];
    assert!(east.f64()?.iter().all(|slope| slope == Some(0.0)), "no row is an end");
    assert!(
        evaluate(
            &Series::new("y".into(), [0.0, 1.0]),
            Gradient::new(),
            &domain().sphere(1.0)
        )
        .is_err()
    );
    Ok(())
}
