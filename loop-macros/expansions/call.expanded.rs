/// One call with a borrowed and an owned argument.
///
///# Plugin service
///
///`acme.relayer.v1.Relayer`: calls may be answered in another process. Implement the trait with plain `async fn`s, hold it as `Arc<dyn Relayer>`.
///* Repeated after a lost connection: `latest_head`
pub trait Relayer: __ErasedRelayer + ::core::marker::Send + ::core::marker::Sync + 'static {
    /// The newest block.
    fn latest_head(
        &self,
        id: &str,
        depth: u32,
    ) -> impl ::core::future::Future<Output = Result<Head>> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
#[doc(hidden)]
#[allow(clippy::all, clippy::pedantic)]
pub trait __ErasedRelayer {
    fn __remote(&self) -> ::core::option::Option<&::loop_runtime::__private::Remote>;
    fn __call_latest_head<'a>(
        &'a self,
        id: &'a str,
        depth: u32,
    ) -> ::loop_runtime::__private::BoxFuture<'a, Result<Head>>;
}
#[allow(refining_impl_trait, clippy::all, clippy::pedantic)]
const _: () = {
    use ::loop_runtime::__private::{self as __rt, Refused as _};
    #[doc(hidden)]
    #[automatically_derived]
    impl<__T: Relayer> __ErasedRelayer for __T {
        fn __remote(&self) -> ::core::option::Option<&__rt::Remote> {
            __rt::remote_of::<__T, dyn Relayer>(self)
        }
        fn __call_latest_head<'a>(
            &'a self,
            id: &'a str,
            depth: u32,
        ) -> __rt::BoxFuture<'a, Result<Head>> {
            match __rt::remote_of::<__T, dyn Relayer>(self) {
                ::core::option::Option::Some(__remote) => {
                    __call_latest_head(__remote, id, depth)
                }
                ::core::option::Option::None => {
                    ::std::boxed::Box::pin(
                        <__T as Relayer>::latest_head(self, id, depth),
                    )
                }
            }
        }
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl<__T: ?::core::marker::Sized + Relayer> Relayer for ::std::sync::Arc<__T> {
        async fn latest_head(&self, id: &str, depth: u32) -> Result<Head> {
            __ErasedRelayer::__call_latest_head(&**self, id, depth).await
        }
    }
    const __METHOD_0: __rt::Method = __rt::Method::new(
            "/acme.relayer.v1.Relayer/LatestHead",
            "LatestHead",
        )
        .idempotent()
        .carries(
            <Result<Head> as __rt::Outcome>::CARRIES || <str as __rt::Parameter>::CARRIES
                || <u32 as __rt::Parameter>::CARRIES,
        )
        .streams(
            &[
                __rt::borrowed(<str as __rt::Parameter>::STREAMS),
                <u32 as __rt::Parameter>::STREAMS,
            ],
            <Result<Head> as __rt::Outcome>::STREAMS,
        )
        .reply(const { &[__rt::FieldSpec::new(1, "value")] });
    fn __call_latest_head<'a>(
        __remote: &'a __rt::Remote,
        id: &str,
        depth: u32,
    ) -> __rt::BoxFuture<'a, Result<Head>> {
        let mut __out = __rt::Outgoing::new();
        __rt::Argument::<str>::put(id, &__rt::FieldSpec::new(1u32, "id"), &mut __out);
        __rt::Argument::<
            u32,
        >::give(depth, &__rt::FieldSpec::new(2u32, "depth"), &mut __out);
        __rt::Answers::<Result<Head>>::call(__remote, &__METHOD_0, __out)
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl Relayer for __rt::Remote {
        fn latest_head(
            &self,
            id: &str,
            depth: u32,
        ) -> __rt::BoxFuture<'_, Result<Head>> {
            __call_latest_head(self, id, depth)
        }
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl __rt::Service for dyn Relayer {
        const NAME: &'static ::core::primitive::str = "acme.relayer.v1.Relayer";
        const METHODS: &'static [__rt::Method] = &[__METHOD_0];
        const CARRIES: ::core::primitive::bool = __rt::any_carries(
            <Self as __rt::Service>::METHODS,
        );
        const RELEASE: ::core::option::Option<&'static __rt::Method> = __rt::first(
            &[__rt::own_release(<Self as __rt::Service>::METHODS)],
        );
        fn connect(__remote: __rt::Remote) -> ::std::sync::Arc<Self> {
            ::std::sync::Arc::new(__remote)
        }
        fn remote(__this: &Self) -> ::core::option::Option<&__rt::Remote> {
            __ErasedRelayer::__remote(__this)
        }
        fn describe(__names: &mut __rt::Names) {
            __rt::Names::service(
                __names,
                <Self as __rt::Service>::NAME,
                <Self as __rt::Service>::METHODS,
            );
        }
        fn mount(__this: &::std::sync::Arc<Self>, __tree: &mut __rt::Tree) {
            let __here = ::core::clone::Clone::clone(__this);
            __rt::Tree::serve(
                __tree,
                <Self as __rt::Service>::NAME,
                <Self as __rt::Service>::METHODS,
                move |__method, __call| {
                    <Self as __rt::Service>::dispatch(
                        ::core::clone::Clone::clone(&__here),
                        __method,
                        __call,
                    )
                },
            );
        }
        fn dispatch(
            __this: ::std::sync::Arc<Self>,
            __method: &::core::primitive::str,
            __call: __rt::Call,
        ) -> ::core::option::Option<__rt::Answer> {
            match __method {
                "LatestHead" => {
                    __rt::Answers::<
                        Result<Head>,
                    >::serve(
                        __call,
                        &__METHOD_0,
                        __this,
                        |__from| {
                            ::core::result::Result::Ok((
                                (
                                    __rt::Argument::<
                                        str,
                                    >::take(&__rt::FieldSpec::new(1u32, "id"), __from)?,
                                ),
                                (
                                    __rt::Argument::<
                                        u32,
                                    >::take(&__rt::FieldSpec::new(2u32, "depth"), __from)?,
                                ),
                            ))
                        },
                        |__this, (id,), (depth,)| __ErasedRelayer::__call_latest_head(
                            __this,
                            __rt::Argument::<str>::lend(id),
                            __rt::Argument::<u32>::own(depth),
                        ),
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        fn schema(__schema: &mut __rt::Schema) {
            let __name = <Self as __rt::Service>::NAME;
            if let ::core::option::Option::Some(mut __service) = __rt::Schema::service(
                __schema,
                __name,
                "One call with a borrowed and an owned argument.",
            ) {
                {
                    let __request = __rt::RequestShape::Fields {
                        name: "LatestHeadRequest",
                        fields: ::std::vec![
                            (__rt::FieldSpec::new(1u32, "id"), __rt::Argument:: < str >
                            ::field_type(__rt::ServiceBuilder::schema(& mut __service))),
                            (__rt::FieldSpec::new(2u32, "depth"), __rt::Argument:: < u32
                            > ::field_type(__rt::ServiceBuilder::schema(& mut
                            __service)))
                        ],
                    };
                    let __reply = __rt::RequestShape::Fields {
                        name: "LatestHeadReply",
                        fields: __rt::Answers::<
                            Result<Head>,
                        >::fields(
                            __METHOD_0.reply,
                            __rt::ServiceBuilder::schema(&mut __service),
                        ),
                    };
                    let __streams = (
                        __METHOD_0.client_streaming,
                        __METHOD_0.server_streaming,
                    );
                    __rt::ServiceBuilder::method(
                        &mut __service,
                        "LatestHead",
                        "The newest block.",
                        true,
                        __streams,
                        __request,
                        __reply,
                    );
                }
            }
        }
    }
};
