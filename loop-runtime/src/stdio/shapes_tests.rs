use super::*;

fn found(shapes: &Shapes, plugin: &str, level: Level, target: &str, names: &[&str]) -> Option<&'static Shape> {
    match shapes.get(plugin, level, target, names) {
        Found::Shape(shape) => Some(shape),
        Found::Full { .. } => None,
    }
}

#[test]
fn each_combination_is_made_once() {
    let shapes = Shapes::new(10, 10);
    let shape = |level, target, names: &[&str]| found(&shapes, "p", level, target, names).unwrap();
    let first = shape(Level::INFO, "t", &["a", "b"]);
    assert!(std::ptr::eq(first, shape(Level::INFO, "t", &["a", "b"])));
    let others = [
        shape(Level::WARN, "t", &["a", "b"]),
        shape(Level::INFO, "u", &["a", "b"]),
        shape(Level::INFO, "t", &["a"]),
        shape(Level::INFO, "t", &["b", "a"]),
    ];
    assert_eq!(shapes.count(), 5);
    for (n, shape) in others.iter().enumerate() {
        assert!(!std::ptr::eq(*shape, first), "{n}");
        assert!(shape.described().callsite() != first.described().callsite(), "{n}");
    }
    let metadata = first.described();
    assert_eq!((*metadata.level(), metadata.target()), (Level::INFO, "t"));
    assert_eq!(metadata.fields().iter().map(|field| field.name()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(metadata.is_event());
}

#[test]
fn one_plugin_leaves_room_for_the_others() {
    let shapes = Shapes::new(3, 5);
    let made = |plugin: &str, count: usize| {
        (0..count).filter(|n| found(&shapes, plugin, Level::INFO, plugin, &[&n.to_string()]).is_some()).count()
    };
    assert_eq!((made("a", 100), made("b", 100), made("c", 100)), (3, 2, 0));
    // What there is already can still be had.
    assert_eq!((made("a", 3), shapes.count()), (3, 5));
}

#[test]
fn fullness_is_news_once_for_a_plugin_and_once_for_all() {
    let shapes = Shapes::new(1, 2);
    let news = |plugin: &str| {
        let got = (0..5).map(|n| shapes.get(plugin, Level::INFO, plugin, &[&n.to_string()]));
        got.filter(|found| matches!(found, Found::Full { news: true })).count()
    };
    assert_eq!(news("a"), 1);
    assert_eq!(news("b"), 1, "of all");
    assert_eq!(news("c"), 0);
}
