/// The names and numbers of a contract that exists.
///
///# Plugin service
///
///`acme.relayer.v1.ChainRelayer`: calls may be answered in another process. Implement the trait with plain `async fn`s, hold it as `Arc<dyn Relayer>`.
trait Relayer: __ErasedRelayer + ::core::marker::Send + ::core::marker::Sync + 'static {
    fn latest_details(
        &self,
    ) -> impl ::core::future::Future<Output = Result<Details>> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn transact(
        &self,
        from: &str,
        amount: u64,
    ) -> impl ::core::future::Future<Output = Result<()>> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
#[doc(hidden)]
#[allow(clippy::all, clippy::pedantic)]
trait __ErasedRelayer {
    fn __remote(&self) -> ::core::option::Option<&::loop_runtime::__private::Remote>;
    fn __call_latest_details<'a>(
        &'a self,
    ) -> ::loop_runtime::__private::BoxFuture<'a, Result<Details>>;
    fn __call_transact<'a>(
        &'a self,
        from: &'a str,
        amount: u64,
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
        fn __call_latest_details<'a>(&'a self) -> __rt::BoxFuture<'a, Result<Details>> {
            match __rt::remote_of::<__T, dyn Relayer>(self) {
                ::core::option::Option::Some(__remote) => __call_latest_details(__remote),
                ::core::option::Option::None => {
                    ::std::boxed::Box::pin(<__T as Relayer>::latest_details(self))
                }
            }
        }
        fn __call_transact<'a>(
            &'a self,
            from: &'a str,
            amount: u64,
        ) -> __rt::BoxFuture<'a, Result<()>> {
            match __rt::remote_of::<__T, dyn Relayer>(self) {
                ::core::option::Option::Some(__remote) => {
                    __call_transact(__remote, from, amount)
                }
                ::core::option::Option::None => {
                    ::std::boxed::Box::pin(
                        <__T as Relayer>::transact(self, from, amount),
                    )
                }
            }
        }
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl<__T: ?::core::marker::Sized + Relayer> Relayer for ::std::sync::Arc<__T> {
        async fn latest_details(&self) -> Result<Details> {
            __ErasedRelayer::__call_latest_details(&**self).await
        }
        async fn transact(&self, from: &str, amount: u64) -> Result<()> {
            __ErasedRelayer::__call_transact(&**self, from, amount).await
        }
    }
    const __METHOD_0: __rt::Method = __rt::Method::new(
            "/acme.relayer.v1.ChainRelayer/Details",
            "Details",
        )
        .carries(<Result<Details> as __rt::WholeOutcome>::CARRIES)
        .streams(&[], <Result<Details> as __rt::WholeOutcome>::STREAMS);
    const __METHOD_1: __rt::Method = __rt::Method::new(
            "/acme.relayer.v1.ChainRelayer/Transact",
            "Transact",
        )
        .carries(
            <Result<()> as __rt::Outcome>::CARRIES || <str as __rt::Parameter>::CARRIES
                || <u64 as __rt::Parameter>::CARRIES,
        )
        .streams(
            &[
                __rt::borrowed(<str as __rt::Parameter>::STREAMS),
                <u64 as __rt::Parameter>::STREAMS,
            ],
            <Result<()> as __rt::Outcome>::STREAMS,
        );
    fn __call_latest_details<'a>(
        __remote: &'a __rt::Remote,
    ) -> __rt::BoxFuture<'a, Result<Details>> {
        let mut __out = __rt::Outgoing::new();
        __rt::AnswersWhole::<Result<Details>>::call(__remote, &__METHOD_0, __out)
    }
    fn __call_transact<'a>(
        __remote: &'a __rt::Remote,
        from: &str,
        amount: u64,
    ) -> __rt::BoxFuture<'a, Result<()>> {
        let mut __out = __rt::Outgoing::new();
        __rt::Argument::<
            str,
        >::put(from, &__rt::FieldSpec::new(3u32, "fromAddress"), &mut __out);
        __rt::Argument::<
            u64,
        >::give(amount, &__rt::FieldSpec::new(1u32, "amount"), &mut __out);
        __rt::Answers::<Result<()>>::call(__remote, &__METHOD_1, __out)
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl Relayer for __rt::Remote {
        fn latest_details(&self) -> __rt::BoxFuture<'_, Result<Details>> {
            __call_latest_details(self)
        }
        fn transact(&self, from: &str, amount: u64) -> __rt::BoxFuture<'_, Result<()>> {
            __call_transact(self, from, amount)
        }
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl __rt::Service for dyn Relayer {
        const NAME: &'static ::core::primitive::str = "acme.relayer.v1.ChainRelayer";
        const METHODS: &'static [__rt::Method] = &[__METHOD_0, __METHOD_1];
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
                "Details" => {
                    __rt::AnswersWhole::<
                        Result<Details>,
                    >::serve(
                        __call,
                        &__METHOD_0,
                        __this,
                        |__from| {
                            __rt::Incoming::nothing(__from)?;
                            ::core::result::Result::Ok(((), ()))
                        },
                        |__this, (), ()| __ErasedRelayer::__call_latest_details(__this),
                    )
                }
                "Transact" => {
                    __rt::Answers::<
                        Result<()>,
                    >::serve(
                        __call,
                        &__METHOD_1,
                        __this,
                        |__from| {
                            ::core::result::Result::Ok((
                                (
                                    __rt::Argument::<
                                        str,
                                    >::take(
                                        &__rt::FieldSpec::new(3u32, "fromAddress"),
                                        __from,
                                    )?,
                                ),
                                (
                                    __rt::Argument::<
                                        u64,
                                    >::take(&__rt::FieldSpec::new(1u32, "amount"), __from)?,
                                ),
                            ))
                        },
                        |__this, (from,), (amount,)| __ErasedRelayer::__call_transact(
                            __this,
                            __rt::Argument::<str>::lend(from),
                            __rt::Argument::<u64>::own(amount),
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
                "The names and numbers of a contract that exists.",
            ) {
                {
                    let __request = __rt::RequestShape::Fields {
                        name: "google.protobuf.Empty",
                        fields: ::std::vec![],
                    };
                    let __reply = __rt::RequestShape::Whole(
                        __rt::AnswersWhole::<
                            Result<Details>,
                        >::message(__rt::ServiceBuilder::schema(&mut __service)),
                    );
                    let __streams = (
                        __METHOD_0.client_streaming,
                        __METHOD_0.server_streaming,
                    );
                    __rt::ServiceBuilder::method(
                        &mut __service,
                        "Details",
                        "",
                        false,
                        __streams,
                        __request,
                        __reply,
                    );
                }
                {
                    let __request = __rt::RequestShape::Fields {
                        name: "TxRequest",
                        fields: ::std::vec![
                            (__rt::FieldSpec::new(3u32, "fromAddress"), __rt::Argument::
                            < str > ::field_type(__rt::ServiceBuilder::schema(& mut
                            __service))), (__rt::FieldSpec::new(1u32, "amount"),
                            __rt::Argument:: < u64 >
                            ::field_type(__rt::ServiceBuilder::schema(& mut __service)))
                        ],
                    };
                    let __reply = __rt::RequestShape::Fields {
                        name: "TransactReply",
                        fields: __rt::Answers::<
                            Result<()>,
                        >::fields(
                            __METHOD_1.reply,
                            __rt::ServiceBuilder::schema(&mut __service),
                        ),
                    };
                    let __streams = (
                        __METHOD_1.client_streaming,
                        __METHOD_1.server_streaming,
                    );
                    __rt::ServiceBuilder::method(
                        &mut __service,
                        "Transact",
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
