//! The pages for the browser: the verification page of a device code, the authorize page, and vanity URLs that redirect to the
//! portal.

use super::config::Approval;
use super::http1::{self, Request, Response};
use super::service::Service;

/// Whether this request is for a page and not a call of a service.
pub(super) fn is_page(request: &Request) -> bool {
    matches!(
        request.path.as_str(),
        "/device" | "/favicon.ico" | "/authorize" | "/start" | "/vanity" | "/vanity-without-head" | "/vanity-elsewhere"
    )
}

pub(super) fn serve(request: &Request, service: &mut Service) -> Response {
    if request.path == "/favicon.ico" {
        return Response::html(404, String::new());
    }
    let redirect_to = |to: &str| Response::html(302, String::new()).with("Location", to);
    match (request.path.as_str(), request.method.as_str()) {
        ("/authorize", _) => {
            return match service.authorize(&request.query) {
                Ok(Some(redirect)) => redirect_to(&redirect),
                Ok(None) => Response::html(200, message("Allow it?", "Waiting for a decision.")),
                Err(why) => Response::html(400, message("Something is wrong with this request", &escape(&why))),
            };
        }
        ("/start", _) => {
            let region = service.config.page_region.map(|region| format!("<meta name=\"region\" content=\"{region}\"/>"));
            return Response::html(200, format!("<!DOCTYPE html><html><head>{}</head></html>", region.unwrap_or_default()));
        }
        ("/vanity-without-head", "HEAD") => return Response::html(405, String::new()),
        ("/vanity" | "/vanity-without-head", _) => return redirect_to(&service.config.start_url),
        ("/vanity-elsewhere", _) => return redirect_to("https://evil.example/start"),
        _ => {}
    }
    let form = if request.method == "POST" { http1::form(&String::from_utf8_lossy(&request.body)) } else { request.query.clone() };
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let user_code = field("user_code").trim().to_uppercase();
    if request.method == "POST" {
        let allow = field("decision") == "allow";
        return Response::html(
            200,
            match (service.decide(&user_code, allow), allow) {
                (false, _) => message("This code is unknown, already used or expired", "Start again in the terminal."),
                (true, true) => message("Request approved", "You can close this window and go back to the terminal."),
                (true, false) => message("Request denied", "No credentials were issued. You can close this window."),
            },
        );
    }
    if user_code.is_empty() {
        return Response::html(
            200,
            page(
                "<h1>Enter the code</h1><p>Your terminal shows it.</p>\
             <form><input name=user_code placeholder=XXXX-XXXX autofocus autocomplete=off><button>Next</button></form>",
            ),
        );
    }
    if service.config.approval == Approval::OnVisit {
        service.decide(&user_code, true);
        return Response::html(200, message("Request approved", "You can close this window."));
    }
    let names: Vec<&str> = service.config.accounts.iter().filter_map(|account| account.name.as_deref()).collect();
    let (code, names) = (escape(&user_code), escape(&names.join(", ")));
    Response::html(
        200,
        page(&format!(
            "<h1>Sign in on your terminal?</h1><p>Allow it only if your terminal shows this code:</p><p class=code>{code}</p>\
         <p>It will be able to use your accounts: {names}.</p>\
         <form method=post action=/device><input type=hidden name=user_code value=\"{code}\">\
         <button name=decision value=allow>Allow</button> <button name=decision value=deny class=quiet>Deny</button></form>"
        )),
    )
}

fn message(title: &str, text: &str) -> String {
    page(&format!("<h1>{title}</h1><p>{text}</p>"))
}

fn page(content: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>Identity Center sandbox</title><style>\
         body{{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:15vh auto;padding:0 1rem;color:#16191f}}\
         h1{{font-size:1.4rem}}.code{{font:600 1.8rem ui-monospace,monospace;letter-spacing:.1em}}\
         button,input{{font:inherit;padding:.4rem 1.2rem;border:1px solid #0972d3;border-radius:.4rem}}\
         button{{background:#0972d3;color:#fff;cursor:pointer}}button.quiet{{background:#fff;color:#0972d3}}small{{color:#5f6b7a}}\
         </style>{content}<p><small>A sandbox on this machine. No AWS account is involved.</small></p></html>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
