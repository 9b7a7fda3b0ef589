/// A component: no call.
///
///# Plugin service
///
///`acme.relayer.v1.Relayer`: calls may be answered in another process. Implement the trait with plain `async fn`s, hold it as `Arc<dyn Relayer>`.
///* Part of this service, reached without a call: `keystore`
pub trait Relayer: __ErasedRelayer + ::core::marker::Send + ::core::marker::Sync + 'static {
    fn keystore(&self) -> Option<Arc<dyn Keystore>>;
}
#[doc(hidden)]
#[allow(clippy::all, clippy::pedantic)]
pub trait __ErasedRelayer {
    fn __remote(&self) -> ::core::option::Option<&::loop_runtime::__private::Remote>;
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
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl<__T: ?::core::marker::Sized + Relayer> Relayer for ::std::sync::Arc<__T> {
        fn keystore(&self) -> Option<Arc<dyn Keystore>> {
            Relayer::keystore(&**self)
        }
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl Relayer for __rt::Remote {
        fn keystore(&self) -> Option<Arc<dyn Keystore>> {
            <Option<Arc<dyn Keystore>> as __rt::Component>::of(self)
        }
    }
    #[doc(hidden)]
    #[automatically_derived]
    impl __rt::Service for dyn Relayer {
        const NAME: &'static ::core::primitive::str = "acme.relayer.v1.Relayer";
        const METHODS: &'static [__rt::Method] = &[];
        const CARRIES: ::core::primitive::bool = __rt::any_carries(
            <Self as __rt::Service>::METHODS,
        ) || <Option<Arc<dyn Keystore>> as __rt::Component>::CARRIES;
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
            <Option<Arc<dyn Keystore>> as __rt::Component>::describe(__names);
        }
        fn mount(__this: &::std::sync::Arc<Self>, __tree: &mut __rt::Tree) {
            <Option<
                Arc<dyn Keystore>,
            > as __rt::Component>::mount(Relayer::keystore(__this), "keystore", __tree);
        }
        fn dispatch(
            __this: ::std::sync::Arc<Self>,
            __method: &::core::primitive::str,
            __call: __rt::Call,
        ) -> ::core::option::Option<__rt::Answer> {
            match __method {
                _ => ::core::option::Option::None,
            }
        }
        fn schema(__schema: &mut __rt::Schema) {
            <Option<Arc<dyn Keystore>> as __rt::Component>::schema(__schema);
        }
    }
};
