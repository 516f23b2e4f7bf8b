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
        ("/authorize", _) => return authorize(request, service),
        ("/start", _) => {
            let region = service.config.page_region.map(|region| format!("<meta name=\"region\" content=\"{region}\"/>"));
            return Response::html(200, format!("<!DOCTYPE html><html><head>{}</head></html>", region.unwrap_or_default()));
        }
        ("/vanity-without-head", "HEAD") => return Response::html(405, String::new()),
        ("/vanity" | "/vanity-without-head", _) => return redirect_to(&service.config.start_url),
        ("/vanity-elsewhere", _) => return redirect_to("https://evil.example/start"),
        _ => {}
    }
    let form = form(request);
    let user_code = field(&form, "user_code").trim().to_uppercase();
    if request.method == "POST" {
        let allow = field(&form, "decision") == "allow";
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
    let code = escape(&user_code);
    let asks = format!("<p>Allow it only if your terminal shows this code:</p><p class=code>{code}</p>");
    Response::html(200, decision(&asks, service, "/device", &[("user_code".to_owned(), user_code)]))
}

/// The page on which the user allows the code flow. Its form contains the request, which is checked again.
fn authorize(request: &Request, service: &mut Service) -> Response {
    let form = form(request);
    let decided = (request.method == "POST").then(|| field(&form, "decision") == "allow");
    match service.authorize(&form, decided) {
        Ok(Some(redirect)) => Response::html(302, String::new()).with("Location", &redirect),
        Ok(None) => {
            let asks = "<p>Allow it only if you have just started to sign in there.</p>";
            Response::html(200, decision(asks, service, "/authorize", &form))
        }
        Err(why) => Response::html(400, message("Something is wrong with this request", &escape(&why))),
    }
}

/// A page with the buttons Allow and Deny.
fn decision(asks: &str, service: &Service, action: &str, fields: &[(String, String)]) -> String {
    let names: Vec<&str> = service.config.accounts.iter().filter_map(|account| account.name.as_deref()).collect();
    let names = escape(&names.join(", "));
    let hidden =
        |(name, value): &(String, String)| format!("<input type=hidden name=\"{}\" value=\"{}\">", escape(name), escape(value));
    let hidden: String = fields.iter().map(hidden).collect();
    page(&format!(
        "<h1>Let daypass on this machine sign in?</h1>{asks}<p>It will be able to use your accounts: {names}.</p>\
         <form method=post action={action}>{hidden}<button name=decision value=allow>Allow</button> \
         <button name=decision value=deny class=quiet>Deny</button></form>"
    ))
}

/// The fields of a form that was posted, or of the query.
fn form(request: &Request) -> Vec<(String, String)> {
    if request.method == "POST" { http1::form(&String::from_utf8_lossy(&request.body)) } else { request.query.clone() }
}

fn field<'f>(form: &'f [(String, String)], name: &str) -> &'f str {
    form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

fn message(title: &str, text: &str) -> String {
    page(&format!("<h1>{title}</h1><p>{text}</p>"))
}

fn page(content: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>Identity Center sandbox</title><style>\
         :root{{color-scheme:light dark;--blue:light-dark(#0972d3,#75b6ff);--on-blue:light-dark(#fff,#0b1a2b)}}\
         body{{font:1rem/1.5 system-ui,sans-serif;max-width:28rem;margin:15vh auto;padding:0 1rem}}\
         h1{{font-size:1.4rem}}.code{{font:600 1.8rem ui-monospace,monospace;letter-spacing:.1em}}\
         button,input{{font:inherit;padding:.4rem 1.2rem;border:1px solid var(--blue);border-radius:.4rem}}\
         button{{background:var(--blue);color:var(--on-blue);cursor:pointer}}\
         button.quiet{{background:transparent;color:var(--blue)}}small{{opacity:.7}}\
         </style>{content}<p><small>A sandbox on this machine. No AWS account is involved.</small></p></html>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
