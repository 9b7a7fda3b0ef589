::core::compile_error! {
    "service method `submit` takes `&mut self`\nhelp: take `&self`; one value serves every connection at once, so keep mutable state behind a `Mutex` or an atomic"
}
::core::compile_error! {
    "`usize` has no fixed width on the wire\nhelp: use `u32` or `u64`"
}
/// All mistakes at once, and what is left of the trait.
trait Relayer: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn submit(
        &mut self,
        count: usize,
        job: Job,
    ) -> impl ::core::future::Future<Output = Result<()>> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
#[allow(deprecated, unused_variables, unused_mut, clippy::all, clippy::pedantic)]
const _: () = {
    impl<__T: ?::core::marker::Sized + Relayer> Relayer for ::std::sync::Arc<__T> {
        async fn submit(&mut self, count: usize, job: Job) -> Result<()> {
            ::core::unreachable!()
        }
    }
    impl Relayer for ::loop_runtime::__private::Remote {
        async fn submit(&mut self, count: usize, job: Job) -> Result<()> {
            ::core::unreachable!()
        }
    }
    const _: ::core::primitive::bool = <Job as ::loop_runtime::__private::Parameter>::CARRIES;
    const _: ::core::primitive::bool = <Result<
        (),
    > as ::loop_runtime::__private::Outcome>::CARRIES;
    impl ::loop_runtime::__private::Service for dyn Relayer {
        const NAME: &'static str = "";
        const METHODS: &'static [::loop_runtime::__private::Method] = &[];
        const CARRIES: bool = false;
        const RELEASE: ::core::option::Option<
            &'static ::loop_runtime::__private::Method,
        > = ::core::option::Option::None;
        fn connect(_: ::loop_runtime::__private::Remote) -> ::std::sync::Arc<Self> {
            ::core::unreachable!()
        }
        fn remote(
            _: &Self,
        ) -> ::core::option::Option<&::loop_runtime::__private::Remote> {
            ::core::unreachable!()
        }
        fn describe(_: &mut ::loop_runtime::__private::Names) {}
        fn mount(_: &::std::sync::Arc<Self>, _: &mut ::loop_runtime::__private::Tree) {}
        fn dispatch(
            _: ::std::sync::Arc<Self>,
            _: &str,
            _: ::loop_runtime::__private::Call,
        ) -> ::core::option::Option<::loop_runtime::__private::Answer> {
            ::core::unreachable!()
        }
        fn schema(_: &mut ::loop_runtime::__private::Schema) {}
    }
};
