use aws_lambda_events::alb::AlbTargetGroupResponse;
use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayV2httpResponse};
use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlResponse;

use super::Response;
use crate::http::is_final;
use crate::idempotency::{Call, Commit, Store};

macro_rules! responses {
    ($($response:ty),* $(,)?) => {
        responses!(@$($response, Commit<$response>,)*);
    };
    (@$($response:ty),* $(,)?) => {$(
        impl<E> Response<Result<$response, E>> {
            /// Lets the call keep final responses only, unless its options decide.
            pub fn keep_final<S: Store>(&self, call: Call<S>) -> Call<S> {
                call.keep_if_or(is_final)
            }
        }
    )*};
}

responses!(
    AlbTargetGroupResponse,
    ApiGatewayProxyResponse,
    ApiGatewayV2httpResponse,
    LambdaFunctionUrlResponse,
);
