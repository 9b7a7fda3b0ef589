//! The fixed services of the protocol: go-plugin's own three, gRPC's health checking and reflection.
//!
//! The files under `proto/` beside this one are generated from `loop-runtime/proto/`; the test
//! `tests/proto.rs` generates them again and compares, so that nobody who builds this crate pays
//! for a code generator.

#![allow(missing_docs, unreachable_pub, dead_code, clippy::all)]

/// How the messages of these services are encoded: by prost, in less room than tonic gives them.
pub(crate) mod codec {
    use std::marker::PhantomData;

    use prost::Message;
    use tonic::codec::BufferSettings;
    use tonic_prost::ProstCodec;

    /// Two streams are open for the whole life of a plugin, each with room for one message either way: tonic's 8 KiB four
    /// times would be a tenth of an idle plugin's memory, and announcements are shorter than this.
    const ROOM: usize = 512;

    /// As tonic's default: how much may be ready before it is sent.
    const YIELD_THRESHOLD: usize = 32 * 1024;

    fn settings() -> BufferSettings {
        BufferSettings::new(ROOM, YIELD_THRESHOLD)
    }

    #[derive(Debug)]
    pub(crate) struct Codec<T, U>(PhantomData<(T, U)>);

    impl<T, U> Default for Codec<T, U> {
        fn default() -> Self {
            Self(PhantomData)
        }
    }

    impl<T, U> tonic::codec::Codec for Codec<T, U>
    where
        T: Message + Send + 'static,
        U: Message + Default + Send + 'static,
    {
        type Encode = T;
        type Decode = U;
        type Encoder = <ProstCodec<T, U> as tonic::codec::Codec>::Encoder;
        type Decoder = <ProstCodec<T, U> as tonic::codec::Codec>::Decoder;

        fn encoder(&mut self) -> Self::Encoder {
            ProstCodec::<T, U>::raw_encoder(settings())
        }

        fn decoder(&mut self) -> Self::Decoder {
            ProstCodec::<T, U>::raw_decoder(settings())
        }
    }
}

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
