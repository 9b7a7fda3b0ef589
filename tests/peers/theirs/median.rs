//! The servers of the median's side.

use tonic::service::Routes;

use super::values as v;
use super::{Theirs, answer, calls, served, tried};
use crate::bytes::DIGEST;
use crate::wire::codec::codec_server::{self, CodecServer};
use crate::wire::codec::*;
use crate::wire::r#loop::contract_config_tracker_server::ContractConfigTrackerServer;
use crate::wire::r#loop::contract_reader_server::ContractReaderServer;
use crate::wire::r#loop::contract_transmitter_server::ContractTransmitterServer;
use crate::wire::r#loop::data_source_server::DataSourceServer;
use crate::wire::r#loop::error_log_server::ErrorLogServer;
use crate::wire::r#loop::median_contract_server::MedianContractServer;
use crate::wire::r#loop::offchain_config_digester_server::OffchainConfigDigesterServer;
use crate::wire::r#loop::onchain_config_codec_server::OnchainConfigCodecServer;
use crate::wire::r#loop::report_codec_server::ReportCodecServer;
use crate::wire::r#loop::reporting_plugin_factory_server::ReportingPluginFactoryServer;
use crate::wire::r#loop::reporting_plugin_server::ReportingPluginServer;
use crate::wire::r#loop::service_server::ServiceServer;
use crate::wire::r#loop::*;

/// Adds what tells the configuration.
pub(super) fn configuration(it: &Theirs, to: Routes) -> Routes {
    to.add_service(OffchainConfigDigesterServer::new(it.clone()))
        .add_service(ContractConfigTrackerServer::new(it.clone()))
}

impl Theirs {
    /// A median's provider, with the components that it may have or without.
    pub(super) fn provider(&self, optional: bool) -> Routes {
        let routes = configuration(self, Routes::new(ServiceServer::new(self.clone())))
            .add_service(ContractTransmitterServer::new(self.clone()))
            .add_service(ReportCodecServer::new(self.clone()))
            .add_service(MedianContractServer::new(self.clone()))
            .add_service(OnchainConfigCodecServer::new(self.clone()));
        if !optional {
            return routes;
        }
        routes.add_service(ContractReaderServer::new(self.clone())).add_service(CodecServer::new(self.clone()))
    }

    /// What a host lends to a median besides the provider.
    pub(super) fn data_source(&self) -> u32 {
        self.broker.serve(Routes::new(DataSourceServer::new(self.clone())))
    }

    pub(super) fn error_log(&self) -> u32 {
        self.broker.serve(Routes::new(ErrorLogServer::new(self.clone())))
    }
}

served!(plugin_median_server::PluginMedian {
    new_median_factory: NewMedianFactoryRequest => NewMedianFactoryReply, |it, came| {
        let known = [(("0xfeed".to_owned(), None), true), (("0xfeed".to_owned(), Some(vec![])), false)];
        let optional = answer((came.contract_id, came.deviation_func_definition), known)?;
        tried(calls::provider(it.broker.dial(came.median_provider_id).await, optional)).await?;
        let sources = [
            came.data_source_id,
            came.juels_per_fee_coin_data_source_id,
            came.gas_price_subunits_data_source_id,
        ];
        for id in sources {
            tried(calls::data_source(it.broker.dial(id).await)).await?;
        }
        tried(calls::error_log(it.broker.dial(came.error_log_id).await)).await?;
        let routes = Routes::new(ServiceServer::new(it.clone()));
        let routes = routes.add_service(ReportingPluginFactoryServer::new(it.clone()));
        Ok(NewMedianFactoryReply { reporting_plugin_factory_id: it.broker.serve(routes) })
    };
});

served!(contract_transmitter_server::ContractTransmitter {
    transmit: TransmitRequest => TransmitReply, |_, came| answer(came, [(calls::transmission(), TransmitReply {})]);
    latest_config_digest_and_epoch: LatestConfigDigestAndEpochRequest => LatestConfigDigestAndEpochReply, |_, _| {
        Ok(LatestConfigDigestAndEpochReply { config_digest: DIGEST.into(), epoch: 9 })
    };
    from_account: FromAccountRequest => FromAccountReply, |_, _| Ok(FromAccountReply { account: "0xone".into() });
});

served!(report_codec_server::ReportCodec {
    build_report: BuildReportRequest => BuildReportReply, |_, came| {
        answer(came.observations, [(v::parsed(), BuildReportReply { report: b"built".into() })])
    };
    median_from_report: MedianFromReportRequest => MedianFromReportReply, |_, came| {
        let known = [("built", Some(v::loss())), ("zero", Some(BigInt::default())), ("none", None)];
        answer(came.report, known.map(|(report, median)| (report.into(), MedianFromReportReply { median })))
    };
    max_report_length: MaxReportLengthRequest => MaxReportLengthReply, |_, came| {
        answer(came.n, [(-2, -3), (31, 1 << 33)].map(|(n, max)| (n, MaxReportLengthReply { max })))
    };
});

