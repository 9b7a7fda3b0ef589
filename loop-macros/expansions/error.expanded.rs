const _: () = {
    #[automatically_derived]
    impl ::loop_runtime::__private::wire::Oneof for SubmitError {
        const NUMBERS: &'static [::core::primitive::u32] = &[1u32];
        fn put_case(&self, __out: &mut ::loop_runtime::__private::wire::Writer) {
            match self {
                Self::NoAccount => {
                    <::loop_runtime::__private::wire::Empty as ::loop_runtime::__private::wire::Content>::write(
                        &::loop_runtime::__private::wire::Empty,
                        1u32,
                        __out,
                    )
                }
                Self::Boundary { .. } => {}
            }
        }
        fn read_case(
            __case: &::loop_runtime::__private::wire::Case<'_>,
            __into: &mut dyn ::loop_runtime::__private::wire::Sink<Self>,
        ) -> ::core::result::Result<(), ::loop_runtime::__private::wire::WireError> {
            match ::loop_runtime::__private::wire::Case::number(__case) {
                1u32 => {
                    <::loop_runtime::__private::wire::Empty as ::loop_runtime::__private::wire::Content>::read(
                        __case,
                        const {
                            &::loop_runtime::__private::wire::FieldSpec::new(
                                1u32,
                                "no_account",
                            )
                        },
                        |_| Self::NoAccount,
                        __into,
                    )
                }
                _ => ::loop_runtime::__private::wire::unset(__into),
            }
        }
        fn unset() -> ::core::option::Option<Self> {
            ::core::option::Option::None
        }
        fn cases(
            __shape: &mut ::loop_runtime::__private::wire::OneofShape,
            __schema: &mut ::loop_runtime::__private::wire::Schema,
        ) {
            ::loop_runtime::__private::wire::OneofShape::case(
                __shape,
                1u32,
                "no_account",
                <::loop_runtime::__private::wire::Empty as ::loop_runtime::__private::wire::Content>::describe(
                    __schema,
                ),
                "",
            );
        }
    }
    #[automatically_derived]
    impl ::loop_runtime::__private::wire::Message for SubmitError {
        const NAME: &'static ::core::primitive::str = "acme.ledger.v1.SubmitError";
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
                "Why a transaction was not taken.",
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
    #[automatically_derived]
    impl ::loop_runtime::__private::LoopError for SubmitError {
        fn into_error(self) -> ::loop_runtime::__private::Error {
            let __code = match self {
                Self::Boundary(__error) => {
                    return <Error as ::loop_runtime::__private::Transport>::into_error(
                        __error,
                    );
                }
                Self::NoAccount { .. } => ::loop_runtime::__private::Code::NotFound,
            };
            ::loop_runtime::__private::typed_error(__code, &self)
        }
        fn from_error(__error: ::loop_runtime::__private::Error) -> Self {
            match ::loop_runtime::__private::Error::detail(&__error) {
                ::core::option::Option::Some(__own) => __own,
                ::core::option::Option::None => {
                    Self::Boundary(
                        <Error as ::loop_runtime::__private::Transport>::from_error(
                            __error,
                        ),
                    )
                }
            }
        }
        fn describe(__schema: &mut ::loop_runtime::__private::wire::Schema) {
            <Self as ::loop_runtime::__private::wire::LoopMessage>::field_type(__schema);
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<::loop_runtime::__private::Error> for SubmitError {
        fn from(__error: ::loop_runtime::__private::Error) -> Self {
            <Self as ::loop_runtime::__private::LoopError>::from_error(__error)
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<SubmitError> for ::loop_runtime::__private::Error {
        fn from(__error: SubmitError) -> Self {
            ::loop_runtime::__private::LoopError::into_error(__error)
        }
    }
};
