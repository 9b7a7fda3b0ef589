const _: () = {
    #[automatically_derived]
    impl ::loop_runtime::__private::wire::Message for Head {
        const NAME: &'static ::core::primitive::str = "acme.relayer.v1.Head";
        fn put_fields(&self, __out: &mut ::loop_runtime::__private::wire::Writer) {
            <u64 as ::loop_runtime::__private::wire::Plain>::write(
                &self.height,
                1u32,
                __out,
            );
            <[u8; 32] as ::loop_runtime::__private::wire::Plain>::write(
                &self.hash,
                2u32,
                __out,
            );
            <Option<
                Box<Head>,
            > as ::loop_runtime::__private::wire::Plain>::write(
                &self.parent,
                3u32,
                __out,
            );
        }
        fn read_fields(
            __fields: ::loop_runtime::__private::wire::Fields<'_>,
            __into: &mut dyn ::loop_runtime::__private::wire::Sink<Self>,
        ) -> ::core::result::Result<(), ::loop_runtime::__private::wire::WireError> {
            fn __read<
                T0: ::loop_runtime::__private::wire::Plain,
                T1: ::loop_runtime::__private::wire::Plain,
                T2: ::loop_runtime::__private::wire::Plain,
                M,
            >(
                __fields: ::loop_runtime::__private::wire::Fields<'_>,
                __make: impl ::core::ops::FnOnce((T0, T1, T2)) -> M,
                __into: &mut dyn ::loop_runtime::__private::wire::Sink<M>,
            ) -> ::core::result::Result<(), ::loop_runtime::__private::wire::WireError> {
                ::loop_runtime::__private::wire::read::<
                    (
                        ::loop_runtime::__private::wire::PlainMember<T0>,
                        ::loop_runtime::__private::wire::PlainMember<T1>,
                        ::loop_runtime::__private::wire::PlainMember<T2>,
                    ),
                    M,
                >(
                    __fields,
                    const {
                        &(
                            ::loop_runtime::__private::wire::FieldSpec::new(
                                1u32,
                                "height",
                            ),
                            ::loop_runtime::__private::wire::FieldSpec::new(2u32, "hash")
                                .text("invalid hash len {n}: must be 32"),
                            ::loop_runtime::__private::wire::FieldSpec::new(
                                3u32,
                                "parent",
                            ),
                        )
                    },
                    __make,
                    __into,
                )
            }
            let _ = <u64 as ::loop_runtime::__private::wire::Plain>::describe;
            let _ = <[u8; 32] as ::loop_runtime::__private::wire::Plain>::describe;
            let _ = <Option<
                Box<Head>,
            > as ::loop_runtime::__private::wire::Plain>::describe;
            __read::<
                u64,
                [u8; 32],
                Option<Box<Head>>,
                Self,
            >(
                __fields,
                |(__value0, __value1, __value2)| Self {
                    height: __value0,
                    hash: __value1,
                    parent: __value2,
                },
                __into,
            )
        }
        fn schema(__schema: &mut ::loop_runtime::__private::wire::Schema) {
            let mut __shape = ::loop_runtime::__private::wire::MessageShape::new(
                <Self as ::loop_runtime::__private::wire::Message>::NAME,
                "The newest block.",
            );
            ::loop_runtime::__private::wire::MessageShape::field(
                &mut __shape,
                1u32,
                "height",
                <u64 as ::loop_runtime::__private::wire::Plain>::describe(__schema),
                "",
            );
            ::loop_runtime::__private::wire::MessageShape::field(
                &mut __shape,
                2u32,
                "hash",
                <[u8; 32] as ::loop_runtime::__private::wire::Plain>::describe(__schema),
                "",
            );
            ::loop_runtime::__private::wire::MessageShape::field(
                &mut __shape,
                3u32,
                "parent",
                <Option<
                    Box<Head>,
                > as ::loop_runtime::__private::wire::Plain>::describe(__schema),
                "",
            );
            ::loop_runtime::__private::wire::MessageShape::reserve(
                &mut __shape,
                4u32..=4u32,
            );
            ::loop_runtime::__private::wire::MessageShape::reserve(
                &mut __shape,
                7u32..=9u32,
            );
            ::loop_runtime::__private::wire::Schema::add(__schema, __shape);
        }
    }
};
