//! gRPC's server reflection, both versions: the names of the services. Requests for descriptors are answered with an
//! error response, as the protocol specifies for what a server does not know.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::codegen::tokio_stream::Stream;
use tonic::{Code, Request, Response, Status, Streaming};

/// The full names of all services, sorted.
#[derive(Clone)]
pub(crate) struct ServiceNames(Arc<[String]>);

impl ServiceNames {
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        Self(names.into())
    }
}

/// One response per request, in order.
pub(crate) struct Answers<Q, A> {
    questions: Streaming<Q>,
    answer: Box<dyn Fn(Q) -> A + Send>,
}

impl<Q, A> Stream for Answers<Q, A> {
    type Item = Result<A, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let question = std::task::ready!(Pin::new(&mut self.questions).poll_next(cx));
        Poll::Ready(question.map(|question| question.map(|question| (self.answer)(question))))
    }
}

/// The two versions of the protocol are the same messages in two packages.
macro_rules! reflection {
    ($version:ident) => {
        impl ServiceNames {
            fn $version(
                &self,
                question: crate::proto::grpc::reflection::$version::ServerReflectionRequest,
            ) -> crate::proto::grpc::reflection::$version::ServerReflectionResponse {
                use crate::proto::grpc::reflection::$version as proto;
                use proto::server_reflection_request::MessageRequest as Asked;
                use proto::server_reflection_response::MessageResponse as Answer;

                let answer = match &question.message_request {
                    Some(Asked::ListServices(_)) => {
                        let service = self.0.iter().map(|name| proto::ServiceResponse { name: name.clone() }).collect();
                        Answer::ListServicesResponse(proto::ListServiceResponse { service })
                    }
                    Some(_) => Answer::ErrorResponse(proto::ErrorResponse {
                        error_code: Code::NotFound as i32,
                        error_message: "this plugin lists its services and has no descriptors of them".to_owned(),
                    }),
                    None => Answer::ErrorResponse(proto::ErrorResponse {
                        error_code: Code::InvalidArgument as i32,
                        error_message: "nothing was asked".to_owned(),
                    }),
                };
                proto::ServerReflectionResponse {
                    valid_host: question.host.clone(),
                    original_request: Some(question),
                    message_response: Some(answer),
                }
            }
        }

        #[tonic::async_trait]
        impl crate::proto::grpc::reflection::$version::server_reflection_server::ServerReflection for ServiceNames {
            type ServerReflectionInfoStream = Answers<
                crate::proto::grpc::reflection::$version::ServerReflectionRequest,
                crate::proto::grpc::reflection::$version::ServerReflectionResponse,
            >;

            async fn server_reflection_info(
                &self,
                request: Request<Streaming<crate::proto::grpc::reflection::$version::ServerReflectionRequest>>,
            ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
                let names = self.clone();
                let answer = Box::new(move |question| names.$version(question));
                Ok(Response::new(Answers { questions: request.into_inner(), answer }))
            }
        }
    };
}

reflection!(v1);
reflection!(v1alpha);
