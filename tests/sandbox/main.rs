//! The simulated portal is as strict and as faithful as the other tests assume. The client here is the AWS SDK, or a plain socket for
//! requests that the SDK does not send.

#![allow(clippy::disallowed_methods)] // These tests are clients of the portal and use the clock.
#![allow(clippy::unwrap_used, clippy::result_large_err)] // Helpers of tests; the SDK's errors are large.

mod expectations;
mod iam;
mod pages;
mod run;
mod service;
mod sts;
#[path = "../support/mod.rs"]
mod support;

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use aws_sdk_sso::config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_ssooidc::operation::create_token::{CreateTokenError, CreateTokenOutput};
use aws_sdk_ssooidc::operation::start_device_authorization::StartDeviceAuthorizationOutput;
use support::portal::{Portal, PortalConfig};

/// The SDK's clients of one portal, with a client registration.
struct Client {
    runtime: tokio::runtime::Runtime,
    oidc: aws_sdk_ssooidc::Client,
    sso: aws_sdk_sso::Client,
    id: String,
    secret: String,
}

macro_rules! config {
    ($sdk:ident, $portal:expr) => {
        $sdk::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .endpoint_url($portal.url())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(20)).build())
            .build()
    };
}

impl Client {
    fn unregistered(portal: &Portal) -> Self {
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            oidc: aws_sdk_ssooidc::Client::from_conf(config!(aws_sdk_ssooidc, portal)),
            sso: aws_sdk_sso::Client::from_conf(config!(aws_sdk_sso, portal)),
            id: "unregistered".to_owned(),
            secret: "nothing".to_owned(),
        }
    }

    fn of(portal: &Portal) -> Self {
        let client = Self::unregistered(portal);
        let call = client.oidc.register_client().client_name("sandbox test").client_type("public").scopes("sso:account:access");
        let answer = client.runtime.block_on(call.send()).unwrap();
        Self { id: answer.client_id.unwrap(), secret: answer.client_secret.unwrap(), ..client }
    }

    fn start(&self, portal: &Portal) -> StartDeviceAuthorizationOutput {
        let call = self.oidc.start_device_authorization().client_id(&self.id).client_secret(&self.secret);
        self.runtime.block_on(call.start_url(portal.start_url()).send()).unwrap()
    }

    fn poll(&self, device_code: &str) -> Result<CreateTokenOutput, CreateTokenError> {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let call = self.oidc.create_token().client_id(&self.id).client_secret(&self.secret).grant_type(grant);
        self.runtime.block_on(call.device_code(device_code).send()).map_err(aws_sdk_ssooidc::error::SdkError::into_service_error)
    }

    fn refresh(&self, token: &str) -> Result<CreateTokenOutput, CreateTokenError> {
        let call = self.oidc.create_token().client_id(&self.id).client_secret(&self.secret).grant_type("refresh_token");
        self.runtime.block_on(call.refresh_token(token).send()).map_err(aws_sdk_ssooidc::error::SdkError::into_service_error)
    }

    fn sign_in(&self, portal: &Portal) -> CreateTokenOutput {
        let code = self.start(portal).device_code.unwrap();
        self.poll(&code).unwrap()
    }

    /// Role credentials, or the status of the answer; None if there was no answer.
    fn role(&self, token: &str, account: &str, role: &str) -> Result<aws_sdk_sso::types::RoleCredentials, Option<u16>> {
        let call = self.sso.get_role_credentials().access_token(token).account_id(account).role_name(role);
        match self.runtime.block_on(call.send()) {
            Ok(answer) => Ok(answer.role_credentials.unwrap()),
            Err(error) => Err(error.raw_response().map(|response| response.status().as_u16())),
        }
    }
}

/// Sends these bytes and reads until the portal closes the connection.
fn raw(portal: &Portal, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(portal.url().trim_start_matches("http://"))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn get(portal: &Portal, target: &str, headers: &str) -> String {
    raw(portal, &format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")).unwrap()
}

fn post(portal: &Portal, path: &str, content_type: &str, body: &str) -> String {
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {content_type}\r\n");
    raw(portal, &format!("{head}content-length: {}\r\n\r\n{body}", body.len())).unwrap()
}

fn credentials(portal: &Portal, token: &str) -> String {
    let target = "/federation/credentials?role_name=ReadOnly&account_id=111122223333";
    get(portal, target, &format!("x-amz-sso_bearer_token: {token}\r\n"))
}

/// No pause between polls.
fn fast_polling() -> PortalConfig {
    PortalConfig { interval: Duration::ZERO, ..PortalConfig::default() }
}
