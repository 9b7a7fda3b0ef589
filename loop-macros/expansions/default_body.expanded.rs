/// A body that a plugin may leave as it is.
///
///# Plugin service
///
///`acme.relayer.v1.Relayer`: calls may be answered in another process. Implement the trait with plain `async fn`s, hold it as `Arc<dyn Relayer>`.
trait Relayer: __ErasedRelayer + ::core::marker::Send + ::core::marker::Sync + 'static {
    fn depth(
        &self,
    ) -> impl ::core::future::Future<Output = Result<u32>> + ::core::marker::Send
    where
        Self: ::core::marker::Sized,
    {
        async move {
            if let ::core::option::Option::Some(__answer) = ::core::option::Option::None::<
                Result<u32>,
            > {
                return __answer;
            }
            Ok(64)
        }
    }
}
#[doc(hidden)]
#[allow(clippy::all, clippy::pedantic)]
trait __ErasedRelayer {
    fn __remote(&self) -> ::core::option::Option<&::loop_runtime::__private::Remote>;
    fn __call_depth<'a>(
        &'a self,
    ) -> ::loop_runtime::__private::BoxFuture<'a, Result<u32>>;
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
        fn __call_depth<'a>(&'a self) -> __rt::BoxFuture<'a, Result<u32>> {
            match __rt::remote_of::<__T, dyn Relayer>(self) {
                ::core::option::Option::Some(__remote) => __call_depth(__remote),
                ::core::option::Option::None => {
                    ::std::boxed::Box::pin(<__T as Relayer>::depth(self))
                }
            }
        }
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl<__T: ?::core::marker::Sized + Relayer> Relayer for ::std::sync::Arc<__T> {
        async fn depth(&self) -> Result<u32> {
            __ErasedRelayer::__call_depth(&**self).await
        }
    }
    const __METHOD_0: __rt::Method = __rt::Method::new(
            "/acme.relayer.v1.Relayer/Depth",
            "Depth",
        )
        .carries(<Result<u32> as __rt::Outcome>::CARRIES)
        .streams(&[], <Result<u32> as __rt::Outcome>::STREAMS)
        .reply(const { &[__rt::FieldSpec::new(1, "value")] });
    fn __call_depth<'a>(__remote: &'a __rt::Remote) -> __rt::BoxFuture<'a, Result<u32>> {
        let mut __out = __rt::Outgoing::new();
        __rt::Answers::<Result<u32>>::call(__remote, &__METHOD_0, __out)
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl Relayer for __rt::Remote {
        fn depth(&self) -> __rt::BoxFuture<'_, Result<u32>> {
            __call_depth(self)
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
                "Depth" => {
                    __rt::Answers::<
                        Result<u32>,
                    >::serve(
                        __call,
                        &__METHOD_0,
                        __this,
                        |__from| {
                            __rt::Incoming::nothing(__from)?;
                            ::core::result::Result::Ok(((), ()))
                        },
                        |__this, (), ()| __ErasedRelayer::__call_depth(__this),
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
                "A body that a plugin may leave as it is.",
            ) {
                {
                    let __request = __rt::RequestShape::Fields {
                        name: "DepthRequest",
                        fields: ::std::vec![],
                    };
                    let __reply = __rt::RequestShape::Fields {
                        name: "DepthReply",
                        fields: __rt::Answers::<
                            Result<u32>,
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
                        "Depth",
                        "",
                        false,
                        __streams,
                        __request,
                        __reply,
                    );
                }
            }
        }
    }
};
