//! Several services on one connection: supertraits, accessors, components that may be missing, start methods.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use loop_runtime::plugin::Plugin;
use loop_runtime::{Code, Result, loop_service};

use crate::peer::{Peer, both, refused};

/// The root of the diamond.
#[loop_service(package = "shapes.components")]
pub(crate) trait Base {
    /// Which starts have run.
    async fn started(&self) -> Result<Vec<String>>;
    /// A default body that calls another method.
    async fn count_started(&self) -> Result<u32> {
        Ok(self.started().await?.len() as u32)
    }
    /// First.
    #[rpc(start)]
    async fn start_base(&self) -> Result<()> {
        Ok(())
    }
}

/// One side.
#[loop_service(package = "shapes.components")]
pub(crate) trait Left: Base {
    /// Answers.
    async fn left(&self) -> Result<String>;
    /// Second.
    #[rpc(start)]
    async fn start_left(&self) -> Result<()> {
        Ok(())
    }
}

/// The other side.
#[loop_service(package = "shapes.components")]
pub(crate) trait Right: Base {
    /// Answers. The same name in another service is another method.
    async fn right(&self) -> Result<String>;
    /// A service by accessor, of an inherited trait.
    fn gauge(&self) -> Arc<dyn Gauge>;
}

/// Three levels, and both sides.
#[loop_service(package = "shapes.components")]
pub(crate) trait Top: Left + Right {
    /// Answers.
    async fn top(&self) -> Result<String>;
    /// A component that may be missing.
    fn spare(&self) -> Option<Arc<dyn Spare>>;
    /// A component that has a component.
    fn panel(&self) -> Arc<dyn Panel>;
    /// Last.
    #[rpc(start)]
    async fn start_top(&self) -> Result<()> {
        Ok(())
    }
}

/// A component.
#[loop_service(package = "shapes.components")]
pub(crate) trait Gauge {
    /// Reads.
    async fn read(&self) -> Result<u64>;
}

/// An optional component.
#[loop_service(package = "shapes.components")]
pub(crate) trait Spare {
    /// Reads.
    async fn read(&self) -> Result<u64>;
}

/// A component with components.
#[loop_service(package = "shapes.components")]
pub(crate) trait Panel {
    /// How many lamps there are.
    async fn lamps(&self) -> Result<u32>;
    /// One that may be missing, two levels down.
    fn lamp(&self) -> Option<Arc<dyn Lamp>>;
}

/// A component of a component.
#[loop_service(package = "shapes.components")]
pub(crate) trait Lamp {
    /// Whether it is on.
    async fn is_on(&self) -> Result<bool>;
}

/// Gives out tops.
#[loop_service(package = "shapes.components")]
pub(crate) trait Shop: Top {
    /// Makes one, with the optional component or without.
    async fn new_top(&self, spare: bool) -> Result<Arc<dyn Top>>;
}

struct Everything {
    started: Mutex<Vec<String>>,
    spare: bool,
}

impl Everything {
    fn new(spare: bool) -> Self {
        Self { started: Mutex::default(), spare }
    }

    fn note(&self, what: &str) -> Result<()> {
        self.started.lock().unwrap().push(what.to_owned());
        Ok(())
    }
}

impl Base for Everything {
    async fn started(&self) -> Result<Vec<String>> {
        Ok(self.started.lock().unwrap().clone())
    }

    async fn start_base(&self) -> Result<()> {
        self.note("base")
    }
}

impl Left for Everything {
    async fn left(&self) -> Result<String> {
        Ok("left".into())
    }

    async fn start_left(&self) -> Result<()> {
        self.note("left")
    }
}

impl Right for Everything {
    async fn right(&self) -> Result<String> {
        Ok("right".into())
    }

    fn gauge(&self) -> Arc<dyn Gauge> {
        Arc::new(Number(1))
    }
}

impl Top for Everything {
    async fn top(&self) -> Result<String> {
        Ok("top".into())
    }

    fn spare(&self) -> Option<Arc<dyn Spare>> {
        self.spare.then(|| Arc::new(Number(2)) as _)
    }

    fn panel(&self) -> Arc<dyn Panel> {
        Arc::new(Number(if self.spare { 1 } else { 0 }))
    }

