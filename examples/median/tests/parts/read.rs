use crate::readings::Readings;

#[test]
fn oracles_that_read_the_same_are_told_of_together() {
    let readings = Readings::default();
    assert_eq!(readings.told(2), None);
    readings.note(3, "kraken", Some(10_050.into()));
    readings.note(1, "kraken", None);
    readings.note(2, "gemini", Some(10_050.into()));
    readings.note(0, "kraken", Some(10_050.into()));
    let told = "kraken 100.50 (oracles 0, 3), kraken nothing (oracle 1), gemini 100.50 (oracle 2)";
    assert_eq!(readings.told(2).as_deref(), Some(told));
    assert_eq!(readings.told(2), None, "it was told");
}

#[test]
fn who_reads_again_has_read_once() {
    let readings = Readings::default();
    readings.note(0, "kraken", None);
    readings.note(0, "kraken", Some(1.into()));
    assert_eq!(readings.told(0).as_deref(), Some("kraken 1 (oracle 0)"));
}
