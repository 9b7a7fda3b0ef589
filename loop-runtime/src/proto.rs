//! The fixed services of the protocol: go-plugin's own three, gRPC's health checking and reflection.
//!
//! The files under `proto/` beside this one are generated from `loop-runtime/proto/`; the test
//! `tests/proto.rs` generates them again and compares, so that nobody who builds this crate pays
//! for a code generator.

#![allow(missing_docs, unreachable_pub, dead_code, clippy::all)]

/// go-plugin's own services.
pub(crate) mod plugin {
    include!("proto/plugin.rs");
}

/// gRPC's services, named as their packages.
pub(crate) mod grpc {
    pub(crate) mod health {
        pub(crate) mod v1 {
            include!("proto/grpc.health.v1.rs");
        }
    }
    pub(crate) mod reflection {
        pub(crate) mod v1 {
            include!("proto/grpc.reflection.v1.rs");
        }
        pub(crate) mod v1alpha {
            include!("proto/grpc.reflection.v1alpha.rs");
        }
    }
}
