const _: () = {
    struct __ValuePair {
        left: u32,
        right: u32,
    }
    #[automatically_derived]
    impl ::loop_runtime::__private::wire::Message for __ValuePair {
        const NAME: &'static ::core::primitive::str = "ValuePair";
        fn put_fields(&self, __out: &mut ::loop_runtime::__private::wire::Writer) {
            <u32 as ::loop_runtime::__private::wire::Plain>::write(
                &self.left,
                1u32,
                __out,
            );
            <u32 as ::loop_runtime::__private::wire::Plain>::write(
                &self.right,
                2u32,
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
                M,
            >(
                __fields: ::loop_runtime::__private::wire::Fields<'_>,
                __make: impl ::core::ops::FnOnce((T0, T1)) -> M,
                __into: &mut dyn ::loop_runtime::__private::wire::Sink<M>,
            ) -> ::core::result::Result<(), ::loop_runtime::__private::wire::WireError> {
                ::loop_runtime::__private::wire::read::<
                    (
                        ::loop_runtime::__private::wire::PlainMember<T0>,
                        ::loop_runtime::__private::wire::PlainMember<T1>,
                    ),
                    M,
                >(
                    __fields,
                    const {
                        &(
                            ::loop_runtime::__private::wire::FieldSpec::new(
                                1u32,
                                "left",
                            ),
                            ::loop_runtime::__private::wire::FieldSpec::new(
                                2u32,
                                "right",
                            ),
                        )
                    },
                    __make,
                    __into,
                )
            }
            let _ = <u32 as ::loop_runtime::__private::wire::Plain>::describe;
            let _ = <u32 as ::loop_runtime::__private::wire::Plain>::describe;
            __read::<
                u32,
                u32,
                Self,
            >(
                __fields,
                |(__value0, __value1)| Self {
                    left: __value0,
                    right: __value1,
                },
                __into,
            )
        }
        fn schema(__schema: &mut ::loop_runtime::__private::wire::Schema) {
            let mut __shape = ::loop_runtime::__private::wire::MessageShape::new(
                <Self as ::loop_runtime::__private::wire::Message>::NAME,
                "",
            );
            ::loop_runtime::__private::wire::MessageShape::field(
                &mut __shape,
                1u32,
                "left",
                <u32 as ::loop_runtime::__private::wire::Plain>::describe(__schema),
                "",
            );
            ::loop_runtime::__private::wire::MessageShape::field(
                &mut __shape,
                2u32,
                "right",
                <u32 as ::loop_runtime::__private::wire::Plain>::describe(__schema),
                "",
            );
            ::loop_runtime::__private::wire::Schema::add(__schema, __shape);
        }
    }
    #[automatically_derived]
    impl ::loop_runtime::__private::wire::Oneof for Value {
        const NUMBERS: &'static [::core::primitive::u32] = &[1u32, 2u32];
        fn put_case(&self, __out: &mut ::loop_runtime::__private::wire::Writer) {
            match self {
                Self::Text(__value) => {
                    <String as ::loop_runtime::__private::wire::Content>::write(
                        __value,
                        1u32,
                        __out,
                    )
                }
                Self::Pair { left: __value0, right: __value1 } => {
                    ::loop_runtime::__private::wire::nested(
                        2u32,
                        __out,
                        |__out| {
                            let _ = __value0;
                            let _ = __value1;
                            <u32 as ::loop_runtime::__private::wire::Plain>::write(
                                &*__value0,
                                1u32,
                                __out,
                            );
                            <u32 as ::loop_runtime::__private::wire::Plain>::write(
                                &*__value1,
                                2u32,
                                __out,
                            );
                        },
                    )
                }
                Self::Unset { .. } => {}
            }
        }
        fn read_case(
            __case: &::loop_runtime::__private::wire::Case<'_>,
            __into: &mut dyn ::loop_runtime::__private::wire::Sink<Self>,
        ) -> ::core::result::Result<(), ::loop_runtime::__private::wire::WireError> {
            match ::loop_runtime::__private::wire::Case::number(__case) {
                1u32 => {
                    <String as ::loop_runtime::__private::wire::Content>::read(
                        __case,
                        const {
                            &::loop_runtime::__private::wire::FieldSpec::new(
                                1u32,
                                "text",
                            )
                        },
                        Self::Text,
                        __into,
                    )
                }
                2u32 => {
                    <__ValuePair as ::loop_runtime::__private::wire::Content>::read(
                        __case,
                        const {
                            &::loop_runtime::__private::wire::FieldSpec::new(
                                2u32,
                                "pair",
                            )
                        },
                        |__body| Self::Pair {
                            left: __body.left,
                            right: __body.right,
                        },
                        __into,
                    )
                }
                _ => ::loop_runtime::__private::wire::unset(__into),
            }
        }
        fn unset() -> ::core::option::Option<Self> {
            ::core::option::Option::Some(Self::Unset)
        }
        fn cases(
            __shape: &mut ::loop_runtime::__private::wire::OneofShape,
            __schema: &mut ::loop_runtime::__private::wire::Schema,
        ) {
            ::loop_runtime::__private::wire::OneofShape::case(
                __shape,
                1u32,
                "text",
                <String as ::loop_runtime::__private::wire::Content>::describe(__schema),
                "",
            );
            ::loop_runtime::__private::wire::OneofShape::case(
                __shape,
                2u32,
                "pair",
                <__ValuePair as ::loop_runtime::__private::wire::Content>::describe(
                    __schema,
                ),
                "",
            );
        }
    }
    #[automatically_derived]
    impl ::loop_runtime::__private::wire::Message for Value {
        const NAME: &'static ::core::primitive::str = "Value";
        fn put_fields(&self, __out: &mut ::loop_runtime::__private::wire::Writer) {
            <Self as ::loop_runtime::__private::wire::Oneof>::put_case(self, __out);
        }
        fn read_fields(
            __fields: ::loop_runtime::__private::wire::Fields<'_>,
            __into: &mut dyn ::loop_runtime::__private::wire::Sink<Self>,
        ) -> ::core::result::Result<(), ::loop_runtime::__private::wire::WireError> {
            ::loop_runtime::__private::wire::read_oneof(__fields, __into)
        }
        fn schema(__schema: &mut ::loop_runtime::__private::wire::Schema) {
            let mut __shape = ::loop_runtime::__private::wire::MessageShape::new(
                <Self as ::loop_runtime::__private::wire::Message>::NAME,
                "One of several values.",
            );
            let __oneof = <Self as ::loop_runtime::__private::wire::OneofField>::shape(
                "kind",
                "",
                __schema,
            );
            ::loop_runtime::__private::wire::MessageShape::oneof(&mut __shape, __oneof);
            ::loop_runtime::__private::wire::Schema::add(__schema, __shape);
        }
    }
};
