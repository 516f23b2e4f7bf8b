//! The baseline of `benches/run` for a cold call: one `GetRoleCredentials` request with aws-config and the SDK.
//!
//! Arguments: access token, region, account, role. `AWS_ENDPOINT_URL_SSO` sets the endpoint.

#![allow(clippy::disallowed_macros)] // A separate program may print directly.

use std::error::Error;

use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [token, region, account, role] = arguments.as_slice() else {
        return Err("usage: exchange TOKEN REGION ACCOUNT ROLE".into());
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new(region.clone()))
            .no_credentials()
            .http_client(http)
            .load()
            .await;
        let call = aws_sdk_sso::Client::new(&config).get_role_credentials().access_token(token).account_id(account).role_name(role);
        let keys = call.send().await?.role_credentials.ok_or("no credentials")?;
        println!("{{\"Version\":1,\"AccessKeyId\":\"{}\"}}", keys.access_key_id.unwrap_or_default());
        Ok(())
    })
}
