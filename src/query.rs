//! Filters on events, as expressions over comparisons.

use loop_runtime::LoopMessage;

use crate::VersionedBytes;

/// How final the state of the chain must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, LoopMessage)]
#[message(package = "loop.chain.common")]
pub enum Confidence {
    /// The newest state, which the chain may still drop.
    #[default]
    #[wire(0, name = "Unconfirmed")]
    Unconfirmed,
    /// State that cannot be dropped any more.
    #[wire(1, name = "Finalized")]
    Finalized,
    /// State that will hardly be dropped.
    #[wire(2, name = "Safe")]
    Safe,
}

/// A filter on the events of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct QueryKeyFilter {
    /// The event, by its name in the reader's configuration.
    #[wire(1)]
    pub key: String,
    /// What an event must meet, all of it.
    #[wire(2)]
    pub expression: Vec<Expression>,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, LoopMessage)]
#[message(package = "loop.chain.common", oneof = "evaluator")]
pub enum Expression {
    /// A comparison.
    #[wire(1)]
    Primitive(Primitive),
    /// Conditions, joined.
    #[wire(2)]
    BooleanExpression(BooleanExpression),
}

/// Conditions, joined.
#[derive(Clone, Debug, PartialEq, Eq, LoopMessage)]
#[message(package = "loop.chain.common")]
pub struct BooleanExpression {
    /// How they are joined.
    #[wire(1)]
    pub boolean_operator: BooleanOperator,
    /// The conditions.
    #[wire(2)]
    pub expression: Vec<Expression>,
}

/// How conditions are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, LoopMessage)]
#[message(package = "loop.chain.common")]
pub enum BooleanOperator {
    /// All must hold.
    #[default]
    #[wire(0, name = "AND")]
    And,
    /// One must hold.
    #[wire(1, name = "OR")]
    Or,
}

/// A comparison of one property of an event.
#[derive(Clone, Debug, PartialEq, Eq, LoopMessage)]
#[message(package = "loop.chain.common", oneof = "primitive")]
pub enum Primitive {
    /// A value of the event.
    #[wire(1)]
    Comparator(Comparator),
    /// The height of the event's block.
    #[wire(2)]
    Block(Block),
    /// How final the event must be.
    #[wire(3)]
    Confidence(Confidence),
    /// The time of the event's block.
    #[wire(4)]
    Timestamp(Timestamp),
    /// The event's transaction.
    #[wire(5)]
    TxHash(TxHash),
}

/// A comparison of a value of the event.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop.chain.common")]
pub struct Comparator {
    /// The name of the value.
    #[wire(1)]
    pub name: String,
    /// What it must meet, all of it.
    #[wire(2)]
    pub value_comparators: Vec<ValueComparator>,
}

/// A comparison with a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop.chain.common")]
pub struct ValueComparator {
    /// The right-hand side.
    #[wire(1)]
    pub value: VersionedBytes,
    /// The comparison.
    #[wire(2)]
    pub operator: ComparisonOperator,
}

/// A comparison of the height of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop.chain.common")]
pub struct Block {
    /// The right-hand side, in decimal.
    #[wire(1)]
    pub block_number: String,
    /// The comparison.
    #[wire(2)]
    pub operator: ComparisonOperator,
}

/// A comparison of the time of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop.chain.common")]
pub struct Timestamp {
    /// The right-hand side, in unix seconds.
    #[wire(1)]
    pub timestamp: u64,
    /// The comparison.
    #[wire(2)]
    pub operator: ComparisonOperator,
}

/// A transaction, by its hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop.chain.common")]
pub struct TxHash {
    /// The hash, in the chain's notation.
    #[wire(1)]
    pub tx_hash: String,
}

/// A comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, LoopMessage)]
#[message(package = "loop.chain.common")]
pub enum ComparisonOperator {
    /// Equal.
    #[default]
    #[wire(0, name = "Eq")]
    Eq,
    /// Not equal.
    #[wire(1, name = "Neq")]
    Neq,
    /// Greater.
    #[wire(2, name = "Gt")]
    Gt,
    /// Less.
    #[wire(3, name = "Lt")]
    Lt,
    /// Greater or equal.
    #[wire(4, name = "Gte")]
    Gte,
    /// Less or equal.
    #[wire(5, name = "Lte")]
    Lte,
}

/// Which events of many, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop.chain.common")]
pub struct LimitAndSort {
    /// The order, by the first property first.
    #[wire(1)]
    pub sort_by: Vec<SortBy>,
    /// Which of them; all if it is missing.
    #[wire(2)]
    pub limit: Option<Limit>,
}

/// A property to sort by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop.chain.common")]
pub struct SortBy {
    /// The property.
    #[wire(1)]
    pub sort_type: SortType,
    /// The direction.
    #[wire(2)]
    pub direction: SortDirection,
}

/// What events can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, LoopMessage)]
#[message(package = "loop.chain.common")]
pub enum SortType {
    /// The time of the block.
    #[default]
    #[wire(0, name = "SortTimestamp")]
    Timestamp,
    /// The height of the block.
    #[wire(1, name = "SortBlock")]
    Block,
    /// The order in which the chain has them.
    #[wire(2, name = "SortSequence")]
    Sequence,
}

/// The direction of a sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, LoopMessage)]
#[message(package = "loop.chain.common")]
pub enum SortDirection {
    /// Smallest first.
    #[default]
    #[wire(0, name = "Asc")]
    Asc,
    /// Greatest first.
    #[wire(1, name = "Desc")]
    Desc,
}

/// How many events, from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop.chain.common")]
pub struct Limit {
    /// The event to continue from.
    #[wire(1)]
    pub cursor: Option<String>,
    /// In which direction from there.
    #[wire(2)]
    pub direction: Option<CursorDirection>,
    /// How many; 0 is no limit.
    #[wire(3)]
    pub count: u64,
}

/// A direction from a cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, LoopMessage)]
#[message(package = "loop.chain.common")]
pub enum CursorDirection {
    /// Events before it.
    #[default]
    #[wire(0, name = "Preceding")]
    Preceding,
    /// Events after it.
    #[wire(1, name = "Following")]
    Following,
}