    async fn start_top(&self) -> Result<()> {
        self.note("top")
    }
}

impl Shop for Everything {
    async fn new_top(&self, spare: bool) -> Result<Arc<dyn Top>> {
        Ok(Arc::new(Self::new(spare)))
    }
}

struct Number(u64);

impl Gauge for Number {
    async fn read(&self) -> Result<u64> {
        Ok(self.0)
    }
}

impl Spare for Number {
    async fn read(&self) -> Result<u64> {
        Ok(self.0)
    }
}

impl Panel for Number {
    async fn lamps(&self) -> Result<u32> {
        Ok(self.0 as u32)
    }

    fn lamp(&self) -> Option<Arc<dyn Lamp>> {
        (self.0 > 0).then(|| Arc::new(Number(self.0)) as _)
    }
}

impl Lamp for Number {
    async fn is_on(&self) -> Result<bool> {
        Ok(true)
    }
}

pub(crate) async fn plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn Shop>(Arc::new(Everything::new(true))).await
}

pub(crate) async fn bare_plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn Shop>(Arc::new(Everything::new(false))).await
}

fn shop(case: impl AsyncFn(&Peer)) {
    both::<dyn Shop>("components", || Arc::new(Everything::new(true)), case);
}

async fn is_whole(top: &Arc<dyn Top>, spare: bool) {
    assert_eq!(top.top().await.unwrap(), "top");
    assert_eq!(top.left().await.unwrap(), "left");
    assert_eq!(top.right().await.unwrap(), "right");
    assert_eq!(top.gauge().read().await.unwrap(), 1);
    // Parents first, and what is inherited twice once.
    assert_eq!(top.started().await.unwrap(), ["base", "left", "top"]);
    assert_eq!(top.count_started().await.unwrap(), 3);
    assert_eq!(top.spare().is_some(), spare);
    if let Some(spare) = top.spare() {
        assert_eq!(spare.read().await.unwrap(), 2);
    }
    assert_eq!(top.panel().lamps().await.unwrap(), u32::from(spare));
    assert_eq!(top.panel().lamp().is_some(), spare);
    if let Some(lamp) = top.panel().lamp() {
        assert!(lamp.is_on().await.unwrap());
    }
}

#[test]
fn three_levels_and_a_diamond_on_one_connection() {
    shop(async |peer| {
        let top: Arc<dyn Top> = peer.get().await;
        is_whole(&top, true).await;
        let shop: Arc<dyn Shop> = peer.get().await;
        is_whole(&(shop as Arc<dyn Top>), true).await;
    });
}

#[test]
fn a_parent_or_a_component_is_dispensed_by_itself() {
    shop(async |peer| {
        let right: Arc<dyn Right> = peer.get().await;
        assert_eq!(right.gauge().read().await.unwrap(), 1);
        let base: Arc<dyn Base> = peer.get().await;
        assert_eq!(base.count_started().await.unwrap(), 3);
        let gauge: Arc<dyn Gauge> = peer.get().await;
        assert_eq!(gauge.read().await.unwrap(), 1);
    });
}

#[test]
fn made_objects_have_components_too() {
    shop(async |peer| {
        let shop: Arc<dyn Shop> = peer.get().await;
        for spare in [true, false] {
            is_whole(&shop.new_top(spare).await.unwrap(), spare).await;
        }
    });
}

#[test]
fn a_component_that_is_missing_is_none() {
    let bare = || -> Arc<dyn Shop> { Arc::new(Everything::new(false)) };
    both::<dyn Shop>("components without the optional one", bare, async |peer: &Peer| {
        is_whole(&peer.get().await, false).await;
        // Called without a probe whether it exists.
        let spare: Arc<dyn Spare> = peer.get().await;
        let (code, text) = refused(spare.read().await);
        assert_eq!((code, text.as_str()), (Code::Unimplemented, "unknown service shapes.components.Spare"));
    });
}

#[test]
fn an_accessor_holds_what_it_is_a_component_of() {
    shop(async |peer| {
        let shop: Arc<dyn Shop> = peer.get().await;
        let gauge = shop.new_top(true).await.unwrap().gauge();
        assert_eq!(gauge.read().await.unwrap(), 1);
    });
}
