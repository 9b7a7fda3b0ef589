/// Why a transaction was not taken.
#[derive(LoopError)]
#[message(package = "acme.ledger.v1")]
enum SubmitError {
    #[wire(1, code = NotFound)]
    NoAccount,
    #[wire(transport)]
    Boundary(Error),
}
