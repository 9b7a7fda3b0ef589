//! The recorded replies, and the comparison with them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use loop_runtime::{Code, LoopMessage, wire};
use loop_services::BigInt;
use protox::prost_reflect::DescriptorPool;

use crate::puppet::{Answers, Puppet};
use crate::recorded::{self, Answer, Deviation, Row, code, ids, meaning, messages};

/// The recorded calls, and the schema that they were made under.
pub(crate) struct Oracle {
    rows: Vec<Row>,
    deviations: Vec<Deviation>,
    pub(crate) pool: DescriptorPool,
    asked: Arc<Mutex<Asked>>,
}

/// The calls of a peer to what was lent to it.
#[derive(Default)]
struct Asked {
    /// Methods and requests, as they were recorded.
    known: BTreeSet<(String, Vec<u8>)>,
    strange: Vec<String>,
}

/// The reply of a data source.
#[derive(LoopMessage)]
struct Observed {
    #[wire(1)]
    value: Option<BigInt>,
}

pub(crate) fn observed(number: i64) -> Answer {
    Ok(wire::encode(&Observed { value: Some(number.into()) }).expect("flat").to_vec())
}

impl Oracle {
    pub(crate) fn new() -> Self {
        let (rows, deviations) = (recorded::rows(), recorded::deviations());
        Self { rows, deviations, pool: recorded::compiled(), asked: Arc::default() }
    }

    /// The rows that were answered there, in their order.
    pub(crate) fn rows_at(&self, place: &str) -> Vec<Row> {
        self.rows.iter().filter(|row| row.at.iter().any(|at| at == place)).cloned().collect()
    }

    /// Whether a call makes an object.
    pub(crate) fn makes(&self, row: &Row) -> Option<u32> {
        let reply = row.answer().ok().filter(|_| row.is_of_loop())?;
        ids(&messages(&self.pool, &row.method).1, &reply).first().copied()
    }

    /// The broker ids in a request, by the names of their fields.
    pub(crate) fn lent(&self, method: &str, request: &[u8]) -> Vec<(String, u32)> {
        let (of, _) = messages(&self.pool, method);
        let numbers = ids(&of, request);
        let fields = meaning(&of, request);
        let names = fields.fields().map(|(field, _)| field.name().to_owned()).filter(|name| name.ends_with("ID"));
        // The contract's name ends the same way, and is no broker id.
        let names: Vec<_> = names.filter(|name| name != "contractID").collect();
        assert_eq!(names.len(), numbers.len(), "{names:?}");
        names.into_iter().zip(numbers).collect()
    }

    /// Answers as a host did: by method and request, exactly. Any other call is unexpected, and noted; but our
    /// plugins probe for services by a method that no service has.
    pub(crate) fn host(&self) -> Answers {
        let rows: Vec<_> = self.rows_at("host").into_iter().filter(|row| row.service() != "loop.DataSource").collect();
        let asked = self.asked.clone();
        Arc::new(move |method, request| {
            if let Some(service) = method.strip_suffix("/__Probe") {
                let there = rows.iter().any(|row| row.service() == service && row.request.is_some());
                let unknown = if there { "unknown method __Probe for service" } else { "unknown service" };
                return Err((Code::Unimplemented, format!("{unknown} {service}")));
            }
            let mut asked = asked.lock().unwrap();
            let fits = |row: &&Row| row.method == method && (row.request.is_none() || row.body() == request);
            let Some(row) = rows.iter().find(fits) else {
                asked.strange.push(format!("{method} {request:02x?}"));
                return Err((Code::Unimplemented, format!("{method} was not recorded so")));
            };
            asked.known.insert((method.to_owned(), request.to_vec()));
            row.answer()
        })
    }

    /// A data source: the recorded refusal for another round than the one that was asked for the most.
    pub(crate) fn source(&self, answer: Answer) -> Answers {
        let rows: Vec<_> = self.rows_at("host").into_iter().filter(|row| row.service() == "loop.DataSource").collect();
        Arc::new(move |_, request| {
            let row = rows.iter().find(|row| row.body() == request);
            let row = row.unwrap_or_else(|| panic!("a data source was asked {request:02x?}"));
            // Of one request there are many answers, the first of them good.
            if row.reply.is_some() { answer.clone() } else { row.answer() }
        })
    }

    /// Only recorded requests were made, byte for byte; and if `all`, all those of Go's helper to a provider.
    pub(crate) fn assert_asked(&self, all: bool) {
        let asked = self.asked.lock().unwrap();
        assert_eq!(asked.strange, Vec::<String>::new(), "not as Go's helper asks");
        if all {
            let rows = self.rows_at("proxied");
            for row in rows.iter().filter(|row| row.reply.is_some()) {
                assert!(asked.known.contains(&(row.method.clone(), row.body())), "{} was not asked", row.method);
            }
        }
    }

    /// Sends the row, and returns differences from the recording that are not intended deviations.
    pub(crate) async fn play(&self, puppet: &Puppet, on: u32, row: &Row) -> Result<Answer, String> {
        let came = puppet.call(on, &row.method, &row.body()).await;
        let on_purpose = self.deviations.iter().find(|deviation| row.is(deviation));
        let same = match (on_purpose, row.answer(), &came) {
            (Some(deviation), _, _) => came == Err((code(&deviation.code), deviation.message.clone())),
            (None, Ok(wanted), Ok(came)) => self.same(row, &wanted, came),
            (None, Err((code, _)), Err((came, _))) if !row.text_matters() => code == *came,
            (None, wanted, came) => wanted == *came,
        };
        let request = row.request.as_deref().unwrap_or("unread");
        if same { Ok(came) } else { Err(format!("{} {request}: {came:02x?}, not {:02x?}", row.method, row.answer())) }
    }

    /// The same bytes, except for broker ids, and for the order of a health report.
    fn same(&self, row: &Row, wanted: &[u8], came: &[u8]) -> bool {
        if !row.is_of_loop() {
            return wanted == came;
        }
        let (_, reply) = messages(&self.pool, &row.method);
        let loosely = row.method.ends_with("/HealthReport") || !ids(&reply, wanted).is_empty();
        wanted == came || (loosely && meaning(&reply, wanted) == meaning(&reply, came))
    }
}