served!(median_contract_server::MedianContract {
    latest_transmission_details: LatestTransmissionDetailsRequest => LatestTransmissionDetailsReply, |_, _| {
        Ok(v::transmission())
    };
    latest_round_requested: LatestRoundRequestedRequest => LatestRoundRequestedReply, |_, came| {
        answer(came.lookback, [(-60_000_000_000, v::requested())])
    };
});

served!(onchain_config_codec_server::OnchainConfigCodec {
    encode: EncodeRequest => EncodeReply, |_, came| {
        let known = [(v::onchain_config(), b"bounds".to_vec()), (Some(OnchainConfig::default()), vec![])];
        answer(came.onchain_config, known.map(|(config, encoded)| (config, EncodeReply { encoded })))
    };
    decode: DecodeRequest => DecodeReply, |_, came| {
        let known = [(b"bounds".to_vec(), v::onchain_config()), (vec![], Some(OnchainConfig::default()))];
        answer(came.encoded, known.map(|(encoded, onchain_config)| (encoded, DecodeReply { onchain_config })))
    };
});

served!(codec_server::Codec {
    get_encoding: GetEncodingRequest => GetEncodingResponse, |_, came| {
        let known = GetEncodingRequest { params: v::versioned(2), item_type: "Type".into() };
        answer(came, [(known, GetEncodingResponse { ret_val: vec![7; 3] })])
    };
    get_decoding: GetDecodingRequest => GetDecodingResponse, |_, came| {
        let known = GetDecodingRequest { encoded: vec![7; 3], item_type: "Type".into(), wire_encoding_version: 2 };
        answer(came, [(known, GetDecodingResponse { ret_val: v::versioned(2) })])
    };
    get_max_size: GetMaxSizeRequest => GetMaxSizeResponse, |_, came| {
        answer(came, calls::sizes().map(|(known, size_in_bytes)| (known, GetMaxSizeResponse { size_in_bytes })))
    };
});

served!(data_source_server::DataSource {
    observe: ObserveRequest => ObserveReply, |_, came| {
        let known = [(v::timestamp(1), Some(v::price())), (v::timestamp(2), None)];
        answer(came.report_timestamp, known.map(|(timestamp, value)| (timestamp, ObserveReply { value })))
    };
});

served!(error_log_server::ErrorLog {
    save_error: SaveErrorRequest => (), |_, came| answer(came.message, [("it broke".to_owned(), ())]);
});

served!(reporting_plugin_factory_server::ReportingPluginFactory {
    new_reporting_plugin: NewReportingPluginRequest => NewReportingPluginReply, |it, came| {
        answer(came.reporting_plugin_config, [(v::plugin_config(), ())])?;
        let reporting_plugin_id = it.broker.serve(Routes::new(ReportingPluginServer::new(it.clone())));
        Ok(NewReportingPluginReply { reporting_plugin_id, reporting_plugin_info: v::plugin_info() })
    };
});

served!(reporting_plugin_server::ReportingPlugin {
    query: QueryRequest => QueryReply, |_, came| {
        let known = [(v::timestamp(1), b"query".to_vec()), (v::timestamp(2), vec![])];
        answer(came.report_timestamp, known.map(|(timestamp, query)| (timestamp, QueryReply { query })))
    };
    observation: ObservationRequest => ObservationReply, |_, came| {
        answer(came, [(calls::observation(), ObservationReply { observation: b"observation".into() })])
    };
    report: ReportRequest => ReportReply, |_, came| {
        let full = ReportReply { should_report: true, report: b"report".into() };
        answer(came, calls::reports().into_iter().zip([full, ReportReply::default()]))
    };
    should_accept_finalized_report: ShouldAcceptFinalizedReportRequest => ShouldAcceptFinalizedReportReply, |_, came| {
        let known = ShouldAcceptFinalizedReportRequest { report_timestamp: v::timestamp(1), report: b"report".into() };
        answer(came, [(known, ShouldAcceptFinalizedReportReply { should_accept: true })])
    };
    should_transmit_accepted_report:
        ShouldTransmitAcceptedReportRequest => ShouldTransmitAcceptedReportReply, |_, came| {
        let known = [((v::timestamp(1), b"report".to_vec()), false), ((v::timestamp(2), vec![]), true)];
        answer((came.report_timestamp, came.report), known.map(|(known, should_transmit)| {
            (known, ShouldTransmitAcceptedReportReply { should_transmit })
        }))
    };
    close: () => (), |_, came| answer(came, [((), ())]);
});
