/// A service that inherits from another one.
///
///# Plugin service
///
///`acme.relayer.v1.Relayer`: calls may be answered in another process. Implement the trait with plain `async fn`s, hold it as `Arc<dyn Relayer>`.
///* Sent by itself when the last handle is dropped: `close`
trait Relayer: Lifecycle + __ErasedRelayer + ::core::marker::Send + ::core::marker::Sync + 'static {
    fn close(
        &self,
    ) -> impl ::core::future::Future<Output = Result<()>> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
#[doc(hidden)]
#[allow(clippy::all, clippy::pedantic)]
trait __ErasedRelayer {
    fn __remote(&self) -> ::core::option::Option<&::loop_runtime::__private::Remote>;
    fn __call_close<'a>(
        &'a self,
    ) -> ::loop_runtime::__private::BoxFuture<'a, Result<()>>;
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
        fn __call_close<'a>(&'a self) -> __rt::BoxFuture<'a, Result<()>> {
            match __rt::remote_of::<__T, dyn Relayer>(self) {
                ::core::option::Option::Some(__remote) => __call_close(__remote),
                ::core::option::Option::None => {
                    ::std::boxed::Box::pin(<__T as Relayer>::close(self))
                }
            }
        }
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl<__T: ?::core::marker::Sized + Relayer> Relayer for ::std::sync::Arc<__T> {
        async fn close(&self) -> Result<()> {
            __ErasedRelayer::__call_close(&**self).await
        }
    }
    const __METHOD_0: __rt::Method = __rt::Method::new(
            "/acme.relayer.v1.Relayer/Close",
            "Close",
        )
        .release()
        .carries(<Result<()> as __rt::Outcome>::CARRIES)
        .streams(&[], <Result<()> as __rt::Outcome>::STREAMS);
    fn __call_close<'a>(__remote: &'a __rt::Remote) -> __rt::BoxFuture<'a, Result<()>> {
        let mut __out = __rt::Outgoing::new();
        __rt::Answers::<Result<()>>::call(__remote, &__METHOD_0, __out)
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl Relayer for __rt::Remote {
        fn close(&self) -> __rt::BoxFuture<'_, Result<()>> {
            __call_close(self)
        }
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl __rt::Service for dyn Relayer {
        const NAME: &'static ::core::primitive::str = "acme.relayer.v1.Relayer";
        const METHODS: &'static [__rt::Method] = &[__METHOD_0];
        const CARRIES: ::core::primitive::bool = __rt::any_carries(
            <Self as __rt::Service>::METHODS,
        ) || <dyn Lifecycle as __rt::Service>::CARRIES;
        const RELEASE: ::core::option::Option<&'static __rt::Method> = __rt::first(
            &[
                __rt::own_release(<Self as __rt::Service>::METHODS),
                <dyn Lifecycle as __rt::Service>::RELEASE,
            ],
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
            <dyn Lifecycle as __rt::Service>::describe(__names);
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
            <dyn Lifecycle as __rt::Service>::mount(
                &(::core::clone::Clone::clone(__this)
                    as ::std::sync::Arc<dyn Lifecycle>),
                __tree,
            );
        }
        fn dispatch(
            __this: ::std::sync::Arc<Self>,
            __method: &::core::primitive::str,
            __call: __rt::Call,
        ) -> ::core::option::Option<__rt::Answer> {
            match __method {
                "Close" => {
                    __rt::Answers::<
                        Result<()>,
                    >::serve(
                        __call,
                        &__METHOD_0,
                        __this,
                        |__from| {
                            __rt::Incoming::nothing(__from)?;
                            ::core::result::Result::Ok(((), ()))
                        },
                        |__this, (), ()| __ErasedRelayer::__call_close(__this),
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        fn start<'a>(
            __this: &'a ::std::sync::Arc<Self>,
            __starts: &'a mut __rt::Starts,
        ) -> __rt::BoxFuture<'a, ::core::result::Result<(), __rt::Error>> {
            ::std::boxed::Box::pin(async move {
                <dyn Lifecycle as __rt::Service>::start(
                        &(::core::clone::Clone::clone(__this)
                            as ::std::sync::Arc<dyn Lifecycle>),
                        __starts,
                    )
                    .await?;
                ::core::result::Result::Ok(())
            })
        }
        fn schema(__schema: &mut __rt::Schema) {
            <dyn Lifecycle as __rt::Service>::schema(__schema);
            let __name = <Self as __rt::Service>::NAME;
            if let ::core::option::Option::Some(mut __service) = __rt::Schema::service(
                __schema,
                __name,
                "A service that inherits from another one.",
            ) {
                {
                    let __request = __rt::RequestShape::Fields {
                        name: "CloseRequest",
                        fields: ::std::vec![],
                    };
                    let __reply = __rt::RequestShape::Fields {
                        name: "CloseReply",
                        fields: __rt::Answers::<
                            Result<()>,
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
                        "Close",
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
