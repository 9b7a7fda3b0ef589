/// A service as an argument, and one as a result.
///
///# Plugin service
///
///`acme.relayer.v1.Relayer`: calls may be answered in another process. Implement the trait with plain `async fn`s, hold it as `Arc<dyn Relayer>`.
///* A method that returns a service may run again, with the same request, to make the service anew.
pub trait Relayer: __ErasedRelayer + ::core::marker::Send + ::core::marker::Sync + 'static {
    fn new_reader(
        &self,
        keys: Arc<dyn Keystore>,
    ) -> impl ::core::future::Future<
        Output = Result<(Arc<dyn Reader>, Info)>,
    > + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
#[doc(hidden)]
#[allow(clippy::all, clippy::pedantic)]
pub trait __ErasedRelayer {
    fn __remote(&self) -> ::core::option::Option<&::loop_runtime::__private::Remote>;
    fn __call_new_reader<'a>(
        &'a self,
        keys: Arc<dyn Keystore>,
    ) -> ::loop_runtime::__private::BoxFuture<'a, Result<(Arc<dyn Reader>, Info)>>;
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
        fn __call_new_reader<'a>(
            &'a self,
            keys: Arc<dyn Keystore>,
        ) -> __rt::BoxFuture<'a, Result<(Arc<dyn Reader>, Info)>> {
            match __rt::remote_of::<__T, dyn Relayer>(self) {
                ::core::option::Option::Some(__remote) => {
                    __call_new_reader(__remote, keys)
                }
                ::core::option::Option::None => {
                    ::std::boxed::Box::pin(<__T as Relayer>::new_reader(self, keys))
                }
            }
        }
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl<__T: ?::core::marker::Sized + Relayer> Relayer for ::std::sync::Arc<__T> {
        async fn new_reader(
            &self,
            keys: Arc<dyn Keystore>,
        ) -> Result<(Arc<dyn Reader>, Info)> {
            __ErasedRelayer::__call_new_reader(&**self, keys).await
        }
    }
    const __METHOD_0: __rt::Method = __rt::Method::new(
            "/acme.relayer.v1.Relayer/NewReader",
            "NewReader",
        )
        .carries(
            <Result<(Arc<dyn Reader>, Info)> as __rt::Outcome>::CARRIES
                || <Arc<dyn Keystore> as __rt::Parameter>::CARRIES,
        )
        .streams(
            &[<Arc<dyn Keystore> as __rt::Parameter>::STREAMS],
            <Result<(Arc<dyn Reader>, Info)> as __rt::Outcome>::STREAMS,
        )
        .reply(const {
            &[
                __rt::FieldSpec::new(2u32, "reader_id"),
                __rt::FieldSpec::new(1u32, "info"),
            ]
        });
    fn __call_new_reader<'a>(
        __remote: &'a __rt::Remote,
        keys: Arc<dyn Keystore>,
    ) -> __rt::BoxFuture<'a, Result<(Arc<dyn Reader>, Info)>> {
        let mut __out = __rt::Outgoing::new();
        __rt::Argument::<
            Arc<dyn Keystore>,
        >::give(keys, &__rt::FieldSpec::new(1u32, "keys"), &mut __out);
        __rt::Answers::<
            Result<(Arc<dyn Reader>, Info)>,
        >::call(__remote, &__METHOD_0, __out)
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl Relayer for __rt::Remote {
        fn new_reader(
            &self,
            keys: Arc<dyn Keystore>,
        ) -> __rt::BoxFuture<'_, Result<(Arc<dyn Reader>, Info)>> {
            __call_new_reader(self, keys)
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
                "NewReader" => {
                    __rt::Answers::<
                        Result<(Arc<dyn Reader>, Info)>,
                    >::serve(
                        __call,
                        &__METHOD_0,
                        __this,
                        |__from| {
                            ::core::result::Result::Ok((
                                (),
                                (
                                    __rt::Argument::<
                                        Arc<dyn Keystore>,
                                    >::take(&__rt::FieldSpec::new(1u32, "keys"), __from)?,
                                ),
                            ))
                        },
                        |__this, (), (keys,)| __ErasedRelayer::__call_new_reader(
                            __this,
                            __rt::Argument::<Arc<dyn Keystore>>::own(keys),
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
                "A service as an argument, and one as a result.",
            ) {
                {
                    let __request = __rt::RequestShape::Fields {
                        name: "NewReaderRequest",
                        fields: ::std::vec![
                            (__rt::FieldSpec::new(1u32, "keys"), __rt::Argument:: < Arc <
                            dyn Keystore > > ::field_type(__rt::ServiceBuilder::schema(&
                            mut __service)))
                        ],
                    };
                    let __reply = __rt::RequestShape::Fields {
                        name: "NewReaderReply",
                        fields: __rt::Answers::<
                            Result<(Arc<dyn Reader>, Info)>,
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
                        "NewReader",
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
