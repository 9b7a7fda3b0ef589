const _: () = {
    fn __number(__value: &Status) -> ::core::primitive::i32 {
        match __value {
            Status::Unspecified => 0i32,
            Status::Done => 1i32,
            Status::Other(__number) => *__number,
        }
    }
    #[automatically_derived]
    impl ::loop_runtime::__private::wire::LoopMessage for Status {
        type Owned = Self;
        fn put(
            &self,
            __n: ::core::primitive::u32,
            __out: &mut ::loop_runtime::__private::wire::Writer,
        ) {
            <::core::primitive::i32 as ::loop_runtime::__private::wire::LoopMessage>::put(
                &__number(self),
                __n,
                __out,
            );
        }
        fn put_always(
            &self,
            __n: ::core::primitive::u32,
            __out: &mut ::loop_runtime::__private::wire::Writer,
        ) {
            <::core::primitive::i32 as ::loop_runtime::__private::wire::LoopMessage>::put_always(
                &__number(self),
                __n,
                __out,
            );
        }
        fn put_all<'a>(
            __items: impl ::core::iter::ExactSizeIterator<
                Item = &'a Self,
            > + ::core::clone::Clone,
            __n: ::core::primitive::u32,
            __out: &mut ::loop_runtime::__private::wire::Writer,
        ) {
            ::loop_runtime::__private::wire::put_enums(
                ::core::iter::Iterator::map(__items, __number),
                __n,
                __out,
            );
        }
        fn field_type(
            __schema: &mut ::loop_runtime::__private::wire::Schema,
        ) -> ::loop_runtime::__private::wire::FieldType {
            ::loop_runtime::__private::wire::Schema::enumeration(
                __schema,
                ::loop_runtime::__private::wire::EnumShape::new(
                        "Status",
                        "Numbers with names, and those without.",
                    )
                    .value(0i32, "STATUS_UNSPECIFIED", "")
                    .value(1i32, "STATUS_DONE", ""),
            )
        }
    }
    #[automatically_derived]
    impl ::loop_runtime::__private::wire::Value for Status {
        type Shape = ::loop_runtime::__private::wire::One;
        type Listed = ::loop_runtime::__private::wire::Many;
        type Slot<'a> = <::core::primitive::i32 as ::loop_runtime::__private::wire::Value>::Slot<
            'a,
        >;
        const PACKING: ::loop_runtime::__private::wire::Packing = <::core::primitive::i32 as ::loop_runtime::__private::wire::Value>::PACKING;
        fn add<'a>(
            __slot: &mut <Self as ::loop_runtime::__private::wire::Value>::Slot<'a>,
            __field: ::loop_runtime::__private::wire::Field<'a>,
        ) -> ::core::result::Result<(), ::loop_runtime::__private::wire::WireError> {
            <::core::primitive::i32 as ::loop_runtime::__private::wire::Value>::add(
                __slot,
                __field,
            )
        }
        fn done(
            __slot: <Self as ::loop_runtime::__private::wire::Value>::Slot<'_>,
        ) -> ::core::result::Result<Self, ::loop_runtime::__private::wire::WireError> {
            match <::core::primitive::i32 as ::loop_runtime::__private::wire::Value>::done(
                __slot,
            )? {
                0i32 => ::core::result::Result::Ok(Self::Unspecified),
                1i32 => ::core::result::Result::Ok(Self::Done),
                __number => ::core::result::Result::Ok(Self::Other(__number)),
            }
        }
    }
};
