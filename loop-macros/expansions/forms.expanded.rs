const _: () = {
    #[allow(non_camel_case_types)]
    struct __with_2;
    impl ::loop_runtime::__private::wire::Form for __with_2 {}
    #[automatically_derived]
    impl ::loop_runtime::__private::wire::Element<__with_2> for Value {
        type Wire = as_json::Wire;
        fn to_wire(&self) -> as_json::Wire {
            as_json::to_wire(self)
        }
        fn from_wire(
            __wire: as_json::Wire,
        ) -> ::core::result::Result<Self, ::loop_runtime::__private::wire::WireError> {
            ::loop_runtime::__private::wire::converted(as_json::from_wire(__wire))
        }
    }
    #[automatically_derived]
    impl ::loop_runtime::__private::wire::Message for Report {
        const NAME: &'static ::core::primitive::str = "Report";
        fn put_fields(&self, __out: &mut ::loop_runtime::__private::wire::Writer) {
            <u64 as ::loop_runtime::__private::wire::Formed<
                ::loop_runtime::__private::wire::Fixed,
            >>::write(&self.id, 1u32, __out);
            <Value as ::loop_runtime::__private::wire::Formed<
                ::loop_runtime::__private::wire::Whole<__with_2>,
            >>::write(&self.details, 2u32, __out);
            <Vec<
                String,
            > as ::loop_runtime::__private::wire::OrDefault>::write(
                &self.names,
                3u32,
                __out,
            );
        }
        fn read_fields(
            __fields: ::loop_runtime::__private::wire::Fields<'_>,
            __into: &mut dyn ::loop_runtime::__private::wire::Sink<Self>,
        ) -> ::core::result::Result<(), ::loop_runtime::__private::wire::WireError> {
            fn __read<
                T0: ::loop_runtime::__private::wire::Formed<
                        ::loop_runtime::__private::wire::Fixed,
                    >,
                T1: ::loop_runtime::__private::wire::Formed<
                        ::loop_runtime::__private::wire::Whole<__with_2>,
                    >,
                T2: ::loop_runtime::__private::wire::OrDefault,
                M,
            >(
                __fields: ::loop_runtime::__private::wire::Fields<'_>,
                __make: impl ::core::ops::FnOnce((T0, T1, T2)) -> M,
                __into: &mut dyn ::loop_runtime::__private::wire::Sink<M>,
            ) -> ::core::result::Result<(), ::loop_runtime::__private::wire::WireError> {
                ::loop_runtime::__private::wire::read::<
                    (
                        ::loop_runtime::__private::wire::FormedMember<
                            T0,
                            ::loop_runtime::__private::wire::Fixed,
                        >,
                        ::loop_runtime::__private::wire::FormedMember<
                            T1,
                            ::loop_runtime::__private::wire::Whole<__with_2>,
                        >,
                        ::loop_runtime::__private::wire::OrDefaultMember<T2>,
                    ),
                    M,
                >(
                    __fields,
                    const {
                        &(
                            ::loop_runtime::__private::wire::FieldSpec::new(1u32, "id"),
                            ::loop_runtime::__private::wire::FieldSpec::new(
                                2u32,
                                "details",
                            ),
                            ::loop_runtime::__private::wire::FieldSpec::new(
                                3u32,
                                "names",
                            ),
                        )
                    },
                    __make,
                    __into,
                )
            }
            let _ = <u64 as ::loop_runtime::__private::wire::Formed<
                ::loop_runtime::__private::wire::Fixed,
            >>::describe;
            let _ = <Value as ::loop_runtime::__private::wire::Formed<
                ::loop_runtime::__private::wire::Whole<__with_2>,
            >>::describe;
            let _ = <Vec<
                String,
            > as ::loop_runtime::__private::wire::OrDefault>::describe;
            __read::<
                u64,
                Value,
                Vec<String>,
                Self,
            >(
                __fields,
                |(__value0, __value1, __value2)| Self {
                    id: __value0,
                    details: __value1,
                    names: __value2,
                    cache: <Cache as ::core::default::Default>::default(),
                },
                __into,
            )
        }
        fn schema(__schema: &mut ::loop_runtime::__private::wire::Schema) {
            let mut __shape = ::loop_runtime::__private::wire::MessageShape::new(
                <Self as ::loop_runtime::__private::wire::Message>::NAME,
                "Values in other forms than those of their types.",
            );
            ::loop_runtime::__private::wire::MessageShape::field(
                &mut __shape,
                1u32,
                "id",
                <u64 as ::loop_runtime::__private::wire::Formed<
                    ::loop_runtime::__private::wire::Fixed,
                >>::describe(__schema),
                "",
            );
            ::loop_runtime::__private::wire::MessageShape::field(
                &mut __shape,
                2u32,
                "details",
                <Value as ::loop_runtime::__private::wire::Formed<
                    ::loop_runtime::__private::wire::Whole<__with_2>,
                >>::describe(__schema),
                "",
            );
            ::loop_runtime::__private::wire::MessageShape::field_or_default(
                &mut __shape,
                3u32,
                "names",
                <Vec<
                    String,
                > as ::loop_runtime::__private::wire::OrDefault>::describe(__schema),
                "",
            );
            ::loop_runtime::__private::wire::Schema::add(__schema, __shape);
        }
    }
};
