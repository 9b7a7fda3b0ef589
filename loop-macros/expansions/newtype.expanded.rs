const _: () = {
    #[automatically_derived]
    impl ::loop_runtime::__private::wire::LoopMessage for Digest {
        type Owned = Self;
        fn put(
            &self,
            __n: ::core::primitive::u32,
            __out: &mut ::loop_runtime::__private::wire::Writer,
        ) {
            <[u8; 32] as ::loop_runtime::__private::wire::Plain>::write(
                &self.0,
                __n,
                __out,
            );
        }
        fn put_always(
            &self,
            __n: ::core::primitive::u32,
            __out: &mut ::loop_runtime::__private::wire::Writer,
        ) {
            <[u8; 32] as ::loop_runtime::__private::wire::Plain>::write_always(
                &self.0,
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
            <[u8; 32] as ::loop_runtime::__private::wire::Plain>::write_all(
                ::core::iter::Iterator::map(__items, |__item| &__item.0),
                __n,
                __out,
            );
        }
        fn field_type(
            __schema: &mut ::loop_runtime::__private::wire::Schema,
        ) -> ::loop_runtime::__private::wire::FieldType {
            <[u8; 32] as ::loop_runtime::__private::wire::Plain>::describe(__schema)
        }
    }
    #[automatically_derived]
    impl ::loop_runtime::__private::wire::Value for Digest {
        type Shape = <[u8; 32] as ::loop_runtime::__private::wire::Plain>::Shape;
        type Listed = ::loop_runtime::__private::wire::Many;
        type Slot<'a> = <[u8; 32] as ::loop_runtime::__private::wire::Plain>::Slot<'a>;
        const PACKING: ::loop_runtime::__private::wire::Packing = <[u8; 32] as ::loop_runtime::__private::wire::Plain>::PACKING;
        fn add<'a>(
            __slot: &mut <Self as ::loop_runtime::__private::wire::Value>::Slot<'a>,
            __field: ::loop_runtime::__private::wire::Field<'a>,
        ) -> ::core::result::Result<(), ::loop_runtime::__private::wire::WireError> {
            <[u8; 32] as ::loop_runtime::__private::wire::Plain>::take(__slot, __field)
        }
        fn settle(
            __slot: &mut <Self as ::loop_runtime::__private::wire::Value>::Slot<'_>,
        ) -> ::core::result::Result<(), ::loop_runtime::__private::wire::WireError> {
            <[u8; 32] as ::loop_runtime::__private::wire::Plain>::settle(__slot)
        }
        fn done(
            __slot: <Self as ::loop_runtime::__private::wire::Value>::Slot<'_>,
        ) -> ::core::result::Result<Self, ::loop_runtime::__private::wire::WireError> {
            <[u8; 32] as ::loop_runtime::__private::wire::Plain>::make(__slot).map(Self)
        }
        fn read(
            __occurrences: &[::loop_runtime::__private::wire::Field<'_>],
            __into: &mut dyn ::loop_runtime::__private::wire::Sink<Self>,
        ) -> ::core::result::Result<(), ::loop_runtime::__private::wire::WireError> {
            <[u8; 32] as ::loop_runtime::__private::wire::Plain>::read(
                __occurrences,
                Self,
                __into,
            )
        }
    }
};
